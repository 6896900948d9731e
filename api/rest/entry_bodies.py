"""One body for each kind of entry: what a billing system says, field by field as the TM Forum names it.

They mirror `engine.ledger.entries` and are classes of their own, so that the API can keep an old spelling
when the engine learns a new one. All amounts are decimal strings in the account's currency.
"""

from __future__ import annotations

from decimal import Decimal
from operator import not_
from typing import Annotated, Any, Literal

from pydantic import Field

from api.rest.bodies import Amount, Body, Currency, Day, Id, Instant, Positive, ReceivedAt, Ref, example
from engine.ledger.entries import Entry, EntryAdapter

NotNegative = Annotated[Amount, Field(ge=0)]
_DAY: dict[str, Any] = {"account": "A1001", "value_date": "2026-03-01"}
ValueDate = Annotated[Day, Field(description="The local business date on which it counts.")]


class EntryBody(Body):
    """What every entry has."""

    account: Id
    id: Ref = Field(
        description="Unique for its account and kind; the same again is answered with what is stored."
    )
    value_date: ValueDate
    received_at: ReceivedAt = None
    currency: Currency | None = Field(
        default=None,
        description="What its amounts are in: refused where the account is in another. It is not stored.",
    )


class ShareBody(Body):
    """A part of a payment for one bill (TMF676 paymentItem)."""

    bill: Ref
    amount: Positive


class InstalmentBody(Body):
    """One part of a bill with its own due date."""

    due_date: Day
    amount: Positive


class BillBody(EntryBody):
    """A bill (TMF678 customerBill): `due_date` is paymentDueDate, `amount` amountDue."""

    model_config = example(
        **_DAY, id="B-2026-03", due_date="2026-03-18", amount="128.40", bill_no="202603A1001"
    )
    kind: Literal["bill"] = "bill"
    due_date: Day
    amount: Positive
    bill_no: str = ""
    category: Literal["normal", "fee", "late_fee", "interest", "plan"] = "normal"
    service: str = ""
    instalments: tuple[InstalmentBody, ...] = ()
    draft: bool = False
    replaces: tuple[Ref, ...] = ()
    charges: NotNegative = Field(
        default=Decimal(0),
        description="Of a plan: what of its amount is its own interest and fee; given up, it is not owed.",
    )
    down_payment: NotNegative = Field(
        default=Decimal(0),
        description="Of a plan: what it leaves of its bills, to be paid at once; that stays at its own age.",
    )


class BillIssuedBody(EntryBody):
    """A draft bill that has become final."""

    model_config = example(**_DAY, id="I-1", bill="B-2026-03")
    kind: Literal["bill_issued"] = "bill_issued"
    bill: Ref


class PaymentBody(EntryBody):
    """Money received (TMF676 payment); what `pays` does not name is spread by the account's `allocation`."""

    model_config = example(**_DAY, id="P-77", amount="128.40", method="direct_debit")
    kind: Literal["payment"] = "payment"
    amount: Positive
    pays: tuple[ShareBody, ...] = ()
    method: str = ""
    service: str = Field(
        default="", max_length=128,
        description="The service that it is for, where the account's money is allocated `by_service`.",
    )  # fmt: skip


class PaymentReturnedBody(EntryBody):
    """A payment that came back: bounced, charged back, cancelled."""

    model_config = example(**_DAY, id="R-1", payment="P-77", reason="bounced")
    kind: Literal["payment_returned"] = "payment_returned"
    payment: Ref = Field(description="The payment; where there is none of this id, the recovery.")
    reason: Literal["bounced", "chargeback", "cancelled"] = "bounced"


class ReturnReversedBody(EntryBody):
    """A return that was itself undone: the payment stands again."""

    model_config = example(**_DAY, id="RR-1", returned="R-1")
    kind: Literal["return_reversed"] = "return_reversed"
    returned: Ref


class RefundBody(EntryBody):
    """Money given back (TMF676 refund)."""

    model_config = example(**_DAY, id="RF-1", amount="20.00", payment="P-77")
    kind: Literal["refund"] = "refund"
    amount: Positive
    payment: str = Field(
        default="",
        description="The payment (where there is none of this id, the recovery) whose money goes back. When "
        "it comes back as well, the refund is owed: a debt `refund:` with the refund's id.",
    )


class CreditNoteBody(EntryBody):
    """A bill corrected downwards; without a bill it is account credit."""

    model_config = example(**_DAY, id="CN-1", amount="15.00", bill="B-2026-03", reason="tariff corrected")
    kind: Literal["credit_note"] = "credit_note"
    amount: Positive
    bill: str = ""
    reason: str = ""


