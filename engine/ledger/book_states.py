"""What a book keeps while a history is told: a debt, money received, a refund, a plan, a dispute."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from engine.ledger.entries import Dispute, Share

ZERO = Decimal(0)
Cause = Literal["", "refund", "chargeback"]
REFUND = "refund:"
"""How the names of debts begin that are refunds whose money came back."""


@dataclass(slots=True)
class DebtState:
    """One debt while its history is told."""

    id: str
    bill: str
    category: Literal["normal", "fee", "late_fee", "interest", "plan"]
    service: str
    invoice_date: date
    due_date: date
    known_at: datetime
    amount: Decimal
    open: Decimal
    contested: Decimal = ZERO
    """What disputes claim of it; it can be more than what is still open."""
    written_off: bool = False
    written_off_on: date | None = None
    settled_on: date | None = None
    reopened_on: date | None = None
    reopened_by: Cause = ""
    returned: dict[str, tuple[date, date]] = field(default_factory=dict)
    """By return: the days of a payment that had not settled it, and of its return."""
    plan: str = ""
    """The plan that took its place; what it took over stands in `moved`."""
    moved: Decimal = ZERO
    pulled: Decimal = ZERO
    """What a write-off mark took out of its plan; without the mark it goes back under it."""
    over: Decimal = ZERO
    """Corrections downwards of more than it asks for; what is asked for more makes up for them first."""
    changes: list[tuple[date, Decimal]] = field(default_factory=list)
    """What money took off the open amount (or gave back, when negative), by value date."""
    revised: list[tuple[date, Decimal]] = field(default_factory=list)
    """What was given up of it (or asked for later, when negative), by value date: it counts from then on."""

    @property
    def disputed(self) -> Decimal:
        """The part of the open amount that is disputed."""
        return min(self.contested, self.open)

    def change(self, by: Decimal, day: date) -> None:
        """Lower the open amount by money, or raise it when `by` is negative."""
        if by:
            self.changes.append((day, by))
            self.correct(by, day)

    def correct(self, by: Decimal, day: date) -> None:
        """Lower the open amount by a correction of the bill, as if it had always asked for less."""
        if by:
            self.open -= by
            self.settled_on = None if self.open else day

    def write_off(self, day: date | None) -> None:
        """Mark it as written off from a day on, its first mark counts; None removes the mark."""
        self.written_off_on = day and (self.written_off_on or day)
        self.written_off = day is not None

    def revise(self, by: Decimal, day: date) -> None:
        """Lower what is asked for from a day on; before it the debt stays what it was."""
        if by:
            self.revised.append((day, by))
            self.amount -= by
            self.correct(by, day)

    def unask(self, amount: Decimal) -> None:
        """Take a correction downwards out of what was asked for later, the last first."""
        for n in reversed(range(len(self.revised))):
            day, by = self.revised[n]
            part = min(amount, -by)
            if part > 0:
                self.revised[n] = (day, by + part)
                amount -= part

    @property
    def given_up(self) -> Decimal:
        """What was given up of it and is no correction: written down, let go out of goodwill."""
        return sum((by for _, by in self.revised if by > 0), ZERO)

    def take_back(self, amount: Decimal) -> None:
        """Let a correction stand in the place of what was given up, the last first: it was never owed."""
        for n in reversed(range(len(self.revised))):
            day, by = self.revised[n]
            part = min(amount, by)
            if part > 0:
                self.revised[n] = (day, by - part)
                amount -= part

    def uncount(self, amount: Decimal) -> None:
        """Take money out of what was paid, the last first: the bill was corrected and did not need it."""
        for n in reversed(range(len(self.changes))):
            day, by = self.changes[n]
            part = min(amount, by)
            if part > 0:
                self.changes[n] = (day, by - part)
                amount -= part

    def __lt__(self, other: DebtState) -> bool:
        return (self.due_date, self.id) < (other.due_date, other.id)


@dataclass(slots=True)
class Fund:
    """Money received: a payment, an applied deposit, or a credit note that names no bill."""

    key: str
    on: date
    amount: Decimal
    free: Decimal
    """What no debt has taken and no share reserves."""
    named: tuple[Share, ...] = ()
    reserved: Decimal = ZERO
    """Shares that name a bill which has not come yet."""
    parts: dict[str, Decimal] = field(default_factory=dict)
    """What it paid, by debt, in the order of paying."""
    service: str = ""
    """The service that it is for, where money is allocated by service."""
    return_id: str = ""
    """The entry that took it back; empty while it stands."""
    before: dict[str, tuple[Decimal, date | None]] = field(default_factory=dict)
    """What it had paid when it was returned, and when that settled the debt."""
    given_back: Decimal = ZERO
    """What was refunded from it."""
    refunds: list[tuple[RefundState, Decimal]] = field(default_factory=list)
    """The refunds that it paid for, each with its part."""

    def __lt__(self, other: Fund) -> bool:
        return (self.on, self.key) < (other.on, other.key)


@dataclass(frozen=True, slots=True)
class RefundState:
    """Money that went out: when, how much, and from which payment, if it names one."""

    id: str
    amount: Decimal
    on: date
    known_at: datetime
    fund: Fund | None = None

    @property
    def debt(self) -> str:
        """The name of the debt that it becomes when the money behind it comes back."""
        return f"{REFUND}{self.id}"


@dataclass(slots=True)
class PlanState:
    """A plan while its history is told: what it asks for, and what it took the place of."""

    id: str
    known_at: datetime
    parts: list[DebtState]
    """Its instalments, by due date."""
    asked: dict[str, Decimal]
    """What each of them asks for when nothing is taken out of the plan."""
    principal: Decimal
    """What it says to take the place of, without its charges."""
    down_payment: Decimal
    wants: list[str]
    """The bills that it names."""
    unseen: set[str]
    """Of these, what has not come."""
    room: Decimal
    """What it could still take over."""
    fresh: set[str] = field(default_factory=set)
    """The bills whose open part goes under it on the day that is told now."""
    covered: list[DebtState] = field(default_factory=list)
    """The debts that it took over."""
    left: Decimal = ZERO
    """What it left of its bills, undisputed, when it was made."""
    excess: Decimal = ZERO
    """What it says to take the place of and found nothing for; it asks for that much less."""
    over: bool = False
    """It was given up."""

    @property
    def fits(self) -> bool:
        """Tell whether it took the place of what it says; one that waits for bills may do so still."""
        return bool(self.over or self.unseen) or (not self.excess and self.left <= self.down_payment)


@dataclass(slots=True)
class DisputeState:
    """A dispute while its history is told."""

    entry: Dispute
    debts: tuple[DebtState, ...]
    credited: Decimal = ZERO
    """What credit notes on its bill have covered since."""
    resolved_on: date | None = None
    outcome: Literal["", "upheld", "rejected", "withdrawn"] = ""
    touches: dict[str, Decimal] = field(default_factory=dict)
    """What it takes out of which debt: of its bill, or of the plan in its bill's place."""

    @property
    def remaining(self) -> Decimal:
        """What it still takes out: an upheld part stays out until its credit note has come."""
        if self.outcome in ("rejected", "withdrawn"):
            return ZERO
        return max(ZERO, self.entry.amount - self.credited)
