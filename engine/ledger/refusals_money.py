"""An amount has no more decimals than its currency (ISO 4217), and money is there when it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from zoneinfo import ZoneInfo

from engine.ledger.account import Terms
from engine.ledger.entries import Entry, Payment, Recovery
from engine.text.currency import CODES, decimals

Found = tuple[str, str, str, str]
"""Code, sentence, the wrong field, and what to do."""
AHEAD = timedelta(days=10)
"""So much later than it is told money may count: banks value it after long public holidays."""
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


def check_money_is_there(terms: Terms, new: Entry) -> Iterator[Found]:
    """Yield a payment that counts only long after it was told: that is no money, but a promise of it."""
    if not isinstance(new, Payment | Recovery):
        return
    last = new.received_at.astimezone(ZoneInfo(terms.timezone)).date() + AHEAD
    if new.value_date > last:
        text = f"`value_date` is {new.value_date}, more than {AHEAD.days} days after the money is told."
        advice = f"write a day up to {last}; what will be paid later is a promise"
        yield "money-not-there-yet", text, "value_date", advice


def _amounts(new: Entry) -> Iterator[tuple[str, Decimal]]:
    if isinstance(amount := getattr(new, "amount", None), Decimal):
        yield "amount", amount
    for name in _PARTS:
        for place, part in enumerate(getattr(new, name, ())):
            yield f"{name}/{place}/amount", part.amount
