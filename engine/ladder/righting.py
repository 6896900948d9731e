"""What late news puts right in a case that is open: steps that were never due, exits that held in vain."""

from __future__ import annotations

from datetime import date

from engine.ladder.actions import task, undo_fees, untold
from engine.ladder.case import Case
from engine.ladder.hindsight import released_before, was_wrong
from engine.ladder.memory import GONE, Row, token_of
from engine.ladder.moves import absorbed
from engine.ladder.noticed import taken_for
from engine.ladder.rightly import due_since
from engine.ladder.state import Action


def put_right(case: Case) -> list[Action]:
    """Mark what was never due, by what is known now, and reverse fees of what had no effect."""
    actions: list[Action] = []
    for row in (*case.rows, *case.left):
        if was_wrong(case, row):
            if row.left_on is None and _stays(case, row, row.requested_on):
                continue
            if absorbed(case, row):
                actions += _told_wrongful(case, row)
                continue
            if row.demands != "open" and row.left_on is not None and not case.terminated:
                actions += _told_wrongful(case, row)  # the debt was given up: nothing restores it by itself
            row.wrongful, row.state = True, "withdrawn"
            case.notes.append(f"`{row.step}` was not due on {row.requested_on}, by what is known now")
        elif row.left_on is None and _is_later_right(case, row):
            row.due_from = due_since(case, row, row.requested_on) or row.stood_on
        elif row.left_on is None and (day := released_before(case, row)) and not _stays(case, row, day):
            case.released[row.step] = day
        if row.state in GONE and not row.ends_contract and (row.left_on or row.state != "withdrawn"):
            actions += undo_fees(case, row)
    return actions


def _stays(case: Case, row: Row, wrong: date) -> bool:
    """Let a row stand that was wrong on a day and has become right for other debts since (rule 11).

    Had all been known in time it had been taken then: nothing is given back to be cut again.
    """
    since = due_since(case, row, wrong)
    definition = case.definition(row)
    if since is None or definition is None:
        return False
    row.due_from = row.stood_on = since
    row.debts = tuple(dict.fromkeys((*row.debts, *taken_for(case, definition))))
    case.notes.append(f"`{row.step}` was not due on {wrong}, by what is known now; it is since {since}")
    return True


def _is_later_right(case: Case, row: Row) -> bool:
    """Tell whether a row was wrong when it was taken, and right when it was taken again."""
    return row.stood_on is not None and row.due_from is None and was_wrong(case, row, at_first=True)


def _told_wrongful(case: Case, row: Row) -> list[Action]:
    """Ask a person about what nothing takes back by itself; once, whichever case hears of it."""
    asked = task(case, row.step, row.entry, "wrongful")
    if any(token_of(key) == token_of(asked.key) for key in row.words):
        return []
    row.words[asked.key] = "requested"
    return untold(case, asked)
