"""What makes an entry refusable: a stable code and a sentence for each rule.

News may come in any order, so an entry that speaks of something not yet known is taken and waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from engine.ledger.account import Terms
from engine.ledger.entries import (
    Act,
    Adjustment,
    Bill,
    BillIssued,
    CreditNote,
    DepositMoved,
    Dispute,
    DisputeResolved,
    Entry,
    FeeWaived,
    Hold,
    HoldReleased,
    Payment,
    PaymentReturned,
    PlanEnded,
    Promise,
    PromiseWithdrawn,
    Refund,
    ReturnReversed,
    WriteDown,
)
from engine.ledger.known import of_kind
from engine.ledger.position import released_on
from engine.ledger.refusals_money import check_decimals, check_money_is_there
from engine.ledger.refusals_more import check_milestones, check_waived, check_written_down, lowered
from engine.model import Model

ZERO = Decimal(0)


class EntryProblem(Model):
    """Why an entry is refused."""

    code: str
    """Stable name of the rule, in kebab case."""
    message: str
    """One sentence for the caller."""
    entry: str
    """The refused entry: `kind id`."""
    field: str = ""
    """The field that is wrong, when there is one."""
    advice: str = ""
    """What to do about it, for whoever wrote the entry."""


class Finding(NamedTuple):
    """What a rule found: code, sentence, the wrong field, and what to do."""

    code: str
    message: str
    field: str
    advice: str


def entry_problems(terms: Terms, entries: Sequence[Entry], new: Entry) -> list[EntryProblem]:
    """Return why `new` may not join the entries of the account; an empty list lets it in.

    An entry that is already there, word for word, is no problem: doubled news changes nothing.
    """
    same = next((e for e in entries if (e.kind, e.id) == (new.kind, new.id)), None)
    if same is not None:
        if same.model_copy(update={"received_at": new.received_at}) == new:
            return []
        text = f"Account `{terms.account}` already has a {new.kind} `{new.id}` that says something else."
        advice = "give it an id of its own"
        return [_problem(new, Finding("entry-conflict", text, "id", advice))]
    known = [entry for entry in entries if entry.kind in _NEEDED]
    of_money = (*check_decimals(terms.currency, new), *check_money_is_there(terms, new))
    found = (*(Finding(*found) for found in of_money), *_findings(known, new))
    return [_problem(new, finding) for finding in found]


def _problem(new: Entry, finding: Finding) -> EntryProblem:
    code, message, field, advice = finding
    return EntryProblem(code=code, message=message, entry=f"{new.kind} {new.id}", field=field, advice=advice)


_NEEDED = frozenset(
    ("bill", "bill_issued", "payment", "payment_returned", "return_reversed", "refund", "credit_note",
     "adjustment", "plan_ended", "dispute", "dispute_resolved", "promise", "promise_withdrawn", "hold",
     "hold_released", "deposit", "fee_waived", "write_down")
)  # fmt: skip


EARLIEST, LATEST = date(1970, 1, 1), date(2200, 1, 1)
"""Days outside are mistakes: clocks and waits could not count with them."""


def _check_days(new: Entry) -> Iterator[Finding]:
    days = [(name, getattr(new, name, None)) for name in ("value_date", "due_date", "by", "until")]
    days += [("instalments", part.due_date) for part in getattr(new, "instalments", ())]
    for name, day in days:
        if day is not None and not EARLIEST <= day < LATEST:
            text = f"`{name}` is {day}; days are from {EARLIEST} to {LATEST}."
            advice = "write the day of the entry"
            yield Finding("day-out-of-range", text, name, advice)


def _findings(known: list[Entry], new: Entry) -> Iterator[Finding]:
    yield from _check_days(new)
    for kind, rule in _RULES:
        if isinstance(new, kind):
            yield from rule(known, new)


def _at_most(left: Decimal) -> str:
    return f"write at most {left}" if left > 0 else "remove it: nothing is left"


def _bill_of(known: list[Entry], reference: str) -> Bill | None:
    bills = {entry.id: entry for entry in known if isinstance(entry, Bill)}
    return bills.get(reference) or bills.get(reference.rpartition("/")[0])


def _amount_of(bill: Bill, reference: str) -> Decimal:
    number = reference.rpartition("/")[2]
    if reference != bill.id and number.isdigit() and 0 < int(number) <= len(bill.instalments):
        return bill.instalments[int(number) - 1].amount
    return bill.amount


def _corrected(known: list[Entry], bill: Bill, reference: str) -> Decimal:
    """Return what the bill asks for after all corrections, waivers and write-downs that are known."""
    amount = _amount_of(bill, reference) - lowered(known, bill.id, reference)
    for entry in known:
        if isinstance(entry, CreditNote) and entry.bill in (bill.id, reference):
            amount -= entry.amount
        elif isinstance(entry, Adjustment) and entry.bill in (bill.id, reference):
            amount += entry.amount
    return amount


def _check_bill(known: list[Entry], new: Bill) -> Iterator[Finding]:
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


def _check_issued(known: list[Entry], new: BillIssued) -> Iterator[Finding]:
    bill = _bill_of(known, new.bill)
    if bill and not bill.draft:
        text = f"Bill `{new.bill}` is not a draft; it is already issued."
        advice = "only a bill with `draft: true` is issued later"
        yield Finding("not-a-draft", text, "bill", advice)
    if any(entry.bill == new.bill for entry in of_kind(known, BillIssued)):
        text = f"Draft bill `{new.bill}` was issued before."
        advice = "a draft is issued once; remove one of the two"
        yield Finding("already-issued", text, "bill", advice)


def _check_payment(known: list[Entry], new: Payment) -> Iterator[Finding]:
    named = sum((share.amount for share in new.pays), ZERO)
    if named > new.amount:
        text = f"The shares of payment `{new.id}` add up to {named}, more than its amount {new.amount}."
        advice = f"let the shares add up to {new.amount} at most"
        yield Finding("shares-exceed-payment", text, "pays", advice)
    references = [share.bill for share in new.pays]
    if len(set(references)) < len(references):
        text = f"Payment `{new.id}` names one bill twice."
        advice = "name each bill once, with the whole of its share"
        yield Finding("share-twice", text, "pays", advice)


def _check_returned(known: list[Entry], new: PaymentReturned) -> Iterator[Finding]:
    reversed_ = {entry.returned for entry in of_kind(known, ReturnReversed)}
    returns = [entry for entry in of_kind(known, PaymentReturned) if entry.payment == new.payment]
    standing = [entry for entry in returns if entry.id not in reversed_]
    if standing:
        text = f"Payment `{new.payment}` already came back on {standing[0].value_date} (`{standing[0].id}`)."
        advice = "a payment comes back once, unless the return is reversed between"
        yield Finding("already-returned", text, "payment", advice)
    payment = next((e for e in of_kind(known, Payment) if e.id == new.payment), None)
    if payment and new.value_date < payment.value_date:
        text = f"Payment `{new.payment}` is of {payment.value_date}; it cannot come back on {new.value_date}."
        yield Finding("before-its-cause", text, "value_date", f"write a day from {payment.value_date} on")


def _check_reversed(known: list[Entry], new: ReturnReversed) -> Iterator[Finding]:
    if any(entry.returned == new.returned for entry in of_kind(known, ReturnReversed)):
        text = f"The return `{new.returned}` was reversed before."
        advice = "a return is reversed once; remove one of the two"
        yield Finding("already-reversed", text, "returned", advice)
    returned = next((e for e in of_kind(known, PaymentReturned) if e.id == new.returned), None)
    if returned and new.value_date < returned.value_date:
        text = f"The return `{new.returned}` is of {returned.value_date}; it cannot be reversed earlier."
        yield Finding("before-its-cause", text, "value_date", f"write a day from {returned.value_date} on")


def _check_refund(known: list[Entry], new: Refund) -> Iterator[Finding]:
    payment = next((e for e in of_kind(known, Payment) if e.id == new.payment), None)
    if payment is None:
        return
    earlier = sum((e.amount for e in of_kind(known, Refund) if e.payment == new.payment), ZERO)
    if earlier + new.amount > payment.amount:
        left = payment.amount - earlier
        text = f"Payment `{new.payment}` can be refunded by {left} at most; {new.amount} is asked."
        yield Finding("refund-exceeds-payment", text, "amount", _at_most(left))
    if new.value_date < payment.value_date:
        text = f"Payment `{new.payment}` is of {payment.value_date}; it cannot be refunded earlier."
        yield Finding("before-its-cause", text, "value_date", f"write a day from {payment.value_date} on")


def _check_credit_note(known: list[Entry], new: CreditNote) -> Iterator[Finding]:
    bill = _bill_of(known, new.bill) if new.bill else None
    if bill and new.amount > (left := _corrected(known, bill, new.bill)):
        text = f"Bill `{new.bill}` asks for {left}; a credit note of {new.amount} is more than that."
        yield Finding("credit-exceeds-bill", text, "amount", _at_most(left))


def _check_adjustment(known: list[Entry], new: Adjustment) -> Iterator[Finding]:
    if new.amount == 0:
        text = f"Adjustment `{new.id}` is of 0."
        advice = "write what the bill rises by, or falls by with a minus"
        yield Finding("adjusts-nothing", text, "amount", advice)
    bill = _bill_of(known, new.bill)
    if bill and new.amount < 0 and -new.amount > (left := _corrected(known, bill, new.bill)):
        text = f"Bill `{new.bill}` asks for {left}; it cannot be lowered by {-new.amount}."
        yield Finding("adjustment-exceeds-bill", text, "amount", _at_most(left))


def _check_waived(known: list[Entry], new: FeeWaived) -> Iterator[Finding]:
    bill = _bill_of(known, new.bill)
    left = _corrected(known, bill, new.bill) if bill else ZERO
    yield from (Finding(*found) for found in check_waived(bill, left, new))


def _check_written_down(known: list[Entry], new: WriteDown) -> Iterator[Finding]:
    bill = _bill_of(known, new.bill)
    left = _corrected(known, bill, new.bill) if bill else ZERO
    yield from (Finding(*found) for found in check_written_down(bill, left, new))


def _check_plan_ended(known: list[Entry], new: PlanEnded) -> Iterator[Finding]:
    bill = _bill_of(known, new.plan)
    if bill and not bill.replaces:
        text = f"Bill `{new.plan}` replaces no other bills; there is no plan to end."
        advice = "name a plan: a bill that replaces others"
        yield Finding("not-a-plan", text, "plan", advice)
    if any(entry.plan == new.plan for entry in of_kind(known, PlanEnded)):
        text = f"Plan `{new.plan}` was ended before."
        advice = "a plan is given up once; remove one of the two"
        yield Finding("already-ended", text, "plan", advice)


def _check_dispute(known: list[Entry], new: Dispute) -> Iterator[Finding]:
    bill = _bill_of(known, new.bill)
    if bill is None:
        return
    ended = {entry.dispute for entry in of_kind(known, DisputeResolved)}
    running = sum(
        (e.amount for e in of_kind(known, Dispute) if e.bill == new.bill and e.id not in ended), ZERO
    )  # fmt: skip
    left = _corrected(known, bill, new.bill) - running
    if new.amount > left:
        text = f"Of bill `{new.bill}` {left} can be disputed; {new.amount} is more than that."
        yield Finding("dispute-exceeds-bill", text, "amount", _at_most(left))


def _check_dispute_resolved(known: list[Entry], new: DisputeResolved) -> Iterator[Finding]:
    if any(entry.dispute == new.dispute for entry in of_kind(known, DisputeResolved)):
        text = f"Dispute `{new.dispute}` was resolved before."
        advice = "a dispute ends once; remove one of the two"
        yield Finding("already-resolved", text, "dispute", advice)
    dispute = next((e for e in of_kind(known, Dispute) if e.id == new.dispute), None)
    if dispute and new.value_date < dispute.value_date:
        text = f"Dispute `{new.dispute}` is of {dispute.value_date}; it cannot be resolved earlier."
        yield Finding("before-its-cause", text, "value_date", f"write a day from {dispute.value_date} on")


def _check_promise(known: list[Entry], new: Promise) -> Iterator[Finding]:
    yield from (Finding(*found) for found in check_milestones(new))
    if new.by < new.value_date:
        text = f"Promise `{new.id}` of {new.value_date} is for {new.by}, a day in its past."
        yield Finding("promise-in-the-past", text, "by", f"write a day from {new.value_date} on")


def _check_promise_withdrawn(known: list[Entry], new: PromiseWithdrawn) -> Iterator[Finding]:
    if any(entry.promise == new.promise for entry in of_kind(known, PromiseWithdrawn)):
        text = f"Promise `{new.promise}` was withdrawn before."
        advice = "a promise is withdrawn once; remove one of the two"
        yield Finding("already-withdrawn", text, "promise", advice)


def _check_hold(known: list[Entry], new: Hold) -> Iterator[Finding]:
    if new.until is not None and new.until <= new.value_date:
        text = f"Hold `{new.id}` ends on {new.until}, not after its beginning {new.value_date}."
        advice = "write a later day, or no `until` for a hold that stays until it is released"
        yield Finding("hold-without-days", text, "until", advice)
        return
    released = released_on(known)
    for other in of_kind(known, Hold):
        if (other.hold, other.bill) == (new.hold, new.bill):
            ends = [day for day in (other.until, released.get(other.id)) if day]
            end = min(ends, default=date.max)
            if other.value_date < (new.until or date.max) and new.value_date < end:
                shown = f"{other.value_date} to {end if ends else 'further notice'}"
                text = f"Hold `{new.id}` overlaps hold `{other.id}` of the same kind `{new.hold}` ({shown})."
                advice = "let it begin when the other has ended, or release that one first"
                yield Finding("hold-overlaps", text, "value_date", advice)


def _check_hold_released(known: list[Entry], new: HoldReleased) -> Iterator[Finding]:
    if any(entry.hold == new.hold for entry in of_kind(known, HoldReleased)):
        text = f"Hold `{new.hold}` was released before."
        advice = "a hold is released once; remove one of the two"
        yield Finding("already-released", text, "hold", advice)
    hold = next((e for e in of_kind(known, Hold) if e.id == new.hold), None)
    if hold and new.value_date < hold.value_date:
        text = f"Hold `{new.hold}` begins on {hold.value_date}; it cannot be released earlier."
        yield Finding("before-its-cause", text, "value_date", f"write a day from {hold.value_date} on")


_OUT = ("released", "applied")


def _check_deposit(known: list[Entry], new: DepositMoved) -> Iterator[Finding]:
    if new.move not in _OUT:
        return
    held = ZERO
    for entry in of_kind(known, DepositMoved):
        if entry.move != "requested":
            held += -entry.amount if entry.move in _OUT else entry.amount
    if new.amount > held:
        text = f"A deposit of {held} is held; {new.amount} is more than that."
        advice = _at_most(held) if held else "take a deposit in first"
        yield Finding("deposit-exceeded", text, "amount", advice)


def _check_act(known: list[Entry], new: Act) -> Iterator[Finding]:
    if new.act in ("force", "skip", "confirm") and not new.step:
        text = f"Act `{new.act}` needs the step it is about."
        advice = "name the step"
        yield Finding("act-without-step", text, "step", advice)


_RULES: tuple[tuple[type, Callable[..., Iterator[Finding]]], ...] = (
    (Bill, _check_bill),
    (BillIssued, _check_issued),
    (Payment, _check_payment),
    (PaymentReturned, _check_returned),
    (ReturnReversed, _check_reversed),
    (Refund, _check_refund),
    (CreditNote, _check_credit_note),
    (Adjustment, _check_adjustment),
    (FeeWaived, _check_waived),
    (WriteDown, _check_written_down),
    (PlanEnded, _check_plan_ended),
    (Dispute, _check_dispute),
    (DisputeResolved, _check_dispute_resolved),
    (Promise, _check_promise),
    (PromiseWithdrawn, _check_promise_withdrawn),
    (Hold, _check_hold),
    (HoldReleased, _check_hold_released),
    (DepositMoved, _check_deposit),
    (Act, _check_act),
)
