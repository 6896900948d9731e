"""What can be proved of a table by counting pieces: rows that overlap, customers without a row. Exact for
cells of literal values; a cell of any other kind is named and left out. `reach.py` has rows nobody reaches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.credit.axes import Axis
from engine.feel.values import Value

PAIRS = 3_000_000
"""Pairs of rows that are compared at most."""
MEMBERS = 1_000_000
"""Memberships of rows in groups of neighbours at most; with more, every row is compared with every other."""
STATES = 200_000
"""States that the search for a customer without a row visits at most."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as sets of pieces: by row, by column."""

    axes: tuple[Axis, ...]
    rows: tuple[tuple[int, ...], ...]

    def example(self, pieces: Sequence[int]) -> list[Value]:
        """Return a customer in a box, one value a column."""
        return [axis.example(piece) for axis, piece in zip(self.axes, pieces, strict=True)]


class TooLarge(Exception):  # it is turned into a note at once
    """The table has more combinations than are looked at."""


def overlaps(grid: Grid) -> Iterator[tuple[int, int, list[int]]]:
    """Yield pairs of rows that share a customer, with the shared box; raises TooLarge."""
    budget = PAIRS  # the groups are within their own
    seen: set[tuple[int, int]] = set()
    for group in _neighbours(grid):
        for place, first in enumerate(group):
            budget -= len(group) - place
            if budget < 0:
                raise TooLarge
            for second in group[place + 1 :]:
                shared = _shared(grid.rows[first], grid.rows[second])
                if shared and (first, second) not in seen:
                    seen.add((first, second))
                    yield first, second, shared


def _neighbours(grid: Grid) -> list[list[int]]:
    """Return groups of rows such that rows which overlap share a group: by pieces of the finest column."""
    everyone = list(range(len(grid.rows)))
    if len(everyone) < 500:
        return [everyone]
    members = [sum(row[c].bit_count() for row in grid.rows) for c in range(len(grid.axes))]
    few = [c for c, number in enumerate(members) if number <= MEMBERS]
    if not few:
        return [everyone]
    column = min(few, key=lambda c: _pairs([row[c] for row in grid.rows]))
    groups: dict[int, list[int]] = {}
    for index in everyone:
        for start, end in _runs(grid.rows[index][column]):
            for piece in range(start, end):
                groups.setdefault(piece, []).append(index)
    return [list(group) for group in dict.fromkeys(map(tuple, groups.values()))]


def _pairs(cells: Sequence[int]) -> int:
    """Return how many pairs of rows would be compared, piece by piece."""
    changes: dict[int, int] = {}
    for cell in cells:
        for start, end in _runs(cell):
            changes[start] = changes.get(start, 0) + 1
            changes[end] = changes.get(end, 0) - 1
    pairs = rows = last = 0
    for place in sorted(changes):
        pairs += rows * rows * (place - last)
        rows, last = rows + changes[place], place
    return pairs


def _shared(first: Sequence[int], second: Sequence[int]) -> list[int]:
    shared = []
    for a, b in zip(first, second, strict=True):
        both = a & b
        if not both:
            return []
        shared.append(both)
    return shared


def gap(grid: Grid) -> list[int] | None:
    """Return a box without any row, or None if every customer has one; raises TooLarge."""
    search = _GapSearch(grid)
    return search.find(0, (1 << len(grid.rows)) - 1)


class _GapSearch:
    """Walks column by column, keeping the set of rows that still match, as bits."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.by_piece = [self._classes(column) for column in range(len(grid.axes))]
        self.certain = self._certain()
        self.covered: set[tuple[int, int]] = set()

    def _classes(self, column: int) -> list[tuple[int, int]]:
        """Return (pieces, rows that cover them) for each different set of rows in a column."""
        classes: dict[int, int] = {}
        full = self.grid.axes[column].full
        for piece, rows in enumerate(covering([row[column] for row in self.grid.rows], full.bit_length())):
            if full >> piece & 1:
                classes[rows] = classes.get(rows, 0) | 1 << piece
        return sorted(((pieces, rows) for rows, pieces in classes.items()))

    def _certain(self) -> list[int]:
        """Return, by column, the rows that match whatever stands in that column and in all after it."""
        certain = [0] * (len(self.grid.axes) + 1)
        certain[-1] = (1 << len(self.grid.rows)) - 1
        for column in reversed(range(len(self.grid.axes))):
            full = self.grid.axes[column].full
            rows = sum(1 << i for i, row in enumerate(self.grid.rows) if row[column] == full)
            certain[column] = certain[column + 1] & rows
        return certain

    def find(self, column: int, rows: int) -> list[int] | None:
        """Return a box from this column on that none of the rows covers."""
        if not rows:
            return [axis.full for axis in self.grid.axes[column:]]
        if rows & self.certain[column] or (column, rows) in self.covered:
            return None
        if len(self.covered) > STATES:
            raise TooLarge
        for pieces, covering in self.by_piece[column]:
            rest = self.find(column + 1, rows & covering)
            if rest is not None:
                return [pieces, *rest]
        self.covered.add((column, rows))
        return None


def covering(masks: Sequence[int], size: int) -> list[int]:
    """Return, by piece, the rows (as bits) whose cells cover it: one sweep over where cells begin and end."""
    changes = [0] * (size + 1)
    for row, mask in enumerate(masks):
        for start, end in _runs(mask):
            changes[start] ^= 1 << row
            changes[min(end, size)] ^= 1 << row
    rows, found = 0, []
    for change in changes[:size]:
        rows ^= change
        found.append(rows)
    return found


def _runs(mask: int) -> Iterator[tuple[int, int]]:
    """Yield (first, one after the last) of each run of ones."""
    place = 0
    while mask:
        start = (mask & -mask).bit_length() - 1
        mask >>= start
        length = (~mask & (mask + 1)).bit_length() - 1
        yield place + start, place + start + length
        mask >>= length
        place += start + length


def empty(grid: Grid) -> Iterator[tuple[int, int]]:
    """Yield (row, column) of cells that no value can match."""
    for number, row in enumerate(grid.rows):
        for column, pieces in enumerate(row):
            if not pieces:
                yield number, column
