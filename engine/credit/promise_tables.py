"""Tables and scorecards for two customers at once: the pairs of rows that can match, the pairs of points."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product

from engine.credit.axes import Line, axis_of
from engine.credit.domains import domain_of
from engine.credit.interpret import passes
from engine.credit.model import DecisionTable, Expression, Scorecard, Tests
from engine.credit.promise_formulas import numbers
from engine.credit.promise_state import PAIRS, Known, Masks, Pair, bounds_of
from engine.credit.two_worlds import NotDecided, Number
from engine.feel import kinds
from engine.feel import syntax as s
from engine.feel.values import Value as FeelValue


def rows_of(known: Known, table: DecisionTable) -> Masks:
    """Return the rows that can count for the two."""
    everyone = (1 << len(table.rules)) - 1
    found: Masks = frozenset({(everyone, everyone)})
    for column, heading in enumerate(table.inputs):
        masks = masks_of(known, table.name, heading, [rule.tests[column] for rule in table.rules])
        found = frozenset((a & x, b & y) for a, b in found for x, y in masks)
        if len(found) > PAIRS:
            raise NotDecided(heading.node)
    if not table.hit.single:
        return found
    first = {(a & -a, b & -b) for a, b in found}
    if table.otherwise is None:  # who has no row has no result that could be compared
        first = {(a, b) for a, b in first if a and b}
    return frozenset(first)


def masks_of(known: Known, decision: str, heading: Expression, column: list[Tests]) -> Masks:
    """Return which cells of a column the two pass, for every pair of values that there can be."""
    seen: dict[tuple[type, object], int] = {}

    def passed(value: FeelValue) -> int:
        key = (type(value), repr(value) if isinstance(value, list | dict) else value)
        if key not in seen:
            seen[key] = sum(1 << n for n, cell in enumerate(column) if passes(decision, cell, value, {}))
        return seen[key]

    if any(isinstance(part, s.Name) for cell in column for part in s.walk(cell.node)):
        raise NotDecided(heading.node)
    return frozenset((passed(a), passed(b)) for a, b in _values(known, heading, column))


def _values(known: Known, heading: Expression, column: list[Tests]) -> Iterator[Pair]:
    """Yield pairs of values of a heading that stand for all that there are."""
    node = heading.node
    if isinstance(node, s.Name) and node.name == known.subject:
        yield known.step.examples
        return
    found = known.finite(node)
    if found is not None:
        yield from found
        return
    nullable = any(isinstance(test, s.Null) for cell in column for test in cell.node.tests)
    kind = known.policy.kinds.get(heading.text, kinds.NUMBER)
    domain = domain_of(known.policy, heading, kind, nullable=nullable)
    axis = axis_of(domain, [cell.node for cell in column])
    if axis is None or any(axis.covered(cell.node) is None for cell in column):
        raise NotDecided(node)
    pieces = [piece for piece in range(axis.full.bit_length()) if axis.full >> piece & 1]
    examples = [axis.example(1 << piece) for piece in pieces]
    if known.stays(node):
        yield from zip(examples, examples, strict=True)
        return
    if not isinstance(axis, Line) or len(pieces) ** 2 > PAIRS:
        raise NotDecided(node)
    spans = numbers(known, node)
    for (n, one), (m, other) in product(enumerate(examples), repeat=2):
        bounds = (*bounds_of(axis, pieces[n]), *bounds_of(axis, pieces[m]))
        if any(_meets(span, bounds, m - n) for span in spans):
            yield one, other


def points_of(known: Known, card: Scorecard) -> frozenset[Pair]:
    """Return what a scorecard can add up to for the two."""
    sums: set[tuple[Decimal, Decimal]] = {(card.base, card.base)}
    for part in card.characteristics:
        masks = masks_of(known, card.name, part.expression, [bin_.tests for bin_ in part.bins])
        points = {
            (part.bins[a.bit_length() - 1].points, part.bins[b.bit_length() - 1].points)
            for a, b in masks
            if a and b
        }
        sums = {(x + p, y + q) for x, y in sums for p, q in points}
        if len(sums) > PAIRS:
            raise NotDecided(part.expression.node)
    return frozenset(sums)


def _meets(span: Number, bounds: tuple[Decimal, Decimal, Decimal, Decimal], order: int) -> bool:
    """Tell whether numbers of a span can lie in a piece each; `order`: how far the second one is up."""
    low, high, low2, high2 = bounds
    if (span.never_falls and order < 0) or (span.never_rises and order > 0):
        return False
    return span.low <= high and low <= span.high and span.low2 <= high2 and low2 <= span.high2
