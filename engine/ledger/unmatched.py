"""Entries that name something that has not come: they are kept, wait for it, and count nowhere until then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from engine.ledger.entries import Bill, Entry, Payment
from engine.model import Model

_NAMES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "bill_issued": (("bill", "bill"),),
    "payment_returned": (("payment", "payment"),),
    "return_reversed": (("returned", "payment_returned"),),
    "refund": (("payment", "payment"),),
    "credit_note": (("bill", "bill"),),
    "adjustment": (("bill", "bill"),),
    "fee_waived": (("bill", "bill"),),
    "write_down": (("bill", "bill"),),
    "recovery": (("bill", "bill"),),
    "plan_ended": (("plan", "bill"),),
    "dispute": (("bill", "bill"),),
    "dispute_resolved": (("dispute", "dispute"),),
    "promise_withdrawn": (("promise", "promise"),),
    "hold": (("bill", "bill"),),
    "hold_released": (("hold", "hold"),),
    "write_off_mark": (("bill", "bill"),),
}
"""For each kind of entry its fields that name another entry, and the kind of that one."""


class Unmatched(Model):
    """An entry that waits for another one."""

    kind: str
    id: str
    field: str
    """Where it names what has not come."""
    names: str
    """The kind of entry that it waits for: `bill`, `payment` ..."""
    wanted: str
    """The id of the entry that it waits for."""
    since: datetime


def unmatched(entries: Iterable[Entry]) -> tuple[Unmatched, ...]:
    """Return what waits for an entry that is not among these, in the order in which it was received."""
    known = list(entries)
    there: set[tuple[str, str]] = {(entry.kind, entry.id) for entry in known}
    waits = [
        Unmatched(kind=e.kind, id=e.id, field=field, names=kind, wanted=wanted, since=e.received_at)
        for e in known
        for field, kind, wanted in _named(e)
        if not _is_there(there, kind, wanted)
    ]
    return tuple(sorted(waits, key=lambda wait: (wait.since, wait.kind, wait.id, wait.field)))


def _named(entry: Entry) -> Iterator[tuple[str, str, str]]:
    for field, kind in _NAMES.get(entry.kind, ()):
        if wanted := getattr(entry, field):
            yield field, kind, wanted
    if isinstance(entry, Payment):
        for place, share in enumerate(entry.pays):
            yield f"pays/{place}/bill", "bill", share.bill
    if isinstance(entry, Bill):
        for place, bill in enumerate(entry.replaces):
            yield f"replaces/{place}", "bill", bill


def _is_there(there: set[tuple[str, str]], kind: str, wanted: str) -> bool:
    """Tell whether an entry is known; a bill also by the number of one of its instalments, `B1/2`."""
    return (kind, wanted) in there or (kind == "bill" and (kind, wanted.rpartition("/")[0]) in there)
