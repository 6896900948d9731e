"""Which money paid which debt: the allocation as it is reported back to billing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

from engine.ledger.account import Terms
from engine.ledger.entries import Entry
from engine.ledger.history import write_book
from engine.ledger.known import counts_by, known_entries
from engine.ledger.position import PRECISION
from engine.model import Amount, Model


class Allocated(Model):
    """A part of money received that pays one debt."""

    debt: str
    amount: Amount


class Allocation(Model):
    """What became of one payment, applied deposit or credit note without a bill."""

    source: str
    """`payment P1`, `deposit D1`, `credit_note C1`."""
    value_date: date
    amount: Amount
    paid: tuple[Allocated, ...] = ()
    """In the order of paying: named shares first, then oldest due date first."""
    waiting: Amount = Decimal(0)
    """Shares that name a bill which has not come yet."""
    credit: Amount = Decimal(0)
    """What no debt has taken; later bills take it."""
    refunded: Amount = Decimal(0)
    returned: bool = False


def allocation_report(
    terms: Terms, entries: Sequence[Entry], at: datetime, *, as_of: date | None = None
) -> tuple[Allocation, ...]:  # fmt: skip
    """Say for each amount of money received by `at` which debts it pays, by value date, up to `as_of`."""
    today = as_of or at.astimezone(ZoneInfo(terms.timezone)).date()
    due, _ = counts_by(known_entries(entries, at), today)
    with localcontext() as context:
        context.prec = PRECISION
        book = write_book(due, allocation=terms.allocation)
    return tuple(
        Allocation(
            source=fund.key.replace(":", " ", 1),
            value_date=fund.on,
            amount=fund.amount,
            paid=tuple(Allocated(debt=debt, amount=amount) for debt, amount in fund.parts.items()),
            waiting=fund.reserved,
            credit=fund.free,
            refunded=fund.given_back,
            returned=bool(fund.return_id),
        )
        for fund in sorted(book.funds.values())
    )
