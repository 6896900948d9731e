"""Days counted from a due date: what runs, months and calendars answer; due dates with the same answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Generic, TypeVar

from engine.ladder.model import CollectionsPolicy
from engine.ladder.waits import Wait, ready_on
from engine.text import Period
from engine.workdays import WEEKEND, Calendar

NEVER = 100_000
"""More days past due than any debt has: it does not come."""
LOOK = 1_000
"""So many days are looked through for one that is allowed."""
LEAP = (2024, 2025, 2026, 2027)
"""Four years in which every length of a month, and of a year, comes."""

Question = tuple[str, int, Period | None, int]
"""What is asked, a day past due, a period, and a second number."""
T = TypeVar("T")
Ask = Callable[[Question], int]
"""Answers a question about the days of one due date, with a day past due."""


class Days:
    """Answers about the days after a due date (ordinals), by the runs of a policy and a calendar.

    Beyond the years of the calendar only weekends are not worked: what authorities will say is not known.
    """

    def __init__(self, policy: CollectionsPolicy, calendar: Calendar) -> None:
        self.rules, self.cuts, self.calendar = policy.case, policy.interruptions, calendar
        self.daily = policy.case.runs == "daily"
        self.free = self.daily and not self.cuts.calendar and not self.cuts.not_before
        self._shut: dict[int, bool] = {}
        self._run: dict[int, bool] = {}
        self._come: dict[tuple[int, int], int] = {}

    def answer(self, due: int, asked: Question) -> int:
        """Return the answer to a question for a due date."""
        what, day, period, more = asked
        if what == "run":
            return self._next_run(due + day) - due
        if what == "cut":
            return self._next_cut(due + day, due + more) - due
        if what == "received":
            return self._received(due + day, more) - due
        assert period is not None  # what is left asks for one
        on = date.fromordinal(due + day)
        if what == "ready":
            return ready_on(period, on, date.fromordinal(due)).toordinal() - due
        return period.after(on).toordinal() - due

    def due_dates(self, periods: list[Period], *, working: bool) -> list[int]:
        """Return the due dates over which answers can differ: those of four years, or of the calendar.

        `working`: working days are asked for beside those on which may be interrupted.
        """
        differ = working or any(p.months or (isinstance(p, Wait) and p.month_end) for p in periods)
        if self.calendar.covers and (not self.free or differ):
            years: tuple[int, ...] = self.calendar.covers
        elif self.free and not differ:
            return [date(LEAP[0], 1, 1).toordinal()]
        else:
            years = LEAP
        first, last = date(min(years), 1, 1).toordinal(), date(max(years), 12, 31).toordinal()
        return list(range(first, last + 1))

    def is_run(self, day: int) -> bool:
        """Tell whether the ladder may go up on a day."""
        if self.daily:
            return True
        if day not in self._run:
            self._run[day] = self.rules.runs_on(date.fromordinal(day))
        return self._run[day]

    def is_shut(self, day: int) -> bool:
        """Tell whether nothing may be interrupted on a day."""
        if not self.cuts.calendar and not self.cuts.not_before:
            return False
        if day not in self._shut:
            self._shut[day] = self._forbidden(date.fromordinal(day))
        return self._shut[day]

    def _forbidden(self, day: date) -> bool:
        tomorrow, names = day + timedelta(days=1), self.cuts.not_before
        if not self._works(day) or ("weekend" in names and self._is_weekend(tomorrow)):
            return True
        known = tomorrow.year in self.calendar.covers
        return "holiday" in names and known and self.calendar.is_holiday(tomorrow)

    def _works(self, day: date) -> bool:
        known = day.year in self.calendar.covers
        return self.calendar.is_working(day) if known else day.weekday() not in WEEKEND

    def _is_weekend(self, day: date) -> bool:
        known = day.year in self.calendar.covers
        return self.calendar.is_weekend(day) if known else day.weekday() in WEEKEND

    def _next_run(self, day: int) -> int:
        return next((d for d in range(day, day + LOOK) if self.is_run(d)), day + NEVER)

    def _next_cut(self, day: int, moved: int) -> int:
        return next((d for d in range(day, day + LOOK) if self._cuts_on(d, moved)), day + NEVER)

    def _cuts_on(self, day: int, moved: int) -> bool:
        """Tell whether a cut may come on a day: it is a run, or stands in for one on which none may come."""
        if self.is_shut(day):
            return False
        before = day
        while not self.is_run(before):
            before -= 1
            if not self.is_shut(before):
                return False
        return before == day or before > moved

    def _received(self, sent: int, working_days: int) -> int:
        if (sent, working_days) not in self._come:
            day = sent
            for _ in range(working_days):
                day += 1
                while not self._works(date.fromordinal(day)):
                    day += 1
            self._come[sent, working_days] = day
        return self._come[sent, working_days]


@dataclass(slots=True)
class _Node(Generic[T]):
    """What is asked next after some answers, or what came of them."""

    asked: Question | None = None
    next: dict[int, _Node[T]] = field(default_factory=dict)
    result: T | None = None


class Walks(Generic[T]):
    """Walks from many due dates: one that gets the same answers as another is not walked again."""

    def __init__(self, days: Days, walk: Callable[[Ask], T]) -> None:
        self.days, self.walk = days, walk
        self.root: _Node[T] = _Node()

    def of(self, due: int) -> T:
        """Return what comes of a due date."""
        node = self.root
        while node.asked is not None:
            answer = self.days.answer(due, node.asked)
            if answer not in node.next:
                return self._walked(due)
            node = node.next[answer]
        return self._walked(due) if node.result is None else node.result

    def _walked(self, due: int) -> T:
        node = self.root

        def ask(question: Question) -> int:
            nonlocal node
            answer = self.days.answer(due, question)
            node.asked = question
            node = node.next.setdefault(answer, _Node())
            return answer

        node.result = result = self.walk(ask)
        return result

    def each(self, dues: list[int]) -> Iterator[tuple[int, T]]:
        """Yield what comes of some due dates, each outcome once with the first due date that has it."""
        seen: set[int] = set()
        for due in dues:
            found = self.of(due)
            if id(found) not in seen:
                seen.add(id(found))
                yield due, found
