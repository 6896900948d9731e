"""What is known of two customers who differ in one fact, while they are led through a policy's decisions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from engine.credit.axes import Line
from engine.credit.model import CreditPolicy, DecisionTable, Expression
from engine.credit.two_worlds import INFINITE, Number
from engine.feel import syntax as s
from engine.feel.values import Value as FeelValue

PAIRS = 20_000
"""Pairs of values of one name, and of the names of one formula together, that are followed at most."""

Pair: TypeAlias = tuple[FeelValue, FeelValue]
Masks: TypeAlias = frozenset[tuple[int, int]]
"""The rows that match, as bits, for the one and for the other."""


@dataclass(frozen=True, slots=True)
class Step:
    """The subject of the one and of the other: an example of each, and the bounds between which they lie."""

    examples: Pair
    number: Number


def step_of(axis: Line, one: int, other: int) -> Step:
    """Return the step from one piece of the subject to another."""
    low, high = bounds_of(axis, one)
    low2, high2 = bounds_of(axis, other)
    number = Number(low, high, low2, high2, rises=True)
    return Step((axis.example(1 << one), axis.example(1 << other)), number)


def bounds_of(axis: Line, piece: int) -> tuple[Decimal, Decimal]:
    """Return between which numbers the values of a piece lie; a point lies between itself and itself."""
    index, at = divmod(piece, 2)
    if at:
        return axis.points[index], axis.points[index]
    low = axis.points[index - 1] if index else -INFINITE
    return low, axis.points[index] if index < len(axis.points) else INFINITE


class Known:
    """What every name can be for the two, as far as the decisions were worked out."""

    def __init__(self, policy: CreditPolicy, subject: str, step: Step) -> None:
        self.policy, self.subject, self.step = policy, subject, step
        self.pairs: dict[str, frozenset[Pair]] = {}
        """Names that are known as pairs of values."""
        self.spans: dict[str, list[Number]] = {}
        """Numbers of which bounds and order are known."""
        self.rows: dict[str, Masks] = {}
        """By table: the rows that count."""
        self.unknown: dict[str, s.Node] = {}
        """Formulas that are not understood, with the part that is not."""
        self.moved = {subject}
        """The names that can differ between the two."""

    def stays(self, node: s.Node) -> bool:
        """Tell whether an expression is the same for both, whatever it is worth."""
        return self.moved.isdisjoint(part.name for part in s.walk(node) if isinstance(part, s.Name))

    def finite(self, node: s.Node) -> frozenset[Pair] | None:
        """Return the pairs of values of a heading that is the result of tables; None: it is not that."""
        match node:
            case s.Name(name) if name in self.pairs:
                return self.pairs[name]
            case s.Name(name) if name in self.rows:
                return self.column(name, 0)
            case s.Path(s.Name(name), entry) if name in self.rows:
                table = self.policy.decisions[name]
                assert isinstance(table, DecisionTable)
                outputs = [output.name for output in table.outputs]
                return self.column(name, outputs.index(entry)) if entry in outputs else None
            case s.Call(s.Name("count"), (s.Name(name),)) if name in self.rows:
                return frozenset((Decimal(a.bit_count()), Decimal(b.bit_count())) for a, b in self.rows[name])
        return None

    def column(self, name: str, column: int) -> frozenset[Pair] | None:
        """Return the pairs of literals in an output column; None: it is not made of literals alone."""
        table = self.policy.decisions[name]
        assert isinstance(table, DecisionTable)
        if not table.hit.single:
            return None
        found = set()
        for a, b in self.rows[name]:
            one, other = literal_of(table, a, column), literal_of(table, b, column)
            if one is None or other is None:
                return None
            found.add((one[0], other[0]))
        return frozenset(found)


def result_of(table: DecisionTable, mask: int, column: int) -> Expression:
    """Return the result of the row of a mask; an empty one has the table's `otherwise`."""
    if mask:
        return table.rules[mask.bit_length() - 1].results[column]
    assert table.otherwise is not None
    return table.otherwise[column]


def literal_of(table: DecisionTable, mask: int, column: int) -> tuple[FeelValue] | None:
    """Return a result that is a plain value, in a tuple; None: it has to be worked out."""
    match result_of(table, mask, column).node:
        case s.Number(value) | s.String(value) | s.Boolean(value):
            return (value,)
        case s.Negation(s.Number(value)):
            return (-value,)
        case s.Null():
            return (None,)
    return None
