"""Tables as nested tuples: each column finds its slot by binary search or by name, the slots find the row.

A slot is a run of pieces (see `axes.py`) that the same rows cover. Columns that lead to the same rows
share their tuples, so a table of ten thousand rows costs about as much to decide as one of ten.
"""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from engine.credit.analysis import covering
from engine.credit.axes import Axis, Choices, Line
from engine.credit.domains import Dates, Numbers
from engine.feel.to_python import Unit

SMALL = 24
"""Whole numbers from 0 up to this are found by index instead of search."""
SLOTS = 200_000
"""Slots of one lookup at most; a table that needs more is searched row by row."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The variable that a column looks at."""

    identifier: str
    whole: bool
    """It is a Python `int`, so that bounds may be whole, too."""
    nullable: bool


@dataclass(frozen=True, slots=True)
class Column:
    """How a column finds its slot, and the rows (as bits) that each slot leaves."""

    index: ast.expr | None
    """None: all slots leave the same rows, so nothing is looked up."""
    covers: tuple[int, ...]
    guarded: bool
    """The subject may be null where the column does not reckon with it: the interpreter decides."""


class TooManySlots(Exception):
    """A lookup would be larger than it may."""


def column_of(axis: Axis, masks: Sequence[int], subject: Subject, unit: Unit) -> Column | None:
    """Return how a column of cells is looked up; None if it has to be searched row by row."""
    if isinstance(axis, Choices):
        return _choices(axis, masks, subject, unit)
    if isinstance(axis, Line) and not isinstance(axis.domain, Dates):
        return _line(axis, masks, subject, unit)
    return None


def _choices(axis: Choices, masks: Sequence[int], subject: Subject, unit: Unit) -> Column:
    covers = covering(masks, axis.null + 1)
    name = ast.Name(subject.identifier, ast.Load())
    has_null = bool(axis.full >> axis.null & 1)
    guarded = subject.nullable and not has_null
    slots = {value: covers[place] for place, value in enumerate(axis.values)}
    if has_null:
        slots[None] = covers[axis.null]
    is_open = bool(axis.full >> axis.other & 1)
    kept = tuple(slots.values()) + ((covers[axis.other],) if is_open else ())
    if len(set(kept)) == 1:
        return Column(None, kept[:1], guarded)
    if set(slots) == {True, False}:
        return Column(name, (slots[False], slots[True]), guarded)
    places = unit.constant({value: place for place, value in enumerate(slots)})
    if is_open:
        found = ast.Call(ast.Attribute(places, "get", ast.Load()), [name, ast.Constant(len(slots))], [])
        return Column(found, kept, guarded)
    return Column(ast.Subscript(places, name, ast.Load()), kept, guarded)


def _line(axis: Line, masks: Sequence[int], subject: Subject, unit: Unit) -> Column:
    covers = covering(masks, axis.null + 1)
    has_null = bool(axis.full >> axis.null & 1)
    index, kept = _bounds(axis, _filled(axis, covers[: axis.null]), subject, unit)
    if has_null:
        kept = (*kept, covers[axis.null])
    if len(set(kept)) == 1:
        return Column(None, kept[:1], subject.nullable and not has_null)
    if has_null and subject.nullable:
        absent = ast.Compare(ast.Name(subject.identifier, ast.Load()), [ast.Is()], [ast.Constant(None)])
        index = ast.IfExp(absent, ast.Constant(-1), index)
    return Column(index, kept, subject.nullable and not has_null)


def _filled(axis: Line, covers: Sequence[int]) -> list[int]:
    """Return what covers each piece; pieces that no value can have take after their neighbour."""
    possible = [place for place in range(len(covers)) if axis.full >> place & 1]
    if not possible:
        return [0] * len(covers)
    filled, last = [], covers[possible[0]]
    for place, cover in enumerate(covers):
        last = cover if axis.full >> place & 1 else last
        filled.append(last)
    return filled


def _bounds(
    axis: Line, filled: Sequence[int], subject: Subject, unit: Unit
) -> tuple[ast.expr, tuple[int, ...]]:
    """Return code for the slot of a number, and what covers the slots: only bounds that matter are kept."""
    name = ast.Name(subject.identifier, ast.Load())
    turns = [place for place in range(1, len(filled)) if filled[place] != filled[place - 1]]
    covers = (filled[0], *(filled[place] for place in turns))
    points = [axis.points[(place - 1) // 2] for place in turns]
    from_point = [place % 2 == 1 for place in turns]
    if subject.whole:
        bounds = tuple(
            int(p.to_integral_value(ROUND_CEILING)) if at else int(p.to_integral_value(ROUND_FLOOR)) + 1
            for p, at in zip(points, from_point, strict=True)
        )
        low = axis.domain.low if isinstance(axis.domain, Numbers) else None
        if low is not None and low >= 0 and len(bounds) > 1 and bounds[-1] <= SMALL:
            return _counted(bounds[-1], name), tuple(
                covers[bisect_right(bounds, n)] for n in range(bounds[-1] + 1)
            )
        return _search(bisect_right, bounds, name, unit), covers
    if all(from_point):
        return _search(bisect_right, tuple(points), name, unit), covers
    if not any(from_point):
        return _search(bisect_left, tuple(points), name, unit), covers
    marks = sorted(set(points))
    places = [2 * bisect_left(axis.points, mark) for mark in marks]
    both = [filled[0], *(filled[place + step] for place in places for step in (1, 2))]
    marked = unit.constant(tuple(marks))
    left, right = unit.call(bisect_left, marked, name), unit.call(bisect_right, marked, name)
    return ast.BinOp(left, ast.Add(), right), tuple(both)  # between bounds 2i, at a bound 2i + 1


def _counted(last: int, name: ast.expr) -> ast.expr:
    """Small counts are their own index, up to the last bound."""
    return ast.IfExp(ast.Compare(name, [ast.Lt()], [ast.Constant(last)]), name, ast.Constant(last))


def _search(
    search: Callable[..., int], bounds: tuple[int, ...] | tuple[Decimal, ...], name: ast.expr, unit: Unit
) -> ast.expr:
    if not bounds:
        return ast.Constant(0)
    if len(bounds) == 1:  # a truth value is an index
        sign: ast.cmpop = ast.GtE() if search is bisect_right else ast.Gt()
        return ast.Compare(name, [sign], [unit.constant(bounds[0])])
    return unit.call(search, unit.constant(bounds), name)


def nested(columns: Sequence[Column], rows: int, leaf: Callable[[int], Any], most: int = SLOTS) -> Any:
    """Return the tuples of a lookup: index by each column's slot in turn, then there is a leaf.

    Raises TooManySlots.
    """
    searched = [column for column in columns if column.index is not None]
    start = (1 << rows) - 1
    for column in columns:
        start &= column.covers[0] if column.index is None else start
    made: dict[tuple[int, int], Any] = {}
    count = 0

    def node(depth: int, left: int) -> Any:
        nonlocal count
        if (depth, left) not in made:
            if depth == len(searched):
                made[depth, left] = leaf(left)
            else:
                count += len(searched[depth].covers)
                if count > most:
                    raise TooManySlots
                made[depth, left] = tuple(node(depth + 1, left & cover) for cover in searched[depth].covers)
        return made[depth, left]

    return node(0, start)
