"""Dates, times, and both at once: years from -999999999 to 999999999, nanoseconds, offsets and zones.

The calendar is the proleptic Gregorian one of ISO 8601 (XML Schema Datatypes 1.1, 3.3.7 to 3.3.9).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC as PYTHON_UTC
from datetime import date as PythonDate  # noqa: N812 - three classes of the same names stand below
from datetime import datetime as PythonDateTime  # noqa: N812
from datetime import time as PythonTime  # noqa: N812
from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.feel.durations import DAY, SECOND, DaysDuration, MonthsDuration

LAST_YEAR = 999_999_999
DATE_TEXT = re.compile(r"(-?(?:[1-9]\d{4,8}|\d{4}))-(\d\d)-(\d\d)", re.ASCII)
TIME_TEXT = re.compile(
    r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?(Z|z|[+-]\d\d:\d\d(?::\d\d)?|@[A-Za-z0-9_+/-]{1,60})?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone: a fixed offset in seconds, or a name of the IANA database."""

    offset: int | None
    name: str = ""

    def __str__(self) -> str:
        if self.offset is None:
            return f"@{self.name}"
        if self.offset == 0:
            return "Z"
        minutes, seconds = divmod(abs(self.offset), 60)
        tail = f":{seconds:02d}" if seconds else ""
        return f"{'-' if self.offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}{tail}"


UTC = Zone(0)


@dataclass(frozen=True, slots=True, order=True)
class Date:
    """A day of the calendar."""

    year: int
    month: int
    day: int

    @property
    def ordinal(self) -> int:
        """Days since 1970-01-01."""
        return days_from_civil(self.year, self.month, self.day)

    def __str__(self) -> str:
        sign = "-" if self.year < 0 else ""
        return f"{sign}{abs(self.year):04d}-{self.month:02d}-{self.day:02d}"


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day, in nanoseconds since midnight, local unless it has a zone."""

    nanoseconds: int
    zone: Zone | None = None

    @property
    def hour(self) -> int:
        """0 to 23."""
        return self.nanoseconds // (3600 * SECOND)

    @property
    def minute(self) -> int:
        """0 to 59."""
        return self.nanoseconds // (60 * SECOND) % 60

    @property
    def second(self) -> int:
        """0 to 59, whole seconds."""
        return self.nanoseconds // SECOND % 60

    def __str__(self) -> str:
        nanos = self.nanoseconds % SECOND
        fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
        return f"{self.hour:02d}:{self.minute:02d}:{self.second:02d}{fraction}{self.zone or ''}"


@dataclass(frozen=True, slots=True)
class DateTime:
    """A day and a time of day; an instant if it has a zone."""

    date: Date
    time: Time

    def __str__(self) -> str:
        return f"{self.date}T{self.time}"


Moment = Date | Time | DateTime


# --- the calendar ---------------------------------------------------------------------------------


def days_from_civil(year: int, month: int, day: int) -> int:
    """Return days since 1970-01-01 in the proleptic Gregorian calendar, for any year."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def civil_from_days(days: int) -> Date:
    """Return the date that many days after 1970-01-01; raises OverflowError beyond the last year."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return _in_years(Date(year_of_era + era * 400 + (month <= 2), month, day))


def month_length(year: int, month: int) -> int:
    """Return the number of days of a month."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _in_years(date: Date) -> Date:
    if abs(date.year) > LAST_YEAR:
        raise OverflowError(f"the year {date.year} is beyond {LAST_YEAR}")
    return date


# --- text -----------------------------------------------------------------------------------------


def make_date(year: int, month: int, day: int) -> Date | None:
    """Return a date if there is such a day."""
    real = 1 <= month <= 12 and 1 <= day <= month_length(year, month) and abs(year) <= LAST_YEAR
    return Date(year, month, day) if real else None


def parse_date(text: str) -> Date | None:
    """Read `2026-01-31`; None if there is no such day."""
    found = DATE_TEXT.fullmatch(text)
    return make_date(int(found[1]), int(found[2]), int(found[3])) if found else None


