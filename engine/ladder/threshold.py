"""Thresholds: what a ladder compares amounts, days and counts with, as bounds that can be searched.

Cells and conditions are FEEL; a ladder has to know on which day one of them will turn, so they are
kept as bounds of numbers and not as trees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.source import Span


@dataclass(frozen=True, slots=True)
class Bounds:
    """An interval of numbers; a missing bound is open."""

    low: Decimal | None = None
    low_closed: bool = True
    high: Decimal | None = None
    high_closed: bool = True

    def hold(self, value: Decimal | int) -> bool:
        """Tell whether a number lies in the interval."""
        return self.reached_by(value) and self.not_above(value)

    def not_above(self, value: Decimal | int) -> bool:
        """Tell whether a number is not past the upper bound."""
        return self.high is None or value < self.high or (self.high_closed and value == self.high)

    def reached_by(self, value: Decimal | int) -> bool:
        """Tell whether a number is at or past the lower bound."""
        return self.low is None or value > self.low or (self.low_closed and value == self.low)


@dataclass(frozen=True, slots=True)
class NumberTest:
    """A cell on a number: holds when any of its intervals does; no intervals (`-`) always hold."""

    text: str
    span: Span
    any_of: tuple[Bounds, ...] = ()

    @property
    def always(self) -> bool:
        """Tell whether the cell is `-`."""
        return not self.any_of

    def holds(self, value: Decimal | int) -> bool:
        """Tell whether a number passes the cell."""
        return not self.any_of or any(bounds.hold(value) for bounds in self.any_of)

    def reached_by(self, value: Decimal | int) -> bool:
        """Tell whether a number has reached the lowest bound of the cell."""
        return not self.any_of or any(bounds.reached_by(value) for bounds in self.any_of)

    def turns(self) -> Iterator[int]:
        """Yield the whole numbers at which the outcome of the cell can change."""
        for bounds in self.any_of:
            yield from _turns(bounds)

    @property
    def ends(self) -> bool:
        """Tell whether the cell can stop holding as a number grows."""
        return any(bounds.high is not None for bounds in self.any_of)

    @property
    def lowest(self) -> int:
        """The first whole number that has reached the cell's lowest bound; 0 when there is none."""
        starts = [min(_turns(b)) if b.low is not None else 0 for b in self.any_of]
        return min(starts, default=0)


def _turns(bounds: Bounds) -> Iterator[int]:
    for bound, closed in ((bounds.low, bounds.low_closed), (bounds.high, not bounds.high_closed)):
        if bound is not None:
            floor = int(bound // 1)
            yield floor if closed and bound == floor else floor + 1


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison of a condition: a quantity and the interval that it must lie in."""

    name: str
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition such as `overdue >= 20.00 and age >= 1`: any of the clauses, each all of its terms."""

    text: str
    span: Span
    any_of: tuple[tuple[Term, ...], ...]

    @property
    def names(self) -> set[str]:
        """The quantities that it compares."""
        return {term.name for clause in self.any_of for term in clause}

    def holds(self, values: Mapping[str, Decimal | int]) -> bool:
        """Tell whether the condition holds for these quantities."""
        return any(all(term.bounds.hold(values[term.name]) for term in clause) for clause in self.any_of)

    def is_lost_above(self, name: str) -> bool:
        """Tell whether a quantity that only grows can never make the condition hold."""
        return all(term.bounds.low is None for clause in self.any_of for term in clause if term.name == name)

    def turns(self, *names: str) -> Iterator[int]:
        """Yield the whole numbers of the named quantities at which the outcome can change."""
        for clause in self.any_of:
            for term in clause:
                if term.name in names:
                    yield from _turns(term.bounds)
