"""When to look again: the next moment at which something can change by itself, found by looking ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush

from engine.ladder.case import Case, Moment, minutes
from engine.ladder.chores import deadlines, hold_chores
from engine.ladder.clock import FOREVER
from engine.ladder.measure import HORIZON, turning_days
from engine.ladder.moves import Climb, climb, leaving


def next_wake(case: Case, now: Climb) -> datetime | None:
    """Return the next instant at which the case can change by itself; None: only by news.

    `now` is what was found at this moment; its rows that wait say when they can go on.
    """
    instants = [instant for instant, _ in deadlines(case) if instant > case.at]
    moments = [m for m in _moments(case, now) if m > case.now]
    heapify(moments)
    seen: set[Moment] = set()
    while moments:
        moment = heappop(moments)
        if moment in seen or moment[0] >= FOREVER or moment[0] > case.today + HORIZON:
            continue
        seen.add(moment)
        ahead = climb(case, moment, fresh=True)
        if _changes(case, moment, ahead):
            instants.append(case.instant(moment))
            break
        for retry in ahead.retries:
            if retry > moment:
                heappush(moments, retry)
    return min(instants, default=None)


def _changes(case: Case, moment: Moment, ahead: Climb) -> bool:
    if ahead.row or ahead.tasks_untold(case.taken.told):
        return True
    if any(on <= moment[0] for on, _, _ in hold_chores(case) if on > case.today):
        return True
    value_date = case.account.next_value_date
    if value_date and value_date.toordinal() <= moment[0]:
        return True
    found = leaving(case, moment[0])
    pending = any(row.undo_pending for row in case.left)
    return bool(found.rows) or (found.closes and not case.rows and not pending)


def _moments(case: Case, now: Climb) -> Iterator[Moment]:
    start = minutes(case.policy.case.hour)
    yield (case.today, start)
    yield (case.today + 1, start)
    yield from now.retries
    if case.account.next_value_date:
        yield (case.account.next_value_date.toordinal(), start)
    for on, _, _ in hold_chores(case):
        yield (on, start)
    for part in case.view.slices:
        yield (part.due + 1, start)
        for first, end in part.out:
            yield (first, start)
            yield (end, start)
        for row in case.ladder.rows:
            for day in turning_days(row, part):
                yield (day, start)
        for turn in case.policy.case.closes.turns("age", "days_past_due"):
            yield (part.due + turn, start)
    for row_ in case.rows:
        if row_.valid_until:
            yield (row_.valid_until.toordinal() + 1, start)
