"""Writing to a ledger: an entry, the account's version and its next `watch_on` in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from api.storage.accounts import (
    get_account,
    lock_account,
    require_collections,
    require_version,
    terms_of,
)
from api.storage.actions import note_receipt
from api.storage.beside import with_demands_beside
from api.storage.depositing import note_deposit
from api.storage.entries import insert_entries, require_currency, stored_twin
from api.storage.errors import EntryRefused, ReceivedBackwards
from api.storage.facts import FactGatherer
from api.storage.levels import Levels
from api.storage.library import Library
from api.storage.opening import Opening
from api.storage.pokes import poke_cases
from api.storage.positions import Positions
from api.storage.regrading import Regrading
from api.storage.session import Database, Work
from api.storage.tables import AccountRow, CustomerRow
from api.storage.troubles import note_unmatched
from api.storage.watch_ledger import LedgerNews, Written
from api.storage.wording import said
from engine.credit.decision import Fact
from engine.ladder.state import Position
from engine.ledger import Entry, entry_problems
from engine.ledger.entries import Receipt
from engine.model import digest
from engine.text import Period


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of an entry: as it is stored, and whether this call stored it."""

    entry: Entry
    new: bool
    version: int


class LedgerWriter:
    """Adds entries to accounts; everything that follows from one is in the same transaction."""

    def __init__(
        self, positions: Positions, opening: Opening, news: LedgerNews, regrading: Regrading, levels: Levels
    ) -> None:
        self._positions = positions
        self.levels = levels
        self._opening = opening
        self.news = news
        self.regrading = regrading

    def post(
        self, work: Work, account: str, entry: Entry, *, clamp: bool, pokes: bool = True,
        expected: int | None = None, currency: str = "",
    ) -> Posted:  # fmt: skip
        """Add one entry, or find it stored; a case that is then due is opened.

        `clamp`: an instant before the account's last is moved up to it, because a clock was set back;
        else it is refused. `expected`: the version that the account must be at; `currency`: what the
        entry is said to be in. Raises AccountNotFound, AlreadyThere, StaleVersion, EntryRefused and
        ReceivedBackwards.
        """
        row = lock_account(work.session, account)
        require_currency(row.id, row.currency, entry, currency)
        entries = self._positions.entries(work.session, row)
        twin = stored_twin(entries, entry)
        if twin is not None:
            return Posted(twin, False, row.version)
        if expected is not None:
            require_version(row, expected)
        lasts = self.lasts(work.session, row, entry)
        entry = admit(row, row.last_received, entries, entry, clamp, lasts)
        insert_entries(work, row, [entry])
        if isinstance(entry, Receipt):
            note_receipt(work, row, entry)
            self.levels.answered(work, row, entry.key, entry.status, entry.received_at)
        self.levels.booked(work, row, (*entries, entry), [entry])
        self.follow(work, row, (*entries, entry), entry, opens=True, pokes=pokes)
        self.news.keep(work, self.news.entries(work, [Written(row, (*entries, entry), [entry])]))
        self.regrading.posted(work, row, [entry])
        return Posted(entry, True, row.version)

    def rename_policy(self, work: Work, row: AccountRow, policy: str, at: datetime, *, clamp: bool) -> None:
        """Name the collections policy of a locked account (empty: the portfolio's), and watch it by that.

        Raises CollectionsPolicyUnknown and ReceivedBackwards.
        """
        require_collections(work.session, policy)
        last = row.last_received
        if last is not None and at < last:
            if not clamp:
                raise ReceivedBackwards(row.id, at, last)
            at = last
        if policy == row.policy:
            return
        row.policy = policy
        work.audit("account-policy", row.id, at, digest({"id": row.id, "policy": policy}))
        if row.open_case is None:
            position = self._positions.position(work.session, row, at)
            self._opening.watch(work, row, position, at, opens=True)
        work.session.add(row)

    def lasts(self, session: Session, row: AccountRow, entry: Entry) -> Mapping[str, Period]:
        """Return after how long holds without an end are over, where the entry is one."""
        return self._opening.lasts(session, row, entry)

    def follow(
        self,
        work: Work,
        row: AccountRow,
        entries: tuple[Entry, ...],
        last: Entry,
        *,
        opens: bool,
        pokes: bool,
    ) -> None:
        """Let an account's case hear of its last entry, or see whether one must be opened."""
        note_unmatched(row, entries)
        note_deposit(row, [last])
        if pokes:
            poke_cases(work, row, last.kind, last.received_at)
        today = last.received_at.astimezone(ZoneInfo(row.timezone)).date()
        if self._opening.listens(work.session, row, today):
            position = self._positions.of(work.session, row, entries, last.received_at)
            self._opening.watch(work, row, position, last.received_at, opens=opens)
        work.session.add(row)


def admit(
    row: AccountRow, last: datetime | None, entries: Sequence[Entry], entry: Entry, clamp: bool,
    lasts: Mapping[str, Period],
) -> Entry:  # fmt: skip
    """Return the entry as it may be stored after `last`; raise ReceivedBackwards or EntryRefused."""
    if last is not None and entry.received_at < last:
        if not clamp:
            raise ReceivedBackwards(row.id, entry.received_at, last)
        entry = entry.model_copy(update={"received_at": last})
    problems = entry_problems(terms_of(row), entries, entry, lasts)
    if problems:
        raise EntryRefused(said(entry.kind), entry.id, problems)
    return entry


class SqlLedger:
    """Positions and facts behind the port `Ledger`."""

    def __init__(
        self, database: Database, positions: Positions, library: Library, gatherer: FactGatherer
    ) -> None:
        self._database = database
        self._positions = positions
        self._library = library
        self._gatherer = gatherer

    def position(self, account: str, at: datetime, regulation: str, calendar: str) -> Position:
        """Return the account's position at `at`, with the law and calendar in force that day."""
        with self._database.read() as session:
            row = get_account(session, account)
            position = self._positions.position(session, row, at)
            position = with_demands_beside(session, self._library, row, position)
            law = self._library.law(session, regulation, position.today)
            days = self._library.calendar(session, calendar, position.today)
            return Position(position, law, days)

    def facts(self, customer: str, account: str, as_of: date, at: datetime, currency: str) -> dict[str, Fact]:
        """Gather the facts for grading from master data and ledger, each with source and day."""
        with self._database.read() as session:
            return self._gatherer.facts(session, customer, account, as_of, at, currency)

    def facts_of(
        self, customers: Sequence[tuple[str, str]], as_of: date, at: datetime
    ) -> list[dict[str, Fact]]:
        """Gather the facts of many (customer, currency) at once, in their order."""
        with self._database.read() as session:
            return self._gatherer.facts_of(session, customers, as_of, at)

    def customers_after(self, cursor: str, limit: int) -> list[tuple[str, str]]:
        """Return (customer, segment) after the cursor, in order of id."""
        query = select(CustomerRow).where(CustomerRow.id > cursor).order_by(col(CustomerRow.id)).limit(limit)
        with self._database.read() as session:
            return [(row.id, row.segment) for row in session.exec(query)]
