"""Which debts a notice has still to name, and from when on a cut can stand for those that are new in it."""

from __future__ import annotations

from datetime import date

from engine.ladder.case import Case
from engine.ladder.lawful_contact import validates
from engine.ladder.measure import Slice, turning_days
from engine.ladder.memory import Row
from engine.ladder.model import LadderRow
from engine.ladder.waits import ready_on


def rests_on(case: Case, row: LadderRow) -> tuple[LadderRow, LadderRow] | None:
    """Return the notice on which a cut rests, and the step behind it; None: the row rests on none."""
    return case.notice_before(row) if row.interrupts else None


def told_of_each(case: Case) -> tuple[LadderRow, ...]:
    """Return the notices in which each debt is named: what the law puts first, then those of cuts."""
    lawful = [row for row in case.ladder.rows if is_lawful(case, row)]
    cuts = [found[0] for row in case.ladder.rows if (found := rests_on(case, row))]
    return tuple(dict.fromkeys([*lawful, *cuts]))


def is_lawful(case: Case, notice: LadderRow) -> bool:
    """Tell whether a row is the notice that the law in force puts before all others."""
    return any(validates(notice, clause) for clause in case.law.clauses_on("validation"))


def is_rested_on(case: Case, notice: LadderRow) -> bool:
    """Tell whether a cut rests on a notice: then it is sent again for what comes to its age later."""
    return any(first[0] is notice for row in case.ladder.rows if (first := rests_on(case, row)))


def unannounced(
    case: Case, notice: LadderRow, day: int, but: Row | None = None, *, any_age: bool = False
) -> tuple[Slice, ...]:
    """Return what has the age of a notice on a day and was named by none that was sent, or is on its way.

    What a person did not want to be told is left out. `any_age`: also what has not come to the age yet.
    """
    mine = [row for row in case.rows if row.step == notice.step and row is not but]
    named = {debt for row in mine if row.state in ("requested", "done") for debt in row.debts}
    unwanted = {debt for row in mine if row.declined or row.skipped for debt in row.debts}
    return tuple(
        part
        for part, age in case.view.on(day).live
        if part.anchors
        and part.debt not in named
        and (any_age or part.debt not in unwanted)
        and (any_age or (notice.age.reached_by(age) and notice.days_past_due.reached_by(day - part.due)))
    )


def stands_from(case: Case, notice: LadderRow, row: Row) -> tuple[LadderRow, int] | None:
    """Return the first cut that rests on a notice, and from when on it can stand for what is new in a row."""
    cuts = (
        (one, first[1]) for one in case.ladder.rows if (first := rests_on(case, one)) and first[0] is notice
    )
    cut, behind = next(cuts, (None, None))
    if cut is None or behind is None:
        return None
    new = unannounced(case, notice, case.today, row, any_age=row.forced)
    due = date.fromordinal(min((part.due for part in new), default=case.today))
    ready = max(case.today + 1, ready_on(behind.wait, date.fromordinal(case.today), due).toordinal())
    aged = [max(day, _lawful_from(case, part)) for part in new for day in _aged(cut, part)]
    return cut, max(ready, min(aged, default=ready))


def _aged(cut: LadderRow, part: Slice) -> list[int]:
    """Return the first day on which a part has the age of a row; nothing where there is none."""
    reached = (
        day for day in sorted(turning_days(cut, part))
        if cut.age.reached_by(part.age(day)) and cut.days_past_due.reached_by(day - part.due)
    )  # fmt: skip
    return [day for day in (next(reached, None),) if day is not None]


def taken_for(case: Case, definition: LadderRow) -> tuple[str, ...]:
    """Return the debts for which a row is taken: a cut only for those that its notice has named."""
    live = case.view.on(case.today).debts
    noticed = case.noticed(definition, case.today)
    named = tuple(debt for debt in live if noticed is None or debt in noticed)
    return lawful_for(case, definition, named, case.today) or live


def lawful_for(case: Case, definition: LadderRow, debts: tuple[str, ...], day: int) -> tuple[str, ...]:
    """Return those of some debts for which the law in force lets a row cut service on a day.

    A policy that was released keeps the law by its cells; the law may have become stricter since. What is
    disputed or held is asked of its dispute or hold.
    """
    if not definition.interrupts or definition.level == "terminated":
        return debts
    too_young = {part.debt for part, _ in case.view.on(day).live if day < _lawful_from(case, part)}
    return tuple(debt for debt in debts if debt not in too_young)


def _lawful_from(case: Case, part: Slice) -> int:
    clauses = case.law.clauses_on("interruption")
    return max((part.due + clause.days.lowest for clause in clauses if clause.days), default=part.due)
