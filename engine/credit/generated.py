"""What generated code calls besides FEEL: everything that is not worth a statement of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NoReturn

from engine.credit.interpret import SUMMED, aggregated
from engine.credit.model import DecisionTable, HitPolicy
from engine.feel.decimals import CONTEXT
from engine.feel.values import FeelError, Value

Loss = tuple[int, int, str]
"""Points lost (negative, in the scorecard's finest unit), place of the characteristic, reason code."""


class Stuck(FeelError):
    """Generated code has no plain answer; the interpreter says why."""

    def __init__(self) -> None:
        super().__init__("stuck", "there is no plain answer")


def stuck() -> NoReturn:
    """Give up: no row, two rows, or a value of the wrong kind."""
    raise Stuck


def joined(table: DecisionTable, rows: Sequence[tuple[Value, ...]]) -> Value:
    """Return a table's value from the outputs of its matching rows; raises Stuck if there is none."""
    hit = table.hit
    if hit is HitPolicy.UNIQUE and len(rows) > 1:
        stuck()
    if hit is HitPolicy.ANY and any(row != rows[0] for row in rows):
        stuck()
    if not rows and not hit.lists and hit is not HitPolicy.COLLECT_COUNT:
        stuck()
    if hit in SUMMED and not all(isinstance(row[0], Decimal) for row in rows):
        stuck()
    if len(table.outputs) == 1:
        return aggregated(hit, [row[0] for row in rows])
    names = [output.name for output in table.outputs]
    return aggregated(hit, [dict(zip(names, row, strict=True)) for row in rows])


def codes_of(rows: Iterable[tuple[Value, ...]], column: int | None) -> list[Value]:
    """Return the reason codes of matching rows."""
    return [] if column is None else [row[column] for row in rows if row[column] is not None]


def only_one(hits: tuple[bool, ...]) -> None:
    """Raise Stuck if more than one bin matches."""
    if hits.count(True) > 1:
        stuck()


def ranked(*lost: Loss | None) -> list[str]:
    """Return reason codes by points lost, the most first; equal losses keep the author's order."""
    found = [item for item in lost if item]
    found.sort()
    return [item[2] for item in found]


def unscaled(total: int, decimals: int) -> Decimal:
    """Return a sum of points, counted in the finest unit, as a number."""
    return Decimal(total).scaleb(-decimals, CONTEXT)


def merged(*lists: Sequence[str]) -> list[str]:
    """Return reason codes in order, each once."""
    found: dict[str, None] = {}
    for codes in lists:
        for code in codes:
            found[code] = None
    return list(found)
