"""What waivers, write-downs and promises in parts may not say beside the entries that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from engine.ledger.entries import Bill, Entry, FeeWaived, Promise, WriteDown

ZERO = Decimal(0)
FEES = ("fee", "late_fee", "interest")
Found = tuple[str, str, str, str]
"""Code, sentence, the wrong field, and what to do."""


def lowered(known: Sequence[Entry], bill: str, reference: str) -> Decimal:
    """Return by how much waivers and write-downs lower what a bill asks for."""
    names = (bill, reference)
    return sum(
        (e.amount for e in known if isinstance(e, FeeWaived | WriteDown) and e.bill in names), ZERO
    )  # fmt: skip


def check_waived(bill: Bill | None, left: Decimal, new: FeeWaived) -> Iterator[Found]:
    """Yield what is wrong with a waiver; `left` is what the bill still asks for."""
    if bill and bill.category not in FEES:
        text = f"Bill `{new.bill}` is no fee; only a fee, a late fee or interest is waived."
        yield "not-a-fee", text, "bill", "send a credit note if the bill was wrong, else a write-down"
    elif bill and new.amount > left:
        text = f"Bill `{new.bill}` asks for {left}; {new.amount} is more than can be waived."
        yield "waiver-exceeds-bill", text, "amount", _at_most(left)


def check_written_down(bill: Bill | None, left: Decimal, new: WriteDown) -> Iterator[Found]:
    """Yield what is wrong with a write-down; `left` is what the bill still asks for."""
    if bill and new.amount > left:
        text = f"Bill `{new.bill}` asks for {left}; it cannot be written down by {new.amount}."
        yield "write-down-exceeds-bill", text, "amount", _at_most(left)


def check_milestones(new: Promise) -> Iterator[Found]:
    """Yield what is wrong with the parts of a promise."""
    if not new.milestones:
        return
    total = sum((part.amount for part in new.milestones), ZERO)
    if total != new.amount:
        text = f"The milestones of promise `{new.id}` add up to {total}, not to its amount {new.amount}."
        yield "milestones-differ", text, "milestones", "make the milestones add up to the amount"
    days = [part.due_date for part in new.milestones]
    if len(set(days)) < len(days):
        text = f"Two milestones of promise `{new.id}` are of one day."
        yield "milestone-twice", text, "milestones", "write one amount a day"
    if min(days) < new.value_date or max(days) != new.by:
        text = f"The milestones of promise `{new.id}` go from {min(days)} to {max(days)}."
        advice = f"write days from {new.value_date} on, the last of them {new.by}"
        yield "milestones-out-of-range", text, "milestones", advice


def _at_most(left: Decimal) -> str:
    return f"write at most {left}" if left > 0 else "remove it: nothing is left"
