"""Which debts a notice has still to name, and from when on a cut can stand for those that are new in it."""

from __future__ import annotations

from datetime import date

from engine.ladder.case import Case
from engine.ladder.clock import FOREVER
from engine.ladder.law_gate import validated_from
from engine.ladder.lawful_contact import harms, validates
from engine.ladder.measure import Slice, turning_days
from engine.ladder.memory import Row
from engine.ladder.model import LadderRow
from engine.ladder.waits import ready_on


def rests_on(case: Case, row: LadderRow) -> tuple[LadderRow, LadderRow] | None:
    """Return the notice on which a cut rests, and the step behind it; None: the row rests on none."""
    return case.notice_before(row) if row.interrupts else None


def told_of_each(case: Case) -> tuple[LadderRow, ...]:
    """Return the notices in which each debt is named: of the law first, then those of cuts and placements."""
    lawful = [row for row in case.ladder.rows if is_lawful(case, row)]
    rests = (row for row in case.ladder.rows if row.interrupts or row.places)
    cuts = [found[0] for row in rests if (found := case.notice_before(row))]
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
    lawful = [(part, from_) for part in new if (from_ := lawful_from(case, cut, part)) < FOREVER]
    aged = [max(day, from_) for part, from_ in lawful for day in _aged(cut, part)]
    return cut, max(ready, min(aged, default=ready))


def _aged(cut: LadderRow, part: Slice) -> list[int]:
    """Return the first day on which a part has the age of a row; nothing where there is none."""
    reached = (
        day for day in sorted(turning_days(cut, part))
        if cut.age.reached_by(part.age(day)) and cut.days_past_due.reached_by(day - part.due)
    )  # fmt: skip
    return [day for day in (next(reached, None),) if day is not None]


def taken_for(case: Case, definition: LadderRow) -> tuple[str, ...]:
    """Return the debts for which a row is taken: a cut only for those that its notice has named.

    What is placed is placed once, and only what its notice has named and the law lets be placed by now.
    """
    live = case.view.on(case.today).debts
    if definition.places:
        there = placed(case, definition)
        live = tuple(debt for debt in live if debt not in there) or live
    noticed = _named_for(case, definition, case.today)
    named = tuple(debt for debt in live if noticed is None or debt in noticed)
    return (
        lawful_for(case, definition, named, case.today)
        or lawful_for(case, definition, live, case.today)
        or live
    )


def placed(case: Case, definition: LadderRow) -> set[str]:
    """Return the debts that are placed by a row, or are being placed."""
    mine = (row for row in case.rows if row.step == definition.step and row.in_force("place"))
    return {debt for row in mine for debt in row.debts}


def lawful_for(case: Case, definition: LadderRow, debts: tuple[str, ...], day: int) -> tuple[str, ...]:
    """Return those of some debts for which the law in force lets a row be taken on a day.

    A policy that was released keeps the law by its cells; the law may have become stricter since. What is
    disputed or held is asked of its dispute or hold.
    """
    if not harms(definition):
        return debts
    too_young = {part.debt for part, _ in case.view.on(day).live if day < lawful_from(case, definition, part)}
    return tuple(debt for debt in debts if debt not in too_young)


def lawful_from(case: Case, definition: LadderRow, part: Slice) -> int:
    """Return the first day on which the law lets a row be taken for a debt; FOREVER: not known yet."""
    days = [part.due, validated_from(case, part.debt)]
    if definition.interrupts and definition.level != "terminated":
        clauses = case.law.clauses_on("interruption")
        days += [part.due + clause.days.lowest for clause in clauses if clause.days]
    return max(days)


def placed_from(case: Case, definition: LadderRow, part: Slice, day: int) -> int:
    """Return the first day on which a debt may be placed: by law, by its notice, by the placement before."""
    days = [lawful_from(case, definition, part), _noticed_from(case, definition, part, day)]
    before = case.ladder.by_step.get(definition.after)
    if before is not None and before.places:
        rows = (row for row in case.rows if row.step == before.step and part.debt in row.debts)
        due = date.fromordinal(part.due)
        waits = (ready_on(definition.wait, on, due).toordinal() for row in rows if (on := row.waits_from))
        days.append(min(waits, default=FOREVER))
    return max(days)


def _noticed_from(case: Case, definition: LadderRow, part: Slice, day: int) -> int:
    """Return the first day on which a debt may be placed by the notice that named it; FOREVER: by none.

    Once service has ended, no notice is due any more.
    """
    found = case.notice_before(definition)
    if found is None or case.is_over(found[0]):
        return part.due
    sent = (row for row in case.rows if row.step == found[0].step and part.debt in row.debts)
    sent = (row for row in sent if row.state == "done" and row.done_on and not case.is_outdated(row, day))
    return min((case.ready_on(row, found[1], day) for row in sent), default=FOREVER)


def _named_for(case: Case, definition: LadderRow, day: int) -> tuple[str, ...] | None:
    if definition.interrupts or not definition.places:
        return case.noticed(definition, day)
    live = case.view.on(day).live
    return tuple(part.debt for part, _ in live if placed_from(case, definition, part, day) <= day)