def parse_time(text: str) -> Time | None:
    """Read `12:30:00`, with a fraction, an offset (`Z`, `+08:00`) or a zone (`@Asia/Shanghai`)."""
    time = _parse_clock(text)
    return time if time is None or time.nanoseconds < DAY else replace(time, nanoseconds=0)


def _parse_clock(text: str) -> Time | None:
    """Read a time of day; the end of the day, `24:00:00`, is a whole day of nanoseconds."""
    found = TIME_TEXT.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = (int(found[i]) for i in (1, 2, 3))
    zone = parse_zone(found[5]) if found[5] else None
    nanos = ((hour * 60 + minute) * 60 + second) * SECOND + int((found[4] or "0")[:9].ljust(9, "0"))
    if nanos > DAY or minute > 59 or second > 59 or (found[5] and zone is None):
        return None
    return Time(nanos, zone)


def parse_zone(text: str) -> Zone | None:
    """Read `Z`, `+08:00` or `@Asia/Shanghai`; None for an unknown zone or more than 18 hours."""
    if text.startswith("@"):
        return Zone(None, text[1:]) if _zone_info(text[1:]) else None
    if text in "Zz":
        return UTC
    parts = [int(part) for part in text[1:].split(":")]
    seconds = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    if max(parts[1:]) > 59 or seconds > 18 * 3600:
        return None
    return Zone(-seconds if text[0] == "-" else seconds)


def parse_date_time(text: str) -> DateTime | None:
    """Read `2026-01-31T12:30:00+08:00`; a date alone is its midnight, and 24:00 that of the next day."""
    day, separator, clock = text.partition("T")
    date, time = parse_date(day), _parse_clock(clock) if separator else Time(0)
    if date is None or time is None:
        return None
    if time.nanoseconds < DAY:
        return DateTime(date, time)
    last = Date(LAST_YEAR, 12, 31)
    return None if date == last else at_local((date.ordinal + 1) * DAY, time.zone)


# --- zones and instants ---------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _zone_info(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder
        return None


def offset_of(date: Date, time: Time) -> int | None:
    """Return the offset from UTC in seconds that is in force there at that local time."""
    if time.zone is None or time.zone.offset is not None:
        return time.zone.offset if time.zone else None
    delta = _python(date, time, _zone_info(time.zone.name)).utcoffset()
    return int(delta.total_seconds()) if delta is not None else None


def _python(date: Date, time: Time, info: tzinfo | None) -> PythonDateTime:
    """Return Python's datetime, in a year of the same calendar where Python has not got the year."""
    year = date.year if 1 < date.year < 9999 else 2000 + date.year % 400
    return PythonDateTime(year, date.month, date.day, time.hour, time.minute, time.second, tzinfo=info)


def local_nanoseconds(moment: Date | DateTime) -> int:
    """Return nanoseconds since 1970-01-01 on the local clock."""
    if isinstance(moment, Date):
        return moment.ordinal * DAY
    return moment.date.ordinal * DAY + moment.time.nanoseconds


def instant(moment: Date | DateTime) -> int:
    """Return nanoseconds since 1970-01-01 UTC; without a zone, as if the local clock were UTC."""
    if isinstance(moment, Date):
        return local_nanoseconds(moment)
    return local_nanoseconds(moment) - (offset_of(moment.date, moment.time) or 0) * SECOND


def time_instant(time: Time) -> int:
    """Return nanoseconds since midnight UTC, for comparing times of day."""
    return time.nanoseconds - (offset_of(Date(1970, 1, 1), time) or 0) * SECOND


def at_local(nanoseconds: int, zone: Zone | None) -> DateTime:
    """Return the date and time so many nanoseconds after 1970-01-01 on the local clock."""
    days, rest = divmod(nanoseconds, DAY)
    return DateTime(civil_from_days(days), Time(rest, zone))


