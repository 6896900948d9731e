"""Notices that lapse because the next run comes too late, though the step after them was ready before.

A notice that lapses before the step after it can be ready lapses by design, at any runs: it is sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from engine.ladder.law import LawPack
from engine.ladder.model import CollectionsPolicy, Ladder, LadderRow
from engine.ladder.plain import LATE, PROMPT, Course, Pace, Rules, Took, Walk
from engine.ladder.plain_days import Ask, Days, Walks
from engine.ladder.plain_debts import Plain, plain_debts
from engine.ladder.waits import ready_on
from engine.ladder.worst_contact import DAY
from engine.source import Problem, Severity
from engine.text import Period
from engine.workdays import Calendar


@dataclass(frozen=True, slots=True)
class _Wait:
    """How long a step waits after a notice that stays valid, in days since it was done."""

    ready: int
    taken: int
    valid: int


def check_lapsing(
    policy: CollectionsPolicy, law: LawPack, calendar: Calendar, apart: int
) -> Iterator[Problem]:
    """Yield each step whose notice lapses before its run, with the days it had to be valid for all of them.

    `apart`: the most days between two runs. With daily runs nothing is told: no run comes late.
    """
    valid = policy.contact.valid
    if valid is None or policy.case.runs == "daily":
        return
    ladders = [ladder for ladder in policy.ladders.values() if ladder.complete]
    rows = [(ladder, row) for ladder in ladders for row in ladder.rows if _notice(ladder, row)]
    waits = {ladder.name: _waits(policy, ladder, law, calendar, valid) for ladder in ladders}
    found = [(row, one) for ladder, row in rows if (one := waits[ladder.name].get(row.index))]
    least = _enough([wait for _, group in found for wait in group])
    for row, group in found:
        lapses = [wait for wait in group if wait.ready <= wait.valid]
        late = [wait for wait in lapses if wait.taken > wait.valid]
        if not late:
            continue
        # Where it lapses at whatever run it was sent, it does so each time that it is sent again.
        yield _problem(policy, row, apart, least, always=late == lapses)


def _problem(
    policy: CollectionsPolicy, row: LadderRow, apart: int, least: int, *, always: bool
) -> Problem:  # fmt: skip
    message = (
        f"`{row.after}` is valid for {policy.contact.valid} and has lapsed "
        f"{'in all months' if always else 'in some months'} when the next run could take `{row.step}`: "
        f"runs are up to {apart} days apart"
    )
    advice = f"write `valid: P{least}D` or more, or run more often"
    severity = Severity.ERROR if always else Severity.WARNING
    return Problem("notice-lapses", message, policy.place("contact.valid"), advice, severity)


def _notice(ladder: Ladder, row: LadderRow) -> LadderRow | None:
    before = ladder.by_step.get(row.after)
    return before if before is not None and before.notifies else None


def _enough(waits: list[_Wait]) -> int:
    """Return for how many days notices had to be valid, so that none lapses between ready and taken."""
    least = max((wait.taken for wait in waits if wait.ready <= wait.valid < wait.taken), default=0)
    while more := [wait.taken for wait in waits if wait.ready <= least < wait.taken]:
        least = max(more)
    return least


# walks


def _waits(
    policy: CollectionsPolicy, ladder: Ladder, law: LawPack, calendar: Calendar, valid: Period
) -> dict[int, set[_Wait]]:  # fmt: skip
    """Return, by the index of a row after a notice, how it waits where notices stay valid for ever."""
    found: dict[int, set[_Wait]] = {}
    endless = replace(policy, contact=replace(policy.contact, valid=None))
    for debt, due, course in _courses(endless, ladder, law, calendar):
        done: dict[int, Took] = {}
        for took in course.took:
            rung = debt.rungs[took.index]
            sent = done.get(rung.after)
            if sent is not None and _notice(ladder, rung.row) and took.index not in done:
                wait = _wait(rung.row.wait, debt, due, sent.done // DAY, took, valid)
                found.setdefault(took.index, set()).add(wait)
            done[took.index] = took
    return found


def _wait(period: Period, debt: Plain, due: int, sent: int, took: Took, valid: Period) -> _Wait:
    on = date.fromordinal(due + sent)
    over = ready_on(period, on, date.fromordinal(due)).toordinal() - due
    spans = debt.rungs[took.index].spans
    ready = min(max(low, over) for low, high in spans if high >= over)
    lapses = valid.after(on).toordinal() - due
    return _Wait(ready - sent, took.asked // DAY - sent, lapses - sent)


def _courses(
    policy: CollectionsPolicy, ladder: Ladder, law: LawPack, calendar: Calendar
) -> Iterator[tuple[Plain, int, Course]]:  # fmt: skip
    """Yield the walks of every kind of debt, each outcome once, at both paces."""
    rules, days = Rules(policy, law), Days(policy, calendar)
    periods = [row.wait for row in ladder.rows] + [period for _, _, period in rules.caps]
    dues = days.due_dates([*periods, *(period for _, period in rules.rests)], working=False)
    for debt in plain_debts(policy, ladder, law):
        aims = tuple(rung.row.index for rung in debt.rungs if rung.spans and _notice(ladder, rung.row))
        for pace in (PROMPT, LATE) if aims else ():
            for due, course in Walks(days, partial(_at, rules, debt, pace, aims)).each(dues):
                yield debt, due, course


def _at(rules: Rules, debt: Plain, pace: Pace, aims: tuple[int, ...], ask: Ask) -> Course:
    return Walk(rules, debt, pace, ask, aims=aims).course()
