"""Whether sums of whole numbers can obey a list of bounds at once: exact, by the dual simplex method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

Bounds: TypeAlias = Mapping[str, tuple[int, int]]
"""The least and the greatest value of each unknown."""
MOST_PIVOTS = 2_000


@dataclass(frozen=True, slots=True)
class AtMost:
    """`sum(coefficient * unknown) <= most`."""

    terms: tuple[tuple[int, str], ...]
    most: int


def can_hold(limits: Sequence[AtMost], bounds: Bounds) -> bool:
    """Tell whether some numbers within the bounds obey all limits.

    False is certain. True may stand where only fractions do; that is the side on which nothing is refused.
    """
    names = sorted(bounds)
    place = {name: number for number, name in enumerate(names)}
    rows = [_row(limit, place, bounds) for limit in limits]
    rows += [_row(AtMost(((1, name),), bounds[name][1]), place, bounds) for name in names]
    return _feasible(rows)


def _row(limit: AtMost, place: Mapping[str, int], bounds: Bounds) -> list[Fraction]:
    """Return a limit on unknowns that are counted from their least value; its bound stands last."""
    row = [Fraction(0)] * (len(place) + 1)
    row[-1] = Fraction(limit.most)
    for coefficient, name in limit.terms:
        row[place[name]] += coefficient
        row[-1] -= coefficient * bounds[name][0]
    return row


def _feasible(rows: list[list[Fraction]]) -> bool:
    """Pivot until no bound is negative; by Bland's order, so that it ends."""
    unknowns = len(rows[0]) - 1 if rows else 0
    inside, outside = list(range(unknowns, unknowns + len(rows))), list(range(unknowns))
    for _ in range(MOST_PIVOTS):
        broken = [number for number, row in enumerate(rows) if row[-1] < 0]
        if not broken:
            return True
        leaving = min(broken, key=lambda number: inside[number])
        usable = [column for column in range(unknowns) if rows[leaving][column] < 0]
        if not usable:
            return False
        entering = min(usable, key=lambda column: outside[column])
        _pivot(rows, leaving, entering)
        inside[leaving], outside[entering] = outside[entering], inside[leaving]
    return True


def _pivot(rows: list[list[Fraction]], leaving: int, entering: int) -> None:
    pivot = rows[leaving]
    by = pivot[entering]
    pivot[entering] = Fraction(1)
    rows[leaving] = pivot = [value / by for value in pivot]
    for number, row in enumerate(rows):
        if number != leaving and (factor := row[entering]):
            row[entering] = Fraction(0)
            rows[number] = [value - factor * other for value, other in zip(row, pivot, strict=True)]