def at_instant(nanoseconds: int, zone: Zone) -> DateTime:
    """Return the date and time so many nanoseconds after 1970-01-01 UTC, in a named zone."""
    utc = at_local(nanoseconds, UTC)
    moment = _python(utc.date, utc.time, PYTHON_UTC).astimezone(_zone_info(zone.name))
    offset = moment.utcoffset() or timedelta()
    return at_local(nanoseconds + int(offset.total_seconds()) * SECOND, zone)


# --- arithmetic -----------------------------------------------------------------------------------


def add_months(date: Date, months: int) -> Date:
    """Return the date some months later; a day that month does not have becomes its last."""
    years, month = divmod(date.month - 1 + months, 12)
    year = date.year + years
    return _in_years(Date(year, month + 1, min(date.day, month_length(year, month + 1))))


def shift(moment: Moment, duration: DaysDuration | MonthsDuration) -> Moment:
    """Return the moment so much later; raises OverflowError beyond the last year.

    A time of day goes round the clock; a date plus days and time drops what is less than a day.
    """
    match moment, duration:
        case Date(), MonthsDuration(months):
            return add_months(moment, months)
        case DateTime(date, time), MonthsDuration(months):
            return DateTime(add_months(date, months), time)
        case Date(), DaysDuration(nanoseconds):
            return at_local(local_nanoseconds(moment) + nanoseconds, None).date
        case DateTime(_, time), DaysDuration(nanoseconds):
            if time.zone is not None and time.zone.offset is None:  # where clocks change, an hour is an hour
                return at_instant(instant(moment) + nanoseconds, time.zone)
            return at_local(local_nanoseconds(moment) + nanoseconds, time.zone)
        case Time(), DaysDuration(nanoseconds):
            return replace(moment, nanoseconds=(moment.nanoseconds + nanoseconds) % DAY)
    raise TypeError("a time of day has no months")


def months_between(start: Date | DateTime, end: Date | DateTime) -> MonthsDuration:
    """Return the whole months from one day to another; times of day do not count."""
    first, last = (moment.date if isinstance(moment, DateTime) else moment for moment in (start, end))
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and last.day < first.day:
        months -= 1
    elif months < 0 and last.day > first.day:
        months += 1
    return MonthsDuration(months)


# --- Python's own ---------------------------------------------------------------------------------


def from_python(value: PythonDate | PythonTime | PythonDateTime) -> Moment:
    """Return Python's date, time or datetime as a FEEL value."""
    if isinstance(value, PythonDateTime):
        return DateTime(Date(value.year, value.month, value.day), _clock(value.timetz(), value.utcoffset()))
    if isinstance(value, PythonDate):
        return Date(value.year, value.month, value.day)
    return _clock(value, value.utcoffset())


def _clock(value: PythonTime, offset: timedelta | None) -> Time:
    whole = (value.hour * 60 + value.minute) * 60 + value.second
    zone = _zone_of(value.tzinfo, offset)
    return Time(whole * SECOND + value.microsecond * 1000, zone)


def _zone_of(info: tzinfo | None, offset: timedelta | None) -> Zone | None:
    if isinstance(info, ZoneInfo) and info.key not in ("UTC", "Etc/UTC"):
        return Zone(None, info.key)
    return None if offset is None else Zone(int(offset.total_seconds()))


def to_python(value: Moment) -> PythonDate | PythonTime | PythonDateTime:
    """Return a FEEL moment as Python's; raises ValueError beyond the year 9999, drops nanoseconds."""
    if isinstance(value, Date):
        return PythonDate(value.year, value.month, value.day)
    clock = value if isinstance(value, Time) else value.time
    micro = clock.nanoseconds % SECOND // 1000
    time = PythonTime(clock.hour, clock.minute, clock.second, micro, _python_zone(clock.zone))
    if isinstance(value, Time):
        return time
    return PythonDateTime.combine(PythonDate(value.date.year, value.date.month, value.date.day), time)


def _python_zone(zone: Zone | None) -> tzinfo | None:
    if zone is None:
        return None
    return _zone_info(zone.name) if zone.offset is None else timezone(timedelta(seconds=zone.offset))
