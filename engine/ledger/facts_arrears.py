"""Facts from bills and from how long they stayed open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from engine.ledger.book import ZERO, Book, DebtState
from engine.ledger.facts_model import Found, Name, Trail, Window

CENT = Decimal("0.01")
RATE = Decimal("0.0001")
Span = tuple[date, date]
Change = tuple[date, Decimal]


def from_bills(book: Book, window: Window, trail: Trail) -> dict[str, Found]:
    """Return tenure and the average of a month's bills; nothing where there was no bill."""
    bills = [debts for debts in book.bills.values() if debts[0].category == "normal"]
    if not bills:
        return {}
    first = min(bills, key=lambda debts: (debts[0].invoice_date, debts[0].bill))
    since = first[0].invoice_date
    found = {
        "tenure_months": Found(
            _months(since, window.end), f"months since the first bill of {since}",
            lambda: [("bill", first[0].bill)],
        ),
    }  # fmt: skip
    recent = [debts for debts in bills if window.holds(debts[0].invoice_date)]
    if recent:
        months = len({(d[0].invoice_date.year, d[0].invoice_date.month) for d in recent})
        total = sum((billed(debt) for debts in recent for debt in debts), ZERO)
        told = f"{len(recent)} bills of {months} months, after corrections, divided by the months"
        found["avg_monthly_bill"] = Found(
            (total / months).quantize(CENT, ROUND_HALF_EVEN), told,
            lambda: trail.billed((debt for debts in recent for debt in debts), let_go=False),
        )  # fmt: skip
    return found


def billed(debt: DebtState) -> Decimal:
    """Return what a bill asks for after corrections; what was given up of it was billed all the same."""
    return debt.amount + sum((by for _, by in debt.revised if by > 0), ZERO)


def _months(first: date, last: date) -> int:
    months = (last.year - first.year) * 12 + last.month - first.month
    return months - (first.day > last.day)


def claims_on(book: Book) -> dict[str, list[Change]]:
    """Return what disputes take out of debts, by debt: since which day, and how much.

    A dispute that was rejected or withdrawn takes out nothing: the debt was owed all along. What is upheld
    was never owed, not even before it was disputed.
    """
    found: dict[str, list[Change]] = {}
    for state in sorted(book.disputes.values(), key=lambda s: (s.entry.value_date, s.entry.id)):
        for debt, part in state.touches.items():
            since = date.min if state.outcome == "upheld" else state.entry.value_date
            found.setdefault(debt, []).append((since, part))
    return found


def is_late(debt: DebtState, claims: Sequence[Change] = ()) -> bool:
    """Tell whether something undisputed was still open when the due date had ended.

    Money of the day after is late, though that day's evening finds nothing past due.
    """
    asked_by = _asked_by(debt)
    balance = debt.open + sum((by for day, by in (*debt.changes, *debt.revised) if day > asked_by), ZERO)
    return balance > sum((part for since, part in claims if since <= asked_by), ZERO)


def _asked_by(debt: DebtState) -> date:
    """Return the last day on which money was on time; before it is billed nothing is late."""
    return max(debt.due_date, debt.invoice_date)


def overdue_spans(debt: DebtState, last: date, claims: Sequence[Change] = ()) -> list[Span]:
    """Return the days `[first, last]` on which a debt was open past its due date, up to `last`.

    A day on which `claims` of disputes cover all that was open is none of them.
    """
    moves = [(day, by, ZERO) for day, by in (*debt.changes, *debt.revised)]
    balance, claimed = debt.open + sum((by for _, by, _ in moves), ZERO), ZERO
    late = max(debt.due_date + timedelta(days=1), debt.invoice_date)
    begun: date | None = late if balance else None
    spans: list[Span] = []
    for day, by, part in sorted([*moves, *((since, ZERO, part) for since, part in claims)], key=_first):
        balance, claimed = balance - by, claimed + part
        if balance <= claimed and begun is not None:
            if day > begun:
                spans.append((begun, day - timedelta(days=1)))
            begun = None
        elif balance > claimed and begun is None:
            begun = max(day, late)
    if begun is not None and begun <= last:
        spans.append((begun, last))
    return spans


def _first(move: tuple[date, Decimal, Decimal]) -> date:
    return move[0]


def from_arrears(book: Book, window: Window, trail: Trail) -> dict[str, Found]:
    """Return how late bills were paid; nothing where there is no debt."""
    aging = [d for d in book.order if not d.written_off or d.open]
    if not aging:
        return {}
    claims = claims_on(book)
    spans: dict[str, list[Span]] = {}
    worst, worst_debt = 0, aging[0]
    for debt in aging:
        days_late = overdue_spans(debt, window.end, claims.get(debt.id, ()))
        mine = [span for span in days_late if span[1] > window.start]
        if mine:
            spans[debt.id] = mine
            days = max((last - debt.due_date).days for _, last in mine)
            if days > worst:
                worst, worst_debt = days, debt
    late = [debt for debt in aging if debt.id in spans]
    due = [d for d in aging if window.holds(d.due_date) and d.due_date < window.end]
    late_due = [debt for debt in due if debt.id in spans or is_late(debt, claims.get(debt.id, ()))]
    times = _stretches(span for mine in spans.values() for span in mine)

    def of(debts: list[DebtState]) -> list[Name]:
        return [*trail.billed(debts), *trail.paid(debts), *trail.disputed(debts)]

    found = {
        "max_dpd_12m": Found(
            worst, "most days past due of any bill on an evening of twelve months",
            lambda: of([worst_debt] if worst else []),
        ),
        "late_count_12m": Found(
            len(late_due), f"bills not paid by their due date, of {len(due)} due in twelve months",
            lambda: of(late_due),
        ),
        "arrears_count_12m": Found(times, "separate times in arrears in twelve months", lambda: of(late)),
        **_now(aging, window.end, of),
    }  # fmt: skip
    if due:
        on_time = len(due) - len(late_due)
        rate = (Decimal(on_time) / len(due)).quantize(RATE, ROUND_HALF_EVEN)
        told = f"{on_time} of {len(due)} bills paid by their due date"
        found["on_time_rate_12m"] = Found(rate, told, lambda: of(due))
    return found


def _now(
    aging: list[DebtState], today: date, of: Callable[[list[DebtState]], list[Name]]
) -> dict[str, Found]:  # fmt: skip
    owed = [d for d in aging if d.due_date < today and not d.written_off and d.open > d.disputed]
    total = sum((debt.open - debt.disputed for debt in owed), ZERO)
    days = max(((today - debt.due_date).days for debt in owed), default=0)
    oldest = [debt for debt in owed if (today - debt.due_date).days == days]
    return {
        "overdue_now": Found(total, "past due and undisputed", lambda: of(owed)),
        "dpd_now": Found(days, "days past due of the oldest undisputed debt", lambda: of(oldest)),
    }


def _stretches(spans: Iterable[Span]) -> int:
    count, reached = 0, date.min
    for first, last in sorted(spans):
        if count == 0 or first > reached + timedelta(days=1):
            count += 1
        reached = max(reached, last)
    return count
