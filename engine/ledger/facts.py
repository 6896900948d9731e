"""Facts for grading, derived from the ledger by stated rules, each with its day and its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from engine.credit.decision import Fact
from engine.ledger.account import Terms
from engine.ledger.book import ZERO, Book, DebtState
from engine.ledger.entries import (
    Entry,
    Payment,
    PaymentReturned,
    Promise,
    PromiseWithdrawn,
    Receipt,
    ReturnReversed,
)
from engine.ledger.history import write_book
from engine.ledger.known import counts_by, known_entries, of_kind
from engine.ledger.position import PRECISION
from engine.text.period import Period

YEAR = Period(months=12)
CENT = Decimal("0.01")
RATE = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class _Window:
    """The twelve months up to and including `end`; a day counts when `start < day <= end`."""

    start: date
    end: date

    def holds(self, day: date) -> bool:
        return self.start < day <= self.end


def facts_at(
    terms: Terms, entries: Sequence[Entry], as_of: date, at: datetime,
    *, tolerance: Decimal = ZERO, grace_days: int = 0,
) -> dict[str, Fact]:  # fmt: skip
    """Return the facts about an account as of a local day, as known at `at`; unknowable ones are left out.

    `tolerance` (a share of 1) and `grace_days` say when a promise counts as broken. Steps that were
    withdrawn as wrongful, and returns that were reversed, do not count.
    """
    due, _ = counts_by(known_entries(entries, at), as_of)
    with localcontext() as context:
        context.prec = PRECISION
        book = write_book(due)
        window = _Window(YEAR.before(as_of), as_of)
        found: dict[str, tuple[object, str]] = {}
        found |= _from_bills(book, window)
        found |= _from_arrears(book, window)
        found |= _from_events(due, book, window, tolerance, grace_days)
    return {
        name: Fact(value=value, as_of=as_of, source=f"ledger of {terms.account}: {source}")
        for name, (value, source) in sorted(found.items())
    }


def _from_bills(book: Book, window: _Window) -> dict[str, tuple[object, str]]:
    bills = [debts for debts in book.bills.values() if debts[0].category == "normal"]
    if not bills:
        return {}
    first = min(debts[0].invoice_date for debts in bills)
    found: dict[str, tuple[object, str]] = {
        "tenure_months": (_months(first, window.end), f"months since the first bill of {first}"),
    }
    billed = [(d[0].invoice_date, sum((x.amount for x in d), ZERO)) for d in bills]
    billed = [(day, amount) for day, amount in billed if window.holds(day)]
    if billed:
        months = len({(day.year, day.month) for day, _ in billed})
        mean = (sum((amount for _, amount in billed), ZERO) / months).quantize(CENT, ROUND_HALF_EVEN)
        found["avg_monthly_bill"] = (
            mean, f"{len(billed)} bills of {months} months, after credit notes, divided by the months",
        )  # fmt: skip
    return found


def _months(first: date, last: date) -> int:
    months = (last.year - first.year) * 12 + last.month - first.month
    return months - (first.day > last.day)


def overdue_spans(debt: DebtState, last: date) -> list[tuple[date, date]]:
    """Return the days `[first, last]` on which a debt was open past its due date, up to `last`."""
    balance = debt.open + sum((by for _, by in debt.changes), ZERO)
    spans: list[tuple[date, date]] = []
    begun: date | None = debt.due_date + timedelta(days=1) if balance else None
    for day, by in sorted(debt.changes, key=lambda change: change[0]):
        balance -= by
        if not balance and begun is not None:
            if day > begun:
                spans.append((begun, day - timedelta(days=1)))
            elif day == begun and day > debt.due_date + timedelta(days=1):
                pass  # opened and closed on one day
            begun = None
        elif balance and begun is None:
            begun = max(day, debt.due_date + timedelta(days=1))
    if begun is not None and begun <= last:
        spans.append((begun, last))
    return spans


def _from_arrears(book: Book, window: _Window) -> dict[str, tuple[object, str]]:
    aging = [d for d in book.order if not d.written_off or d.open]
    if not aging:
        return {}
    worst, late, due_count, on_time = 0, 0, 0, 0
    stretches: list[tuple[date, date]] = []
    for debt in aging:
        spans = [(a, b) for a, b in overdue_spans(debt, window.end) if b > window.start]
        stretches += spans
        for _, last in spans:
            worst = max(worst, (last - debt.due_date).days)
        if window.holds(debt.due_date) and debt.due_date < window.end:
            due_count += 1
            late += bool(spans)
            on_time += not spans
    overdue = sum((d.open - d.disputed for d in aging if d.due_date < window.end and not d.written_off), ZERO)
    found: dict[str, tuple[object, str]] = {
        "max_dpd_12m": (worst, "most days past due of any bill in twelve months"),
        "late_count_12m": (late, f"bills not paid by their due date, of {due_count} due in twelve months"),
        "arrears_count_12m": (_stretches(stretches), "separate times in arrears in twelve months"),
        "overdue_now": (overdue, "past due and undisputed"),
    }  # fmt: skip
    if due_count:
        rate = (Decimal(on_time) / due_count).quantize(RATE, ROUND_HALF_EVEN)
        found["on_time_rate_12m"] = (rate, f"{on_time} of {due_count} bills paid by their due date")
    return found


def _stretches(spans: list[tuple[date, date]]) -> int:
    count, reached = 0, date.min
    for first, last in sorted(spans):
        if count == 0 or first > reached + timedelta(days=1):
            count += 1
        reached = max(reached, last)
    return count


def _from_events(
    due: list[Entry], book: Book, window: _Window, tolerance: Decimal, grace_days: int
) -> dict[str, tuple[object, str]]:
    reversed_ = {entry.returned for entry in of_kind(due, ReturnReversed)}
    returned = sum(
        1 for e in of_kind(due, PaymentReturned) if window.holds(e.value_date) and e.id not in reversed_
    )
    suspended = _suspensions(due, window)
    broken = _broken_promises(due, book, window, tolerance, grace_days)
    return {
        "returned_payments_12m": (returned, "payments that came back in twelve months and stayed so"),
        "suspensions_12m": (suspended, "suspensions confirmed in twelve months, wrongful ones left out"),
        "broken_promises_12m": (broken, "promises whose date passed in twelve months without the money"),
    }


def _suspensions(due: list[Entry], window: _Window) -> int:
    words: dict[str, list[Receipt]] = {}
    for entry in of_kind(due, Receipt):
        if entry.key.endswith("/service.suspended/do") and entry.status != "requested":
            words.setdefault(entry.key, []).append(entry)
    count = 0
    for receipts in words.values():
        last = max(receipts, key=lambda r: (r.at, r.received_at, r.id))
        done = [r.value_date for r in receipts if r.status == "done"]
        count += bool(done) and last.status != "withdrawn" and window.holds(min(done))
    return count


def _broken_promises(
    due: list[Entry], book: Book, window: _Window, tolerance: Decimal, grace_days: int
) -> int:  # fmt: skip
    withdrawn = {entry.promise for entry in of_kind(due, PromiseWithdrawn)}
    payments = [
        (entry.value_date, fund.amount - fund.given_back)
        for entry in of_kind(due, Payment)
        if not (fund := book.funds[f"payment:{entry.id}"]).return_id
    ]
    count = 0
    for promise in of_kind(due, Promise):
        last = promise.by + timedelta(days=grace_days)
        if promise.id in withdrawn or not window.holds(last) or last >= window.end:
            continue
        paid = sum((amount for day, amount in payments if promise.value_date <= day <= last), ZERO)
        count += paid < promise.amount * (1 - tolerance)
    return count
