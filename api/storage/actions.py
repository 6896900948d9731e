"""Actions by their key: asked for once, with the latest word on what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from api.storage.asking import row_of
from api.storage.errors import NotFound, ReceiptTooEarly
from api.storage.session import Work
from api.storage.tables import AccountRow, ActionRow
from api.storage.tasks import close_task
from engine.ladder.state import Action, Taken
from engine.ledger.entries import Receipt
from engine.model import canonical
from workflows.messages import ActRequest

NO_CASE = 0
"""The number of a case in actions that belong to none: notices before due dates."""
FINAL = frozenset({"done", "failed", "suppressed", "expired", "withdrawn"})
"""States in which nothing more is expected of a receiver."""


def add_action(
    work: Work, request: ActRequest, before: Taken, action: Action, at: datetime, state: str,
    *, version: int, detail: str = "",
) -> None:  # fmt: skip
    """Keep an action with what it was derived from; what takes something back is not derived again."""
    work.insert(
        ActionRow,
        {
            "key": action.key, "account": request.account,
            "number": case_number(request.case), "step": action.step,
            "do": action.do, "undo": action.undo, "severe": action.severe, "state": state,
            "requested_at": at, "settled_at": at if state in FINAL else None, "detail": detail,
            "policy": request.policy, "version": version, "chain": request.chain,
            "body": canonical(action).decode(),
            "taken_before": None if action.undo and not action.severe else canonical(before).decode(),
        },
    )  # fmt: skip


def case_number(case: str) -> int:
    """Return the number of a case from its workflow's id."""
    return int(case.rsplit("/", 1)[1])


def note_receipt(work: Work, account: AccountRow, receipt: Receipt) -> None:
    """Take the word on an action into its row, its task and the account's level of service.

    An earlier word that comes late changes nothing; that an action was asked for outweighs nothing.
    """
    row = row_of(work.session, ActionRow, receipt.key)
    if row is None or row.account != account.id or receipt.status == "requested":
        return
    if row.settled_at is not None and receipt.at < row.settled_at:
        return
    row.state, row.settled_at, row.detail = receipt.status, receipt.at, receipt.detail
    work.session.add(row)
    close_task(work, row.key, receipt.status, receipt.at)
    action = action_of(row)
    if receipt.status == "done" and action.level is not None:
        account.level = action.level


BEHIND = timedelta(minutes=5)
"""How far a receiver's clock may be behind ours."""


def happened_at(row: ActionRow, at: datetime) -> datetime:
    """Return when an action happened: not before it was asked for. Raises ReceiptTooEarly.

    An instant a little before is of a clock that is behind, and is taken as that of the asking.
    """
    if at < row.requested_at - BEHIND:
        raise ReceiptTooEarly(row.key, at, row.requested_at)
    return max(at, row.requested_at)


def action_of(row: ActionRow) -> Action:
    """Return a stored action as the engine made it."""
    return Action.model_validate_json(row.body)


def get_action(session: Session, key: str) -> ActionRow:
    """Return an action by its key; raise NotFound."""
    row = row_of(session, ActionRow, key)
    if row is None:
        raise NotFound("action", key)
    return row


def page_of_actions(
    session: Session, after: str, limit: int, account: str = "", number: int | None = None, state: str = ""
) -> Sequence[ActionRow]:
    """Return actions after a cursor, in order of their key."""
    query = select(ActionRow).where(ActionRow.key > after)
    if account:
        query = query.where(ActionRow.account == account)
    if number is not None:
        query = query.where(ActionRow.number == number)
    if state:
        query = query.where(ActionRow.state == state)
    return session.exec(query.order_by(ActionRow.key).limit(limit)).all()


def actions_of_case(session: Session, account: str, number: int) -> Sequence[ActionRow]:
    """Return all actions of a case, in the order in which they were asked for."""
    query = select(ActionRow).where(ActionRow.account == account, ActionRow.number == number)
    return session.exec(query.order_by(col(ActionRow.requested_at), ActionRow.key)).all()
