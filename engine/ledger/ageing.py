"""What is open on an account by how late it is: the aged balance that an operator's books have, too."""

from __future__ import annotations

from decimal import Decimal, localcontext

from engine.ledger.account import AccountPosition
from engine.ledger.position import PRECISION
from engine.model import Amount, Model

ZERO = Decimal(0)
BUCKETS: tuple[tuple[str, int], ...] = (
    ("not_due", 0), ("days_1_30", 30), ("days_31_60", 60), ("days_61_90", 90),
)  # fmt: skip
"""Each bucket with the most days past due that it holds; what is later is in `over_90`."""


class AgedBalance(Model):
    """What is open by days past due, disputed parts included, written off parts left out."""

    open: Amount = ZERO
    not_due: Amount = ZERO
    days_1_30: Amount = ZERO
    days_31_60: Amount = ZERO
    days_61_90: Amount = ZERO
    over_90: Amount = ZERO
    overdue: Amount = ZERO
    """All that is past due."""
    disputed: Amount = ZERO
    written_off: Amount = ZERO
    credit: Amount = ZERO


FIGURES = tuple(AgedBalance.model_fields)


def aged(position: AccountPosition) -> AgedBalance:
    """Return what is open on the position's day by days past due."""
    found = dict.fromkeys(FIGURES, ZERO)
    with localcontext() as context:
        context.prec = PRECISION
        for debt in position.debts:
            if debt.written_off:
                found["written_off"] += debt.open
                continue
            late = (position.today - debt.due_date).days
            bucket = next((name for name, most in BUCKETS if late <= most), "over_90")
            for name in ("open", bucket, *(["overdue"] if late > 0 else [])):
                found[name] += debt.open
            found["disputed"] += debt.disputed
    return AgedBalance(**found | {"credit": position.credit})
