"""Where an account stands, read from what is stored: its entries, its customer's facts, the feeds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime

from sqlmodel import Session

from api.storage.accounts import terms_of
from api.storage.customers import day_of, fact_rows, require_customer
from api.storage.entries import EntryShelf
from api.storage.feeds import feeds_at
from api.storage.tables import AccountRow, CustomerFactRow, CustomerRow
from engine.ledger.account import AccountPosition
from engine.ledger.entries import Entry, FactSet
from engine.ledger.position import position_at

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""When what never changes about a customer became known: its segment is part of who it is."""


class Positions:
    """Reads positions; keeps the entries it has read, because they never change."""

    def __init__(self) -> None:
        self.shelf = EntryShelf()

    def entries(self, session: Session, row: AccountRow, at: datetime) -> tuple[Entry, ...]:
        """Return all entries of an account, with its customer's facts among them."""
        entries = self.shelf.read(session, row.id)
        customer = require_customer(session, row.customer)
        return (*entries, *customer_entries(customer, fact_rows(session, [row.customer], at)))

    def position(self, session: Session, row: AccountRow, at: datetime) -> AccountPosition:
        """Return an account's position at `at`."""
        return self.of(session, row, self.entries(session, row, at), at)

    def of(
        self, session: Session, row: AccountRow, entries: tuple[Entry, ...], at: datetime
    ) -> AccountPosition:
        """Return the position that follows from these entries, with the feeds of all accounts."""
        position = position_at(terms_of(row), entries, at)
        feeds = feeds_at(session, at)
        for feed, own in position.feeds.items():
            feeds[feed] = max(own, feeds.get(feed, own))
        return position.model_copy(update={"feeds": dict(sorted(feeds.items()))})


def customer_entries(customer: CustomerRow, rows: Iterable[CustomerFactRow]) -> list[FactSet]:
    """Return what is known of a customer as entries, so that an account's facts have one source of news.

    Only values that a collections policy can read: texts, whole numbers, truth values, lists of texts.
    """
    found = []
    if customer.segment:
        found.append(_fact("segment", "segment", customer.segment, _ALWAYS.date(), _ALWAYS))
    for row in rows:
        value = json.loads(row.value)
        if isinstance(value, list):
            value = tuple(value)
        if value is None or isinstance(value, bool | int | str | tuple):
            found.append(_fact(row.name, f"{row.name}/{row.seq}", value, day_of(row), row.received_at))
    return found


def _fact(name: str, ref: str, value: object, day: date, received_at: datetime) -> FactSet:
    return FactSet.model_validate(
        {"id": f"customer/{ref}", "value_date": day, "received_at": received_at}
        | {"name": name, "value": value}
    )
