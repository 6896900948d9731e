"""What was known at an instant: each entry once, whatever the order and doubling of its arrival."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TypeVar

from engine.ledger.entries import Entry, EntryBase
from engine.model import canonical

E = TypeVar("E", bound=EntryBase)


def known_entries(entries: Iterable[Entry], at: datetime) -> list[Entry]:
    """Return the entries received by `at`, each reference once: its first arrival counts."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        if entry.received_at > at:
            continue
        key = (entry.kind, entry.id)
        other = found.get(key)
        if other is None or _earlier(entry, other):
            found[key] = entry
    return list(found.values())


def _earlier(entry: Entry, other: Entry) -> bool:
    if entry.received_at != other.received_at:
        return entry.received_at < other.received_at
    return canonical(entry) < canonical(other)


def of_kind(entries: Sequence[Entry], kind: type[E]) -> list[E]:
    """Return the entries of one kind, by value date and id."""
    found = [entry for entry in entries if isinstance(entry, kind)]
    return sorted(found, key=lambda entry: (entry.value_date, entry.id))


def latest_key(entry: EntryBase) -> tuple[date, datetime, str]:
    """Return the order in which the last word counts: value date, then when it became known."""
    return (entry.value_date, entry.received_at, entry.id)


def counts_by(entries: Iterable[Entry], today: date) -> tuple[list[Entry], date | None]:
    """Return the entries whose value date has come, and the next value date after `today`."""
    due: list[Entry] = []
    later: date | None = None
    for entry in entries:
        if entry.value_date <= today:
            due.append(entry)
        elif later is None or entry.value_date < later:
            later = entry.value_date
    return due, later
