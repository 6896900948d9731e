"""Debts that follow what was placed: those for which a notice or the law had still given time when it was.

Only what may be placed is handed over, and each debt once: `place` again, for the rest alone, under the next
entry of its step (rule 7). What was past due at the first placement follows as soon as it may; what fell due
since, when it has itself come to the age of the step. It is no step: it uses up no day and holds up nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from engine.ladder.actions import ask, asked_items, task
from engine.ladder.case import Case, Moment, minutes
from engine.ladder.channels import attempts, failed_announcement
from engine.ladder.clock import FOREVER
from engine.ladder.gates import person_gate, row_gate, run_on
from engine.ladder.measure import Slice
from engine.ladder.memory import Row
from engine.ladder.model import DoItem, LadderRow
from engine.ladder.noticed import placed, placed_from
from engine.ladder.state import Action


@dataclass(slots=True)
class Rest:
    """What is placed at a moment after what was placed before, and when to look again."""

    rows: list[tuple[LadderRow, tuple[str, ...]]] = field(default_factory=list)
    retries: list[Moment] = field(default_factory=list)
    tasks: list[Action] = field(default_factory=list)


def to_place(case: Case, moment: Moment, *, fresh: bool = False) -> Rest:
    """Return the debts that follow at a moment what was placed before."""
    found = Rest()
    day = moment[0]
    measures = case.view.on(day)
    if not case.treatment or measures.anchor is None or not any(row.in_force("place") for row in case.rows):
        return found
    if person_gate(case, day) or case.policy.case.closes.holds(measures.values(measures.overdue)):
        return found
    for definition in case.ladder.rows:
        if definition.places and case.holds(definition, day):
            _try(case, definition, moment, found, fresh=fresh)
    return found


def more_to_place(case: Case, definition: LadderRow, debts: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of some debts that are not placed yet."""
    there = placed(case, definition)
    return tuple(debt for debt in debts if debt not in there)


def place(case: Case, definition: LadderRow, debts: tuple[str, ...]) -> list[Action]:
    """Ask for the placement of debts that were not placed before, beside those that were."""
    entry = case.entries.get(definition.step, 0) + 1
    case.entries[definition.step] = entry
    failed = failed_announcement(case, definition)
    row = Row(
        definition.step, entry, case.at, date.fromordinal(case.today), debts=debts,
        tries=failed.tries + 1 if failed else 1, ladder=case.ladder.name, announces=True,
    )  # fmt: skip
    case.rows = [other for other in case.rows if other is not failed]
    case.rows.append(row)
    case.sort_rows()
    case.notes.append(f"`{definition.step}` follows for {', '.join(debts)}, which was not placed before")
    return ask(case, row, definition, items_of(case, row, definition))


def items_of(case: Case, row: Row, definition: LadderRow) -> list[DoItem]:
    """Return what can be asked for now of a row; of one that follows only what hands its debts over."""
    items = asked_items(case, row, definition)
    follows = row.announces and definition.places
    return [item for item in items if not follows or item.do in ("place", "approve")]


def _try(case: Case, definition: LadderRow, moment: Moment, found: Rest, *, fresh: bool) -> None:
    day, start = moment[0], minutes(case.policy.case.hour)
    mine = [row for row in case.rows if row.step == definition.step]
    first = min((row.requested_on for row in mine if row.in_force("place")), default=None)
    if first is None or any(row.state == "requested" for row in mine):
        return
    there = placed(case, definition) | {debt for row in mine if row.declined for debt in row.debts}
    due = {part: placed_from(case, definition, part, day) for part in _waiting(case, definition, day, first)}
    due = {part: on for part, on in due.items() if part.debt not in there}
    found.retries += [(on, start) for on in due.values() if day < on < FOREVER]
    debts = tuple(dict.fromkeys(part.debt for part, on in due.items() if on <= day))
    if not debts:
        return
    failed = failed_announcement(case, definition)
    if failed and failed.tries >= attempts(case, definition):
        found.tasks.append(task(case, definition.step, failed.entry, "undeliverable"))
        return
    ready = run_on(case, definition, max([day, *(row.requested_on.toordinal() + 1 for row in mine)]))
    if moment < (ready, start):
        found.retries.append((ready, start))
        return
    gate = row_gate(case, definition, moment, fresh=fresh, in_force=True)
    if gate is None:
        found.rows.append((definition, debts))
    elif gate.retry:
        found.retries.append(gate.retry)


def _waiting(case: Case, definition: LadderRow, day: int, first: date) -> list[Slice]:
    """Return what was past due when the first debts were placed, and what is old enough by itself."""
    return [
        part
        for part, age in case.view.on(day).live
        if part.anchors
        and (
            part.due < first.toordinal()
            or (definition.age.reached_by(age) and definition.days_past_due.reached_by(day - part.due))
        )
    ]
