"""Which rows of a table that is read from above somebody reaches, and all customers without a row.

A row is hidden when earlier rows together match whatever it matches. That is a covering problem, so it has
a budget of looks (the engine has no clock); a row that it does not suffice for is named as undecided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from engine.credit.analysis import Grid, TooLarge, covering, gap

LOOKS = 200_000
"""Sets of rows that the search for hidden rows looks at in one table: less than a second."""
LOOKS_A_ROW = 20_000
"""And for one row."""
NAMED = 12
"""Rows that hide another one together are cut down to those that are needed if they are at most so many."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known of one row; numbers of rows count from 0."""

    row: int
    by: tuple[int, ...] = ()
    """Hidden: the earlier rows that match whatever it matches; else those that take a part of it."""
    example: tuple[int, ...] | None = None
    """A box of customers who reach the row; None: nobody does, or it is not decided."""
    decided: bool = True

    @property
    def hidden(self) -> bool:
        """Tell whether it is known that nobody reaches the row."""
        return self.decided and self.example is None


def reached(grid: Grid, looks: int = LOOKS) -> Iterator[Reach]:
    """Yield what is known of each row, in order, as if the first row that matches counted."""
    columns = [_Column(grid, column) for column in range(len(grid.axes))]
    budget = _Budget(looks)
    for number, row in enumerate(grid.rows):
        if not all(row):
            continue  # no value can match a cell of it, which is told of the cell
        earlier = (1 << number) - 1
        touching = reduce(and_, (c.touching(cell) for c, cell in zip(columns, row, strict=True)), earlier)
        around = reduce(and_, (c.around(cell) for c, cell in zip(columns, row, strict=True)), earlier)
        if around:
            yield Reach(number, (_first(around),))
        else:
            yield _of_row(grid, number, _members(touching), budget)


