"""Working days of one region, as a text of the shelf; the engine never imports a holiday library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from engine.model import digest_bytes
from engine.policy import Loaded
from engine.source import Span, has_errors
from engine.text import MapNode, Node, Reader, read_yaml

WEEKEND = (5, 6)
"""Saturday and Sunday, as `date.weekday()` counts."""


OVERRIDES = ("holiday", "working", "ordinary")
"""What an operator may say of a day: not worked, worked though it is a weekend or holiday, like any other."""


class DayNotCovered(LookupError):
    """The calendar says nothing about a day."""

    def __init__(self, calendar: str, day: date) -> None:
        super().__init__(
            f"Calendar `{calendar}` says nothing about {day.year}, so nobody knows whether {day} is worked. "
            f"Add the year: `forbear calendar build {calendar} {day.year}`."
        )
        self.calendar, self.day = calendar, day


@dataclass(frozen=True, slots=True)
class Calendar:
    """Public holidays and make-up working days by local date; weekends are Saturday and Sunday."""

    name: str
    digest: str
    holidays: frozenset[date] = frozenset()
    working: frozenset[date] = frozenset()
    """Weekend days that are worked (make-up days)."""
    covers: tuple[int, ...] = ()
    """The years it speaks of; a day outside is an error, never silently a working day."""
    provisional: tuple[int, ...] = ()
    """Years for which the authority has not announced its swapped days yet."""

    def is_holiday(self, day: date) -> bool:
        """Tell whether a day is a public holiday; raises DayNotCovered."""
        self._covered(day)
        return day in self.holidays

    def is_weekend(self, day: date) -> bool:
        """Tell whether a day is a Saturday or Sunday that is not worked; raises DayNotCovered."""
        self._covered(day)
        return day.weekday() in WEEKEND and day not in self.working

    def is_working(self, day: date) -> bool:
        """Tell whether a day is worked; raises DayNotCovered."""
        return not self.is_weekend(day) and day not in self.holidays

    def next_working(self, day: date) -> date:
        """Return the first working day on or after a day; raises DayNotCovered."""
        while not self.is_working(day):
            day += timedelta(days=1)
        return day

    def _covered(self, day: date) -> None:
        if day.year not in self.covers:
            raise DayNotCovered(self.name, day)


def load_calendar(data: bytes, file: str) -> Loaded[Calendar]:
    """Read a calendar: its `years`, `holidays` and `working` weekend days, each as `2026-10-01: name`.

    `overrides` are the operator's own and win: `2027-02-11: {holiday: day off by the notice}`.
    """
    loaded = read_yaml(data, file)
    if loaded.policy is None:
        return Loaded(None, loaded.problems)
    reader = Reader()
    calendar = _calendar(reader, loaded.policy, digest_bytes(data))
    problems = tuple(reader.problems)
    return Loaded(None if has_errors(problems) else calendar, problems)


def _calendar(reader: Reader, node: Node, digest: str) -> Calendar | None:
    needed = ["calendar", "source", "years", "holidays"]
    fields = reader.fields(node, "a calendar", needed, ["working", "provisional", "overrides"])
    if fields is None or not set(needed) <= set(fields):
        return None
    name = reader.text(fields["calendar"], "`calendar`")
    reader.text(fields["source"], "`source`")
    years = reader.list_of(fields["years"], "`years`", _year(reader))
    early = fields.get("provisional")
    provisional = reader.list_of(early, "`provisional`", _year(reader)) if early else ()
    off = _days(reader, fields["holidays"], "`holidays`")
    made_up = _days(reader, fields["working"], "`working`") if "working" in fields else {}
    corrected = _overrides(reader, fields["overrides"]) if "overrides" in fields else {}
    written = (
        *off.items(),
        *made_up.items(),
        *(item for days in corrected.values() for item in days.items()),
    )
    _check_years(reader, written, years, fields["years"].span)
    _check_working(reader, made_up, off)
    holidays, working = (frozenset(d for d in days if d.year in years) for days in (off, made_up))
    for kind, spans in corrected.items():
        days = frozenset(day for day in spans if day.year in years)
        holidays = holidays | days if kind == "holiday" else holidays - days
        weekend = frozenset(day for day in days if day.weekday() in WEEKEND)
        working = working | weekend if kind == "working" else working - days
    return Calendar(name or "", digest, holidays, working, years, provisional)


def _check_years(
    reader: Reader, written: Iterable[tuple[date, Span]], years: tuple[int, ...], place: Span
) -> None:  # fmt: skip
    """Note days of years that `years` does not name: a day alone at its place, a whole year once."""
    outside: dict[int, list[tuple[Span, date]]] = {}
    for day, span in written:
        if day.year not in years:
            outside.setdefault(day.year, []).append((span, day))
    whole = {year: sorted(days) for year, days in outside.items() if len(days) > 1}
    for year, days in outside.items():
        if year not in whole:
            advice = f"correct the day, or add {year} to `years`"
            reader.error("year-not-covered", f"{days[0][1]} is not in one of the `years`", days[0][0], advice)
    if whole:
        named = ", ".join(f"{year} ({len(days)} days)" for year, days in sorted(whole.items()))
        related = tuple(
            (f"the first day of {year} stands here", d[0][0]) for year, d in sorted(whole.items())
        )
        advice = (
            f"write `[{', '.join(str(year) for year in sorted({*years, *whole}))}]`, or remove these days"
        )
        message = f"`years` lacks years that have days here: {named}"
        reader.error("year-not-covered", message, place, advice, related)


def _check_working(reader: Reader, working: Mapping[date, Span], holidays: Mapping[date, Span]) -> None:
    """Note days that are worked for no day off, and days that are both."""
    for day, span in sorted(working.items()):
        if day.weekday() not in WEEKEND:
            advice = "only Saturdays and Sundays are made up for; remove the line"
            reader.error("not-a-weekend", f"{day} is a weekday; it is worked anyway", span, advice)
        if day in holidays:
            related = (("the holiday stands here", holidays[day]),)
            message = f"{day} is both a holiday and worked"
            reader.error("holiday-worked", message, span, "remove one of the two", related)


def _overrides(reader: Reader, node: Node) -> dict[str, dict[date, Span]]:
    """Return the days on which the operator knows better, by what they are: holiday, working or ordinary."""
    found: dict[str, dict[date, Span]] = {kind: {} for kind in OVERRIDES}
    for key, value in reader.entries(node, "`overrides`"):
        day = reader.date(key, "a day of `overrides`")
        fields = reader.fields(value, f"the day {key.text}", (), OVERRIDES) or {}
        if len(fields) != 1 and isinstance(value, MapNode) and len(value.entries) < 2:
            advice = "write `{holiday: why}`, `{working: why}` or `{ordinary: why}`"
            reader.error("override-unclear", f"{key.text} says nothing of the day", value.span, advice)
        elif len(fields) > 1:
            said = " and ".join(f"`{kind}`" for kind in fields)
            reader.error("override-unclear", f"{key.text} is {said}", value.span, "keep one of them")
        if day and len(fields) == 1:
            kind, why = next(iter(fields.items()))
            reader.text(why, f"`{kind}`")
            found[kind][day] = key.span
    return found


def _year(reader: Reader) -> Callable[[Node, str], int | None]:
    """Return the method that reads a year."""
    return lambda node, what: reader.integer(node, what, 1900, 2200)


def _days(reader: Reader, node: Node, what: str) -> dict[date, Span]:
    days = ((reader.date(key, f"a day of {what}"), key.span) for key, _ in reader.entries(node, what))
    return {day: span for day, span in days if day}


def no_calendar(name: str = "") -> Calendar:
    """Return a calendar that says nothing, for policies that ask for none."""
    return Calendar(name, digest_bytes(b""))
