"""Rows that a person has to approve: what stands behind the approval is derived again when it is given."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.ladder.actions import asked_items
from engine.ladder.case import Case, Moment
from engine.ladder.gates import person_gate, row_gate
from engine.ladder.memory import Row, do_of
from engine.ladder.model import LadderRow


@dataclass(slots=True)
class Approved:
    """Rows that a person has approved: those that can go on, and what keeps the others."""

    rows: list[tuple[Row, LadderRow]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    retries: list[Moment] = field(default_factory=list)


def is_only_proposed(row: Row) -> bool:
    """Tell whether nothing but the approval was asked for yet."""
    return row.state == "requested" and bool(row.keys) and all(do_of(key) == "approve" for key in row.keys)


def is_approved(row: Row) -> bool:
    """Tell whether a person has approved it, and nothing else was asked for yet."""
    return is_only_proposed(row) and all(row.words.get(key) == "done" for key in row.keys)


def approved(case: Case, moment: Moment, *, fresh: bool = False) -> Approved:
    """Return the approved rows that can go on at a moment; an approval opens no gate (rules 4 and 13)."""
    found = Approved()
    for row in case.rows:
        definition = case.definition(row)
        if definition is None or not is_approved(row) or not asked_items(case, row, definition):
            continue
        gate = person_gate(case, moment[0]) or row_gate(case, definition, moment, fresh=fresh)
        if gate is not None:
            found.notes.append(f"`{row.step}` is approved and waits: {gate.why}")
            found.retries += [gate.retry] if gate.retry else []
        elif row.forced or case.holds(definition, moment[0]):
            found.rows.append((row, definition))
        else:
            found.notes.append(f"`{row.step}` is approved and waits: its cells do not hold now")
    return found
