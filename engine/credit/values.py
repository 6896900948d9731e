"""Values on their way out of a policy: plain Python, numbers in one form, amounts with a currency."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from engine.feel.decimals import CONTEXT, plain
from engine.feel.values import Value, from_feel, kind_of, show

_DIGITS = 34
"""Places before, and after, the point of an amount: those that FEEL carries."""


class NotTellable(ValueError):  # it is turned into EvaluationFailed at once
    """The value has no form outside of expressions."""


def plain_value(value: Value) -> Any:
    """Return a FEEL value as plain Python; numbers have no exponent and no zeros at the end."""
    match value:
        case Decimal():
            return one_form(value)
        case list():
            return [plain_value(item) for item in value]
        case dict():
            return {key: plain_value(item) for key, item in value.items()}
    outside = from_feel(value)
    if outside is None or isinstance(outside, bool | str | date | datetime | time | timedelta):
        return outside
    raise NotTellable(f"the result is a {kind_of(value)}, {show(value):.80}")


def traced(value: Value) -> Any:
    """Return a value for the trace; what has no plain form is shown as FEEL would write it."""
    try:
        return plain_value(value)
    except NotTellable:
        return show(value)


def amount(value: Value) -> Decimal:
    """Return a result as an amount, with at least two decimals; never one below zero."""
    if not isinstance(value, Decimal):
        raise NotTellable(f"the result is {show(value):.80}, not an amount")
    if value and not -_DIGITS <= value.adjusted() < _DIGITS:
        raise NotTellable(f"the result is {show(value):.80}; an amount has at most {_DIGITS} digits")
    if value < 0:
        raise NotTellable(f"the result is {show(value):.80}, below zero; write `max(0, ...)`")
    return amount_of(value)


def one_form(value: Decimal) -> Decimal:
    """Return a number in the one form that numbers have: no exponent, no zeros at the end."""
    short = value.normalize(CONTEXT)
    return short if short and "E" not in str(short) else Decimal(plain(value))


def amount_of(value: Decimal) -> Decimal:
    """Return a number in the one form that amounts have: at least two decimals, no zeros after them."""
    if value.as_tuple().exponent == -2 and value:
        return value
    whole, _, decimals = plain(value).partition(".")
    return Decimal(f"{whole}.{decimals.ljust(2, '0')}")
