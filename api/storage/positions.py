"""Where an account stands, read from what is stored: its entries, its customer's facts, the feeds."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from sqlmodel import Session

from api.storage.accounts import terms_of
from api.storage.contacts import with_contacts
from api.storage.customers import SaidFact, day_of, fact_rows, require_customer
from api.storage.entries import KEPT, EntryShelf
from api.storage.feeds import Feeds
from api.storage.tables import AccountRow, CustomerRow
from engine.ledger.account import AccountPosition
from engine.ledger.entries import Entry, FactSet
from engine.ledger.position import position_at

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""When what never changes about a customer became known: its segment is part of who it is."""


RECENT = 256
"""Accounts of which the last position is at hand: one look asks for it several times."""


@dataclass(frozen=True, slots=True)
class _Recent:
    """The entries of an account as they were last read, and the position that was last asked for."""

    own: tuple[Entry, ...]
    facts: tuple[FactSet, ...]
    entries: tuple[Entry, ...]
    at: datetime | None = None
    position: AccountPosition | None = None


class Positions:
    """Reads positions; keeps the entries it has read, because they never change."""

    def __init__(self) -> None:
        self.shelf = EntryShelf()
        self._facts = _FactShelf()
        self._feeds = Feeds()
        self._recent: OrderedDict[str, _Recent] = OrderedDict()
        self._lock = threading.Lock()

    def entries(self, session: Session, row: AccountRow) -> tuple[Entry, ...]:
        """Return all entries of an account, with its customer's facts among them."""
        own, facts = self.shelf.read(session, row.id), self._facts.read(session, row)
        with self._lock:
            last = self._recent.get(row.id)
        if last is not None and last.own is own and last.facts is facts:
            return last.entries
        return self._remember(row.id, _Recent(own, facts, (*own, *facts))).entries

    def position(self, session: Session, row: AccountRow, at: datetime) -> AccountPosition:
        """Return an account's position at `at`, with all contacts of its customer."""
        return with_contacts(session, row, self.of(session, row, self.entries(session, row), at))

    def of(
        self, session: Session, row: AccountRow, entries: tuple[Entry, ...], at: datetime
    ) -> AccountPosition:
        """Return the position that follows from these entries, with the feeds of all accounts."""
        position = self._at(row, entries, at)
        feeds = self._feeds.at(session, at)
        for feed, own in position.feeds.items():
            feeds[feed] = max(own, feeds.get(feed, own))
        return position.model_copy(update={"feeds": dict(sorted(feeds.items()))})

    def _at(self, row: AccountRow, entries: tuple[Entry, ...], at: datetime) -> AccountPosition:
        """Return what follows from entries; the same entries at the same instant say the same."""
        terms = terms_of(row)
        with self._lock:
            last = self._recent.get(row.id)
        if last is None or last.entries is not entries:
            return position_at(terms, entries, at)
        if last.at != at or last.position is None or last.position.terms != terms:
            last = self._remember(row.id, replace(last, at=at, position=position_at(terms, entries, at)))
        assert last.position is not None, "it was just found"
        return last.position

    def _remember(self, account: str, recent: _Recent) -> _Recent:
        with self._lock:
            self._recent[account] = recent
            self._recent.move_to_end(account)
            if len(self._recent) > RECENT:
                self._recent.popitem(last=False)
        return recent


class _FactShelf:
    """What is known of customers, as entries.

    An account's version counts its entries and its customer's facts, so the difference says whether
    there are more facts than were read.
    """

    def __init__(self) -> None:
        self._by_customer: OrderedDict[str, tuple[int, tuple[FactSet, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, session: Session, row: AccountRow) -> tuple[FactSet, ...]:
        """Return the facts about an account's customer."""
        with self._lock:
            known, facts = self._by_customer.get(row.customer, (-1, ()))
        if known == row.version - row.seq:
            return facts
        customer = require_customer(session, row.customer)
        rows = fact_rows(session, [row.customer])
        facts = tuple(customer_entries(customer, rows))
        with self._lock:
            self._by_customer[row.customer] = (len(rows) + bool(customer.segment), facts)
            self._by_customer.move_to_end(row.customer)
            if len(self._by_customer) > KEPT:
                self._by_customer.popitem(last=False)
        return facts


def customer_entries(customer: CustomerRow, rows: Iterable[SaidFact]) -> list[FactSet]:
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
