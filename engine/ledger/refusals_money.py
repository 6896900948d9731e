"""What payments, what undoes them, and deposits may not say; how fine an amount is (ISO 4217)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from zoneinfo import ZoneInfo

from engine.ledger.account import Terms
from engine.ledger.deposit_moves import IN, OUT, moved_on
from engine.ledger.entries import (
    DepositMoved,
    Entry,
    Payment,
    PaymentReturned,
    Recovery,
    Refund,
    ReturnReversed,
)
from engine.ledger.known import of_kind
from engine.ledger.refusals_common import ZERO, Finding, at_most, book_by
from engine.text.currency import CODES, decimals

AHEAD = timedelta(days=10)
"""So much later than it is told money may count: banks value it after long public holidays."""
_PARTS = ("pays", "instalments", "milestones")
_WIDE = Context(prec=80)


def check_decimals(currency: str, new: Entry) -> Iterator[Finding]:
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
            yield Finding("finer-than-currency", text, field, f"write {rounded}, if that is meant")


def check_money_is_there(terms: Terms, new: Entry) -> Iterator[Finding]:
    """Yield a payment that counts only long after it was told: that is no money, but a promise of it."""
    if not isinstance(new, Payment | Recovery):
        return
    last = new.received_at.astimezone(ZoneInfo(terms.timezone)).date() + AHEAD
    if new.value_date > last:
        text = f"`value_date` is {new.value_date}, more than {AHEAD.days} days after the money is told."
        advice = f"write a day up to {last}; what will be paid later is a promise"
        yield Finding("money-not-there-yet", text, "value_date", advice)


def _amounts(new: Entry) -> Iterator[tuple[str, Decimal]]:
    fields = type(new).model_fields
    if "amount" in fields:
        yield "amount", getattr(new, "amount")  # noqa: B009  # not every kind has one
    for name in _PARTS:
        for place, part in enumerate(getattr(new, name)) if name in fields else ():
            yield f"{name}/{place}/amount", part.amount


def check_payment(known: list[Entry], new: Payment) -> Iterator[Finding]:
    """Yield what is wrong with the shares of a payment."""
    named = sum((share.amount for share in new.pays), ZERO)
    if named > new.amount:
        text = f"The shares of payment `{new.id}` add up to {named}, more than its amount {new.amount}."
        advice = f"let the shares add up to {new.amount} at most"
        yield Finding("shares-exceed-payment", text, "pays", advice)
    references = [share.bill for share in new.pays]
    if len(set(references)) < len(references):
        text = f"Payment `{new.id}` names one bill twice."
        advice = "name each bill once, with the whole of its share"
        yield Finding("share-twice", text, "pays", advice)


def check_returned(known: list[Entry], new: PaymentReturned) -> Iterator[Finding]:
    """Yield what is wrong with a payment that comes back."""
    reversed_ = {entry.returned for entry in of_kind(known, ReturnReversed)}
    returns = [entry for entry in of_kind(known, PaymentReturned) if entry.payment == new.payment]
    standing = [entry for entry in returns if entry.id not in reversed_]
    if standing:
        text = f"Payment `{new.payment}` already came back on {standing[0].value_date} (`{standing[0].id}`)."
        advice = "a payment comes back once, unless the return is reversed between"
        yield Finding("already-returned", text, "payment", advice)
    payment = _money(known, new.payment)
    if payment and new.value_date < payment.value_date:
        text = f"Payment `{new.payment}` is of {payment.value_date}; it cannot come back on {new.value_date}."
        yield Finding("before-its-cause", text, "value_date", f"write a day from {payment.value_date} on")


def check_reversed(known: list[Entry], new: ReturnReversed) -> Iterator[Finding]:
    """Yield what is wrong with a return that is undone."""
    if any(entry.returned == new.returned for entry in of_kind(known, ReturnReversed)):
        text = f"The return `{new.returned}` was reversed before."
        advice = "a return is reversed once; remove one of the two"
        yield Finding("already-reversed", text, "returned", advice)
    returned = next((e for e in of_kind(known, PaymentReturned) if e.id == new.returned), None)
    if returned and new.value_date < returned.value_date:
        text = f"The return `{new.returned}` is of {returned.value_date}; it cannot be reversed earlier."
        yield Finding("before-its-cause", text, "value_date", f"write a day from {returned.value_date} on")


def check_refund(known: list[Entry], new: Refund) -> Iterator[Finding]:
    """Yield what is wrong with a refund."""
    payment = _money(known, new.payment)
    if payment is None:
        return
    reversed_ = {entry.returned for entry in of_kind(known, ReturnReversed)}
    for entry in of_kind(known, PaymentReturned):
        if entry.payment == new.payment and entry.id not in reversed_:
            text = f"Payment `{new.payment}` came back on {entry.value_date}; nothing of it can be refunded."
            yield Finding("payment-came-back", text, "payment", "remove it, or reverse the return first")
    earlier = sum((e.amount for e in of_kind(known, Refund) if e.payment == new.payment), ZERO)
    if earlier + new.amount > payment.amount:
        left = payment.amount - earlier
        text = f"Payment `{new.payment}` can be refunded by {left} at most; {new.amount} is asked."
        yield Finding("refund-exceeds-payment", text, "amount", at_most(left))
    if new.value_date < payment.value_date:
        text = f"Payment `{new.payment}` is of {payment.value_date}; it cannot be refunded earlier."
        yield Finding("before-its-cause", text, "value_date", f"write a day from {payment.value_date} on")


def _money(known: list[Entry], name: str) -> Payment | Recovery | None:
    """Return the payment of a name; where there is none, the recovery."""
    found: list[Payment | Recovery] = [*of_kind(known, Payment), *of_kind(known, Recovery)]
    return next((entry for entry in found if entry.id == name), None)


def check_money_behind(terms: Terms, entries: Sequence[Entry], new: Refund) -> Iterator[Finding]:
    """Yield a refund of more than all money that is there; one that names a payment waits for that.

    Where no money is known at all it may have overtaken it, and waits.
    """
    known = list(entries)
    payment = _money(known, new.payment) if new.payment else None
    same = [e.amount for e in known if isinstance(e, Refund) and e.payment == new.payment]
    if new.payment and (payment is None or new.amount + sum(same, ZERO) > payment.amount):
        return  # it waits for its payment, or is refused because that was smaller
    if any(refund.id == new.id for refund in book_by(terms, [*known, new]).refunds):
        funds = book_by(terms, known).funds.values()
        if not funds:
            return
        left = sum((fund.amount - fund.given_back for fund in funds if not fund.return_id), ZERO)
        text = f"Of the money received {left} is left; a refund of {new.amount} is more than that."
        if new.payment:
            text = f"Payment `{new.payment}` is refunded already; there is no {new.amount} left of it."
        advice = (
            "name its `payment`, if that has not come yet" if not new.payment else "look for another refund"
        )
        yield Finding("refund-exceeds-money", text, "amount", advice)


def check_deposit(known: list[Entry], new: DepositMoved) -> Iterator[Finding]:
    """Yield what is wrong with a deposit that moves; while none is known to be held it waits for one."""
    moves = of_kind(known, DepositMoved)
    if new.move not in OUT or not any(move.move in IN for move in moves):
        return
    before, after = moved_on(moves), moved_on([*moves, new])
    day = after.get(new.id)
    if day == new.value_date and all(after.get(name) == on for name, on in before.items()):
        return
    counted = [move for move in moves if move.id in before]
    held = sum((-m.amount if m.move in OUT else m.amount for m in counted if m.move != "requested"), ZERO)
    if new.amount > held:
        text = f"A deposit of {held} is held; {new.amount} is more than that."
        yield Finding(
            "deposit-exceeded", text, "amount", at_most(held) if held else "take a deposit in first"
        )
    else:
        text = f"So much of the deposit was not held on {new.value_date}, or is used already: {new.amount}."
        yield Finding("before-its-cause", text, "value_date", "write a day on which it was held")
