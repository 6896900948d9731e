"""Built-ins on ranges (DMN 1.5, 10.3.4.11), after Allen's interval algebra; a point is a range of one."""

from __future__ import annotations

from engine.feel.functions.signature import function
from engine.feel.operators import compare, equal, in_range
from engine.feel.values import FeelError, Range, Value, show

Pair = tuple[Range, Range]


def _range(value: Value) -> Range:
    if isinstance(value, Range):
        return value
    if value is None:
        raise FeelError("null-operand", "a range or a point is null")
    return Range(value, value)


def _ends_before(a: Range, b: Range) -> bool:
    """Every point of `a` is before every point of `b`."""
    if compare("<", a.high, b.low):
        return True
    return equal(a.high, b.low) and not (a.high_closed and b.low_closed)


@function("before(a: any, b: any) -> boolean")
def before(a: Value, b: Value) -> bool:
    """Tell whether all of `a` lies before all of `b`."""
    return _ends_before(_range(a), _range(b))


@function("after(a: any, b: any) -> boolean")
def after(a: Value, b: Value) -> bool:
    """Tell whether all of `a` lies after all of `b`."""
    return _ends_before(_range(b), _range(a))


@function("meets(range1: range, range2: range) -> boolean")
def meets(a: Range, b: Range) -> bool:
    """Tell whether the one ends with the point with which the other begins."""
    return a.high_closed and b.low_closed and equal(a.high, b.low)


@function("met by(range1: range, range2: range) -> boolean")
def met_by(a: Range, b: Range) -> bool:
    """Tell whether the one begins with the point with which the other ends."""
    return meets(b, a)


@function("overlaps(range1: range, range2: range) -> boolean")
def overlaps(a: Range, b: Range) -> bool:
    """Tell whether the two have a point in common."""
    return not _ends_before(a, b) and not _ends_before(b, a)


@function("overlaps before(range1: range, range2: range) -> boolean")
def overlaps_before(a: Range, b: Range) -> bool:
    """Tell whether `a` begins before `b`, and ends in it."""
    starts = compare("<", a.low, b.low) or (equal(a.low, b.low) and a.low_closed and not b.low_closed)
    ends = compare("<", a.high, b.high) or (equal(a.high, b.high) and (not a.high_closed or b.high_closed))
    return overlaps(a, b) and starts and ends


@function("overlaps after(range1: range, range2: range) -> boolean")
def overlaps_after(a: Range, b: Range) -> bool:
    """Tell whether `a` begins in `b`, and ends after it."""
    starts = compare(">", a.low, b.low) or (equal(a.low, b.low) and (b.low_closed or not a.low_closed))
    ends = compare(">", a.high, b.high) or (equal(a.high, b.high) and a.high_closed and not b.high_closed)
    return overlaps(a, b) and starts and ends


@function("includes(range: range, point: any) -> boolean")
def includes(range1: Range, inner: Value) -> bool:
    """Tell whether all of a point or range lies in a range."""
    if not isinstance(inner, Range):
        return in_range(inner, range1)
    low = compare("<", range1.low, inner.low) or (
        equal(range1.low, inner.low) and (range1.low_closed or not inner.low_closed)
    )
    high = compare(">", range1.high, inner.high) or (
        equal(range1.high, inner.high) and (range1.high_closed or not inner.high_closed)
    )
    return low and high


@function("during(point: any, range: range) -> boolean")
def during(inner: Value, range1: Range) -> bool:
    """Tell whether all of a point or range lies in a range."""
    return includes(range1, inner)


@function("starts(point: any, range: range) -> boolean")
def starts(inner: Value, range1: Range) -> bool:
    """Tell whether a point or range begins where the range begins, and does not reach beyond it."""
    if not isinstance(inner, Range):
        return range1.low_closed and equal(inner, range1.low)
    begins = equal(inner.low, range1.low) and inner.low_closed == range1.low_closed
    return begins and includes(range1, inner)


@function("started by(range: range, point: any) -> boolean")
def started_by(range1: Range, inner: Value) -> bool:
    """Tell whether the range begins with a point or range."""
    return starts(inner, range1)


@function("finishes(point: any, range: range) -> boolean")
def finishes(inner: Value, range1: Range) -> bool:
    """Tell whether a point or range ends where the range ends, and does not reach beyond it."""
    if not isinstance(inner, Range):
        return range1.high_closed and equal(inner, range1.high)
    ends = equal(inner.high, range1.high) and inner.high_closed == range1.high_closed
    return ends and includes(range1, inner)


@function("finished by(range: range, point: any) -> boolean")
def finished_by(range1: Range, inner: Value) -> bool:
    """Tell whether the range ends with a point or range."""
    return finishes(inner, range1)


@function("coincides(a: any, b: any) -> boolean")
def coincides(a: Value, b: Value) -> bool:
    """Tell whether two points or ranges are the same."""
    if isinstance(a, Range) != isinstance(b, Range):
        raise FeelError("wrong-types", f"{show(a)} and {show(b)} are not both points or both ranges")
    return equal(a, b)
