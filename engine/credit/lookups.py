"""Tables as nested tuples: each column finds its slot (see `slots.py`), the slots find the row.

A slot is a run of pieces (see `axes.py`) that the same rows cover. Columns that lead to the same rows
share their tuples, so a table of ten thousand rows costs about as much to decide as one of ten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.credit.analysis import covering
from engine.credit.axes import Axis, Choices, Line
from engine.credit.domains import Dates, Numbers
from engine.credit.slots import Cuts, Division, Names, Slot, Subject, first_from
from engine.feel.to_python import Unit
from engine.feel.values import Value

SLOTS = 200_000
"""Slots of one lookup at most; a table that needs more is searched row by row."""


@dataclass(frozen=True, slots=True)
class Sorting:
    """How a column sorts values, and the rows (as bits) that are left of each sort."""

    division: Division
    sorts: tuple[int, ...]
    """The sort of each slot of the division: slots that the same rows cover are of one sort."""
    covers: tuple[int, ...]
    """By sort: the rows whose cells cover it."""
    null: int | None
    """The sort of null; None: the column does not reckon with it."""

    def sort_of(self, value: Value) -> int | None:
        """Return the sort of a value; None if the column does not reckon with it."""
        if value is None:
            return self.null
        slot = self.division.slot_of(value)
        return None if slot is None else self.sorts[slot]


@dataclass(frozen=True, slots=True)
class Column:
    """How generated code finds the sort of a column."""

    sorting: Sorting
    slot: Slot | None
    """None: there is one sort, so nothing is looked up."""
    guarded: bool
    """The subject may be null where the column does not reckon with it: the interpreter decides."""

    @property
    def covers(self) -> tuple[int, ...]:
        """By sort: the rows whose cells cover it."""
        return self.sorting.covers


class TooManySlots(Exception):
    """A lookup would be larger than it may."""


def sorting_of(axis: Axis, masks: Sequence[int]) -> Sorting | None:
    """Return how a column of cells sorts values; None if they have to be tried row by row."""
    division: Division
    if isinstance(axis, Choices):
        covers = covering(masks, axis.null + 1)
        division, found = _names(axis, covers)
    elif isinstance(axis, Line) and not isinstance(axis.domain, Dates):
        covers = covering(masks, axis.null + 1)
        division, found = _cuts(axis, covers)
    else:
        return None
    null = [covers[axis.null]] if axis.full >> axis.null & 1 else []
    number = {cover: place for place, cover in enumerate(dict.fromkeys([*found, *null]))}
    sorts = tuple(number[cover] for cover in found)
    return Sorting(division, sorts, tuple(number), number[null[0]] if null else None)


def column_of(sorting: Sorting, subject: Subject, unit: Unit) -> Column:
    """Return how generated code finds the sort of a variable."""
    guarded = subject.nullable and sorting.null is None
    if len(sorting.covers) == 1:
        return Column(sorting, None, guarded)
    return Column(sorting, Slot(unit.fresh(), sorting.division, sorting.sorts, sorting.null or 0), guarded)


def _names(axis: Choices, covers: Sequence[int]) -> tuple[Names, list[int]]:
    """Return the places of the values, and what covers each place."""
    is_open = bool(axis.full >> axis.other & 1)
    places = {value: place for place, value in enumerate(axis.values)}
    return Names(places, axis.other if is_open else None), list(covers[: axis.other + is_open])


def _cuts(axis: Line, covers: Sequence[int]) -> tuple[Cuts, list[int]]:
    """Return the cuts between runs of pieces that the same rows cover, and what covers each run."""
    filled = _filled(axis, covers[: axis.null])
    turns = [place for place in range(1, len(filled)) if filled[place] != filled[place - 1]]
    points = tuple(axis.points[(place - 1) // 2] for place in turns)
    above = tuple(place % 2 == 0 for place in turns)
    low = axis.domain.low if isinstance(axis.domain, Numbers) else None
    cuts = Cuts(points, above, None if low is None else first_from(low, above=False))
    return cuts, [filled[0], *(filled[place] for place in turns)]


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


def nested(columns: Sequence[Column], rows: int, leaf: Callable[[int], Any], most: int = SLOTS) -> Any:
    """Return the tuples of a lookup: index by each column's slot in turn, then there is a leaf.

    Raises TooManySlots.
    """
    searched = [column for column in columns if column.slot is not None]
    start = (1 << rows) - 1
    for column in columns:
        start &= column.covers[0] if column.slot is None else start
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
