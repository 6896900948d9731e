"""What a customer was told or asked elsewhere: about other accounts, by other cases, for alerts.

Caps count every contact of a customer, so the position of each account carries those of all the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from api.storage.tables import AccountRow, ActionRow, CustomerRow, EntryRow
from api.storage.watch_tables import WatchActionRow, WatchAlertRow
from engine.ledger.account import AccountPosition, Contacted
from engine.ledger.entries import Contact
from engine.ledger.position import CONTACT_DAYS

STANDING = ("requested", "done")
"""States of a notice that went out, or may still."""


def with_contacts(session: Session, row: AccountRow, position: AccountPosition) -> AccountPosition:
    """Return an account's position with the customer's contacts beside it, as known at its instant.

    A position that has them already stays as it is.
    """
    beside = [
        *_notices(session, row, position.at),
        *_recorded(session, row, position.at),
        *_of_alerts(session, row.customer, position.at),
    ]
    if not beside:
        return position
    own = (one for one in position.contacts if not one.account and not one.key)
    found = sorted((*own, *beside), key=lambda one: (one.at, one.account, one.key))
    return position.model_copy(update={"contacts": tuple(found)})


def _since(at: datetime) -> datetime:
    return at - timedelta(days=CONTACT_DAYS)


def _state(state: str, settled_at: datetime | None, at: datetime) -> str:
    return "requested" if settled_at is not None and settled_at > at else state


def _notices(session: Session, row: AccountRow, at: datetime) -> Iterator[Contacted]:
    """Yield the notices of the customer's accounts that were asked for; what is done here is a receipt."""
    accounts = select(AccountRow.id).where(AccountRow.customer == row.customer)
    query = (
        select(ActionRow)
        .where(col(ActionRow.account).in_(accounts), ActionRow.do == "notify", col(ActionRow.undo).is_(False))
        .where(ActionRow.requested_at <= at, ActionRow.requested_at > _since(at))
    )
    for action in session.exec(query.order_by(ActionRow.key)):
        own, state = action.account == row.id, _state(action.state, action.settled_at, at)
        parts = action.key.rsplit("/", 2)[1].split(".")
        if state in STANDING and len(parts) > 2 and not (own and state == "done"):
            made = action.settled_at if state == "done" and action.settled_at else action.requested_at
            yield Contacted(
                at=made, channel=parts[1], account="" if own else action.account, key=action.key,
                text=".".join(parts[2:]), pending=state == "requested",
            )  # fmt: skip


def _recorded(session: Session, row: AccountRow, at: datetime) -> Iterator[Contacted]:
    """Yield what was recorded of the customer's other accounts."""
    accounts = select(AccountRow.id).where(AccountRow.customer == row.customer, AccountRow.id != row.id)
    query = (
        select(EntryRow)
        .where(EntryRow.kind == "contact", col(EntryRow.account).in_(accounts))
        .where(EntryRow.received_at <= at, EntryRow.value_date > _since(at).date())
    )
    for entry in session.exec(query.order_by(EntryRow.account, col(EntryRow.seq))):
        made = Contact.model_validate_json(entry.body)
        yield Contacted(
            at=made.at, channel=made.channel, outcome=made.outcome, direction=made.direction,
            account=entry.account, bills=made.bills, consent=made.consent,
        )  # fmt: skip


def _of_alerts(session: Session, customer: str, at: datetime) -> Iterator[Contacted]:
    """Yield the notices that alerts about the customer asked for."""
    query = (
        select(WatchActionRow)
        .join(WatchAlertRow, col(WatchActionRow.alert) == col(WatchAlertRow.id))
        .where(WatchAlertRow.customer == customer, WatchAlertRow.as_of > _since(at))
        .where(WatchActionRow.do == "notify", col(WatchActionRow.undo).is_(False))
        .where(WatchActionRow.requested_at <= at)
    )
    for action in session.exec(query.order_by(WatchActionRow.key)):
        args: Sequence[str] = json.loads(action.args)
        state = _state(action.state, action.settled_at, at)
        if state in STANDING and args:
            made = action.settled_at if state == "done" and action.settled_at else action.requested_at
            yield Contacted(
                at=made, channel=args[0], account="*", key=action.key, text=".".join(args[1:]),
                pending=state == "requested",
            )  # fmt: skip


def hold_customer(session: Session, account: str) -> None:
    """Let nobody else decide on contacts with an account's customer until the transaction ends.

    Taken before the account is locked, as everybody does who takes both.
    """
    customer = select(AccountRow.customer).where(AccountRow.id == account).scalar_subquery()
    session.exec(select(CustomerRow.id).where(CustomerRow.id == customer).with_for_update()).one_or_none()
