"""Getting at the parts of values: entries, items, ranges, and the numbers or days that they run through."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.feel.dates import Date, civil_from_days
from engine.feel.decimals import CONTEXT
from engine.feel.functions.moments import property_of
from engine.feel.operators import compare, in_range, order_key, same
from engine.feel.values import FeelError, Range, UnaryRange, Value, brief, kind_of

# --- ranges and tests -----------------------------------------------------------------------------


def make_range(low: Value, high: Value, low_closed: bool, high_closed: bool) -> Range:
    """Return a range; raises FeelError unless its bounds can be compared."""
    if low is None or high is None:
        raise FeelError("null-operand", "a bound of the range is null")
    compare("<=", low, high)
    return Range(low, high, low_closed, high_closed)


def open_range(operator: str, bound: Value) -> Range:
    """Return `(< bound)` and its like."""
    if bound is None:
        raise FeelError("null-operand", f"({operator} null) is not a range")
    if operator not in ("=", "!="):
        order_key(bound)
    low = bound if operator in ("=", ">", ">=") else None
    high = bound if operator in ("=", "<", "<=") else None
    return UnaryRange(low, high, operator in ("=", ">="), operator in ("=", "<="), operator, bound)


def between(value: Value, bounds: Range) -> bool:
    """Return `value between low and high`."""
    if value is None or bounds.low is None or bounds.high is None:
        raise FeelError("null-operand", "`between` has null in it")
    return in_range(value, bounds)


def belongs(subject: Value, wanted: Value) -> bool | None:
    """Tell whether a subject passes the test of a value: equal to it, or in the list or range it is."""
    if isinstance(wanted, Range) and not isinstance(subject, Range):
        return in_range(subject, wanted)
    if isinstance(wanted, list) and not (isinstance(subject, list) and same(subject, wanted)):
        return any(bool(_belongs_quietly(subject, item)) for item in wanted)
    return compare("=", subject, wanted)


def _belongs_quietly(subject: Value, wanted: Value) -> bool:
    try:
        if isinstance(wanted, Range) and not isinstance(subject, Range):
            return in_range(subject, wanted)
    except FeelError:
        return False
    return same(subject, wanted)


# --- entries and items ----------------------------------------------------------------------------


def entry_of(source: Value, name: str) -> Value:
    """Return `source.name`; of a list, a list of the entries of its items."""
    match source:
        case None:
            raise FeelError("null-operand", f"`.{name}` is asked of null")
        case dict():
            if name not in source:
                raise FeelError("no-such-entry", f"there is no `{name}` in {brief(source)}")
            return source[name]
        case list():
            return [_entry_or_null(item, name) for item in source]
        case Range(low, high, low_closed, high_closed):
            parts = {"start": low, "end": high, "start included": low_closed, "end included": high_closed}
            if name in parts:
                return parts[name]
    return property_of(source, name)


def _entry_or_null(item: Value, name: str) -> Value:
    """A list of entries has null where an item has no such entry; that is nothing wrong (10.3.2.5)."""
    return item.get(name) if isinstance(item, dict) else entry_of(item, name)


def item_at(items: list[Value], position: Decimal) -> Value:
    """Return the item at a position from 1, or from -1 at the end; null if there is none."""
    if position != position.to_integral_value():
        raise FeelError("bad-argument", f"the position {position} is not a whole number")
    if not 1 <= abs(position) <= len(items):
        return None
    return items[int(position) - 1 if position > 0 else int(position)]


# --- running through ------------------------------------------------------------------------------


def steps(start: Value, end: Value) -> Iterable[Value]:
    """Yield the numbers or days from one to another, up or down."""
    if isinstance(start, Date) and isinstance(end, Date):
        down = end.ordinal < start.ordinal
        for day in range(start.ordinal, end.ordinal + (-1 if down else 1), -1 if down else 1):
            yield civil_from_days(day)
        return
    if not (isinstance(start, Decimal) and isinstance(end, Decimal)):
        raise FeelError("wrong-types", f"nothing goes from {kind_of(start)} to {kind_of(end)} by steps")
    step = Decimal(1 if start <= end else -1)
    current = start
    while (current <= end) if step > 0 else (current >= end):
        yield current
        current = CONTEXT.add(current, step)


def range_steps(bounds: Range) -> Iterable[Value]:
    """Yield the whole numbers or days of a range."""
    if compare(">", bounds.low, bounds.high):
        raise FeelError("bad-argument", f"{brief(bounds)} ends before it begins")
    inside = steps(bounds.low, bounds.high)
    return (item for item in inside if in_range(item, bounds))
