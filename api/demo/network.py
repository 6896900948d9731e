"""The operator's other systems in the demo: they carry out what Forbear asks for, most of the time.

A few drawn actions fail, confirm hours later or never, as real gateways do. What billing books on its
own account for it (a fee, a deposit that is applied) comes back as entries.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal
from zoneinfo import ZoneInfo

from api.demo.draws import Draws

FAILS = Fraction(15, 1000)
LATER = Fraction(45, 1000)
NEVER = Fraction(50, 1000)
"""Of a hundred notices 1.5 fail, 3 are confirmed hours later, 0.5 never; each bound includes those before."""
RESTORED_LATER = Fraction(8, 100)
FEE_DUE = timedelta(days=17)
BOOKED_AFTER = timedelta(minutes=30)
PAID_AFTER = timedelta(hours=20)
"""Customers who pay their debt, pay the fees that they are told of a day later."""
DESK_TAKES = timedelta(hours=26)
"""A person at a desk has done a task, or approved something, the day after."""
FOR_PEOPLE = ("task", "approve")

Mood = Literal["done", "failed", "later", "never"]


@dataclass(frozen=True, slots=True)
class Order:
    """One action as it was asked for."""

    key: str
    account: str
    do: str
    args: tuple[str, ...]
    step: str
    undo: bool
    level: str
    amount: Decimal
    at: datetime
    not_after: datetime | None


@dataclass(frozen=True, slots=True)
class Reaction:
    """What the billing system will say about an account at an instant: a receipt, or something it booked."""

    at: datetime
    receipt: str = ""
    """Key of the action that is confirmed."""
    entry: dict[str, Any] = field(default_factory=dict)
    pays_fees: bool = False
    """The customer pays the fees that were booked by then."""


@dataclass(slots=True)
class Network:
    """Switches, gateways and billing: acts on orders and remembers what it did."""

    draws: Draws
    zones: dict[str, str]
    orders: list[Order] = field(default_factory=list)
    moods: Counter[str] = field(default_factory=Counter)
    levels: dict[str, str] = field(default_factory=dict)
    reactions: dict[str, list[Reaction]] = field(default_factory=lambda: defaultdict(list))
    fees: dict[str, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    """Fees that were booked and are not paid, by account and bill."""
    _seen: dict[str, dict[str, Any] | None] = field(default_factory=dict)

    def carry_out(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """Act on an event and return the receipt for the answer; None: it will be confirmed later or never.

        The same event again does nothing and is answered as before.
        """
        order = _order(event)
        if order.key in self._seen:
            return self._seen[order.key]
        self.orders.append(order)
        if order.do in FOR_PEOPLE:
            self.moods["desk"] += 1
            self._react(order, Reaction(order.at + DESK_TAKES, receipt=order.key))
            return self._answer(order, None)
        mood = self._mood(order)
        self.moods[mood] += 1
        if mood == "failed":
            return self._answer(order, {"status": "failed", "detail": "the number does not answer"})
        if mood in ("later", "never"):
            if mood == "later":
                hours = self.draws.integer(2, 30, order.key, "hours")
                self._react(order, Reaction(order.at + timedelta(hours=hours), receipt=order.key))
            return self._answer(order, None)
        self._book(order)
        return self._answer(order, {"status": "done", "detail": "demo network"})

    def confirmed(self, key: str) -> None:
        """Carry out an order now that was to be confirmed later."""
        self._book(next(order for order in self.orders if order.key == key))

    def paid(self, account: str, at: datetime) -> None:
        """Note that a customer pays; whoever pays the debt pays open fees too."""
        if self.fees[account]:
            self.reactions[account].append(Reaction(at + PAID_AFTER, pays_fees=True))

    def entries_of(self, reaction: Reaction, account: str) -> list[dict[str, Any]]:
        """Return the entries that billing posts for a reaction, now that its instant has come."""
        if reaction.entry:
            if reaction.entry["kind"] == "bill":
                self.fees[account][reaction.entry["id"]] = reaction.entry["amount"]
            return [reaction.entry]
        if not reaction.pays_fees:
            return []
        day = self._day(account, reaction.at)
        return [
            {
                "kind": "payment", "id": f"P-{bill}", "value_date": day, "amount": amount,
                "method": "wallet", "pays": [{"bill": bill, "amount": amount}],
            }
            for bill, amount in self.fees.pop(account, {}).items()
        ]  # fmt: skip

    def _answer(self, order: Order, receipt: dict[str, Any] | None) -> dict[str, Any] | None:
        self._seen[order.key] = receipt
        return receipt

    def _react(self, order: Order, reaction: Reaction) -> None:
        self.reactions[order.account].append(reaction)

    def _mood(self, order: Order) -> Mood:
        drawn = self.draws.fraction(order.key, "mood")
        if order.do == "notify":
            if drawn < FAILS:
                return "failed"
            if drawn < LATER:
                return "later"
            return "never" if drawn < NEVER else "done"
        if order.do == "service" and order.undo and drawn < RESTORED_LATER:
            return "later"
        return "done"

    def _book(self, order: Order) -> None:
        if order.level:
            self.levels[order.account] = order.level
        if order.undo:
            return
        day = self._day(order.account, order.at)
        at = order.at + BOOKED_AFTER
        _, _, case, item, step, entry, *_ = order.key.split("/")
        if order.do == "fee" and order.amount > 0:
            late = order.args in (("late_fee",), ("interest",))
            name = f"LF-{case}-{item}" if late else f"FEE-{case}-{step}-{entry}"
            bill = {
                "kind": "bill", "id": name, "value_date": day, "due_date": day + FEE_DUE,
                "amount": order.amount, "category": order.args[0] if late else "fee",
            }  # fmt: skip
            self._react(order, Reaction(at, entry=bill))
            if late:  # it is asked for when the debt is paid: this customer pays
                self._react(order, Reaction(order.at + PAID_AFTER, pays_fees=True))
        elif order.do == "apply" and order.amount > 0:
            moved = {
                "kind": "deposit", "id": f"DEP-{case}-{step}-{entry}", "value_date": day, "move": "applied",
                "amount": order.amount,
            }  # fmt: skip
            self._react(order, Reaction(at, entry=moved))

    def _day(self, account: str, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zones[account])).date()


def _order(event: dict[str, Any]) -> Order:
    data = event["data"]
    return Order(
        key=data["key"],
        account=data["account"],
        do=data["do"],
        args=tuple(data["args"]),
        step=data["step"],
        undo=data["undo"],
        level=data["level"] or "",
        amount=Decimal(data["amount"]),
        at=datetime.fromisoformat(event["time"]),
        not_after=datetime.fromisoformat(data["not_after"]) if data["not_after"] else None,
    )
