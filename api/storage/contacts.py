"""What a customer was told or asked elsewhere: about other accounts, by other cases, for alerts.

Caps count every contact of a customer, so the position of each account carries those of all the others.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CompoundSelect, Date, bindparam, literal, null, select, type_coerce, union_all
from sqlmodel import Session

from api.storage.columns import Instant
from api.storage.tables import AccountRow, ActionRow, CustomerRow, EntryRow, table_of
from api.storage.watch_tables import WatchActionRow, WatchAlertRow
from engine.ledger.account import AccountPosition, Contacted
from engine.ledger.entries import Contact
from engine.ledger.position import CONTACT_DAYS


def with_contacts(session: Session, row: AccountRow, position: AccountPosition) -> AccountPosition:
    """Return an account's position with the customer's contacts beside it, as known at its instant.

    A position that has them already stays as it is.
    """
    since = position.at - timedelta(days=CONTACT_DAYS)
    asked = {"of": row.customer, "own": row.id, "at": position.at, "since": since, "day": since.date()}
    found = session.connection().execute(_BESIDE, asked).all()  # one question, because each look asks it
    beside = [made for one in sorted(found, key=_order) if (made := _contact(one, row.id, position.at))]
    if not beside:
        return position
    own = (one for one in position.contacts if not one.account and not one.key)
    together = sorted((*own, *beside), key=lambda one: (one.at, one.account, one.key))
    return position.model_copy(update={"contacts": tuple(together)})


def _beside() -> CompoundSelect[Any]:
    """Ask for what a customer heard: notices, calls about the other accounts, notices of alerts."""
    accounts, actions, entries = table_of(AccountRow).c, table_of(ActionRow).c, table_of(EntryRow).c
    alerts, asked = table_of(WatchAlertRow).c, table_of(WatchActionRow).c
    mine = select(accounts.id).where(accounts.customer == bindparam("of"))
    at, since = bindparam("at", type_=Instant), bindparam("since", type_=Instant)
    notices = (
        select(
            literal("notice").label("kind"), actions.account, actions.key, literal(0).label("seq"),
            actions.state, actions.requested_at, actions.settled_at, literal("").label("body"),
        )
        .where(actions.account.in_(mine), actions.do == "notify", actions.undo.is_(False))
        .where(actions.requested_at <= at, actions.requested_at > since)
    )  # fmt: skip
    recorded = (
        select(
            literal("recorded"), entries.account, literal(""), entries.seq, literal(""),
            entries.received_at, type_coerce(null(), Instant), entries.body,
        )
        .where(entries.kind == "contact", entries.account.in_(mine), entries.account != bindparam("own"))
        .where(entries.received_at <= at, entries.value_date > bindparam("day", type_=Date))
    )  # fmt: skip
    alerted = (
        select(
            literal("alert"), literal("*"), asked.key, literal(0), asked.state,
            asked.requested_at, asked.settled_at, asked.args,
        )
        .where(asked.alert == alerts.id, alerts.customer == bindparam("of"), alerts.as_of > since)
        .where(asked.do == "notify", asked.undo.is_(False), asked.requested_at <= at)
    )  # fmt: skip
    return union_all(notices, recorded, alerted)


_BESIDE = _beside()


def _order(found: Any) -> tuple[str, str, int]:
    return found.account, found.key, found.seq


def _contact(found: Any, own: str, at: datetime) -> Contacted | None:
    if found.kind == "recorded":
        made = Contact.model_validate_json(found.body)
        return Contacted(
            at=made.at, channel=made.channel, outcome=made.outcome, direction=made.direction,
            account=found.account, bills=made.bills, consent=made.consent,
        )  # fmt: skip
    pending = found.state == "requested" or (found.settled_at is not None and found.settled_at > at)
    said = _parts(found)
    if not said or not (pending or found.state == "done"):
        return None
    mine = found.account == own
    if mine and not pending:
        return None  # what is done here is a receipt
    when = found.settled_at if not pending and found.settled_at else found.requested_at
    account = "" if mine else found.account
    return Contacted(
        at=when, channel=said[0], account=account, key=found.key, text=".".join(said[1:]), pending=pending
    )


def _parts(found: Any) -> list[str]:
    """Return channel and name of a notice's text; nothing if it has no text."""
    if found.kind == "alert":
        return list(json.loads(found.body))
    parts: list[str] = found.key.rsplit("/", 2)[1].split(".")
    return parts[1:] if len(parts) > 2 else []


_ACCOUNTS, _CUSTOMERS = table_of(AccountRow).c, table_of(CustomerRow).c
_HOLD = (
    select(_CUSTOMERS.id)
    .where(
        _CUSTOMERS.id
        == select(_ACCOUNTS.customer).where(_ACCOUNTS.id == bindparam("account")).scalar_subquery()
    )
    .with_for_update()
)


def hold_customer(session: Session, account: str) -> None:
    """Let nobody else decide on contacts with an account's customer until the transaction ends.

    Taken before the account is locked, as everybody does who takes both.
    """
    session.connection().execute(_HOLD, {"account": account})
