"""What a run of the demo works on: accounts with their entries in the order in which they become known."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.ledger.book import Book as LedgerBook
from engine.ledger.entries import Bill, Entry, EntryAdapter
from engine.ledger.history import write_book
from engine.ledger.position import overdue_on


@dataclass(frozen=True, slots=True)
class AccountLedger:
    """One account of the run and everything its billing system will say of it."""

    account: str
    customer: str
    zone: str
    entries: tuple[Entry, ...]

    def instant(self, day: date, at: time = time(23, 59)) -> datetime:
        """Return a local time of the account as an instant."""
        return datetime.combine(day, at, ZoneInfo(self.zone))

    def calm_until(self, start: int) -> int:
        """Return how many entries can be told before somebody has to look whether a case is due.

        Counted from `start`: entries up to the first one that comes when something told before is overdue.
        """
        told: list[Entry] = list(self.entries[:start])
        dues = sorted({e.due_date for e in self.entries if isinstance(e, Bill)})
        for n, entry in enumerate(self.entries[start:], start=start):
            day = entry.received_at.astimezone(ZoneInfo(self.zone)).date()
            if any(due < day for due in dues) and _overdue(told, day) > 0:
                return n
            told.append(entry)
        return len(self.entries)

    def ever_overdue(self, horizon: date) -> bool:
        """Tell whether anything is overdue at any time, as known by then, up to the horizon."""
        return self.calm_until(0) < len(self.entries) or _overdue(self.entries, horizon) > 0


def _overdue(entries: Iterable[Entry], day: date) -> Decimal:
    return overdue_on(write_book(e for e in entries if e.value_date <= day), day)


def read_ledgers(folder: Path) -> list[AccountLedger]:
    """Read the sample ledger's accounts and entries."""
    entries: dict[str, list[Entry]] = defaultdict(list)
    with (folder / "entries.ndjson").open("rb") as file:
        for line in file:
            said = json.loads(line)
            entries[said.pop("account")].append(EntryAdapter.validate_python(said))
    ledgers = []
    for row in (folder / "accounts.csv").read_text(encoding="utf-8").splitlines()[1:]:
        account, customer, _, zone = row.split(",")
        ledgers.append(AccountLedger(account, customer, zone, tuple(entries[account])))
    return ledgers


def body_of(entry: Entry) -> dict[str, Any]:
    """Return an entry as a billing system posts it."""
    return {**entry.model_dump(mode="json", exclude_defaults=True), "kind": entry.kind}


def overdue_by_day(
    ledgers: Mapping[str, Sequence[Entry]], first: date, last: date
) -> dict[date, Decimal]:  # fmt: skip
    """Return the money overdue over all accounts at the end of each day, by what is known at the end.

    At midnight what was due on the day, and is not paid, is overdue; what was paid during the day is not.
    """
    books: list[LedgerBook] = [write_book(entries) for entries in ledgers.values()]
    days = [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
    after = timedelta(days=1)
    return {day: sum((overdue_on(book, day + after) for book in books), Decimal(0)) for day in days}
