"""An amount has no more decimals than its currency (ISO 4217)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal

from engine.ledger.entries import Entry
from engine.text.currency import CODES, decimals

Found = tuple[str, str, str, str]
"""Code, sentence, the wrong field, and what to do."""
_PARTS = ("pays", "instalments", "milestones")
_WIDE = Context(prec=80)


def check_decimals(currency: str, new: Entry) -> Iterator[Found]:
    """Yield each amount that is finer than its currency; one of an unknown currency is not judged."""
    if currency not in CODES:
        return
    places = decimals(currency)
    for field, amount in _amounts(new):
        unit = Decimal(1).scaleb(-places)
        rounded = amount.quantize(unit, ROUND_HALF_EVEN, context=_WIDE)
        if rounded != amount:
            named = f"at most {places} decimals" if places else "no decimals"
            text = f"`{field}` is {amount}; an amount in {currency} has {named}."
            yield "finer-than-currency", text, field, f"write {rounded}, if that is meant"


def _amounts(new: Entry) -> Iterator[tuple[str, Decimal]]:
    if isinstance(amount := getattr(new, "amount", None), Decimal):
        yield "amount", amount
    for name in _PARTS:
        for place, part in enumerate(getattr(new, name, ())):
            yield f"{name}/{place}/amount", part.amount
