"""Notices to one customer that go out as one message: same channel, same text, same language, same day.

Each keeps its own row and key. What is taken together is leased in one transaction and settled in one, so a
process that dies in between sends the same notices again under the same id: those whose attempts went with
the first one's. Notices that come later go out by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from api.storage import outbox
from api.storage.acting import Acting
from api.storage.actions import FINAL, action_of, get_action
from api.storage.session import Work
from api.storage.tables import AccountRow, ActionRow, OutboxRow
from engine.ladder.state import Action

MOST = 50
"""Notices in one message; the next ones go out in another."""


def gather(
    work: Work, acting: Acting, row: AccountRow, head: OutboxRow, stored: ActionRow, at: datetime,
    now: datetime,
) -> list[OutboxRow]:  # fmt: skip
    """Return the notices that go out together with the first one of an account, each leased.

    `head` is that one's row as it was before it was leased itself.
    Every one is looked at as the first one was: what is not due any more, or not yet, is left where it is.
    A ledger that somebody else is writing to is not waited for: its notice goes out by itself.
    """
    session, first = work.session, action_of(stored)
    if first.do != "notify" or not acting.policy(session, stored.policy).contact.consolidate:
        return []
    found = []
    for one in _beside(session, row, head, first, at):
        account = row if one.account == row.id else _held(session, one.account)
        action = get_action(session, one.subject)
        if account is None or action.state in FINAL or one.id is None:
            continue
        other = action_of(action)
        same = (other.args, other.language) == (first.args, first.language)
        late = one.not_after is not None and at > one.not_after
        if not same or late or not acting.policy(session, action.policy).contact.consolidate:
            continue
        heard = max(at, account.last_received or at)
        if acting.ground_gone(session, account, action, heard):
            continue
        if outbox.lease(work, one.id, now):
            found.append(one)
    return found


def _beside(
    session: Session, row: AccountRow, head: OutboxRow, first: Action, at: datetime
) -> Sequence[OutboxRow]:
    accounts = select(AccountRow.id).where(AccountRow.customer == row.customer)
    query = (
        select(OutboxRow)
        .where(OutboxRow.state == "pending", OutboxRow.channel == "webhook", OutboxRow.id != head.id)
        .where(col(OutboxRow.account).in_(accounts), OutboxRow.attempts == head.attempts)
        .where(_same(col(OutboxRow.next_at), head.next_at))
        .where(_same(col(OutboxRow.leased_until), head.leased_until))
        .where(col(OutboxRow.subject).like(f"%/notify.{'.'.join(first.args)}/do"))
        .where(col(OutboxRow.not_before).is_(None) | (col(OutboxRow.not_before) <= at))
    )
    return session.exec(query.order_by(col(OutboxRow.id)).limit(MOST - 1)).all()


def _same(column: Any, value: datetime | None) -> Any:
    """Return a condition: an attempt that was made together was put off, or was lost, together."""
    return column.is_(None) if value is None else column == value


def _held(session: Session, account: str) -> AccountRow | None:
    query = select(AccountRow).where(AccountRow.id == account).with_for_update(skip_locked=True)
    return session.exec(query.execution_options(populate_existing=True)).one_or_none()


def joined(body: bytes, more: Sequence[OutboxRow]) -> bytes:
    """Return the event of one message for several notices: the first one's, with the others in `together`."""
    if not more:
        return body
    event = json.loads(body)
    others = [json.loads(one.body)["data"] for one in more]
    texts = [data["text"] for data in (event["data"], *others) if data.get("text")]
    event["data"]["together"] = others
    if texts:
        event["data"]["text"] = joined_text(texts)
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def joined_text(texts: Sequence[str]) -> str:
    """Return the texts of several notices as one, each said once."""
    return "\n\n".join(dict.fromkeys(text.strip() for text in texts))
