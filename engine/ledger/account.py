"""An account's position: what is owed, held, promised, confirmed, as known at one instant."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from operator import not_
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from engine.ledger.allocation import AllocationRule
from engine.ledger.entries import Act, Scalar
from engine.model import Amount, Model

Level = Literal["open", "outgoing_barred", "suspended", "terminated"]
LEVELS: tuple[Level, ...] = ("open", "outgoing_barred", "suspended", "terminated")
"""Service is a level, not a command: each is more severe than the one before."""


class Terms(Model):
    """What stands still about an account: who, in which money, in whose days."""

    account: str
    customer: str
    currency: str
    timezone: str
    allocation: Annotated[AllocationRule, Field(exclude_if=lambda rule: rule == AllocationRule())] = (
        AllocationRule()
    )
    """How money that names no bill is spread."""


class DatedFact(Model):
    """One word on a fact about the customer, with the day from which it counts."""

    name: str
    since: date
    value: Scalar | tuple[str, ...]


class Debt(Model):
    """One debt: a bill, or one instalment of a bill (`B7/2`)."""

    id: str
    bill: str
    category: Literal["normal", "fee", "late_fee", "interest", "plan"] = "normal"
    service: str = ""
    invoice_date: date
    due_date: date
    known_at: AwareDatetime
    amount: Amount
    """As billed, after credit notes and adjustments."""
    open: Amount
    """Still owed, the disputed part included."""
    disputed: Amount = Decimal(0)
    written_off: bool = False
    written_off_on: Annotated[date | None, Field(exclude_if=not_)] = None
    """Value date of the mark that wrote it off."""
    settled_on: date | None = None
    reopened_on: date | None = None
    """Value date of the refund or return that made a settled debt open again."""
    reopened_by: Literal["", "refund", "chargeback"] = ""
    returned: Annotated[tuple[tuple[date, date], ...], Field(exclude_if=not_)] = ()
    """Payments that came back and had not settled it: value dates of the payment and of its return."""
    without_credit: Amount | None = None
    """Still owed when credit notes that name no bill are left out; None: the same as `open`."""
    paid: tuple[tuple[date, Amount], ...] = ()
    """What money took off the open amount since it was due, by value date; negative when it came back.

    Corrections of the bill are not in it: they count as if it had always asked for less."""
    revised: Annotated[tuple[tuple[date, Amount], ...], Field(exclude_if=not_)] = ()
    """What was given up of it since it was due (or asked for later, when negative), by value date.

    It was owed until then (or only from then on), so it is no correction of the days before."""

    @property
    def moved(self) -> tuple[tuple[date, Decimal], ...]:
        """What took something off the open amount since it was due, or gave it back, by value date."""
        return (*self.paid, *self.revised)


class HeldInterval(Model):
    """A hold as a dated interval `[since, until)`; open when `until` is None."""

    id: str
    kind: str
    since: date
    until: date | None
    bill: str = ""
    reason: str = ""
    author: str = ""


class DisputedPart(Model):
    """A dispute with its part of a bill and what became of it."""

    id: str
    bill: str
    amount: Amount
    since: date
    resolved_on: date | None = None
    outcome: Literal["", "upheld", "rejected", "withdrawn"] = ""
    remaining: Amount = Decimal(0)
    """What it still takes out: all while it is open; of an upheld one, what no credit note covers yet."""
    also: Annotated[tuple[tuple[str, Amount], ...], Field(exclude_if=not_)] = ()
    """What stands in the place of what it names, each with the most that it takes out there.

    The plan that its bill is under; or the bills of a plan that was given up. The last due is taken first."""


class Promised(Model):
    """A promise to pay, with what has been paid towards it."""

    id: str
    amount: Amount
    made_on: date
    by: date
    paid: Amount = Decimal(0)
    """Payments by value date since it was made, up to `at`; the policy's grace decides kept or broken."""
    paid_by: tuple[tuple[date, Amount], ...] = ()
    withdrawn_on: date | None = None
    overdue: Amount = Decimal(0)
    """What was past due and undisputed when it was made."""
    milestones: Annotated[tuple[tuple[date, Amount], ...], Field(exclude_if=not_)] = ()
    """Parts of the amount with days of their own, by day; the last one is due on `by`."""


