"""Out of which debts a dispute takes its part: of its bill, else of what stands in the bill's place."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.ledger.account import Debt, DisputedPart

ZERO = Decimal(0)


def taken_out(
    dispute: DisputedPart, amount: Decimal, debts: Iterable[Debt], room: dict[str, Decimal]
) -> dict[str, Decimal]:  # fmt: skip
    """Return how much of `amount` a dispute takes out of which debt, in the order of the ledger's book.

    `room` says how much can be taken out of each debt, by its id, and is lowered: so each part is taken once.
    """
    found: dict[str, Decimal] = {}
    known = sorted(debts, key=lambda debt: (debt.due_date, debt.id))
    own = [debt for debt in known if dispute.bill in (debt.bill, debt.id)]
    if any(debt.category == "plan" for debt in own):
        own.reverse()
    instead = ((most, [d for d in reversed(known) if name in (d.bill, d.id)]) for name, most in dispute.also)
    for most, group in ((amount, own), *instead):
        left = min(most, amount)
        for debt in group:
            part = min(left, room.get(debt.id, ZERO))
            if part > 0:
                left, amount = left - part, amount - part
                room[debt.id] -= part
                found[debt.id] = found.get(debt.id, ZERO) + part
    return found