def taken(grid: Grid, found: Reach) -> Iterator[tuple[int, list[int]]]:
    """Yield the earlier rows that take customers from a row, each with a box of those whom it takes.

    An earlier row that only matches whom a still earlier one has taken is left out; raises TooLarge.
    """
    budget = _Budget(min(LOOKS_A_ROW, LOOKS // len(grid.rows)))  # all rows together: as the search above
    for one in sorted(found.by):
        shared = [mine & other for mine, other in zip(grid.rows[found.row], grid.rows[one], strict=True)]
        before = [other for other in found.by if other < one]
        box = _Cover(grid, shared, before, budget).left_over()
        if box is not None:
            yield one, box


def gaps(grid: Grid, most: int) -> Iterator[tuple[list[int], list[int]]]:
    """Yield boxes without any row, each as far as it goes, with a smaller one in it; raises TooLarge.

    At most `most` are yielded, and no two of them overlap.
    """
    rows = list(grid.rows)
    for _ in range(most):
        box = gap(Grid(grid.axes, tuple(rows)))
        if box is None:
            return
        wide = _widened(rows, grid, box)
        yield wide, box
        rows.append(tuple(wide))


def _widened(rows: Sequence[tuple[int, ...]], grid: Grid, box: Sequence[int]) -> list[int]:
    """Return a box as far as it goes in each column without touching a row."""
    wide = list(box)
    for column, axis in enumerate(grid.axes):
        near = (
            row[column]
            for row in rows
            if all(row[c] & wide[c] for c in range(len(wide)) if c != column)
        )  # fmt: skip
        wide[column] = axis.full & ~reduce(or_, near, 0)
    return wide


class _Budget:
    """How many looks are left in the table."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def of_row(self) -> _Budget:
        return _Budget(min(self.left, LOOKS_A_ROW))

    def look(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooLarge


class _Column:
    """One column: by piece the rows that cover it, and what was worked out for its cells."""

    def __init__(self, grid: Grid, column: int) -> None:
        full = grid.axes[column].full
        self.by_piece = covering([row[column] for row in grid.rows], full.bit_length())
        self._touching: dict[int, int] = {}
        self._around: dict[int, int] = {}

    def touching(self, cell: int) -> int:
        """Return the rows that share a piece with a cell."""
        if cell not in self._touching:
            self._touching[cell] = reduce(or_, (self.by_piece[p] for p in _members(cell)), 0)
        return self._touching[cell]

    def around(self, cell: int) -> int:
        """Return the rows that cover all pieces of a cell."""
        if cell not in self._around:
            self._around[cell] = reduce(and_, (self.by_piece[p] for p in _members(cell)), -1)
        return self._around[cell]


def _of_row(grid: Grid, row: int, earlier: Sequence[int], budget: _Budget) -> Reach:
    mine = budget.of_row()
    before = mine.left
    try:
        left = _Cover(grid, grid.rows[row], earlier, mine).left_over()
    except TooLarge:
        return Reach(row, tuple(earlier), decided=False)
    finally:
        budget.left -= before - max(0, mine.left)
    if left is not None:
        return Reach(row, tuple(earlier), tuple(left))
    return Reach(row, _needed(grid, row, list(earlier)))


def _needed(grid: Grid, row: int, by: list[int]) -> tuple[int, ...]:
    """Return some of the rows that hide a row, none of which can be left out if they are few."""
    if len(by) > 4 * NAMED:
        return tuple(by)
    for one in reversed(by[:]):
        rest = [other for other in by if other != one]
        try:
            if _Cover(grid, grid.rows[row], rest, _Budget(LOOKS_A_ROW // 10)).left_over() is None:
                by = rest
        except TooLarge:
            break
    return tuple(by)


class _Cover:
    """Whether some rows cover a box together: column by column, with the rows that still match as bits."""

    def __init__(self, grid: Grid, box: Sequence[int], rows: Sequence[int], budget: _Budget) -> None:
        self.box, self.rows, self.budget = box, rows, budget
        everyone = (1 << len(rows)) - 1
        classes = [self._classes(grid, column) for column in range(len(box))]
        self.order = sorted(range(len(box)), key=lambda column: len(classes[column]))
        self.classes = [classes[column] for column in self.order]
        self.certain = [everyone]
        for found in reversed(self.classes):
            whole = reduce(and_, found, everyone)  # the rows that cover the box in this column
            self.certain.insert(0, self.certain[0] & whole)
        self.covered: set[tuple[int, int]] = set()

    def _classes(self, grid: Grid, column: int) -> dict[int, int]:
        """Return the pieces of the box in a column, by the rows that cover them."""
        cells = [grid.rows[row][column] & self.box[column] for row in self.rows]
        by_piece = covering(cells, self.box[column].bit_length())
        classes: dict[int, int] = {}
        for piece in _members(self.box[column]):
            classes[by_piece[piece]] = classes.get(by_piece[piece], 0) | 1 << piece
        return dict(sorted(classes.items(), key=lambda item: item[0].bit_count()))

    def left_over(self) -> list[int] | None:
        """Return a box that none of the rows covers, or None; raises TooLarge."""
        found = self._find(0, (1 << len(self.rows)) - 1)
        if found is None:
            return None
        box = [0] * len(self.box)
        for column, pieces in zip(self.order, found, strict=True):
            box[column] = pieces
        return box

    def _find(self, place: int, rows: int) -> list[int] | None:
        if not rows:
            return [self.box[column] for column in self.order[place:]]
        if rows & self.certain[place] or (place, rows) in self.covered:
            return None
        for covers, pieces in self.classes[place].items():
            self.budget.look()
            rest = self._find(place + 1, rows & covers)
            if rest is not None:
                return [pieces, *rest]
        self.covered.add((place, rows))
        return None


def _first(rows: int) -> int:
    return (rows & -rows).bit_length() - 1


def _members(bits: int) -> list[int]:
    found = []
    while bits:
        found.append(_first(bits))
        bits &= bits - 1
    return found
