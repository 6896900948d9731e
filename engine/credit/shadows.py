"""Rows of a table that is read from above from which earlier rows take customers, with one whom each takes.

That is how such tables are meant to work, so it is no problem; it is told to an author who asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.credit.analysis import Grid, TooLarge
from engine.credit.grids import grid_of
from engine.credit.model import CreditPolicy, DecisionTable, HitPolicy
from engine.credit.reach import Reach, reached, taken
from engine.feel.values import show
from engine.source import Problem, Severity

SHOWN = 5
"""Earlier rows that are told with a customer; more are counted."""


def shadow_problems(policy: CreditPolicy) -> Iterator[Problem]:
    """Yield a note for each row of a FIRST table that earlier rows hide in part.

    Rows without any condition are left out: they are written for whoever is left.
    """
    for table in policy.decisions.values():
        if isinstance(table, DecisionTable) and table.hit is HitPolicy.FIRST:
            columns = [[rule.tests[c] for rule in table.rules] for c in range(len(table.inputs))]
            grid = grid_of(policy, table.inputs, columns, policy.kinds)
            if isinstance(grid, Grid):
                yield from _of_table(grid, table)


def _of_table(grid: Grid, table: DecisionTable) -> Iterator[Problem]:
    for found in reached(grid):
        rule = table.rules[found.row]
        conditions = any(cell.node.tests for cell in rule.tests)
        if found.decided and not found.hidden and found.by and conditions:
            yield _partly(grid, table, found)


def _partly(grid: Grid, table: DecisionTable, found: Reach) -> Problem:
    rule = table.rules[found.row]
    takers: list[tuple[int, list[int]]] = []
    cut = ""
    try:
        takers.extend(taken(grid, found))
    except TooLarge:
        cut = "; later rows were not decided in time"
    names = [str(table.rules[row].number) for row, _ in takers]
    if len(names) == 1:
        told = f"row {names[0]} takes customers from it"
    else:
        more = [f"{len(names) - SHOWN} more"] if len(names) > SHOWN else []
        listed = names[:SHOWN] + more
        told = f"rows {', '.join(listed[:-1])} and {listed[-1]} take customers from it"
    message = f"{rule.span.cell} of table `{table.name}` is partly hidden: {told}{cut}"
    related = tuple(
        (f"{table.rules[row].span.cell} takes {_customer(grid, table, box)}", table.rules[row].span)
        for row, box in takers[:SHOWN]
    )
    advice = "if that is not meant, move the row further up or narrow the rows above it"
    return Problem("row-partly-hidden", message, rule.span, advice, Severity.INFO, related)


def _customer(grid: Grid, table: DecisionTable, box: list[int]) -> str:
    values = zip(table.inputs, grid.example(box), strict=True)
    return ", ".join(f"{heading.text} {show(value)}" for heading, value in values)
