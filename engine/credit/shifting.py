"""One side of a comparison a step further: the number, the day or the duration that it writes out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from engine.credit.thresholds import Point, literal, node_of, stepped
from engine.feel import syntax as s
from engine.feel.durations import DAY, DaysDuration, parse_duration

Shift = tuple[s.Node, s.Node, str]
"""A node, what stands in its place, and the change in words: `50.00 as 49.99`."""


def shifted(side: s.Node, steps: int, step: Decimal | None) -> Shift | None:
    """Return a side with what it writes out moved; None: it writes out nothing that could be moved."""
    for part in _summands(side):
        point = literal(part)
        if point is not None:
            moved = stepped(point, steps, step or Decimal(1))
            return part, node_of(moved), f"{_told(point)} as {_told(moved)}"
        days = _days(part)
        if days is not None and step is None:
            further = DaysDuration((days + steps) * DAY)
            return part, s.AtLiteral(str(further)), f"{DaysDuration(days * DAY)} as {further}"
    return None


def _summands(side: s.Node) -> Iterator[s.Node]:
    """Yield the parts of a sum, the last first: of `end + duration("P30D")` the duration is moved."""
    if isinstance(side, s.Arithmetic) and side.operator in ("+", "-"):
        yield from _summands(side.right)
        yield from _summands(side.left)
    else:
        yield side


def _days(node: s.Node) -> int | None:
    """Return the days of a duration that is written out, if they are whole."""
    match node:
        case s.AtLiteral(text) | s.Call(s.Name("duration"), (s.String(text),)):
            found = parse_duration(text)
            if isinstance(found, DaysDuration) and found.nanoseconds % DAY == 0:
                return found.nanoseconds // DAY
    return None


def _told(point: Point) -> str:
    return point.isoformat() if isinstance(point, date) else f"{point:f}"
