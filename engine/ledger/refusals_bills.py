"""What bills, and what corrects them, may not say beside the entries that are there."""

from __future__ import annotations

from collections.abc import Iterator

from engine.ledger.entries import (
    Adjustment,
    Bill,
    BillIssued,
    CreditNote,
    Entry,
    FeeWaived,
    PlanEnded,
    WriteDown,
)
from engine.ledger.known import of_kind
from engine.ledger.refusals_common import ZERO, Finding, at_most, bill_of, corrected, lets_go

FEES = ("fee", "late_fee", "interest")


def check_bill(known: list[Entry], new: Bill) -> Iterator[Finding]:
    """Yield what is wrong with a bill: its days, its instalments, the names of its debts."""
    if new.due_date < new.value_date:
        text = f"Bill `{new.id}` is due on {new.due_date}, before its bill date {new.value_date}."
        yield Finding("due-before-bill", text, "due_date", f"write a day from {new.value_date} on")
    if new.category == "plan" and not new.instalments:
        text = f"Plan `{new.id}` has no instalments."
        advice = "add `instalments` with a due date and an amount each"
        yield Finding("plan-without-instalments", text, "instalments", advice)
    if new.instalments:
        total = sum((part.amount for part in new.instalments), ZERO)
        if total != new.amount:
            text = f"The instalments of bill `{new.id}` add up to {total}, not to its amount {new.amount}."
            advice = "make the instalments add up to the amount"
            yield Finding("instalments-differ", text, "instalments", advice)
        if any(part.due_date < new.value_date for part in new.instalments):
            text = f"An instalment of bill `{new.id}` is due before its bill date {new.value_date}."
            yield Finding("due-before-bill", text, "instalments", f"write a day from {new.value_date} on")
    if new.replaces and not new.instalments:
        text = f"Bill `{new.id}` replaces other bills but has no instalments."
        advice = "add `instalments` with a due date and an amount each"
        yield Finding("plan-without-instalments", text, "replaces", advice)
    yield from _check_names(known, new)


def _check_names(known: list[Entry], new: Bill) -> Iterator[Finding]:
    mine = {new.id, *(f"{new.id}/{n}" for n in range(1, len(new.instalments) + 1))}
    for other in known:
        if isinstance(other, Bill):
            theirs = {other.id, *(f"{other.id}/{n}" for n in range(1, len(other.instalments) + 1))}
            if clash := mine & theirs:
                text = f"`{min(clash)}` already names a debt of bill `{other.id}`."
                yield Finding("debt-name-taken", text, "id", "give it an id of its own")


def check_issued(known: list[Entry], new: BillIssued) -> Iterator[Finding]:
    """Yield what is wrong with a draft that is issued."""
    bill = bill_of(known, new.bill)
    if bill and not bill.draft:
        text = f"Bill `{new.bill}` is not a draft; it is already issued."
        advice = "only a bill with `draft: true` is issued later"
        yield Finding("not-a-draft", text, "bill", advice)
    if any(entry.bill == new.bill for entry in of_kind(known, BillIssued)):
        text = f"Draft bill `{new.bill}` was issued before."
        advice = "a draft is issued once; remove one of the two"
        yield Finding("already-issued", text, "bill", advice)


def check_credit_note(known: list[Entry], new: CreditNote) -> Iterator[Finding]:
    """Yield what is wrong with a credit note."""
    bill = bill_of(known, new.bill) if new.bill else None
    if bill and new.amount > (left := corrected(known, bill, new.bill, let_go=lets_go(new))):
        text = f"Bill `{new.bill}` asks for {left}; a credit note of {new.amount} is more than that."
        yield Finding("credit-exceeds-bill", text, "amount", at_most(left))


def check_adjustment(known: list[Entry], new: Adjustment) -> Iterator[Finding]:
    """Yield what is wrong with an adjustment."""
    if new.amount == 0:
        text = f"Adjustment `{new.id}` is of 0."
        advice = "write what the bill rises by, or falls by with a minus"
        yield Finding("adjusts-nothing", text, "amount", advice)
    bill = bill_of(known, new.bill)
    if bill is None or new.amount > 0:
        return
    if -new.amount > (left := corrected(known, bill, new.bill, let_go=lets_go(new))):
        text = f"Bill `{new.bill}` asks for {left}; it cannot be lowered by {-new.amount}."
        yield Finding("adjustment-exceeds-bill", text, "amount", at_most(left))


def check_waived(known: list[Entry], new: FeeWaived) -> Iterator[Finding]:
    """Yield what is wrong with a waiver."""
    bill = bill_of(known, new.bill)
    if bill is None:
        return
    if bill.category not in FEES:
        text = f"Bill `{new.bill}` is no fee; only a fee, a late fee or interest is waived."
        advice = "send a credit note if the bill was wrong, else a write-down"
        yield Finding("not-a-fee", text, "bill", advice)
    elif new.amount > (left := corrected(known, bill, new.bill, let_go=False)):
        text = f"Bill `{new.bill}` asks for {left}; {new.amount} is more than can be waived."
        yield Finding("waiver-exceeds-bill", text, "amount", at_most(left))


def check_written_down(known: list[Entry], new: WriteDown) -> Iterator[Finding]:
    """Yield what is wrong with a write-down."""
    bill = bill_of(known, new.bill)
    if bill and new.amount > (left := corrected(known, bill, new.bill)):
        text = f"Bill `{new.bill}` asks for {left}; it cannot be written down by {new.amount}."
        yield Finding("write-down-exceeds-bill", text, "amount", at_most(left))


def check_plan_ended(known: list[Entry], new: PlanEnded) -> Iterator[Finding]:
    """Yield what is wrong with the end of a plan."""
    bill = bill_of(known, new.plan)
    if bill and not bill.replaces:
        text = f"Bill `{new.plan}` replaces no other bills; there is no plan to end."
        advice = "name a plan: a bill that replaces others"
        yield Finding("not-a-plan", text, "plan", advice)
    if any(entry.plan == new.plan for entry in of_kind(known, PlanEnded)):
        text = f"Plan `{new.plan}` was ended before."
        advice = "a plan is given up once; remove one of the two"
        yield Finding("already-ended", text, "plan", advice)
