"""Spans of calendar time as authors write them: `P7D`, `P3M`, `P1Y6M`, `P2W`."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

_FORM = re.compile(r"P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?")


@dataclass(frozen=True, slots=True)
class Period:
    """Months and days of the calendar (ISO 8601 durations without a time part)."""

    months: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> Period | None:
        """Return the period that a text such as `P3M` names, or None when it names none."""
        found = _FORM.fullmatch(text)
        if not found:
            return None
        years, months, weeks, days = (int(part or 0) for part in found.groups())
        return cls(years * 12 + months, weeks * 7 + days)

    def after(self, day: date) -> date:
        """Return the day this much later; the 31st becomes the last day of a shorter month."""
        return self._moved(day, 1)

    def before(self, day: date) -> date:
        """Return the day this much earlier; the 31st becomes the last day of a shorter month."""
        return self._moved(day, -1)

    def _moved(self, day: date, sign: int) -> date:
        month = day.year * 12 + day.month - 1 + sign * self.months
        year, month = divmod(month, 12)
        end = date.max if sign > 0 else date.min  # a moved day stops at the end of the calendar
        if not date.min.year <= year <= date.max.year:
            return end
        moved = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
        try:
            return moved + sign * timedelta(days=self.days)
        except OverflowError:
            return end

    def __str__(self) -> str:
        years, months = divmod(self.months, 12)
        parts = [f"{n}{unit}" for n, unit in ((years, "Y"), (months, "M"), (self.days, "D")) if n]
        return "P" + ("".join(parts) or "0D")
