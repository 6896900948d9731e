"""What a batch of rows must know of accounts before it adds to them: all, or what its own entries need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session

from api.storage.entries import entries_of, parse
from api.storage.tables import AccountRow, EntryRow, table_of
from engine.ledger import Entry
from engine.ledger.refusals import needs_of

News = Sequence[tuple[str, Entry]]
"""The new entries of a batch, each with its account."""


class Ledger:
    """An account with the entries that are known of it, and those that this batch adds."""

    def __init__(self, row: AccountRow, known: Iterable[Entry], *, followed: bool) -> None:
        self.row = row
        self.entries = list(known)
        self.followed = followed
        """Its case is told, or its next day found out, in this transaction: all its entries are known."""
        self.fresh: list[Entry] = []
        self._by_name = {(entry.kind, entry.id): entry for entry in self.entries}

    def twin(self, entry: Entry) -> Entry | None:
        """Return the entry of the same kind and id."""
        return self._by_name.get((entry.kind, entry.id))

    def beside(self, entry: Entry) -> Sequence[Entry]:
        """Return the entries that a new one is judged beside."""
        needed = needs_of(entry)
        if needed is None:
            return self.entries
        return [entry for entry in self.entries if entry.kind in needed] if needed else ()

    def add(self, entry: Entry) -> None:
        """Take one more entry."""
        self.entries.append(entry)
        self.fresh.append(entry)
        self._by_name[entry.kind, entry.id] = entry


def read_ledgers(
    session: Session, rows: Sequence[AccountRow], news: News, *, later: bool, whole: bool
) -> dict[str, Ledger]:
    """Return the ledgers of locked accounts.

    `later`: the next day of most of them is not found out in this transaction. Then only what its new entries
    are judged beside is read of each, unless all of it is needed (`whole`); an account with an open case is
    read whole all the same, because its case is told.
    """
    old = [row for row in rows if row.seq]
    followed = {row.id for row in rows if not later or row.open_case is not None}
    if whole or not later:
        found = entries_of(session, [row.id for row in old])
    else:
        beside_all = {account for account, entry in news if needs_of(entry) is None}
        all_of = {row.id for row in old if row.id in followed or row.id in beside_all}
        found = entries_of(session, sorted(all_of))
        parts = {row.id for row in old} - all_of
        found |= _parts_of(session, parts, [one for one in news if one[0] in parts])
    return {row.id: Ledger(row, found.get(row.id, ()), followed=row.id in followed) for row in rows}


def _parts_of(session: Session, accounts: set[str], news: News) -> dict[str, list[Entry]]:
    """Return of accounts the twins of new entries, and what those are judged beside."""
    by_need: dict[frozenset[str], set[str]] = {}
    for account, entry in news:
        by_need.setdefault(needs_of(entry) or frozenset(), set()).add(account)
    table = table_of(EntryRow)
    twins = table.c.account.in_(sorted(accounts)) & table.c.ref.in_(sorted({e.id for _, e in news}))
    wanted: list[ColumnElement[bool]] = [twins & table.c.kind.in_(sorted({e.kind for _, e in news}))]
    for kinds, those in by_need.items():
        if kinds:
            wanted.append(and_(table.c.account.in_(sorted(those)), table.c.kind.in_(sorted(kinds))))
    query = table.select().with_only_columns(table.c.account, table.c.seq, table.c.body).where(or_(*wanted))
    rows = session.connection().execute(query.order_by(table.c.account, table.c.seq)).all()
    found: dict[str, list[Entry]] = {}
    for row, entry in zip(rows, parse([(row.seq, row.body) for row in rows]), strict=True):
        found.setdefault(row.account, []).append(entry)
    return found