class AdjustmentBody(EntryBody):
    """A bill changed by a signed amount."""

    model_config = example(**_DAY, id="AD-1", bill="B-2026-03", amount="-2.50", reason="rounding")
    kind: Literal["adjustment"] = "adjustment"
    bill: Ref
    amount: Amount
    reason: str = ""


class FeeWaivedBody(EntryBody):
    """A fee, late fee or interest that is let go; what was paid of it becomes credit."""

    model_config = example(**_DAY, id="FW-1", bill="F-2026-03", amount="10.00", reason="goodwill")
    kind: Literal["fee_waived"] = "fee_waived"
    bill: Ref
    amount: Positive
    reason: str = ""
    author: str = ""


class WriteDownBody(EntryBody):
    """A part of a debt that is given up for good."""

    model_config = example(**_DAY, id="WD-1", bill="B-2026-03", amount="50.00", reason="settlement")
    kind: Literal["write_down"] = "write_down"
    bill: Ref
    amount: Positive
    reason: str = ""
    author: str = ""


class RecoveryBody(EntryBody):
    """Money on debt that was written off."""

    model_config = example(**_DAY, id="RC-1", amount="60.00", collector="agency 4")
    kind: Literal["recovery"] = "recovery"
    amount: Positive
    bill: str = ""
    collector: str = ""


class PlanEndedBody(EntryBody):
    """A plan that is given up: the bills it replaced come back at their own age."""

    model_config = example(**_DAY, id="PE-1", plan="PLAN-1", reason="two instalments missed")
    kind: Literal["plan_ended"] = "plan_ended"
    plan: Ref
    reason: str = ""


class DisputeBody(EntryBody):
    """A customer disagrees with a part of a bill."""

    model_config = example(**_DAY, id="D-1", bill="B-2026-03", amount="40.00", reason="roaming not used")
    kind: Literal["dispute"] = "dispute"
    bill: Ref
    amount: Positive
    reason: str = ""


class DisputeResolvedBody(EntryBody):
    """The end of a dispute."""

    model_config = example(**_DAY, id="DR-1", dispute="D-1", outcome="rejected")
    kind: Literal["dispute_resolved"] = "dispute_resolved"
    dispute: Ref
    outcome: Literal["upheld", "rejected", "withdrawn"]


class PromiseBody(EntryBody):
    """A promise to pay an amount by a date."""

    model_config = example(**_DAY, id="PR-1", amount="128.40", by="2026-04-10", author="agent 17")
    kind: Literal["promise"] = "promise"
    amount: Positive
    by: Day
    author: str = ""
    milestones: Annotated[tuple[InstalmentBody, ...], Field(exclude_if=not_)] = ()


class PromiseWithdrawnBody(EntryBody):
    """A promise taken back."""

    model_config = example(**_DAY, id="PW-1", promise="PR-1")
    kind: Literal["promise_withdrawn"] = "promise_withdrawn"
    promise: Ref


class HoldBody(EntryBody):
    """A dated interval in which the ladder is held: `[value_date, until)`."""

    model_config = example(
        **_DAY, id="H-1", hold="hardship", until="2026-04-01", reason="illness", author="agent 17"
    )
    kind: Literal["hold"] = "hold"
    hold: str
    until: Day | None = None
    reason: str = ""
    author: str = ""
    bill: str = ""


class HoldReleasedBody(EntryBody):
    """A hold that ends on `value_date`, before its time."""

    model_config = example(**_DAY, id="HR-1", hold="H-1", author="agent 17")
    kind: Literal["hold_released"] = "hold_released"
    hold: Ref
    author: str = ""


class FactBody(EntryBody):
    """A fact about the account that a collections policy reads."""

    model_config = example(**_DAY, id="F-1", name="vulnerable", value=True)
    kind: Literal["fact"] = "fact"
    name: Ref
    value: bool | int | str | tuple[str, ...] | None


class AccountFeedBody(EntryBody):
    """A feed that is complete up to an instant, for this account alone."""

    model_config = example(**_DAY, id="FD-1", feed="payments", complete_to="2026-03-01T23:59:59+08:00")
    kind: Literal["feed"] = "feed"
    feed: Literal["payments", "bills"] = "payments"
    complete_to: Instant


