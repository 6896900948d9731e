"""How soon a step can come after another one was done, whatever has put that one off: exact to the day.

Holds, disputes and late receipts let a step be done on any day. So every day of the week, month and leap year
is tried; what is left to count are the waits between, the runs, and one step a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from engine.ladder.check import chain
from engine.ladder.law import Clause
from engine.ladder.model import CollectionsPolicy, Ladder, LadderRow
from engine.ladder.plain_days import Days
from engine.ladder.waits import is_since_due, ready_on
from engine.workdays import no_calendar


def without_calendar(policy: CollectionsPolicy) -> CollectionsPolicy:
    """Return a policy that may interrupt on every day: from some due date its first day is no day off."""
    return replace(policy, interruptions=replace(policy.interruptions, calendar="", not_before=()))


class Soonest:
    """How soon one step of a ladder can come after another one above it."""

    def __init__(self, policy: CollectionsPolicy, ladder: Ladder, before: LadderRow, row: LadderRow) -> None:
        self.days = Days(without_calendar(policy), no_calendar())
        path = [row]
        for other in chain(ladder, row):
            if other is before:
                break
            path.insert(0, other)
        self.path = path

    def gaps(self) -> Iterator[int]:
        """Yield the days between the two, for each day on which the first can be done."""
        for done in self.days.due_dates([row.wait for row in self.path], working=False):
            yield self._comes(done) - done

    def answered(self, clause: Clause) -> Iterator[tuple[int, int]]:
        """Yield the days between the two, and the days after which a notice can be answered no more."""
        assert clause.period is not None  # it needs it
        periods = [*(row.wait for row in self.path), clause.period]
        for done in self.days.due_dates(periods, working=bool(clause.received)):
            received = self.days.answer(done, ("received", 0, None, clause.received))
            ends = self.days.answer(done, ("past", received, clause.period, 0))
            yield self._comes(done) - done, ends + 1

    def _comes(self, done: int) -> int:
        day, moved = done, 0
        for row in self.path:
            # A wait since the due date can be over before the step that it follows is done.
            on = date.fromordinal(day)
            ready = day if is_since_due(row.wait) else ready_on(row.wait, on, on).toordinal()
            day = self.days.answer(0, ("run", max(ready, moved + 1), None, 0))
            moved = moved if _may_be_idle(row) else day
        return day


def _may_be_idle(row: LadderRow) -> bool:
    """Tell whether a row can find nothing to do: then the next one comes on the same day."""
    return all(item.do in ("apply", "fee") or item.level for item in row.do)
