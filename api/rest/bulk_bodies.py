"""One row of a bulk body: a customer, an account or an entry, told apart by `kind`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from api.rest import entry_bodies as e
from api.rest.accounts import AccountBody
from api.rest.bodies import Body
from api.rest.customers import CustomerBody, begun, facts_of, verified_by_now
from api.rest.routes import day_told, received
from api.storage.accounts import allocation_text
from api.storage.bulk import Item, NewAccount, NewCustomer, NewEntry
from api.wiring import Wiring


class CustomerRowBody(CustomerBody):
    """A customer as a row."""

    kind: Literal["customer"]


class AccountRowBody(AccountBody):
    """An account as a row."""

    kind: Literal["account"]


RowBody = Annotated[
    CustomerRowBody | AccountRowBody
    | e.BillBody | e.BillIssuedBody | e.PaymentBody | e.PaymentReturnedBody | e.ReturnReversedBody
    | e.RefundBody | e.CreditNoteBody | e.AdjustmentBody | e.FeeWaivedBody | e.WriteDownBody | e.RecoveryBody
    | e.PlanEndedBody | e.DisputeBody
    | e.DisputeResolvedBody | e.PromiseBody | e.PromiseWithdrawnBody | e.HoldBody | e.HoldReleasedBody
    | e.FactBody | e.AccountFeedBody | e.ActBody | e.WriteOffMarkBody | e.DemandBody | e.DepositBody
    | e.DepositReviewedBody | e.ContactBody,
    Field(discriminator="kind"),
]  # fmt: skip
Rows: TypeAdapter[RowBody] = TypeAdapter(RowBody)


class RowAnswer(Body):
    """What became of one row: the last line of an answer sums up."""

    line: int = Field(description="Line of the body, from 1.")
    status: int = Field(
        description="201: stored; 200: it was there; 424: good, but not kept; other 4xx: refused."
    )
    kind: str = ""
    id: str = ""
    problem: dict[str, Any] | None = None
    notes: list[str] = Field(
        default=[], description="Of a customer, a hold, a fact or an event: as the single answer tells them."
    )


class Summary(Body):
    """The last line of the answer."""

    rows: int
    stored: int
    already: int
    refused: int
    kept: bool = Field(
        description="False: a dry run, or `mode=all` and a row was refused: nothing was stored."
    )


class SummaryLine(Body):
    """The last line of the answer."""

    summary: Summary


def to_item(wiring: Wiring, body: RowBody, now: datetime) -> Item:
    """Return a row as storage takes it, known at `now`; raises Refusal where `received_at` is wrong."""
    if isinstance(body, CustomerRowBody):
        at = received(wiring, body.received_at, needed=False, now=now)
        begun(wiring, body.since, at)
        facts = facts_of(body.facts, day_told(at))
        verified_by_now(facts, at)
        return NewCustomer(body.id, body.name, body.segment, body.since, facts, at)
    if isinstance(body, AccountRowBody):
        at = received(wiring, body.received_at, needed=False, now=now)
        policy = body.collections_policy
        return NewAccount(
            body.id, body.customer, body.currency, body.timezone, policy, at, body.dependant,
            allocation_text(body.allocation),
        )  # fmt: skip
    entry = e.to_entry(body, received(wiring, body.received_at, now=now))
    return NewEntry(body.account, entry, body.currency or "")
