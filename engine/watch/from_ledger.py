"""The events that a ledger reports by itself, so that watch rules on them come for free.

Each has an id that follows from what it tells, so that telling it again changes nothing. When it happened is
its business date: the instant of receipt if that is the same local day, else the beginning of the day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.ledger.account import AccountPosition, Terms
from engine.ledger.entries import (
    Bill,
    BillIssued,
    Entry,
    Payment,
    PaymentReturned,
    Recovery,
    Refund,
    ReturnReversed,
)
from engine.ledger.open_items import OpenItems
from engine.watch.values import WatchEvent

LEDGER_EVENTS: Mapping[str, tuple[str, ...]] = {
    "account_opened": ("account", "document", "device", "dealer", "address"),
    "bill_issued": ("account", "bill", "amount"),
    "bill_due": ("account", "bill", "amount"),
    "bill_settled": ("account", "bill"),
    "payment": ("account", "amount"),
    "payment_returned": ("account", "amount", "payment", "returned"),
    "return_reversed": ("account", "amount", "payment", "returned"),
    "refund": ("account", "amount"),
    "promise_broken": ("account", "promise"),
    "limit_crossed": ("account", "amount", "limit"),
}
"""Every event that comes from the ledger, with what it can tell; a policy declares what it wants of it."""
WHO = ("document", "device", "dealer", "address")
"""Facts about a customer that tell with whom, on what and where an account was opened."""
LONGEST_ID = 128


def opened_event(terms: Terms, facts: Mapping[str, object], at: datetime) -> WatchEvent:
    """Return that an account was opened, with what is known of the customer by then."""
    values = {name: value for name in WHO if isinstance(value := facts.get(name), str)}
    return _event(terms, "account_opened", "", at, values)


def told_later(terms: Terms, facts: Mapping[str, object], at: datetime, known: datetime) -> WatchEvent:
    """Return that an account was opened, with facts about its customer that became known only later.

    It happened when the account was opened, at `at`; its id follows from all that it tells and from `known`,
    so that what is told, taken back and told again is told three times.
    """
    values = {name: value for name in WHO if isinstance(value := facts.get(name), str)}
    said = "\n".join(
        [known.astimezone(UTC).isoformat(), *(f"{name}={values[name]}" for name in sorted(values))]
    )
    ref = hashlib.sha256(said.encode()).hexdigest()[:32]
    return _event(terms, "account_opened", ref, at, values)


def superseded(known: Iterable[tuple[WatchEvent, datetime]]) -> dict[str, str]:
    """Return which openings were told again later, each with the id of its account's last word.

    `known`: events with the instants at which they became known. An account was opened once, however often
    that is told: only the last word counts, of two at one instant the one that tells more.
    """
    told: dict[object, list[tuple[datetime, int, str]]] = {}
    for event, when in known:
        if event.type == "account_opened" and event.id.startswith("ledger/"):
            word = (when, len(event.values), event.id)
            told.setdefault(event.values.get("account"), []).append(word)
    lasts = ((words, max(words)[-1]) for words in told.values())
    return {name: last for words, last in lasts for *_, name in words if name != last}


def event_id(account: str, kind: str, ref: str) -> str:
    """Return the id of an event that the ledger reports."""
    name = f"ledger/{account}/{kind}/{ref}".rstrip("/")
    return name if len(name) <= LONGEST_ID else f"ledger/{kind}/{hashlib.sha256(name.encode()).hexdigest()}"


def entry_events(terms: Terms, entries: Sequence[Entry], entry: Entry) -> list[WatchEvent]:
    """Return what one entry tells by itself; `entries` are all entries of the account."""
    at = happened(terms, entry)
    match entry:
        case Bill(draft=False):
            return _billed(terms, entry, at)
        case BillIssued():
            bills = [e for e in entries if isinstance(e, Bill) and e.id == entry.bill]
            return [event for bill in bills[:1] for event in _billed(terms, bill, at)]
        case Payment():
            return [_event(terms, "payment", entry.id, at, {"amount": entry.amount})]
        case Refund():
            return [_event(terms, "refund", entry.id, at, {"amount": entry.amount})]
        case PaymentReturned():
            values = {**_paid(entries, entry.payment), "payment": entry.payment, "returned": entry.id}
            return [_event(terms, "payment_returned", entry.id, at, values)]
        case ReturnReversed():
            payments = [
                e.payment for e in entries if isinstance(e, PaymentReturned) and e.id == entry.returned
            ]
            values = {**_paid(entries, payments[0]), "payment": payments[0]} if payments else {}
            return [_event(terms, "return_reversed", entry.id, at, {**values, "returned": entry.returned})]
    return []


def _paid(entries: Sequence[Entry], payment: str) -> dict[str, object]:
    kinds: tuple[type[Payment | Recovery], ...] = (Payment, Recovery)
    found = (e.amount for kind in kinds for e in entries if isinstance(e, kind) and e.id == payment)
    return next(({"amount": amount} for amount in found), {})


def settled_events(
    before: OpenItems | None, after: OpenItems, fresh: Sequence[Entry]
) -> list[WatchEvent]:  # fmt: skip
    """Return the debts that new entries have settled, each at the time of the last of them.

    A bill that credit paid at once is settled too; one that a plan takes the place of is not. `before` may be
    left out for bills alone.
    """
    bills = [entry for entry in fresh if isinstance(entry, Bill) and not entry.draft]
    replaced = {name for bill in bills for name in bill.replaces}
    were = (before.debts if before else frozenset()) | {ref for bill in bills for ref, *_ in _parts(bill)}
    last, terms = fresh[-1], after.terms
    at = happened(terms, last)
    return [
        _event(terms, "bill_settled", f"{ref}/{last.kind}/{last.id}", at, {"bill": ref})
        for ref in sorted(were - after.debts)
        if ref.partition("/")[0] not in replaced
    ]


def crossed_event(before: OpenItems, after: OpenItems, limit: Decimal, ref: str) -> WatchEvent | None:
    """Return that what an account owes has risen above its credit limit, if it has just done so.

    Both amounts are in the account's currency; `ref` names the entry that did it.
    """
    if before.owed > limit or after.owed <= limit:
        return None
    return _event(after.terms, "limit_crossed", ref, after.at, {"amount": after.owed, "limit": limit})


def limit_event(
    account: str, customer: str, drawn: Decimal, limit: Decimal, decision: str, at: datetime
) -> WatchEvent:
    """Return that a decision has put the limit of an account below what is drawn on it."""
    values = {"account": account, "amount": drawn, "limit": limit}
    name = event_id(account, "limit_crossed", decision)
    return WatchEvent.model_validate(
        {"id": name, "type": "limit_crossed", "at": at, "customer": customer, "values": values}
    )


def owed(position: AccountPosition) -> Decimal:
    """Return what an account owes: open, not written off, what is disputed included, credit taken off."""
    debts = (debt.open for debt in position.debts if not debt.written_off)
    return max(sum(debts, Decimal(0)) - position.credit, Decimal(0))


def broken_events(terms: Terms, broken: Iterable[tuple[str, date]], at: datetime) -> list[WatchEvent]:
    """Return promises that were broken: each with the day from which it is."""
    return [
        _event(terms, "promise_broken", promise, _when(terms, day, at), {"promise": promise})
        for promise, day in broken
    ]


def _billed(terms: Terms, bill: Bill, at: datetime) -> list[WatchEvent]:
    if bill.category in ("fee", "late_fee", "interest"):
        return []  # a fee is a consequence of arrears, not something a customer used
    due = [
        _event(terms, "bill_due", ref, _start(terms, on), {"bill": ref, "amount": amount})
        for ref, on, amount in _parts(bill)
    ]
    if bill.category == "plan":
        return due
    return [_event(terms, "bill_issued", bill.id, at, {"bill": bill.id, "amount": bill.amount}), *due]


def _parts(bill: Bill) -> list[tuple[str, date, Decimal]]:
    """Return the debts of a bill: itself, or its instalments."""
    if bill.instalments:
        return [(f"{bill.id}/{n}", i.due_date, i.amount) for n, i in enumerate(bill.instalments, 1)]
    return [(bill.id, bill.due_date, bill.amount)]


def _event(terms: Terms, kind: str, ref: str, at: datetime, values: Mapping[str, object]) -> WatchEvent:
    return WatchEvent.model_validate(
        {"id": event_id(terms.account, kind, ref), "type": kind, "at": at, "customer": terms.customer}
        | {"values": {"account": terms.account, **values}}
    )


def happened(terms: Terms, entry: Entry) -> datetime:
    """Return when that of which an entry tells happened: as it was told, or else at the end of its day."""
    return _when(terms, entry.value_date, entry.received_at)


def _when(terms: Terms, day: date, received_at: datetime) -> datetime:
    """Return when it happened: as it was told, or else at the end of its day.

    So a refund that a nightly feed tells comes after the recharge of its day, of which the hour is known.
    """
    local = received_at.astimezone(ZoneInfo(terms.timezone)).date()
    return received_at if local == day else datetime.combine(day, _END, ZoneInfo(terms.timezone))


_END = time(23, 59, 59)


def _start(terms: Terms, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(terms.timezone))
