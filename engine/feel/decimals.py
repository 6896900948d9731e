"""Numbers of FEEL: decimals of 34 digits, rounded half even (IEEE 754-2008 decimal128)."""

from __future__ import annotations

from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)

CONTEXT = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
"""All arithmetic goes through this one; neither NaN nor infinity leaks out of it."""

add = CONTEXT.add
subtract = CONTEXT.subtract
multiply = CONTEXT.multiply
divide = CONTEXT.divide


def power(base: Decimal, exponent: Decimal) -> Decimal:
    """Return a power; raises DivisionByZero for zero to a negative one, which decimals call infinity."""
    if not base and exponent < 0:
        raise DivisionByZero
    return CONTEXT.power(base, exponent)


def plain(value: Decimal) -> str:
    """Return a number as FEEL writes it: no zeros at the end, an exponent only beyond 60 places."""
    if not -60 <= value.adjusted() <= 60 and value:
        return str(value.normalize(CONTEXT)).lower().replace("e+", "e")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