class Received(Model):
    """The latest word on an action, by its key."""

    key: str
    status: Literal["requested", "done", "failed", "suppressed", "expired", "withdrawn"]
    at: AwareDatetime
    received_at: AwareDatetime
    detail: str = ""
    until: date | None = None


class Contacted(Model):
    """One contact with the customer: what was recorded of this account, and what others asked for."""

    at: AwareDatetime
    channel: str
    outcome: Literal["attempted", "conversation", "sent", "not_connected"] = "sent"
    direction: Annotated[Literal["out", "in"], Field(exclude_if=lambda way: way == "out")] = "out"
    account: Annotated[str, Field(exclude_if=not_)] = ""
    """Another account of the customer that it was about; empty: this one."""
    key: Annotated[str, Field(exclude_if=not_)] = ""
    """The key of the action, when it was one of ours."""
    text: Annotated[str, Field(exclude_if=not_)] = ""
    """The name of the text that was sent."""
    pending: Annotated[bool, Field(exclude_if=not_)] = False
    """It was asked for and nothing more is known."""
    bills: Annotated[tuple[str, ...], Field(exclude_if=not_)] = ()
    """The bills that it was about; empty: all of its account."""
    consent: Annotated[Literal["", "given", "withdrawn"], Field(exclude_if=not_)] = ""
    """given: the customer agreed in it to be called about them; withdrawn: no longer."""


class DemandedLevel(Model):
    """Somebody else's demand on service in force."""

    source: str
    level: Level
    reason: str = ""
    since: date
    service: Annotated[str, Field(exclude_if=not_)] = ""
    """The service that it is limited to; empty: all services of the account."""


class AccountPosition(Model):
    """All that `step` may know of an account at `at`; recorded whole in the case's history."""

    terms: Terms
    at: AwareDatetime
    today: date
    """Local business date of `at` in the account's zone, or the day that was asked for."""
    version: int
    """How many entries of the account were known; rises with each."""
    facts: dict[str, Scalar | tuple[str, ...]] = {}
    dated_facts: Annotated[tuple[DatedFact, ...], Field(exclude_if=not_)] = ()
    """What facts were told in the last 92 days and the last word before, in the order in which they count;
    only when one of them became known after its value date."""
    debts: tuple[Debt, ...] = ()
    """Open ones, and settled ones for as long as they can matter, by due date and id.

    A settled one can matter for 92 days: when it was settled late, or when that became known late."""
    credit: Amount = Decimal(0)
    """Money that no debt has taken."""
    waiting: tuple[tuple[str, Amount], ...] = ()
    """Of it, what names bills that have not come: the bill and the amount. It pays nothing else."""
    deposit: Amount = Decimal(0)
    deposit_asked: Annotated[tuple[str, ...], Field(exclude_if=not_)] = ()
    """Of several cases of the account, those that have asked for the deposit and wait for it to be booked."""
    holds: tuple[HeldInterval, ...] = ()
    disputes: tuple[DisputedPart, ...] = ()
    promises: tuple[Promised, ...] = ()
    receipts: tuple[Received, ...] = ()
    acts: tuple[Act, ...] = ()
    feeds: dict[str, AwareDatetime] = {}
    demands: tuple[DemandedLevel, ...] = ()
    contacts: Annotated[tuple[Contacted, ...], Field(exclude_if=not_)] = ()
    """Contacts of the last 92 days that are no receipt of this account: calls that were recorded, what was
    sent about the customer's other accounts, by other cases and for alerts."""
    next_value_date: date | None = None
    """The first later day on which an entry that is already known begins to count."""
