"""What can happen to an account: one class a kind, each dated twice.

`value_date` is the local business date on which it counts, `received_at` the instant at which it
became known. Entries are only ever added; a correction is another entry.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from operator import not_
from typing import Annotated, Literal, get_args

from pydantic import AwareDatetime, Field, TypeAdapter

from engine.model import Amount, Model, Positive

Scalar = bool | int | str | None
Reference = Annotated[str, Field(min_length=1, max_length=128)]
ActionKey = Annotated[str, Field(min_length=1, max_length=512)]


class EntryBase(Model):
    """What every entry has: a reference that is unique in its account and kind, and its two dates."""

    id: Reference
    value_date: date
    received_at: AwareDatetime


class Share(Model):
    """A part of an amount that belongs to one bill (or `bill/instalment`)."""

    bill: Reference
    amount: Positive


class Instalment(Model):
    """One part of a bill or plan with its own due date."""

    due_date: date
    amount: Positive


class Bill(EntryBase):
    """A bill that the billing system issued (TMF678 customerBill); `value_date` is the bill date."""

    kind: Literal["bill"] = "bill"
    due_date: date
    amount: Positive
    bill_no: str = ""
    category: Literal["normal", "fee", "late_fee", "interest", "plan"] = "normal"
    service: str = ""
    """Which service the debt is for, where service is cut by debt; empty: the whole account."""
    instalments: tuple[Instalment, ...] = ()
    draft: bool = False
    """A draft never ages and never counts."""
    replaces: tuple[Reference, ...] = ()
    """For a plan: the bills whose open part its instalments take the place of."""
    charges: Annotated[Amount, Field(ge=0, exclude_if=not_)] = Decimal(0)
    """For a plan: what of its amount is its own interest and fee; given up, it is not owed."""
    down_payment: Annotated[Amount, Field(ge=0, exclude_if=not_)] = Decimal(0)
    """For a plan: what it leaves of its bills, to be paid at once; that stays at its own age."""


class BillIssued(EntryBase):
    """A draft bill that has become final."""

    kind: Literal["bill_issued"] = "bill_issued"
    bill: Reference


class Payment(EntryBase):
    """Money received (TMF676 payment); what it does not name is allocated oldest due date first."""

    kind: Literal["payment"] = "payment"
    amount: Positive
    pays: tuple[Share, ...] = ()
    method: str = ""
    service: Annotated[str, Field(exclude_if=not_)] = ""
    """The service that it is for, where the account's money is allocated by service."""


class PaymentReturned(EntryBase):
    """A payment that came back: bounced direct debit, chargeback, cancelled payment."""

    kind: Literal["payment_returned"] = "payment_returned"
    payment: Reference
    """The id of the payment; where there is none, of the recovery."""
    reason: Literal["bounced", "chargeback", "cancelled"] = "bounced"


class ReturnReversed(EntryBase):
    """A return that was itself undone: the payment stands again."""

    kind: Literal["return_reversed"] = "return_reversed"
    returned: Reference
    """The id of the `payment_returned` entry."""


class Refund(EntryBase):
    """Money given back to the customer: from credit first, else the named payment's debts reopen."""

    kind: Literal["refund"] = "refund"
    amount: Positive
    payment: str = ""
    """The id of the payment; where there is none, of the recovery."""


def is_goodwill(reason: str) -> bool:
    """Tell whether a reason begins with `goodwill`: then a bill was right, and is let go from a day on.

    Any other credit note corrects its bill, as if it had always asked for less.
    """
    return reason.strip().casefold().startswith("goodwill")


class CreditNote(EntryBase):
    """A bill corrected downwards, or let go out of goodwill; without a bill it is account credit."""

    kind: Literal["credit_note"] = "credit_note"
    amount: Positive
    bill: str = ""
    reason: str = ""


class Adjustment(EntryBase):
    """A bill changed by a signed amount: positive raises the debt, negative lowers it."""

    kind: Literal["adjustment"] = "adjustment"
    bill: Reference
    amount: Amount
    reason: str = ""


class FeeWaived(EntryBase):
    """A fee, late fee or interest that is let go: it asks for less; what was paid of it becomes credit."""

    kind: Literal["fee_waived"] = "fee_waived"
    bill: Reference
    amount: Positive
    reason: str = ""
    author: str = ""


class WriteDown(EntryBase):
    """A part of a debt that is given up for good; it lowers what is still owed, and never becomes credit."""

    kind: Literal["write_down"] = "write_down"
    bill: Reference
    amount: Positive
    reason: str = ""
    author: str = ""


class Recovery(EntryBase):
    """Money on debt that was written off: it pays that first, oldest due date first, and the mark stays."""

    kind: Literal["recovery"] = "recovery"
    amount: Positive
    bill: str = ""
    """The bill it is for; empty: what is written off, then like a payment."""
    collector: str = ""
    """Who brought it in: an agency, a court."""


class PlanEnded(EntryBase):
    """A plan that is given up: the bills it replaced come back at their own age, less what was paid."""

    kind: Literal["plan_ended"] = "plan_ended"
    plan: Reference
    """The id of the bill that carried the plan's instalments."""
    reason: str = ""


class Dispute(EntryBase):
    """A customer disagrees with a part of a bill (SID CustomerBillingDispute)."""

    kind: Literal["dispute"] = "dispute"
    bill: Reference
    amount: Positive
    reason: str = ""


class DisputeResolved(EntryBase):
    """The end of a dispute: upheld parts are credited by a credit note of their own."""

    kind: Literal["dispute_resolved"] = "dispute_resolved"
    dispute: Reference
    outcome: Literal["upheld", "rejected", "withdrawn"]


