"""The two durations of FEEL: days and time, years and months; they never mix."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

SECOND: Final = 1_000_000_000
"""Nanoseconds; all clock values count in them."""
DAY: Final = 86_400 * SECOND
MONTHS_TEXT = re.compile(r"(-?)P(?:(\d{1,15})Y)?(?:(\d{1,15})M)?", re.ASCII)
DAYS_TEXT = re.compile(
    r"(-?)P(?:(\d{1,15})D)?(T(?:(\d{1,15})H)?(?:(\d{1,15})M)?(?:(\d{1,15})(?:\.(\d{0,30}))?S)?)?", re.ASCII
)


@dataclass(frozen=True, slots=True, order=True)
class MonthsDuration:
    """A years and months duration, counted in months."""

    months: int

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months else "")
        return f"{'-' if self.months < 0 else ''}P{text or '0M'}"


@dataclass(frozen=True, slots=True, order=True)
class DaysDuration:
    """A days and time duration, counted in nanoseconds."""

    nanoseconds: int

    def __str__(self) -> str:
        days, rest = divmod(abs(self.nanoseconds), DAY)
        hours, rest = divmod(rest, 3600 * SECOND)
        minutes, rest = divmod(rest, 60 * SECOND)
        seconds, nanos = divmod(rest, SECOND)
        fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
        time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
        time += f"{seconds}{fraction}S" if seconds or nanos else ""
        text = (f"{days}D" if days else "") + (f"T{time}" if time else "")
        return f"{'-' if self.nanoseconds < 0 else ''}P{text or 'T0S'}"


Duration = MonthsDuration | DaysDuration


def parse_duration(text: str) -> Duration | None:
    """Read `P1Y2M` or `P3DT4H5M6.7S`; None if it is neither."""
    if (found := MONTHS_TEXT.fullmatch(text)) and (found[2] or found[3]):
        months = int(found[2] or 0) * 12 + int(found[3] or 0)
        return MonthsDuration(-months if found[1] else months)
    found = DAYS_TEXT.fullmatch(text)
    if found is None or text.endswith(("P", "T")):
        return None
    days, hours, minutes, seconds = (int(found[i] or 0) for i in (2, 4, 5, 6))
    total = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * SECOND
    total += int((found[7] or "0")[:9].ljust(9, "0"))
    return DaysDuration(-total if found[1] else total)
