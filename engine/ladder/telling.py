"""Why a step did what it did, in words: every row, what stood in the way, and what was noted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from engine.feel.values import show, to_feel
from engine.ladder.case import Case, fact_holds
from engine.ladder.contact import zone_note
from engine.ladder.late_fee import fee_notes
from engine.ladder.measure import Measures
from engine.ladder.model import LadderRow
from engine.ladder.moves import Climb, Leaving
from engine.ladder.state import StepTrace, TraceRow


def trace_of(case: Case, left: Leaving, up: Climb) -> StepTrace:
    """Return the trace of one look at a case."""
    m = case.view.on(case.today)
    warranted, reached = case.warranted(case.today), case.reached(case.today)
    rows = case.ladder.rows
    disputed = sum(
        (debt.disputed for debt in case.account.debts if not debt.written_off), start=m.overdue * 0
    )
    return StepTrace(
        ladder=case.ladder.name,
        today=date.fromordinal(case.today),
        anchor=date.fromordinal(m.anchor.base) if m.anchor else None,
        age=m.age,
        days_past_due=m.days_past_due,
        overdue=m.overdue,
        disputed=disputed,
        warranted=rows[warranted].step if warranted >= 0 else "",
        reached=rows[reached].step if reached >= 0 else "",
        rows=tuple(_row(case, row, m, up) for row in rows),
        notes=tuple(_notes(case, left, up)),
    )


def _row(case: Case, row: LadderRow, m: Measures, up: Climb) -> TraceRow:
    holds = case.holds(row, case.today)
    taken = case.taken_row(row.step)
    if up.row is row:
        note = "taken now"
    elif row.step in up.notes:
        note = up.notes[row.step]
    elif not holds:
        note = failing(case, row, m)
    elif taken and taken.declined:
        note = f"declined by a person after {taken.requested_on}"
    elif taken:
        note = f"{taken.state} {taken.done_on or taken.requested_on}"
    else:
        note = ""
    return TraceRow(step=row.step, warranted=holds, reached=case.counts(taken, case.today), note=note)


def failing(case: Case, row: LadderRow, m: Measures) -> str:
    """Return the first cell of a row that does not hold, in words: `age 34 is not >= 45`."""
    if m.anchor is None:
        return "nothing is past due"
    if not row.age.holds(m.age):
        return f"age {m.age} is not {row.age.text}"
    if not row.days_past_due.holds(m.days_past_due):
        return f"days_past_due {m.days_past_due} is not {row.days_past_due.text}"
    if not row.unpaid_bills.holds(m.unpaid_bills):
        return f"unpaid_bills {m.unpaid_bills} is not {row.unpaid_bills.text}"
    if not m.amount_holds(row):
        part = m.part(row)
        of_age = f", {part} of this age," if part != m.overdue else ""
        return f"overdue {m.overdue}{of_age} is not {row.overdue.text}"
    for test in row.facts:
        value = case.account.facts.get(test.name)
        if not fact_holds(test, value):
            return f"{test.name} {show(to_feel(value))} is not {test.text}"
    return ""


def _notes(case: Case, left: Leaving, up: Climb) -> Iterator[str]:
    yield from case.notes
    if note := zone_note(case):
        yield note
    yield from fee_notes(case)
    if not case.treatment:
        yield "exempt: the treatment of this customer is `none`"
    for row, why in left.rows:
        yield f"`{row.step}` leaves: {why}"
    if left.closes:
        yield f"`{case.policy.case.closes.text}` holds"
    if up.gate:
        yield up.gate.why
    for held in case.active_holds(case.today):
        yield f"hold `{held.id}` ({held.rules.kind}): clock {held.rules.clock}, taken {held.rules.taken}"
    for found in case.promises(case.today):
        shown = f"promise `{found.promise.id}` of {found.promise.amount} by {found.promise.by}: {found.state}"
        yield f"{shown} ({found.why})" if found.why else shown
    for demand in case.beside():
        yield f"{demand.source} demands {demand.level} since {demand.since}"
