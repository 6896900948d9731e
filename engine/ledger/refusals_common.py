"""What the rules of refusal share: what they find, and what a bill still asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal, localcontext
from typing import NamedTuple

from engine.ledger.account import Terms
from engine.ledger.book import Book
from engine.ledger.entries import Adjustment, Bill, CreditNote, Entry, FeeWaived, WriteDown, is_goodwill
from engine.ledger.history import write_book
from engine.ledger.position import PRECISION

ZERO = Decimal(0)


class Finding(NamedTuple):
    """What a rule found: code, sentence, the wrong field, and what to do."""

    code: str
    message: str
    field: str
    advice: str


def at_most(left: Decimal) -> str:
    """Return the advice on an amount that is too much."""
    return f"write at most {left}" if left > 0 else "remove it: nothing is left"


def bill_of(known: Sequence[Entry], reference: str) -> Bill | None:
    """Return the bill that a reference names: itself, or one of its instalments."""
    bills = {entry.id: entry for entry in known if isinstance(entry, Bill)}
    return bills.get(reference) or bills.get(reference.rpartition("/")[0])


def _amount_of(bill: Bill, reference: str) -> Decimal:
    number = reference.rpartition("/")[2]
    if reference != bill.id and number.isdigit() and 0 < int(number) <= len(bill.instalments):
        return bill.instalments[int(number) - 1].amount
    return bill.amount


def corrected(known: Sequence[Entry], bill: Bill, reference: str, *, let_go: bool = True) -> Decimal:
    """Return what the bill asks for after all corrections, waivers and write-downs that are known.

    Without `let_go` what was given up of a bill that was right is left out: a correction may take its place.
    """
    amount, names = _amount_of(bill, reference), (bill.id, reference)
    for entry in known:
        if not isinstance(entry, CreditNote | FeeWaived | WriteDown | Adjustment) or entry.bill not in names:
            continue
        if isinstance(entry, Adjustment) and entry.amount > 0:
            amount += entry.amount
        elif let_go or not lets_go(entry):
            amount -= abs(entry.amount)
    return amount


def lets_go(entry: CreditNote | FeeWaived | WriteDown | Adjustment) -> bool:
    """Tell whether an entry gives up a part of a bill that was right."""
    if isinstance(entry, CreditNote | Adjustment):
        return is_goodwill(entry.reason)
    return isinstance(entry, WriteDown)


def book_by(terms: Terms, entries: Iterable[Entry], last: date | None = None) -> Book:
    """Return the book after the entries that count up to a day; None: after all."""
    due = [entry for entry in entries if last is None or entry.value_date <= last]
    with localcontext() as context:
        context.prec = PRECISION
        return write_book(due, allocation=terms.allocation)