class ActBody(EntryBody):
    """A person acts on the case: force a step, skip it once, stop, resume, confirm before sending."""

    model_config = example(**_DAY, id="ACT-1", act="skip", step="bar", actor="agent 17", reason="hospital")
    kind: Literal["act"] = "act"
    act: Literal["force", "skip", "stop", "resume", "confirm"]
    step: str = ""
    actor: Ref
    reason: Ref
    item: str = ""


class ContactBody(EntryBody):
    """A contact with the customer that was made elsewhere: a call, a conversation, a message, a visit.

    It counts for the caps in every case and account of the customer, and for the law in what it was about:
    the `bills` it names, or all of the account's. `consent` says that the customer agreed in it to be called.
    """

    model_config = example(
        **_DAY, id="CT-1", channel="call", outcome="conversation", at="2026-03-01T10:12:00+08:00",
        actor="agent 17", bills=["B-2026-03"], consent="given",
    )  # fmt: skip
    kind: Literal["contact"] = "contact"
    channel: Literal["call", "sms", "email", "letter", "push", "visit"]
    outcome: Literal["attempted", "conversation", "sent", "not_connected"]
    at: Instant
    direction: Literal["out", "in"] = "out"
    actor: str = ""
    bills: tuple[Ref, ...] = ()
    consent: Literal["", "given", "withdrawn"] = ""


class WriteOffMarkBody(EntryBody):
    """A write-off mark set or removed from outside."""

    model_config = example(**_DAY, id="W-1", bill="B-2026-03", marked=True)
    kind: Literal["write_off_mark"] = "write_off_mark"
    bill: str = ""
    marked: bool = True


class DemandBody(EntryBody):
    """Somebody else's demand on the level of service; `open` withdraws the source's earlier one."""

    model_config = example(
        **_DAY, id="DM-1", source="limit-alarm", level="outgoing_barred", reason="limit reached"
    )
    kind: Literal["demand"] = "demand"
    source: Ref
    level: Literal["open", "outgoing_barred", "suspended", "terminated"]
    reason: str = ""


class DepositReviewedBody(EntryBody):
    """A review of the deposit: what is to be held from now on."""

    model_config = example(**_DAY, id="DV-1", outcome="release", amount="0", reason="twelve good months")
    kind: Literal["deposit_review"] = "deposit_review"
    outcome: Literal["keep", "top_up", "release"]
    amount: Annotated[Amount, Field(ge=0)]
    reason: str = ""
    author: str = ""


class DepositBody(EntryBody):
    """A deposit: asked for, taken in, topped up, credited with interest, given back, or applied to debt."""

    model_config = example(**_DAY, id="DP-1", move="held", amount="300.00")
    kind: Literal["deposit"] = "deposit"
    move: Literal["requested", "held", "topped_up", "interest", "released", "applied"]
    amount: Positive


RESOURCES: dict[str, type[EntryBody]] = {
    "bills": BillBody,
    "issued-bills": BillIssuedBody,
    "payments": PaymentBody,
    "returned-payments": PaymentReturnedBody,
    "return-reversals": ReturnReversedBody,
    "refunds": RefundBody,
    "credit-notes": CreditNoteBody,
    "adjustments": AdjustmentBody,
    "fee-waivers": FeeWaivedBody,
    "write-downs": WriteDownBody,
    "recoveries": RecoveryBody,
    "ended-plans": PlanEndedBody,
    "disputes": DisputeBody,
    "dispute-resolutions": DisputeResolvedBody,
    "promises": PromiseBody,
    "promise-withdrawals": PromiseWithdrawnBody,
    "holds": HoldBody,
    "hold-releases": HoldReleasedBody,
    "facts": FactBody,
    "account-feeds": AccountFeedBody,
    "acts": ActBody,
    "contacts": ContactBody,
    "write-off-marks": WriteOffMarkBody,
    "demands": DemandBody,
    "deposits": DepositBody,
    "deposit-reviews": DepositReviewedBody,
}
"""Every kind of entry by the path under which it is posted; receipts come by the action's own path."""


def kind_of(body: type[EntryBody]) -> str:
    """Return the kind of entry that a body is about."""
    return str(body.model_fields["kind"].default)


def to_entry(body: EntryBody, received_at: object) -> Entry:
    """Return a body as the engine's entry."""
    values = body.model_dump(exclude={"account", "currency"})
    return EntryAdapter.validate_python(values | {"received_at": received_at})


def to_body(account: str, entry: Entry) -> dict[str, Any]:
    """Return an entry as it goes out."""
    return {"account": account, **entry.model_dump(mode="json")}
