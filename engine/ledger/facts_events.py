"""Facts from what happened: returns, suspensions, promises, deposits, what an account brought in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from engine.ledger.book import ZERO, Book
from engine.ledger.entries import (
    DepositMoved,
    Entry,
    Payment,
    PaymentReturned,
    Promise,
    PromiseWithdrawn,
    Receipt,
    Recovery,
    Refund,
    ReturnReversed,
)
from engine.ledger.facts_arrears import RATE
from engine.ledger.facts_model import Found, Name, Window
from engine.ledger.known import of_kind
from engine.ledger.promised import Asked, Counted, shared

SUSPENDED = "/service.suspended/do"
"""How the keys of actions end that suspend service."""
DEMANDED = "demand/"
"""How keys of actions begin that fraud, a limit or the customer asked for: they tell nothing of arrears."""


def from_events(
    due: list[Entry], book: Book, window: Window, tolerance: Decimal, grace_days: int
) -> dict[str, Found]:
    """Return the facts that follow from entries alone."""
    return {
        **_returns(due, window),
        **_suspensions(due, window),
        **_promises(due, book, window, tolerance, grace_days),
        **_contribution(due, book, window),
        **_deposit(due, book),
    }


def _names(entries: list[Entry]) -> list[Name]:
    return [(entry.kind, entry.id) for entry in entries]


def _returns(due: list[Entry], window: Window) -> dict[str, Found]:
    reversed_ = {entry.returned for entry in of_kind(due, ReturnReversed)}
    came = {
        entry.id for entry in (*of_kind(due, Payment), *of_kind(due, Recovery))
    }  # a return of a payment that has not come waits for it
    counted: list[Entry] = [
        e
        for e in of_kind(due, PaymentReturned)
        if window.holds(e.value_date) and e.id not in reversed_ and e.payment in came
    ]
    told = "payments that came back in twelve months and stayed so"
    return {"returned_payments_12m": Found(len(counted), told, lambda: _names(counted))}


def _suspensions(due: list[Entry], window: Window) -> dict[str, Found]:
    words: dict[str, list[Receipt]] = {}
    for entry in due:
        if not isinstance(entry, Receipt) or entry.key.startswith(DEMANDED):
            continue
        if entry.status != "requested" and entry.key.endswith(SUSPENDED):
            words.setdefault(entry.key, []).append(entry)
    counted: list[Entry] = []
    for receipts in words.values():
        last = max(receipts, key=lambda r: (r.at, r.received_at, r.id))
        done = [r for r in receipts if r.status == "done"]
        first = min(done, key=lambda r: (r.value_date, r.id), default=None)
        if first and last.status != "withdrawn" and window.holds(first.value_date):
            counted.append(first)
    told = "suspensions for arrears confirmed in twelve months, wrongful ones left out"
    return {"suspensions_12m": Found(len(counted), told, lambda: _names(counted))}


def _promises(
    due: list[Entry], book: Book, window: Window, tolerance: Decimal, grace_days: int
) -> dict[str, Found]:
    withdrawn = {e.promise: e.value_date for e in reversed(of_kind(due, PromiseWithdrawn))}
    payments = [
        (entry, fund.amount - fund.given_back)
        for entry in of_kind(due, Payment)
        if not (fund := book.funds[f"payment:{entry.id}"]).return_id
    ]
    grace = timedelta(days=grace_days)
    counted = shared(
        [asked_of(promise, withdrawn.get(promise.id)) for promise in of_kind(due, Promise)],
        [(entry.value_date, amount) for entry, amount in payments],
        lambda day: day + grace,
        tolerance,
    )
    kept: list[Entry] = []
    broken: list[Entry] = []
    money: dict[str, list[Entry]] = {}
    for promise in of_kind(due, Promise):
        mine = counted[promise.id]
        known = min(window.end, withdrawn.get(promise.id, window.end))
        ends, was_kept = _outcome(asked_of(promise).parts, mine, known, tolerance, grace)
        if ends is not None and window.holds(ends) and ends < window.end:
            (kept if was_kept else broken).append(promise)
            money[promise.id] = [payments[one.place][0] for one in mine]

    def of(promises: list[Entry]) -> list[Name]:
        return _names(promises + [entry for promise in promises for entry in money[promise.id]])

    ended = len(kept) + len(broken)
    found = {
        "broken_promises_12m": Found(
            len(broken), "promises whose date passed in twelve months without the money",
            lambda: of(broken),
        ),
        "kept_promises_12m": Found(
            len(kept), "promises whose date passed in twelve months with the money", lambda: of(kept)
        ),
    }  # fmt: skip
    if ended:
        rate = (Decimal(len(kept)) / ended).quantize(RATE, ROUND_HALF_EVEN)
        told = f"{len(kept)} of {ended} promises kept"
        found["promises_kept_rate_12m"] = Found(rate, told, lambda: of([*kept, *broken]))
    return found


def asked_of(promise: Promise, withdrawn_on: date | None = None) -> Asked:
    """Return what a promise asks for, part by part."""
    parts = [(part.due_date, part.amount) for part in promise.milestones] or [(promise.by, promise.amount)]
    return Asked(promise.id, promise.value_date, tuple(sorted(parts)), withdrawn_on)


def _outcome(
    parts: Sequence[tuple[date, Decimal]], counted: Sequence[Counted], today: date, tolerance: Decimal,
    grace: timedelta,
) -> tuple[date | None, bool]:  # fmt: skip
    """Return the last day on which a promise was decided, and whether it was kept; None: not yet."""
    asked = ZERO
    for day, amount in parts:
        asked += amount
        last = day + grace
        if last >= today:
            return None, False
        paid = sum((one.amount for one in counted if one.day <= last), ZERO)
        if paid < asked * (1 - tolerance):
            return last, False
    return last, True


def _contribution(due: list[Entry], book: Book, window: Window) -> dict[str, Found]:
    came: list[Entry] = []
    total = ZERO
    waiting = {refund.id for refund in book.refunds}
    for entry in due:
        if not window.holds(entry.value_date):
            continue
        if isinstance(entry, Payment | Recovery):
            fund = book.funds[f"{entry.kind}:{entry.id}"]
            if not fund.return_id:
                total += entry.amount
                came.append(entry)
        elif isinstance(entry, Refund) and entry.id not in waiting:
            total -= entry.amount
            came.append(entry)
    if not came:
        return {}
    told = "money received in twelve months that stayed, less refunds"
    return {"contribution_12m": Found(total, told, lambda: _names(came))}


def _deposit(due: list[Entry], book: Book) -> dict[str, Found]:
    moves: list[Entry] = [entry for entry in due if isinstance(entry, DepositMoved)]
    if not moves:
        return {}
    return {"deposit_held": Found(book.deposit, "deposit held, with its interest", lambda: _names(moves))}
