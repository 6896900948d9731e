"""From months late to a ledger: bills and payments of one UCI customer by the rule of the mapping.

The rule is stated in the header of `fixtures/mappings/uci-default.yaml`, with what it cannot reproduce.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from api.demo.draws import Draws
from api.demo.uci_file import MONTHS, UciCustomer
from engine.ledger.entries import Bill, Entry, Payment, Share


@dataclass(frozen=True, slots=True)
class StatementRule:
    """The numbers of the rule, as the mapping states them."""

    first: date = date(2005, 4, 30)
    due_days: int = 20
    minimum: Decimal = Decimal(1000)
    """The least that falls due of a statement, in New Taiwan dollars."""
    share: Decimal = Decimal("0.04")
    """The part of a statement that falls due, when it was not paid in time."""
    zone: str = "Asia/Taipei"


def month_end(rule: StatementRule, month: int) -> date:
    """Return the last day of a month, counted from the first statement."""
    year, index = divmod(rule.first.month - 1 + month, 12)
    year += rule.first.year
    return date(year, index + 1, monthrange(year, index + 1)[1])


def cleared_in(customer: UciCustomer, bill: int) -> int | None:
    """Return the month in which the statement of month `bill` was paid; None: not by September.

    It is unpaid at the end of month m while this or a later status says so: status(m) >= m - bill.
    """
    says_unpaid = [m for m in range(bill + 1, MONTHS) if customer.status[m] >= m - bill]
    after = says_unpaid[-1] + 1 if says_unpaid else bill + 1
    return after if after < MONTHS else None


def fell_due(customer: UciCustomer, bill: int, rule: StatementRule) -> Decimal:
    """Return the part of a statement that fell due; 0: nothing was asked for.

    Paid in time: what was paid, up to the balance. Otherwise the stated share, at least the minimum.
    """
    balance = Decimal(max(0, customer.billed[bill]))
    if cleared_in(customer, bill) == bill + 1:
        return min(balance, Decimal(max(0, customer.paid[bill + 1])))
    part = (balance * rule.share).quantize(Decimal(1), ROUND_HALF_UP)
    return min(balance, max(rule.minimum, part))


def ledger_of(customer: UciCustomer, rule: StatementRule, draws: Draws) -> list[Entry]:
    """Return a customer's bills and payments in order of their received instants."""
    bills = {s: b for s in range(MONTHS) if (b := _bill(customer, s, rule)) is not None}
    left = {s: bill.amount for s, bill in bills.items()}
    cleared: dict[int, list[int]] = defaultdict(list)
    for s in bills:
        month = cleared_in(customer, s)
        if month is not None:
            cleared[month].append(s)
    entries: list[Entry] = list(bills.values())
    for month in range(1, MONTHS):
        shares = _shares(customer, month, cleared[month], left)
        if shares:
            entries.append(_payment(customer, month, shares, bills, rule, draws))
            for s, amount in shares.items():
                left[s] -= amount
    return sorted(entries, key=lambda e: (e.received_at, e.kind, e.id))


def _bill(customer: UciCustomer, s: int, rule: StatementRule) -> Bill | None:
    amount = fell_due(customer, s, rule)
    if amount <= 0:
        return None
    issued = month_end(rule, s)
    return Bill(
        id=f"S-{customer.number:05d}-{issued:%y%m}",
        value_date=issued,
        received_at=_instant(issued, 20, rule),
        due_date=issued + timedelta(days=rule.due_days),
        amount=amount,
    )


def _shares(
    customer: UciCustomer, month: int, cleared: list[int], left: dict[int, Decimal]
) -> dict[int, Decimal]:
    """Return what a month's payment pays: the bills cleared in it, else a part of the oldest open one."""
    if cleared:
        return {s: left[s] for s in cleared}
    oldest = min((s for s in left if s < month and left[s] > 0), default=None)
    paid = Decimal(max(0, customer.paid[month]))
    if oldest is None or paid == 0:
        return {}
    part = min(paid, (left[oldest] / 2).quantize(Decimal(1), ROUND_HALF_UP))
    return {oldest: part} if 0 < part < left[oldest] else {}


def _payment(
    customer: UciCustomer, month: int, shares: dict[int, Decimal], bills: dict[int, Bill],
    rule: StatementRule, draws: Draws,
) -> Payment:  # fmt: skip
    day = month_end(rule, month).replace(day=draws.integer(1, rule.due_days, customer.number, month, "day"))
    hour = draws.integer(9, 18, customer.number, month, "hour")
    return Payment(
        id=f"P-{customer.number:05d}-{day:%y%m}",
        value_date=day,
        received_at=_instant(day, hour, rule),
        amount=sum(shares.values(), Decimal(0)),
        pays=tuple(Share(bill=bills[s].id, amount=amount) for s, amount in shares.items()),
    )


def _instant(day: date, hour: int, rule: StatementRule) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(rule.zone))


def months_late(entries: list[Entry], on: date) -> int:
    """Return how many months late a ledger is at a month's end: 0 when no due bill is open."""
    open_amounts: dict[str, Decimal] = {}
    issued: dict[str, date] = {}
    for entry in entries:
        if isinstance(entry, Bill) and entry.due_date <= on:
            open_amounts[entry.id] = entry.amount
            issued[entry.id] = entry.value_date
    for entry in entries:
        if isinstance(entry, Payment) and entry.value_date <= on:
            for share in entry.pays:
                open_amounts[share.bill] -= share.amount
    late = [issued[b] for b, amount in open_amounts.items() if amount > 0]
    return max(((on.year - d.year) * 12 + on.month - d.month for d in late), default=0)
