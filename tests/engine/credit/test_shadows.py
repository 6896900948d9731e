"""Which rows of a FIRST table take customers from a later one, against trying every customer."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from engine.credit.analysis import Grid
from engine.credit.axes import axis_of
from engine.credit.domains import Values
from engine.credit.reach import reached, taken

FULL = 7  # three pieces a column
CELLS = st.integers(1, FULL)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8)


@given(ROWS)
def test_exactly_the_rows_that_match_somebody_first_are_told(rows: list[tuple[int, int, int]]) -> None:
    axis = axis_of(Values(("a", "b", "c")), [])
    assert axis is not None
    assert axis.full == FULL
    grid = Grid((axis, axis, axis), tuple(rows))
    customers = list(product((1, 2, 4), repeat=3))

    def matching(customer: tuple[int, ...]) -> list[int]:
        return [
            n for n, row in enumerate(rows) if all(c & cell for c, cell in zip(customer, row, strict=True))
        ]

    for found in reached(grid):
        if found.hidden:
            continue
        expected = {
            matches[0]
            for customer in customers
            if found.row in (matches := matching(customer)) and matches[0] < found.row
        }
        told = dict(taken(grid, found))
        assert set(told) == expected
        for row, box in told.items():
            boxed = [c for c in customers if all(p & b for p, b in zip(c, box, strict=True))]
            assert boxed
            assert all(matching(c)[0] == row and found.row in matching(c) for c in boxed)
