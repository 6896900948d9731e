"""What stands in the way of an account: a person must see it, because nothing else will come of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, text
from sqlmodel import Session, col, select

from api.storage.accounts import terms_of
from api.storage.tables import IN_TROUBLE, AccountRow, CaseRow
from api.storage.wording import said as said_of
from engine.ledger import Entry, unmatched
from engine.ledger.unmatched import Misfit, Unmatched, misfits

WAITS = timedelta(days=1)
"""News comes out of order; what names something that has not come for this long is a trouble."""
_NAMED = 3
_BETWEEN = "\n"
"""In what is stored stands between what waits and the plans that do not fit."""


def note_unmatched(row: AccountRow, entries: Sequence[Entry]) -> None:
    """Keep which entries wait for others, which plans do not fit, and from when on that is a trouble."""
    waits = unmatched(entries)
    said = [_said_of_wait(wait) for wait in waits[:_NAMED]]
    said += [f"{len(waits) - _NAMED} more"] if len(waits) > _NAMED else []
    plans = misfits(terms_of(row), entries)
    told = [said_of_misfit(plan) for plan in plans[:_NAMED]]
    told += [f"So do {len(plans) - _NAMED} more."] if len(plans) > _NAMED else []
    row.unmatched = _BETWEEN.join([", ".join(said), *([" ".join(told)] if told else [])])
    since = [*(wait.since for wait in waits), *(plan.since for plan in plans)]
    row.unmatched_due = min(since) + WAITS if since else None


def _said_of_wait(wait: Unmatched) -> str:
    if wait.kind == "deposit":
        return f"{said_of(wait.kind)} `{wait.id}` goes out and is not held"
    if not wait.wanted:
        return f"{said_of(wait.kind)} `{wait.id}` is of more money than there is"
    return f"{said_of(wait.kind)} `{wait.id}` names {said_of(wait.names)} `{wait.wanted}`"


def said_of_misfit(plan: Misfit) -> str:
    """Say how a plan differs from what it takes the place of."""
    parts = [f"asks for {plan.excess} more than was open of its bills"] if plan.excess else []
    parts += [f"leaves {plan.left} of them"] if plan.left else []
    return f"Plan `{plan.plan}` {' and '.join(parts)}."


def trouble_of(row: AccountRow, at: datetime) -> str:
    """Return in words what stands in the way of an account at an instant; empty: nothing."""
    said = [row.trouble] if row.trouble else []
    if row.unmatched_due is not None and row.unmatched_due <= at:
        since = row.unmatched_due - WAITS
        waits, _, plans = row.unmatched.partition(_BETWEEN)
        if waits:
            said.append(f"What is named has not come since {since:%Y-%m-%d %H:%M %Z}: {waits}.")
        said += [plans] if plans else []
    return " ".join(said)


def in_trouble(at: datetime | None) -> ColumnElement[bool]:
    """Return the condition of being in trouble at an instant; None: when each account last heard news."""
    until = col(AccountRow.last_received) if at is None else at
    waits = col(AccountRow.unmatched_due) <= until
    return and_(text(f"({IN_TROUBLE})"), or_(col(AccountRow.trouble) != "", waits))


def count_in_trouble(session: Session, at: datetime | None) -> int:
    """Return how many accounts are in trouble."""
    return session.exec(select(func.count()).select_from(AccountRow).where(in_trouble(at))).one()


def count_cases_in_trouble(session: Session) -> int:
    """Return how many open cases cannot go on."""
    query = select(func.count()).select_from(CaseRow)
    return session.exec(query.where(CaseRow.state == "open", col(CaseRow.trouble).is_not(None))).one()
