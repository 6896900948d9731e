"""Many rows in few statements: what each would do alone is done for a whole batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

from sqlmodel import col, select

from api.storage.accounts import require_collections
from api.storage.actions import note_receipt
from api.storage.bulk_ledgers import Ledger, News, read_ledgers
from api.storage.customers import SaidFact, fact_rows, set_facts
from api.storage.depositing import note_deposit
from api.storage.entries import require_currency, rows_of, same_or_refused
from api.storage.errors import AlreadyThere, CustomerNotFound
from api.storage.ledger import LedgerWriter, admit
from api.storage.levels import note_demands
from api.storage.positions import customer_entries
from api.storage.session import Work
from api.storage.tables import AccountRow, CustomerRow, EntryRow
from api.storage.watch_events import Told
from api.storage.watch_ledger import Written
from engine.credit.decision import Fact
from engine.ledger import Entry
from engine.ledger.entries import Receipt
from engine.model import digest
from workflows.ports import AccountNotFound


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to create, with facts about them."""

    id: str
    name: str
    segment: str
    since: date | None
    facts: dict[str, Fact]
    at: datetime


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to create."""

    id: str
    customer: str
    currency: str
    timezone: str
    policy: str
    at: datetime
    dependant: str = ""
    allocation: str = ""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to add to an account."""

    account: str
    entry: Entry
    currency: str = ""
    """What it is said to be in; empty: nothing is said."""


Item: TypeAlias = NewCustomer | NewAccount | NewEntry
AT_ONCE = 100
"""Accounts of one transaction whose next day is derived in it; of more it is left to the sweep."""


