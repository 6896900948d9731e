"""Sums of money outside the engine, with the engine's precision: exact, or an error."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, Inexact, localcontext

from engine.ledger.position import PRECISION


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum; raise `decimal.Inexact` where 60 digits are not enough."""
    with localcontext() as context:
        context.prec, context.traps[Inexact] = PRECISION, True
        return sum(amounts, Decimal(0))
