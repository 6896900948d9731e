"""Built-ins on dates, times and durations (DMN 1.5, 10.3.4.1, 10.3.4.8)."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

from engine.feel import dates
from engine.feel.dates import Date, DateTime, Time
from engine.feel.durations import (
    DAY,
    SECOND,
    DaysDuration,
    Duration,
    MonthsDuration,
    parse_duration,
)
from engine.feel.functions.arithmetic import whole
from engine.feel.functions.signature import function
from engine.feel.values import FeelError, Value, brief

V = TypeVar("V")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@function("date(from: string) -> date")
def date_from_text(text: str) -> Date:
    """Read a date."""
    return _found(dates.parse_date(text), text, "date such as `2026-01-31`")


@function("date(from: date) -> date")
def date_from_date(date: Date) -> Date:
    """Return the date itself."""
    return date


@function("date(from: date and time) -> date")
def date_from_date_time(moment: DateTime) -> Date:
    """Return the day of a date and time."""
    return moment.date


@function("date(year: number, month: number, day: number) -> date")
def date_from_parts(year: Decimal, month: Decimal, day: Decimal) -> Date:
    """Build a date."""
    parts = whole(year, "year"), whole(month, "month"), whole(day, "day")
    return _found(dates.make_date(*parts), "-".join(map(str, parts)), "day of the calendar")


@function("time(from: string) -> time")
def time_from_text(text: str) -> Time:
    """Read a time of day."""
    return _found(dates.parse_time(text), text, "time such as `12:30:00` or `12:30:00+08:00`")


@function("time(from: time) -> time")
def time_from_time(time: Time) -> Time:
    """Return the time itself."""
    return time


@function("time(from: date and time) -> time")
def time_from_date_time(moment: DateTime) -> Time:
    """Return the time of day of a date and time."""
    return moment.time


@function("time(from: date) -> time")
def time_from_date(date: Date) -> Time:
    """Return midnight UTC, as which the standard sees a date (10.3.2.3.4)."""
    return Time(0, dates.UTC)


@function("time(hour: number, minute: number, second: number, [offset: days and time duration?]) -> time")
def time_from_parts(
    hour: Decimal, minute: Decimal, second: Decimal, offset: DaysDuration | None = None
) -> Time:
    """Build a time of day; seconds may have a fraction."""
    hours, minutes = whole(hour, "hour"), whole(minute, "minute")
    nanos = int(second * SECOND) if abs(second) < 60 else -1
    if not (0 <= hours < 24 and 0 <= minutes < 60 and nanos >= 0):
        raise FeelError("bad-argument", f"there is no time {hours}:{minutes}:{second}")
    return Time((hours * 60 + minutes) * 60 * SECOND + nanos, _zone(offset))


def _zone(offset: DaysDuration | None) -> dates.Zone | None:
    if offset is None:
        return None
    seconds = abs(offset.nanoseconds) // SECOND
    if seconds > 18 * 3600:
        raise FeelError("bad-argument", f"the offset {offset} is more than 18 hours")
    return dates.Zone(-seconds if offset.nanoseconds < 0 else seconds)


@function("date and time(from: string) -> date and time")
def date_time_from_text(text: str) -> DateTime:
    """Read a date and time."""
    return _found(dates.parse_date_time(text), text, "date and time such as `2026-01-31T12:30:00`")


@function("date and time(from: date and time) -> date and time")
def date_time_from_date_time(moment: DateTime) -> DateTime:
    """Return the date and time itself."""
    return moment


@function("date and time(date: date, time: time) -> date and time")
def date_time_from_parts(date: Date, time: Time) -> DateTime:
    """Join a date and a time of day."""
    return DateTime(date, time)


@function("date and time(date: date and time, time: time) -> date and time")
def date_time_with_time(date: DateTime, time: Time) -> DateTime:
    """Return the day of a date and time, at another time of day."""
    return DateTime(date.date, time)


@function("duration(from: string) -> any")
def duration(text: str) -> Duration:
    """Read a duration of either kind."""
    found = parse_duration(text)
    if found is None:
        raise FeelError("bad-argument", f"`{text:.60}` is not a duration such as `P30D`, `PT12H` or `P1Y6M`")
    return found


@function("duration(from: days and time duration) -> days and time duration")
def duration_from_days(value: DaysDuration) -> DaysDuration:
    """Return the duration itself."""
    return value


@function("duration(from: years and months duration) -> years and months duration")
def duration_from_months(value: MonthsDuration) -> MonthsDuration:
    """Return the duration itself."""
    return value


@function("years and months duration(from: date, to: date) -> years and months duration")
def months_between_dates(start: Date, end: Date) -> MonthsDuration:
    """Return the whole months between two days."""
    return dates.months_between(start, end)


@function("years and months duration(from: date and time, to: date and time) -> years and months duration")
def months_between_moments(start: DateTime, end: DateTime) -> MonthsDuration:
    """Return the whole months between two moments."""
    return dates.months_between(start, end)


@function("day of week(date: date) -> string")
def day_of_week(date: Date) -> str:
    """Return the English name of the weekday."""
    return WEEKDAYS[weekday(date) - 1]


@function("day of week(date: date and time) -> string")
def day_of_week_of_moment(moment: DateTime) -> str:
    """Return the English name of the weekday."""
    return day_of_week(moment.date)


def weekday(date: Date) -> int:
    """Return 1 for Monday to 7 for Sunday."""
    return (date.ordinal + 3) % 7 + 1


@function("day of year(date: date) -> number")
def day_of_year(date: Date) -> Decimal:
    """Return 1 to 366."""
    return Decimal(date.ordinal - dates.days_from_civil(date.year, 1, 1) + 1)


@function("day of year(date: date and time) -> number")
def day_of_year_of_moment(moment: DateTime) -> Decimal:
    """Return 1 to 366."""
    return day_of_year(moment.date)


@function("month of year(date: date) -> string")
def month_of_year(date: Date) -> str:
    """Return the English name of the month."""
    return MONTHS[date.month - 1]


@function("month of year(date: date and time) -> string")
def month_of_year_of_moment(moment: DateTime) -> str:
    """Return the English name of the month."""
    return month_of_year(moment.date)


@function("week of year(date: date) -> number")
def week_of_year(date: Date) -> Decimal:
    """Return the week of ISO 8601, 1 to 53."""
    thursday = date.ordinal - weekday(date) + 4
    year = dates.civil_from_days(thursday).year
    return Decimal((thursday - dates.days_from_civil(year, 1, 1)) // 7 + 1)


@function("week of year(date: date and time) -> number")
def week_of_year_of_moment(moment: DateTime) -> Decimal:
    """Return the week of ISO 8601, 1 to 53."""
    return week_of_year(moment.date)


# --- parts of values ------------------------------------------------------------------------------


def property_of(value: Value, name: str) -> Value:
    """Return `value.name` of a date, time or duration (DMN 1.5, table 65); or raises FeelError."""
    found = _date_part(value, name) if isinstance(value, Date | DateTime) else None
    if found is None and isinstance(value, Time | DateTime):
        if name in ("time offset", "timezone"):
            return _zone_part(value, name)
        found = _time_part(value if isinstance(value, Time) else value.time, name)
    if found is None and isinstance(value, DaysDuration | MonthsDuration):
        found = _duration_part(value, name)
    if found is None:
        raise FeelError("no-such-entry", f"there is no `{name}` in {brief(value)}")
    return Decimal(found)


def _date_part(value: Date | DateTime, name: str) -> int | None:
    date = value if isinstance(value, Date) else value.date
    parts = {"year": date.year, "month": date.month, "day": date.day, "weekday": weekday(date)}
    return parts.get(name)


def _time_part(time: Time, name: str) -> int | None:
    return {"hour": time.hour, "minute": time.minute, "second": time.second}.get(name)


def _zone_part(value: Time | DateTime, name: str) -> Value:
    time = value if isinstance(value, Time) else value.time
    if name == "timezone":
        return time.zone.name or None if time.zone else None
    date = value.date if isinstance(value, DateTime) else Date(1970, 1, 1)
    offset = dates.offset_of(date, time)
    return None if offset is None else DaysDuration(offset * SECOND)


def _duration_part(value: DaysDuration | MonthsDuration, name: str) -> int | None:
    if isinstance(value, MonthsDuration):
        years, months = divmod(abs(value.months), 12)
        parts, sign = {"years": years, "months": months}, value.months
    else:
        days, rest = divmod(abs(value.nanoseconds), DAY)
        seconds = rest // SECOND
        parts = {
            "days": days,
            "hours": seconds // 3600,
            "minutes": seconds // 60 % 60,
            "seconds": seconds % 60,
        }
        sign = value.nanoseconds
    part = parts.get(name)
    return -part if part is not None and sign < 0 else part


def _found(value: V | None, text: str, wanted: str) -> V:
    if value is None:
        raise FeelError("bad-argument", f"`{text:.60}` is not a {wanted}")
    return value