class Batch:
    """One transaction's worth of rows: reads once what all of them need, writes once what all of them say.

    Cases are not opened here, even if due: a load of history is not news; the sweep opens them. Of many
    accounts at once the sweep also finds out when each is to be looked at: they are due at once until then.
    """

    def __init__(self, work: Work, writer: LedgerWriter, items: Sequence[Item], *, clamp: bool) -> None:
        self._work = work
        self._writer = writer
        self._clamp = clamp
        accounts = {item.account for item in items if isinstance(item, NewEntry)}
        self._later = len(accounts) > AT_ONCE
        self._customers = self._read_customers(items)
        self._ledgers = self._read_ledgers(items)
        self._strangers: list[CustomerRow] = []
        self._new: list[AccountRow] = []
        self._facts: dict[datetime, dict[str, dict[str, Fact]]] = {}

    def add(self, item: Item) -> bool:
        """Take a row; False if the very same was there. Raises what the row alone would have raised."""
        if isinstance(item, NewEntry):
            return self._add_entry(item)
        if isinstance(item, NewAccount):
            return self._add_account(item)
        return self._add_customer(item)

    def finish(self) -> None:
        """Write everything that was taken."""
        work = self._work
        work.session.add_all(self._strangers)
        work.session.flush()
        self._count_facts()
        work.session.add_all(self._new)
        work.session.flush()
        new_facts = dict[datetime, dict[str, list[str]]]()
        for at, facts in self._facts.items():
            new_facts[at] = set_facts(work, facts, at)
            for ledger in self._ledgers.values():
                if ledger.row.customer in facts:
                    work.session.refresh(ledger.row, ["version"])
        news, told_of = self._writer.news, list[Told]()
        for row in self._new:
            told_of += news.opened(work.session, row, row.created_at)
        for at, new in new_facts.items():
            told_of += news.told(work.session, new, at)
        written = [ledger for ledger in self._ledgers.values() if ledger.fresh]
        work.insert_many(EntryRow, [row for one in written for row in rows_of(work, one.row, one.fresh)])
        for ledger in written:
            for entry in ledger.fresh:
                if isinstance(entry, Receipt):
                    note_receipt(work, ledger.row, entry)
        self._follow(written)
        told_of += news.entries(work, [Written(one.row, one.entries, one.fresh) for one in written])
        news.keep(work, told_of)
        for at, new in new_facts.items():
            self._writer.regrading.told(work, new, at)
        for ledger in sorted(written, key=lambda one: (one.row.customer, one.row.id)):
            self._writer.regrading.posted(work, ledger.row, ledger.fresh)

    def _follow(self, written: Sequence[Ledger]) -> None:
        """Let cases hear of what was written, and find out when the other accounts are to be looked at."""
        followed = [ledger for ledger in written if ledger.followed]
        said = self._said_of([ledger.row.customer for ledger in followed])
        for ledger in written:
            note_deposit(ledger.row, ledger.fresh)
            if not ledger.followed:
                note_demands(ledger.row, ledger.fresh)
                ledger.row.watch_on = ledger.fresh[-1].received_at
                continue
            customer = self._customers[ledger.row.customer]
            entries = (*ledger.entries, *customer_entries(customer, said.get(customer.id, [])))
            self._writer.levels.booked(self._work, ledger.row, entries, ledger.fresh)
            self._writer.follow(self._work, ledger.row, entries, ledger.fresh[-1], opens=False, pokes=True)

    def _is_heard(self, news: News) -> bool:
        """Tell whether a watch policy in force wants to hear what the ledger tells."""
        days = {entry.received_at.astimezone(UTC).date(): entry.received_at for _, entry in news}
        return any(self._writer.news.listens(self._work.session, at) for at in days.values())

    def _add_customer(self, item: NewCustomer) -> bool:
        found = self._customers.get(item.id)
        said: dict[str, Any] = {"name": item.name, "segment": item.segment, "since": item.since}
        if found is not None:
            differs = [name for name, value in said.items() if getattr(found, name) != value]
            if differs:
                raise AlreadyThere("customer", item.id, differs)
        else:
            row = CustomerRow(id=item.id, created_at=item.at, **said)
            self._customers[item.id] = row
            self._strangers.append(row)
            self._work.audit("customer", item.id, item.at, digest({"id": item.id} | said))
        if item.facts:
            self._facts.setdefault(item.at, {}).setdefault(item.id, {}).update(item.facts)
        return found is None

    def _add_account(self, item: NewAccount) -> bool:
        if item.customer not in self._customers:
            raise CustomerNotFound(item.customer)
        said: dict[str, Any] = {
            "customer": item.customer, "currency": item.currency, "timezone": item.timezone,
            "policy": item.policy, "dependant": item.dependant, "allocation": item.allocation,
        }  # fmt: skip
        found = self._ledgers.get(item.id)
        if found is not None:
            differs = [name for name, value in said.items() if getattr(found.row, name) != value]
            if differs:
                raise AlreadyThere("account", item.id, differs)
            return False
        require_collections(self._work.session, item.policy)
        if item.dependant and item.dependant not in self._customers:
            raise CustomerNotFound(item.dependant)
        row = AccountRow(id=item.id, created_at=item.at, **said)
        self._ledgers[item.id] = Ledger(row, [], followed=not self._later)
        self._new.append(row)
        self._work.audit("account", item.id, item.at, digest({"id": item.id} | said))
        return True

    def _add_entry(self, item: NewEntry) -> bool:
        ledger = self._ledgers.get(item.account)
        if ledger is None:
            raise AccountNotFound(item.account)
        require_currency(ledger.row.id, ledger.row.currency, item.entry, item.currency)
        twin = ledger.twin(item.entry)
        if twin is not None:
            same_or_refused(twin, item.entry)
            return False
        last = ledger.fresh[-1].received_at if ledger.fresh else ledger.row.last_received
        lasts = self._writer.lasts(self._work.session, ledger.row, item.entry)
        ledger.add(admit(ledger.row, last, ledger.beside(item.entry), item.entry, self._clamp, lasts))
        return True

    def _read_customers(self, items: Sequence[Item]) -> dict[str, CustomerRow]:
        wanted = {item.id for item in items if isinstance(item, NewCustomer)}
        wanted |= {item.customer for item in items if isinstance(item, NewAccount)}
        wanted |= {item.dependant for item in items if isinstance(item, NewAccount) and item.dependant}
        # Customers are locked before accounts, as by everybody who needs both.
        mine = select(CustomerRow).where(col(CustomerRow.id).in_(sorted(wanted))).order_by(CustomerRow.id)
        self._work.session.exec(mine.with_for_update()).all()
        accounts = {item.account for item in items if isinstance(item, NewEntry)}
        owners = select(AccountRow.customer).where(col(AccountRow.id).in_(sorted(accounts)))
        if self._later:  # only of those whose cases are told
            owners = owners.where(col(AccountRow.open_case).is_not(None))
        either = col(CustomerRow.id).in_(sorted(wanted)) | col(CustomerRow.id).in_(owners)
        return {row.id: row for row in self._work.session.exec(select(CustomerRow).where(either))}

    def _read_ledgers(self, items: Sequence[Item]) -> dict[str, Ledger]:
        wanted = {item.account for item in items if isinstance(item, NewEntry)}
        wanted |= {item.id for item in items if isinstance(item, NewAccount)}
        told = {item.id for item in items if isinstance(item, NewCustomer) and item.facts}
        # Locked once, in the order of their ids, so that two batches never wait for each other in a circle:
        # also those that facts about their customer will touch.
        either = col(AccountRow.id).in_(sorted(wanted)) | col(AccountRow.customer).in_(sorted(told))
        query = select(AccountRow).where(either).order_by(AccountRow.id).with_for_update()
        rows = [row for row in self._work.session.exec(query) if row.id in wanted]
        news = [(item.account, item.entry) for item in items if isinstance(item, NewEntry)]
        heard = self._later and self._is_heard(news)
        return read_ledgers(self._work.session, rows, news, later=self._later, whole=heard)

    def _count_facts(self) -> None:
        """Start each new account at the number of facts that its customer has already."""
        said = self._said_of([row.customer for row in self._new])
        for row in self._new:
            row.version = len(said.get(row.customer, [])) + bool(self._customers[row.customer].segment)

    def _said_of(self, customers: Sequence[str]) -> dict[str, list[SaidFact]]:
        said: dict[str, list[SaidFact]] = {}
        if not customers:
            return said
        for row in fact_rows(self._work.session, customers):
            said.setdefault(row.customer, []).append(row)
        return said
