"""When to look again: the next moment at which something can change by itself, found by looking ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush

from engine.ladder.again import again_on
from engine.ladder.announcing import to_announce
from engine.ladder.case import Case, Moment, minutes
from engine.ladder.chores import chores, deadlines
from engine.ladder.clock import FOREVER
from engine.ladder.measure import HORIZON, day_of_age, turning_days
from engine.ladder.moves import Climb, climb, closes_without_fees, leaving
from engine.ladder.placing import to_place
from engine.ladder.state import Action


def next_wake(case: Case, now: Climb) -> datetime | None:
    """Return the next instant at which the case can change by itself; None: only by news.

    `now` is what was found at this moment; its rows that wait say when they can go on.
    """
    instants = [instant for instant, _ in deadlines(case)] + list(again_on(case))
    instants = [instant for instant in instants if instant > case.at]
    waits = now.gate is not None and not now.retries  # for a receipt or a person: nothing goes up
    tells = any(row.done_on for row in case.rows)
    found = [*_falling(case), *(_rising(case, now) if tells or not waits else ())]
    moments = [m for m in found if m > case.now]
    heapify(moments)
    seen: set[Moment] = set()
    stirs = _stirs_at(case)
    while moments:
        moment = heappop(moments)
        if moment in seen or moment[0] >= FOREVER or moment[0] > case.today + HORIZON:
            continue
        seen.add(moment)
        fresh = now.stale is None or moment >= now.stale
        ahead = Climb() if waits else climb(case, moment, fresh=fresh)
        again = to_announce(case, moment, fresh=fresh)
        rest = to_place(case, moment, fresh=fresh)
        more = again.notices or rest.rows or _untold(case, [*again.tasks, *rest.tasks])
        if more or _changes(case, moment, ahead, stirs):
            instants.append(case.instant(moment))
            break
        for retry in (*ahead.retries, *again.retries, *rest.retries):
            if retry > moment:
                heappush(moments, retry)
    return min(instants, default=None)


def _untold(case: Case, tasks: list[Action]) -> bool:
    return any(task.key not in case.taken.told for task in tasks)


def _stirs_at(case: Case) -> Moment:
    """Return the first moment to come on which a person is to be asked, or on which news begins to count."""
    start = minutes(case.policy.case.hour)
    coming = [(on, start) for on, _, _ in chores(case) if (on, start) > case.now]
    if case.account.next_value_date:
        coming.append((case.account.next_value_date.toordinal(), 0))
    return min(coming, default=(FOREVER, 0))


def _changes(case: Case, moment: Moment, ahead: Climb, stirs: Moment) -> bool:
    if ahead.row or ahead.goes_on or ahead.tasks_untold(case.taken.told) or stirs <= moment:
        return True
    found = leaving(case, moment[0])
    pending = any(row.undo_pending for row in case.left)
    return bool(found.rows) or (found.closes and not case.rows and not pending)


def _falling(case: Case) -> list[Moment]:
    """Return the moments at which something can fall, or ask for a person, without any news."""
    days = {on for on, _, _ in chores(case)}
    if case.account.next_value_date:
        days.add(case.account.next_value_date.toordinal())
    patience = case.policy.confirm.within.days + 1
    days |= {fee.asked_on.toordinal() + patience for fee in case.fees}
    ending = [row for row in case.ladder.rows if row.age.ends or row.days_past_due.ends]
    growing = [
        row
        for row in case.ladder.rows
        if row.release.condition and row.release.condition.names != {"overdue"}
    ]
    for part in case.view.slices:
        for first, end in part.out:
            days |= {first, end}
        for row in ending:
            days |= turning_days(row, part)
        for row in growing:
            assert row.release.condition is not None  # by the choice above
            days |= {part.due + turn for turn in row.release.condition.turns("age", "days_past_due")}
    start = minutes(case.policy.case.hour)
    return [(day, start) for day in days]


def _rising(case: Case, now: Climb) -> list[Moment]:
    """Return the moments at which a row can come to hold or to count no longer."""
    days = {case.today, case.today + 1}
    for part in case.view.slices:
        days.add(part.due + 1)
        for row in case.ladder.rows:
            days |= turning_days(row, part)
    days |= {row.valid_until.toordinal() + 1 for row in case.rows if row.valid_until}
    days |= {case.asked_again_on(row) for row in case.rows}
    start = minutes(case.policy.case.hour)
    return [*now.retries, *((day, start) for day in days)]


def opening_moments(case: Case) -> Iterator[Moment]:
    """Yield the moments at which a case can come to open, if nothing else comes."""
    start = minutes(case.policy.case.hour)
    yield (case.today, start)
    if case.account.next_value_date:
        yield (case.account.next_value_date.toordinal(), start)
    turns = sorted(set(case.policy.case.opens.turns("age", "days_past_due")))
    for part in case.view.slices:
        yield (part.due + 1, start)
        for _, end in part.out:
            yield (end, start)
        for turn in turns:
            yield (part.due + turn, start)
            if (day := day_of_age(part, turn)) is not None:
                yield (day, start)


def may_open(case: Case, day: int) -> bool:
    """Tell whether a case opens on a day: not where it would close at once, and open again.

    A late fee that grows opens no case.
    """
    return case.opens(day) and not closes_without_fees(case, day)


def opening_on(case: Case) -> datetime | None:
    """Return the next instant at which a case can open, or at which news that is known begins to count."""
    value_date = case.account.next_value_date
    for day, clock in sorted({m for m in opening_moments(case) if case.now < m < (FOREVER, 0)}):
        if may_open(case, day) or (value_date and value_date.toordinal() <= day):
            return case.instant((day, clock))
    return None


def next_instant(case: Case) -> datetime | None:
    """Return when a case that only hears late news looks again: for a receipt, or because another opens."""
    instants = [opening_on(case), *(instant for instant, _ in deadlines(case)), *again_on(case)]
    return min((instant for instant in instants if instant and instant > case.at), default=None)
