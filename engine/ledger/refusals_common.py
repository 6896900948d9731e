"""What the rules of refusal share: what they find, and what a bill still asks for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from engine.ledger.entries import Adjustment, Bill, CreditNote, Entry, FeeWaived, WriteDown

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


def corrected(known: Sequence[Entry], bill: Bill, reference: str) -> Decimal:
    """Return what the bill asks for after all corrections, waivers and write-downs that are known."""
    amount, names = _amount_of(bill, reference), (bill.id, reference)
    for entry in known:
        if isinstance(entry, CreditNote | FeeWaived | WriteDown) and entry.bill in names:
            amount -= entry.amount
        elif isinstance(entry, Adjustment) and entry.bill in names:
            amount += entry.amount
    return amount
