"""Tasks: what a person must do, from the day it was asked until it is done."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime

from sqlmodel import Session, col, select

from api.storage.session import Work
from api.storage.tables import ActionRow, TaskRow
from engine.ladder.state import Action
from engine.model import canonical

FOR_PEOPLE = frozenset({"task", "approve"})
"""Actions that a person carries out."""


def add_task(work: Work, account: str, number: int, action: Action, reason: str, at: datetime) -> None:
    """Put a task on the list, once for each action key."""
    values = {
        "key": action.key, "account": account, "number": number, "step": action.step, "do": action.do,
        "args": canonical(list(action.args)).decode(), "reason": reason, "created_at": at,
        "due_at": action.confirm_by, "state": "open", "outcome": "",
    }  # fmt: skip
    work.insert_once(TaskRow, values)


def close_task(work: Work, key: str, outcome: str, at: datetime) -> None:
    """Take a task off the list by what became of its action; nothing if there is none."""
    work.update(
        TaskRow, {"key": key, "state": "open"}, {"state": "closed", "outcome": outcome, "closed_at": at}
    )


def close_tasks(work: Work, begins: str, outcome: str, at: datetime) -> None:
    """Take the tasks off the list whose keys begin so."""
    query = select(TaskRow).where(
        col(TaskRow.key).startswith(begins, autoescape=True), TaskRow.state == "open"
    )
    for row in work.session.exec(query).all():
        close_task(work, row.key, outcome, at)


def withdraw_approvals(work: Work, dropped: Set[str], at: datetime) -> None:
    """Take approvals off the list whose proposals a case has dropped: nobody waits for an answer."""
    query = select(TaskRow).where(col(TaskRow.key).in_(dropped), TaskRow.state == "open")
    for row in work.session.exec(query).all():
        close_task(work, row.key, "withdrawn", at)
        why = "What it was about is not proposed any more."
        words = {"state": "withdrawn", "settled_at": at, "detail": why}
        work.update(ActionRow, {"key": row.key, "state": "requested"}, words)


def page_of_tasks(session: Session, state: str, account: str, after: int, limit: int) -> Sequence[TaskRow]:
    """Return tasks after a cursor, oldest first."""
    query = select(TaskRow).where(col(TaskRow.seq) > after)
    if state:
        query = query.where(TaskRow.state == state)
    if account:
        query = query.where(TaskRow.account == account)
    return session.exec(query.order_by(col(TaskRow.seq)).limit(limit)).all()
