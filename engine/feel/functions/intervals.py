"""Built-ins on ranges (DMN 1.5, 10.3.4.11), after Allen's interval algebra; a point is a range of one.

A bound that is null is open without end: before every other at the start, behind every other at the end.
"""

from __future__ import annotations

from typing import Literal

from engine.feel.functions.signature import function
from engine.feel.operators import compared, equal
from engine.feel.values import FeelError, Range, UnaryRange, Value, brief, kind_of


def _range(value: Value) -> Range:
    if isinstance(value, UnaryRange) and value.sign == "!=":
        raise FeelError("bad-argument", f"{brief(value)} is not one range")
    return value if isinstance(value, Range) else Range(value, value)


def _order(a: Value, b: Value, endless: Literal[-1, 1]) -> int:
    """Return -1, 0 or 1 for two bounds of the same side, where null lies beyond everything."""
    if a is None or b is None:
        return 0 if a is b else endless if a is None else -endless
    if (order := compared(a, b)) is None:
        raise FeelError("wrong-types", f"{kind_of(a)} and {kind_of(b)} have no order")
    return order


def _starts_by(a: Range, b: Range) -> bool:
    """Tell whether `a` begins where `b` does, or before."""
    order = _order(a.low, b.low, -1)
    return order < 0 or (order == 0 and (a.low_closed or not b.low_closed))


def _ends_by(a: Range, b: Range) -> bool:
    """Tell whether `a` ends where `b` does, or before."""
    order = _order(a.high, b.high, 1)
    return order < 0 or (order == 0 and (not a.high_closed or b.high_closed))


def _ends_before(a: Range, b: Range) -> bool:
    """Tell whether every point of `a` is before every point of `b`."""
    if a.high is None or b.low is None:
        return False
    order = _order(a.high, b.low, 1)
    return order < 0 or (order == 0 and not (a.high_closed and b.low_closed))


@function("before(range1: range, range2: range) -> boolean")
@function("before(range: range, point: any) -> boolean")
@function("before(point: any, range: range) -> boolean")
@function("before(point1: any, point2: any) -> boolean")
def before(a: Value, b: Value) -> bool:
    """Tell whether all of `a` lies before all of `b`."""
    return _ends_before(_range(a), _range(b))


@function("after(range1: range, range2: range) -> boolean")
@function("after(range: range, point: any) -> boolean")
@function("after(point: any, range: range) -> boolean")
@function("after(point1: any, point2: any) -> boolean")
def after(a: Value, b: Value) -> bool:
    """Tell whether all of `a` lies after all of `b`."""
    return before(b, a)


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
    return not before(a, b) and not before(b, a)


@function("overlaps before(range1: range, range2: range) -> boolean")
def overlaps_before(a: Range, b: Range) -> bool:
    """Tell whether `a` begins before `b` and ends in it."""
    return not _starts_by(b, a) and overlaps(a, b) and _ends_by(a, b)


@function("overlaps after(range1: range, range2: range) -> boolean")
def overlaps_after(a: Range, b: Range) -> bool:
    """Tell whether `a` begins in `b` and ends after it."""
    return overlaps_before(b, a)


@function("includes(range1: range, range2: range) -> boolean")
@function("includes(range: range, point: any) -> boolean")
def includes(a: Range, inner: Value) -> bool:
    """Tell whether all of a point or range lies in a range."""
    b = _range(inner)
    return _starts_by(_range(a), b) and _ends_by(b, a)


@function("during(range1: range, range2: range) -> boolean")
@function("during(point: any, range: range) -> boolean")
def during(inner: Value, a: Range) -> bool:
    """Tell whether all of a point or range lies in a range."""
    return includes(a, inner)


@function("starts(range1: range, range2: range) -> boolean")
@function("starts(point: any, range: range) -> boolean")
def starts(inner: Value, a: Range) -> bool:
    """Tell whether a point or range begins where the range begins, and lies in it."""
    b = _range(inner)
    return b.low_closed == a.low_closed and equal(b.low, a.low) and (b is not inner or _ends_by(b, a))


@function("started by(range1: range, range2: range) -> boolean")
@function("started by(range: range, point: any) -> boolean")
def started_by(a: Range, inner: Value) -> bool:
    """Tell whether the range begins with a point or range."""
    return starts(inner, a)


@function("finishes(range1: range, range2: range) -> boolean")
@function("finishes(point: any, range: range) -> boolean")
def finishes(inner: Value, a: Range) -> bool:
    """Tell whether a point or range ends where the range ends, and lies in it."""
    b = _range(inner)
    return b.high_closed == a.high_closed and equal(b.high, a.high) and (b is not inner or _starts_by(a, b))


@function("finished by(range1: range, range2: range) -> boolean")
@function("finished by(range: range, point: any) -> boolean")
def finished_by(a: Range, inner: Value) -> bool:
    """Tell whether the range ends with a point or range."""
    return finishes(inner, a)


@function("coincides(range1: range, range2: range) -> boolean")
@function("coincides(point1: any, point2: any) -> boolean")
def coincides(a: Value, b: Value) -> bool:
    """Tell whether two points or two ranges are the same."""
    if isinstance(a, Range) != isinstance(b, Range):
        raise FeelError("wrong-types", f"{brief(a)} and {brief(b)} are not both points or both ranges")
    return equal(a, b)