class Promise(EntryBase):
    """A customer promises to pay `amount` by a date, perhaps in parts that have dates of their own."""

    kind: Literal["promise"] = "promise"
    amount: Positive
    by: date
    author: str = ""
    milestones: Annotated[tuple[Instalment, ...], Field(exclude_if=not_)] = ()
    """Parts on the way; they add up to `amount`, the last of them due on `by`."""


class PromiseWithdrawn(EntryBase):
    """A promise taken back."""

    kind: Literal["promise_withdrawn"] = "promise_withdrawn"
    promise: Reference


class Hold(EntryBase):
    """A dated interval in which the ladder is held; `[value_date, until)`, open when None."""

    kind: Literal["hold"] = "hold"
    hold: str
    """The kind of hold that the policy names: dispute, hardship, disaster, exempt, legal_stay ..."""
    until: date | None = None
    reason: str = ""
    author: str = ""
    bill: str = ""
    """A bill to which the hold is limited; empty: the whole account."""


class HoldReleased(EntryBase):
    """A hold that ends on `value_date`, before its time."""

    kind: Literal["hold_released"] = "hold_released"
    hold: Reference
    author: str = ""


class FactSet(EntryBase):
    """A fact about the customer that the policy reads: segment, value, vulnerable, grade, tags."""

    kind: Literal["fact"] = "fact"
    name: Reference
    value: Scalar | tuple[str, ...]


class FeedComplete(EntryBase):
    """A feed says that it is complete up to an instant, even when it was empty."""

    kind: Literal["feed"] = "feed"
    feed: Literal["payments", "bills"] = "payments"
    complete_to: AwareDatetime


class Receipt(EntryBase):
    """What became of an action that was asked for (rule 7)."""

    kind: Literal["receipt"] = "receipt"
    key: ActionKey
    status: Literal["requested", "done", "failed", "suppressed", "expired", "withdrawn"]
    at: AwareDatetime
    """When it happened at the receiver; waits and legal periods run from here."""
    detail: str = ""
    until: date | None = None
    """Last day on which a notice that was done is still valid, if its sender said so."""


class Act(EntryBase):
    """A person acts on the case: force a step, skip it once, stop, confirm before sending."""

    kind: Literal["act"] = "act"
    act: Literal["force", "skip", "stop", "resume", "confirm"]
    step: str = ""
    actor: Reference
    reason: Reference
    item: Annotated[str, Field(exclude_if=not_)] = ""
    """The bill, instalment or service whose case it is about; empty: every case of the account."""


class Contact(EntryBase):
    """Somebody was in touch with the customer about the account, as a dialler or a desk records it."""

    kind: Literal["contact"] = "contact"
    channel: Literal["call", "sms", "email", "letter", "push", "visit"]
    outcome: Literal["attempted", "conversation", "sent", "not_connected"]
    """attempted: a call that was placed; conversation: they spoke; not_connected: no number was reached."""
    at: AwareDatetime
    """When it was made, or when the conversation took place."""
    direction: Literal["out", "in"] = "out"
    """in: the customer got in touch; that is a conversation, and no attempt of ours."""
    actor: str = ""
    bills: Annotated[tuple[Reference, ...], Field(exclude_if=not_)] = ()
    """The bills that it was about; empty: all of the account's."""
    consent: Annotated[Literal["", "given", "withdrawn"], Field(exclude_if=not_)] = ""
    """given: the customer agreed in it to be called about these bills; withdrawn: no longer."""


class WriteOffMark(EntryBase):
    """A write-off mark set or removed from outside: takes the debt out, or brings it back."""

    kind: Literal["write_off_mark"] = "write_off_mark"
    bill: str = ""
    """One bill; empty: all debt of the account."""
    marked: bool = True


class Demand(EntryBase):
    """Somebody else's demand on the level of service: limit alarm, fraud, customer request."""

    kind: Literal["demand"] = "demand"
    source: Reference
    level: Literal["open", "outgoing_barred", "suspended", "terminated"]
    reason: str = ""
    """A demand for `open` withdraws the source's earlier one."""


class DepositMoved(EntryBase):
    """A deposit: asked for, taken in, topped up, credited with interest, given back, or applied to debt."""

    kind: Literal["deposit"] = "deposit"
    move: Literal["requested", "held", "topped_up", "interest", "released", "applied"]
    amount: Positive


class DepositReviewed(EntryBase):
    """A review of the deposit: what is to be held from now on; what it leads to has entries of its own."""

    kind: Literal["deposit_review"] = "deposit_review"
    outcome: Literal["keep", "top_up", "release"]
    amount: Annotated[Amount, Field(ge=0)]
    """The deposit that is asked of the account after the review; 0: none."""
    reason: str = ""
    author: str = ""


Entry = Annotated[
    Bill | BillIssued | Payment | PaymentReturned | ReturnReversed | Refund | CreditNote
    | Adjustment | FeeWaived | WriteDown | Recovery | PlanEnded
    | Dispute | DisputeResolved | Promise | PromiseWithdrawn | Hold | HoldReleased
    | FactSet | FeedComplete | Receipt | Act | Contact | WriteOffMark | Demand
    | DepositMoved | DepositReviewed,
    Field(discriminator="kind"),
]  # fmt: skip
EntryAdapter: TypeAdapter[Entry] = TypeAdapter(Entry)
KINDS: tuple[type[EntryBase], ...] = get_args(get_args(Entry)[0])
"""Every class of entries."""
