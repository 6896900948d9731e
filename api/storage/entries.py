"""Entries of accounts: only ever added, so what was read once never has to be read again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date
from typing import Any, TypeAlias

from pydantic import TypeAdapter
from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from api.storage.errors import AlreadyThere, EntryRefused
from api.storage.session import Work
from api.storage.tables import AccountRow, EntryRow, table_of
from api.storage.wording import said as said_of
from engine.ledger import EntryProblem
from engine.ledger.entries import Entry
from engine.model import canonical, digest_bytes

_Entries: TypeAdapter[list[Entry]] = TypeAdapter(list[Entry])
_ENTRIES = table_of(EntryRow)
_AFTER = (
    select(_ENTRIES.c.seq, _ENTRIES.c.body)
    .where(_ENTRIES.c.account == bindparam("of"), _ENTRIES.c.seq > bindparam("after"))
    .order_by(_ENTRIES.c.seq)
)
Days: TypeAlias = "tuple[date | None, date | None]"
KEPT = 20_000
"""Entries that the shelf of read ones keeps, over all accounts."""


class EntryShelf:
    """Entries by account as read so far; a later read fetches only what came after.

    Fill it only from committed rows: inside a transaction, before its own inserts.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._held = 0
        self._by_account: OrderedDict[str, tuple[int, tuple[Entry, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, session: Session, account: str) -> tuple[Entry, ...]:
        """Return all entries of an account, in the order of their arrival."""
        with self._lock:
            seq, entries = self._by_account.get(account, (0, ()))
        rows = rows_after(session, account, seq)
        if rows:
            entries += tuple(parse(rows))
            seq = rows[-1][0]
            self._keep(account, seq, entries)
        return entries

    def _keep(self, account: str, seq: int, entries: tuple[Entry, ...]) -> None:
        with self._lock:
            known, old = self._by_account.pop(account, (0, ()))
            if known > seq:
                seq, entries = known, old
            self._by_account[account] = (seq, entries)
            self._held += len(entries) - len(old)
            while self._held > self._kept and len(self._by_account) > 1:
                _, (_, dropped) = self._by_account.popitem(last=False)
                self._held -= len(dropped)


def rows_after(session: Session, account: str, seq: int) -> list[tuple[int, str]]:
    """Return (`seq`, body) of an account's entries after a place."""
    found = session.connection().execute(_AFTER, {"of": account, "after": seq})
    return [(row[0], row[1]) for row in found]


def parse(rows: Sequence[tuple[int, str]]) -> list[Entry]:
    """Read stored bodies as entries, many at once."""
    return _Entries.validate_json(b"[" + ",".join(body for _, body in rows).encode() + b"]")


def entries_of(session: Session, accounts: Sequence[str]) -> dict[str, list[Entry]]:
    """Return all entries of many accounts, each in the order of their arrival."""
    if not accounts:
        return {}
    table = table_of(EntryRow)
    query = table.select().with_only_columns(table.c.account, table.c.seq, table.c.body)
    query = query.where(table.c.account.in_(list(accounts))).order_by(table.c.account, table.c.seq)
    rows = session.connection().execute(query).all()
    found: dict[str, list[Entry]] = {}
    for row, entry in zip(rows, parse([(r.seq, r.body) for r in rows]), strict=True):
        found.setdefault(row.account, []).append(entry)
    return found


def insert_entries(work: Work, account: AccountRow, entries: Sequence[Entry]) -> None:
    """Add entries to an account that is locked, with their links in the audit chain."""
    work.insert(EntryRow, rows_of(work, account, entries))


def rows_of(work: Work, account: AccountRow, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return new entries of a locked account as rows to insert; link them, and count them on the account."""
    rows = []
    for seq, entry in enumerate(entries, start=account.seq + 1):
        body = canonical(entry)
        mark = digest_bytes(body)
        rows.append(
            {"account": account.id, "seq": seq, "kind": entry.kind, "ref": entry.id, "body": body.decode()}
            | {"value_date": entry.value_date, "received_at": entry.received_at, "digest": mark}
        )
        work.audit("entry", f"{account.id}/{entry.kind}/{entry.id}", entry.received_at, mark)
    account.seq += len(rows)
    account.version += len(rows)
    account.last_received = max(e.received_at for e in entries)
    return rows


def stored_twin(entries: Sequence[Entry], entry: Entry) -> Entry | None:
    """Return the entry stored under the same kind and id, if it says the same; None: it is new.

    When it was received does not matter. Raises AlreadyThere if it says something else.
    """
    twin = next((e for e in entries if e.id == entry.id and e.kind == entry.kind), None)
    if twin is not None:
        same_or_refused(twin, entry)
    return twin


def same_or_refused(twin: Entry, entry: Entry) -> None:
    """Raise AlreadyThere if an entry of the same kind and id says something else."""
    said, stored = entry.model_dump(), twin.model_dump()
    names = dict.fromkeys((*said, *stored))  # what is empty may be left out of either
    differs = [name for name in names if name != "received_at" and said.get(name) != stored.get(name)]
    if differs:
        raise AlreadyThere(said_of(entry.kind), entry.id, differs)


def require_currency(account: str, has: str, entry: Entry, currency: str) -> None:
    """Raise EntryRefused if an entry is said to be in another currency than its account is in."""
    if currency in ("", has):
        return
    told = f"The {said_of(entry.kind)} is in {currency}, account `{account}` is in {has}."
    advice = "an account has one currency: give each currency an account of its own"
    wrong = EntryProblem(
        code="other-currency", message=told, entry=f"{entry.kind} {entry.id}", field="currency",
        advice=advice,
    )  # fmt: skip
    raise EntryRefused(said_of(entry.kind), entry.id, [wrong])


def page_of_entries(
    session: Session, kind: str, account: str, after: tuple[str, int], limit: int, days: Days = (None, None)
) -> Sequence[EntryRow]:
    """Return entries of a kind (empty: of all) after a cursor (account, seq), of one account if named.

    `days`: the first and the last value date.
    """
    query = select(EntryRow)
    first, last = days
    if first is not None:
        query = query.where(EntryRow.value_date >= first)
    if last is not None:
        query = query.where(EntryRow.value_date <= last)
    if kind:
        query = query.where(EntryRow.kind == kind)
    if account:
        query = query.where(EntryRow.account == account, col(EntryRow.seq) > after[1])
    else:
        query = query.where(
            (col(EntryRow.account) > after[0])
            | ((col(EntryRow.account) == after[0]) & (col(EntryRow.seq) > after[1]))
        )
    return session.exec(query.order_by(col(EntryRow.account), col(EntryRow.seq)).limit(limit)).all()


def entry_row(session: Session, account: str, kind: str, ref: str) -> EntryRow | None:
    """Return one stored entry."""
    query = select(EntryRow).where(EntryRow.account == account, EntryRow.kind == kind, EntryRow.ref == ref)
    return session.exec(query).one_or_none()


def all_rows(session: Session, account: str) -> Sequence[EntryRow]:
    """Return all stored entries of an account, in the order of their arrival."""
    return session.exec(select(EntryRow).where(EntryRow.account == account).order_by(col(EntryRow.seq))).all()
