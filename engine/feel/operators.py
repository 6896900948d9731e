"""What `+ - * / **`, `=`, `<` and `in` mean for each kind of value (DMN 1.5, tables 45 to 55).

A function here gives the value or raises `FeelError`; null as the answer of a comparison means unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from decimal import ROUND_DOWN, Decimal, DecimalException
from typing import Any, Final

from engine.feel import dates
from engine.feel.dates import Date, DateTime, Time
from engine.feel.decimals import CONTEXT, power
from engine.feel.durations import SECOND, DaysDuration, MonthsDuration
from engine.feel.limits import LIMITS
from engine.feel.values import FeelError, Range, UnaryRange, Value, brief, kind_of

LONGEST: Final = 10**30
"""Nanoseconds, or months, of the longest duration."""


# --- arithmetic -----------------------------------------------------------------------------------


def arithmetic(operator: str, left: Value, right: Value) -> Value:
    """Return `left operator right`; raises FeelError if there is no such value."""
    if left is None or right is None:
        raise FeelError("null-operand", f"`{operator}` has null on its {'left' if left is None else 'right'}")
    try:
        result = ARITHMETIC[operator](left, right)
    except ZeroDivisionError:
        divided = "1" if operator == "**" else brief(left)
        raise FeelError("division-by-zero", f"{divided} is divided by zero") from None
    except (DecimalException, OverflowError) as error:
        why = f"{brief(left)} {operator} {brief(right)} is not a number of 34 digits"
        raise FeelError("out-of-range", str(error) if type(error) is OverflowError else why) from None
    if result is None:
        raise FeelError("wrong-types", f"there is no {kind_of(left)} {operator} {kind_of(right)}")
    if isinstance(result, Decimal) and not result.is_finite():
        raise FeelError("out-of-range", f"{brief(left)} {operator} {brief(right)} is not a number")
    return result


def negate(value: Value) -> Value:
    """Return `-value`."""
    match value:
        case Decimal():
            return CONTEXT.minus(value)
        case DaysDuration(n):
            return DaysDuration(-n)
        case MonthsDuration(n):
            return MonthsDuration(-n)
    if value is None:
        raise FeelError("null-operand", "`-` stands before null")
    raise FeelError("wrong-types", f"there is no -{kind_of(value)}")


def _add(left: Value, right: Value) -> Value:
    match left, right:
        case Decimal(), Decimal():
            return CONTEXT.add(left, right)
        case str(), str():
            bounded_length(len(left) + len(right))
            return left + right
        case (MonthsDuration(a), MonthsDuration(b)):
            return MonthsDuration(_countable(a + b))
        case (DaysDuration(a), DaysDuration(b)):
            return DaysDuration(_countable(a + b))
        case (Date() | DateTime(), DaysDuration() | MonthsDuration()) | (Time(), DaysDuration()):
            return dates.shift(left, right)  # type: ignore[arg-type]  # mypy does not join or-patterns
        case (DaysDuration() | MonthsDuration(), Date() | DateTime()) | (DaysDuration(), Time()):
            return dates.shift(right, left)  # type: ignore[arg-type]  # likewise
    return None


def _subtract(left: Value, right: Value) -> Value:
    match left, right:
        case Decimal(), Decimal():
            return CONTEXT.subtract(left, right)
        case (MonthsDuration(a), MonthsDuration(b)):
            return MonthsDuration(_countable(a - b))
        case (DaysDuration(a), DaysDuration(b)):
            return DaysDuration(_countable(a - b))
        case (Date() | DateTime(), Date() | DateTime()):
            return _elapsed(left, right)
        case Time(), Time():
            return DaysDuration(dates.time_instant(left) - dates.time_instant(right))
        case (Date() | DateTime() | Time(), DaysDuration() | MonthsDuration()):
            return _add(left, negate(right))
    return None


def _elapsed(left: Date | DateTime, right: Date | DateTime) -> Value:
    local = [isinstance(moment, DateTime) and moment.time.zone is None for moment in (left, right)]
    if local[0] != local[1]:  # a date alone is its midnight in UTC (10.3.2.3.4)
        raise FeelError("wrong-types", "of two dates and times, one has a zone and one has none")
    return DaysDuration(dates.instant(left) - dates.instant(right))


def _multiply(left: Value, right: Value) -> Value:
    match left, right:
        case Decimal(), Decimal():
            return CONTEXT.multiply(left, right)
        case (DaysDuration(n), Decimal() as factor) | (Decimal() as factor, DaysDuration(n)):
            return DaysDuration(_scaled(n, factor))
        case (MonthsDuration(n), Decimal() as factor) | (Decimal() as factor, MonthsDuration(n)):
            return MonthsDuration(_scaled(n, factor))
    return None


def _divide(left: Value, right: Value) -> Value:
    match left, right:
        case Decimal(), Decimal():
            return CONTEXT.divide(left, right)
        case DaysDuration(n), Decimal():
            return DaysDuration(_whole(CONTEXT.divide(Decimal(n), right)))
        case MonthsDuration(n), Decimal():
            return MonthsDuration(_whole(CONTEXT.divide(Decimal(n), right)))
        case (DaysDuration(a), DaysDuration(b)) | (MonthsDuration(a), MonthsDuration(b)):
            return CONTEXT.divide(Decimal(a), Decimal(b))
    return None


def _power(left: Value, right: Value) -> Value:
    match left, right:
        case Decimal(), Decimal():
            return power(left, right)
    return None


def _scaled(count: int, factor: Decimal) -> int:
    return _whole(CONTEXT.multiply(Decimal(count), factor))


def _whole(value: Decimal) -> int:
    return _countable(int(value.to_integral_value(ROUND_DOWN)) if abs(value) <= LONGEST else LONGEST + 1)


def _countable(count: int) -> int:
    if abs(count) > LONGEST:
        raise OverflowError("the duration is too long")
    return count


def bounded_length(characters: int) -> None:
    """Refuse a text before it is made; raises FeelError if it would be too long."""
    if characters > LIMITS.characters:
        why = f"a text would have more than {LIMITS.characters} characters (limit `characters`)"
        raise FeelError("limit", why)


ARITHMETIC: dict[str, Callable[[Value, Value], Value]] = {
    "+": _add, "-": _subtract, "*": _multiply, "/": _divide, "**": _power,
}  # fmt: skip


# --- comparison -----------------------------------------------------------------------------------


def compare(operator: str, left: Value, right: Value) -> bool:
    """Return `left operator right`; raises FeelError if the two cannot be compared."""
    if operator == "=":
        return equal(left, right)
    if operator == "!=":
        return not equal(left, right)
    if left is None or right is None:
        raise FeelError("null-operand", f"`{operator}` has null on its {'left' if left is None else 'right'}")
    if (order := compared(left, right)) is None:
        raise FeelError("wrong-types", f"there is no {kind_of(left)} {operator} {kind_of(right)}")
    return ORDERS[operator](order)


ORDERS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def compared(left: Value, right: Value) -> int | None:
    """Return -1, 0 or 1 as left is less, equal or greater; None if the two have no order."""
    kind, a = order_key(left)
    other, b = order_key(right)
    return (a > b) - (a < b) if kind == other else None


def order_key(value: Value) -> tuple[str, Any]:
    """Return what a value is ordered by, behind the name of those it can be ordered with.

    Times are ordered, and equal, by whole seconds (10.3.2.3.4); only `is` looks at fractions.
    """
    match value:
        case bool():
            pass
        case Decimal() | str():
            return kind_of(value), value
        case Date():
            return "date", value.ordinal
        case DateTime():
            return f"date and time{'' if value.time.zone else ', local'}", dates.instant(value) // SECOND
        case Time():
            return f"time{'' if value.zone else ', local'}", dates.time_instant(value) // SECOND
        case DaysDuration(nanoseconds):
            return "days and time duration", nanoseconds
        case MonthsDuration(months):
            return "years and months duration", months
    raise FeelError("wrong-types", f"{kind_of(value)} has no order")


def equal(left: Value, right: Value) -> bool:
    """Return `left = right`; raises FeelError if they are of kinds that are never equal."""
    if left is None or right is None:
        return left is right
    match left, right:
        case (Decimal(), Decimal()) | (str(), str()) | (bool(), bool()):
            return left == right
        case (Date(), Date()) | (MonthsDuration(), MonthsDuration()) | (DaysDuration(), DaysDuration()):
            return left == right
        case (DateTime(), DateTime()) | (Time(), Time()):
            return order_key(left) == order_key(right)
        case list(), list():
            return len(left) == len(right) and all(map(equal, left, right))
        case dict(), dict():
            return left.keys() == right.keys() and all(equal(item, right[key]) for key, item in left.items())
        case UnaryRange(), UnaryRange():
            return left.sign == right.sign and equal(left.operand, right.operand)
        case Range(), Range():
            if isinstance(left, UnaryRange) or isinstance(right, UnaryRange):
                return False
            closed = (left.low_closed, left.high_closed) == (right.low_closed, right.high_closed)
            return closed and equal(left.low, right.low) and equal(left.high, right.high)
    if kind_of(left) == kind_of(right):  # two functions
        return left is right
    raise FeelError("wrong-types", f"{kind_of(left)} and {kind_of(right)} are never equal")


def same(left: Value, right: Value) -> bool:
    """Tell whether two values are equal; values of different kinds are not."""
    try:
        return equal(left, right)
    except FeelError:
        return False


def identity(value: Value) -> Hashable:
    """Return something that two values have in common exactly if `same` holds for them."""
    match value:
        case list():
            return "list", tuple(map(identity, value))
        case dict():
            return "context", frozenset((key, identity(item)) for key, item in value.items())
        case UnaryRange():
            return "unary range", value.sign, identity(value.operand)
        case Range():
            return "range", identity(value.low), identity(value.high), value.low_closed, value.high_closed
        case None | bool():
            return kind_of(value), value
    return ("function", id(value)) if kind_of(value) == "function" else order_key(value)


def in_range(value: Value, bounds: Range) -> bool:
    """Tell whether a value lies in a range; raises FeelError if it cannot be compared with a bound."""
    if isinstance(bounds, UnaryRange):
        return compare(bounds.sign, value, bounds.operand)
    low, high = bounds.low, bounds.high
    above = low is None or compare(">=" if bounds.low_closed else ">", value, low)
    below = high is None or compare("<=" if bounds.high_closed else "<", value, high)
    return above and below
