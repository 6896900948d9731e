"""Built-ins on numbers (DMN 1.5, 10.3.4.5)."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)

from engine.feel.decimals import CONTEXT
from engine.feel.durations import DaysDuration, MonthsDuration
from engine.feel.functions.signature import function
from engine.feel.values import FeelError

SCALES = range(-6111, 6177)
"""The scales that the standard allows."""
ONE = Decimal(1)
UNITS = {Decimal(places): ONE.scaleb(-places) for places in range(-33, 34)}
WIDE = CONTEXT.copy()
WIDE.prec = 12_400  # what is rounded must be written out in full; the result is 34 digits again


def whole(value: Decimal, name: str) -> int:
    """Return an argument that counts something; raises FeelError for a fraction."""
    if value != value.to_integral_value():
        raise FeelError("bad-argument", f"`{name}` is {value}, not a whole number")
    if abs(value) > 10**18:
        raise FeelError("bad-argument", f"`{name}` is {value}, too large to count with")
    return int(value)


def position(value: Decimal, name: str) -> int:
    """Return an argument that counts places or items; a fraction is dropped."""
    return whole(value.to_integral_value(ROUND_DOWN), name)


def scaled(n: Decimal, scale: Decimal, rounding: str) -> Decimal:
    """Round to a number of decimal places, which may be negative: -1 rounds to tens."""
    unit = UNITS.get(scale)
    if unit is not None and -30 < n.adjusted() + int(scale) < 30:
        rounded = n.quantize(unit, rounding, CONTEXT)
        return rounded if scale >= 0 else rounded.quantize(ONE, None, CONTEXT)
    places = int(scale.to_integral_value(ROUND_DOWN)) if abs(scale) < 10_000 else 10_000
    if places not in SCALES:
        raise FeelError("bad-argument", f"the scale {scale} is not between {SCALES[0]} and {SCALES[-1]}")
    return CONTEXT.plus(n.quantize(ONE.scaleb(-places, WIDE), rounding, WIDE))


@function("decimal(n: number, scale: number) -> number")
def decimal(n: Decimal, scale: Decimal) -> Decimal:
    """Round half even."""
    return scaled(n, scale, ROUND_HALF_EVEN)


@function("floor(n: number, [scale: number]) -> number")
def floor(n: Decimal, scale: Decimal = Decimal(0)) -> Decimal:
    """Round towards minus infinity."""
    return scaled(n, scale, ROUND_FLOOR)


@function("ceiling(n: number, [scale: number]) -> number")
def ceiling(n: Decimal, scale: Decimal = Decimal(0)) -> Decimal:
    """Round towards infinity."""
    return scaled(n, scale, ROUND_CEILING)


@function("round up(n: number, [scale: number]) -> number")
def round_up(n: Decimal, scale: Decimal = Decimal(0)) -> Decimal:
    """Round away from zero."""
    return scaled(n, scale, ROUND_UP)


@function("round down(n: number, [scale: number]) -> number")
def round_down(n: Decimal, scale: Decimal = Decimal(0)) -> Decimal:
    """Round towards zero."""
    return scaled(n, scale, ROUND_DOWN)


@function("round half up(n: number, [scale: number]) -> number")
def round_half_up(n: Decimal, scale: Decimal = Decimal(0)) -> Decimal:
    """Round to the nearest, halves away from zero."""
    return scaled(n, scale, ROUND_HALF_UP)


@function("round half down(n: number, [scale: number]) -> number")
def round_half_down(n: Decimal, scale: Decimal = Decimal(0)) -> Decimal:
    """Round to the nearest, halves towards zero."""
    return scaled(n, scale, ROUND_HALF_DOWN)


@function("abs(n: number) -> number")
def absolute(n: Decimal) -> Decimal:
    """Drop the sign."""
    return CONTEXT.abs(n)


@function("abs(n: days and time duration) -> days and time duration")
def absolute_days(n: DaysDuration) -> DaysDuration:
    """Drop the sign."""
    return DaysDuration(abs(n.nanoseconds))


@function("abs(n: years and months duration) -> years and months duration")
def absolute_months(n: MonthsDuration) -> MonthsDuration:
    """Drop the sign."""
    return MonthsDuration(abs(n.months))


@function("modulo(dividend: number, divisor: number) -> number")
def modulo(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return `dividend - divisor * floor(dividend / divisor)`: the sign is the divisor's."""
    if not divisor:
        raise FeelError("division-by-zero", f"modulo({dividend}, 0)")
    rest = CONTEXT.remainder(dividend, divisor)
    return CONTEXT.add(rest, divisor) if rest and rest.is_signed() != divisor.is_signed() else rest


@function("sqrt(number: number) -> number")
def sqrt(number: Decimal) -> Decimal:
    """Return the square root."""
    if number < 0:
        raise FeelError("bad-argument", f"{number} is negative and has no square root")
    return CONTEXT.sqrt(number)


@function("log(number: number) -> number")
def log(number: Decimal) -> Decimal:
    """Return the natural logarithm."""
    if number <= 0:
        raise FeelError("bad-argument", f"{number} is not positive and has no logarithm")
    return CONTEXT.ln(number)


@function("exp(number: number) -> number")
def exp(number: Decimal) -> Decimal:
    """Return e to a power."""
    return CONTEXT.exp(number)


@function("odd(number: number) -> boolean")
def odd(number: Decimal) -> bool:
    """Tell whether a whole number is odd."""
    return whole(number, "number") % 2 == 1


@function("even(number: number) -> boolean")
def even(number: Decimal) -> bool:
    """Tell whether a whole number is even."""
    return whole(number, "number") % 2 == 0
