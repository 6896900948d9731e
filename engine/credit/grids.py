"""Tables and scorecards as sets of pieces, for the check and for the compiler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.credit.analysis import Grid, TooLarge
from engine.credit.axes import axis_of
from engine.credit.domains import domain_of
from engine.credit.model import CreditPolicy, Expression, Tests
from engine.feel import kinds, syntax
from engine.feel.kinds import FeelType

Kinds = Mapping[str, FeelType]
BITS = 200_000_000
"""Rows times pieces of all columns at most: beyond this the sets take too much memory and time."""


def grid_of(
    policy: CreditPolicy, headings: Sequence[Expression], columns: Sequence[Sequence[Tests]], known: Kinds
) -> Grid | Tests | Expression | TooLarge:
    """Return columns of cells as sets of pieces, or the first cell or heading that has no pieces.

    Returns `TooLarge` when rows times pieces are more than `BITS`.
    """
    axes, bits = [], 0
    covered: list[list[int]] = []
    for heading, cells in zip(headings, columns, strict=True):
        nodes = [cell.node for cell in cells]
        nullable = any(isinstance(test, syntax.Null) for node in nodes for test in node.tests)
        axis = axis_of(domain_of(policy, heading, _kind(heading, known), nullable=nullable), nodes)
        if axis is None:
            return heading
        bits += len(cells) * axis.full.bit_length()
        if bits > BITS:
            return TooLarge()
        pieces = [axis.covered(cell.node) for cell in cells]
        opaque = next((cell for cell, found in zip(cells, pieces, strict=True) if found is None), None)
        if opaque is not None:
            return opaque
        axes.append(axis)
        covered.append([found for found in pieces if found is not None])
    return Grid(tuple(axes), tuple(zip(*covered, strict=True)))


def _kind(heading: Expression, known: Kinds) -> FeelType:
    match heading.node:
        case syntax.Name(name):
            return known.get(name, kinds.ANY)
        case syntax.Path(syntax.Name(name), entry) if isinstance(found := known.get(name), kinds.ContextOf):
            return found.get(entry) or kinds.ANY
        case syntax.Arithmetic() | syntax.Call(syntax.Name("count")):
            return kinds.NUMBER
    return kinds.ANY
