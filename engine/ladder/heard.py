"""What a customer heard about one account, as the position of another account of his carries it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from engine.ledger.account import Contacted
from engine.ledger.entries import Contact, Entry, Receipt
from engine.ledger.position import CONTACT_DAYS


def heard_of(
    account: str, entries: Sequence[Entry], asked: Mapping[str, Contacted], at: datetime
) -> Iterator[Contacted]:
    """Yield the contacts about an account at an instant: notices asked for or sent, and what was recorded.

    `asked` are its notices by key. One whose receipt says neither that it is done nor that it is on its way
    was no contact.
    """
    since = at - timedelta(days=CONTACT_DAYS)
    said = {entry.key: entry for entry in entries if isinstance(entry, Receipt)}
    for key, notice in asked.items():
        receipt = said.get(key)
        pending = receipt is None or receipt.status == "requested"
        if notice.at > since and (pending or (receipt and receipt.status == "done")):
            when = receipt.received_at if receipt and not pending else notice.at
            yield notice.model_copy(update={"account": account, "pending": pending, "at": when})
    for entry in entries:
        if isinstance(entry, Contact) and entry.value_date > since.date():
            yield Contacted(
                at=entry.at, channel=entry.channel, outcome=entry.outcome, direction=entry.direction,
                account=account, bills=entry.bills, consent=entry.consent,
            )  # fmt: skip
