"""A step that was wrong when it was taken and has become right since, for debts that are owed all the same.

Late news ends as in-order news would have (rule 11): where another debt has come to the age of a cut, was
named by a notice and had its time to pay, the cut had been made for it by now. So it stands: service that is
given back for an hour and cut again serves nobody. Where anything of that is missing, it is given back.
"""

from __future__ import annotations

from datetime import date, timedelta

from engine.ladder.case import Case, minutes
from engine.ladder.gates import forbidden_day, run_on
from engine.ladder.hindsight import account_as_of, is_reached, rows_then, was_held
from engine.ladder.law_gate import law_closed
from engine.ladder.measure import View
from engine.ladder.memory import Row
from engine.ladder.model import LadderRow
from engine.ladder.waits import ready_on
from engine.ledger.position import SETTLED_DAYS
from engine.workdays import DayNotCovered


def due_since(case: Case, row: Row, wrong: date) -> date | None:
    """Return the day from which on a row in force is due without a break; None: it is not due today.

    It was wrong on a day, and by what is known now it was taken on a later one, with the waits and the
    allowed days of that one.
    """
    definition = case.definition(row)
    if definition is None or row.lifted or row.foreign or row.state != "done":
        return None
    if not definition.interrupts or any(item.do == "place" for item in definition.do):
        return None  # only service is a level: what was placed for a debt is recalled for that debt
    ready = _ready_on(case, definition)
    if ready is None:
        return None
    days = _days_due(case, definition, max(wrong, row.due_from or wrong))
    return next((day for day in days if day >= ready and _is_taken(case, definition, day)), None)


def _days_due(case: Case, definition: LadderRow, wrong: date) -> list[date]:
    """Return the days up to today on each of which a row stood for something, in order."""
    day = date.fromordinal(case.today)
    last = max(wrong, day - timedelta(days=SETTLED_DAYS))
    found: list[date] = []
    while day > last and _is_due(case, definition, day, keep=True) and not _is_let_go(case, day):
        found.insert(0, day)
        day -= timedelta(days=1)
    return found


def _is_let_go(case: Case, day: date) -> bool:
    return any(held.rules.taken == "release" for held in case.active_holds(day.toordinal()))


def _is_due(case: Case, definition: LadderRow, day: date, *, keep: bool = False) -> bool:
    """Tell whether a row was due on a day for what its notices had named, by what is known now."""
    on = day.toordinal()
    view = View(case.policy, account_as_of(case.account, day), case.taken.opened_anchor)
    seen = view.kept(on) if keep else view.on(on)
    if case.policy.case.closes.holds(seen.values(seen.overdue)):
        return False
    named = case.noticed(definition, on)
    then = list(rows_then(case, definition, day))
    parts = [seen.part(row, named) for row in then]
    return bool(then) and all(
        is_reached(row, seen) and part > 0 and row.overdue.reached_by(part)
        for row, part in zip(then, parts, strict=True)
    )


def _is_taken(case: Case, definition: LadderRow, day: date) -> bool:
    """Tell whether a row that was due on a day could be taken on it: by people, law, runs and calendar."""
    on = day.toordinal()
    if was_held(case, on) or _was_stopped(case, on) or law_closed(case, definition, on):
        return False
    if run_on(case, definition, on) != on or not _is_due(case, definition, day):
        return False
    try:
        return not forbidden_day(case, on)
    except DayNotCovered:
        return False


def _was_stopped(case: Case, on: int) -> bool:
    """Tell whether a person had stopped the ladder when the look of a day came."""
    at = case.instant((on, minutes(case.policy.case.hour)))
    acts = (act for act in case.account.acts if act.received_at <= at)
    return [act.act for act in acts if act.act in ("stop", "resume")][-1:] == ["stop"]


def _ready_on(case: Case, definition: LadderRow) -> date | None:
    """Return the first day on which the step before a row stood long enough for it; None: it does not."""
    before = case.ladder.by_step.get(definition.after)
    if before is None or before.notifies:  # what a notice has named had its time: only that counts
        return date.min
    taken = case.taken_row(before.step)
    if taken is None or taken.waits_from is None or taken.wrongful or before.step in case.released:
        return None
    ready = ready_on(definition.wait, taken.waits_from, case.due_of_anchor(case.today))
    return max(ready, taken.waits_from + timedelta(days=1))  # one row a day
