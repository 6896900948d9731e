"""What disputes, promises, holds and acts of people may not say beside the entries that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from engine.ledger.entries import (
    Act,
    Contact,
    Dispute,
    DisputeResolved,
    Entry,
    Hold,
    HoldReleased,
    Promise,
    PromiseWithdrawn,
)
from engine.ledger.known import of_kind
from engine.ledger.position import released_on
from engine.ledger.refusals_common import ZERO, Finding, at_most, bill_of, corrected
from engine.text import Period


def check_contact(known: list[Entry], new: Contact) -> Iterator[Finding]:
    """Yield what is wrong with a contact: nobody agrees to anything who was not reached."""
    if new.consent and new.outcome != "conversation" and new.direction == "out":
        text = f"Contact `{new.id}` says that consent was {new.consent}, but nobody was spoken to."
        advice = "record the conversation, or the message of the customer with `direction` in"
        yield Finding("consent-of-nobody", text, "consent", advice)


def check_dispute(known: list[Entry], new: Dispute) -> Iterator[Finding]:
    """Yield what is wrong with a dispute."""
    bill = bill_of(known, new.bill)
    if bill is None:
        return
    ended = {entry.dispute for entry in of_kind(known, DisputeResolved)}
    running = sum(
        (e.amount for e in of_kind(known, Dispute) if e.bill == new.bill and e.id not in ended), ZERO
    )  # fmt: skip
    left = corrected(known, bill, new.bill) - running
    if new.amount > left:
        text = f"Of bill `{new.bill}` {left} can be disputed; {new.amount} is more than that."
        yield Finding("dispute-exceeds-bill", text, "amount", at_most(left))


def check_dispute_resolved(known: list[Entry], new: DisputeResolved) -> Iterator[Finding]:
    """Yield what is wrong with the end of a dispute."""
    if any(entry.dispute == new.dispute for entry in of_kind(known, DisputeResolved)):
        text = f"Dispute `{new.dispute}` was resolved before."
        advice = "a dispute ends once; remove one of the two"
        yield Finding("already-resolved", text, "dispute", advice)
    dispute = next((e for e in of_kind(known, Dispute) if e.id == new.dispute), None)
    if dispute and new.value_date < dispute.value_date:
        text = f"Dispute `{new.dispute}` is of {dispute.value_date}; it cannot be resolved earlier."
        yield Finding("before-its-cause", text, "value_date", f"write a day from {dispute.value_date} on")


def check_promise(known: list[Entry], new: Promise) -> Iterator[Finding]:
    """Yield what is wrong with a promise."""
    yield from _check_milestones(new)
    if new.by < new.value_date:
        text = f"Promise `{new.id}` of {new.value_date} is for {new.by}, a day in its past."
        yield Finding("promise-in-the-past", text, "by", f"write a day from {new.value_date} on")


def _check_milestones(new: Promise) -> Iterator[Finding]:
    if not new.milestones:
        return
    total = sum((part.amount for part in new.milestones), ZERO)
    if total != new.amount:
        text = f"The milestones of promise `{new.id}` add up to {total}, not to its amount {new.amount}."
        yield Finding("milestones-differ", text, "milestones", "make the milestones add up to the amount")
    days = [part.due_date for part in new.milestones]
    if len(set(days)) < len(days):
        text = f"Two milestones of promise `{new.id}` are of one day."
        yield Finding("milestone-twice", text, "milestones", "write one amount a day")
    if min(days) < new.value_date or max(days) != new.by:
        text = f"The milestones of promise `{new.id}` go from {min(days)} to {max(days)}."
        advice = f"write days from {new.value_date} on, the last of them {new.by}"
        yield Finding("milestones-out-of-range", text, "milestones", advice)


def check_promise_withdrawn(known: list[Entry], new: PromiseWithdrawn) -> Iterator[Finding]:
    """Yield what is wrong with a promise taken back."""
    if any(entry.promise == new.promise for entry in of_kind(known, PromiseWithdrawn)):
        text = f"Promise `{new.promise}` was withdrawn before."
        advice = "a promise is withdrawn once; remove one of the two"
        yield Finding("already-withdrawn", text, "promise", advice)


def check_hold(known: list[Entry], new: Hold, lasts: Mapping[str, Period]) -> Iterator[Finding]:
    """Yield what is wrong with a hold; one without an end is over after the time of its kind."""
    if new.until is not None and new.until <= new.value_date:
        text = f"Hold `{new.id}` ends on {new.until}, not after its beginning {new.value_date}."
        advice = "write a later day, or no `until` for a hold that stays until it is released"
        yield Finding("hold-without-days", text, "until", advice)
        return
    released = released_on(known)
    for other in of_kind(known, Hold):
        if (other.hold, other.bill) == (new.hold, new.bill):
            until = other.until
            if until is None and other.hold in lasts:
                until = lasts[other.hold].after(other.value_date)
            ends = [day for day in (until, released.get(other.id)) if day]
            end = min(ends, default=date.max)
            if other.value_date < (new.until or date.max) and new.value_date < end:
                shown = f"{other.value_date} to {end if ends else 'further notice'}"
                text = f"Hold `{new.id}` overlaps hold `{other.id}` of the same kind `{new.hold}` ({shown})."
                advice = "let it begin when the other has ended, or release that one first"
                yield Finding("hold-overlaps", text, "value_date", advice)


def check_hold_released(known: list[Entry], new: HoldReleased) -> Iterator[Finding]:
    """Yield what is wrong with the end of a hold."""
    if any(entry.hold == new.hold for entry in of_kind(known, HoldReleased)):
        text = f"Hold `{new.hold}` was released before."
        advice = "a hold is released once; remove one of the two"
        yield Finding("already-released", text, "hold", advice)
    hold = next((e for e in of_kind(known, Hold) if e.id == new.hold), None)
    if hold and new.value_date < hold.value_date:
        text = f"Hold `{new.hold}` begins on {hold.value_date}; it cannot be released earlier."
        yield Finding("before-its-cause", text, "value_date", f"write a day from {hold.value_date} on")


def check_act(known: list[Entry], new: Act) -> Iterator[Finding]:
    """Yield what is wrong with the act of a person."""
    if new.act in ("force", "skip", "confirm") and not new.step:
        text = f"Act `{new.act}` needs the step it is about."
        advice = "name the step"
        yield Finding("act-without-step", text, "step", advice)
