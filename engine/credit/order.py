"""Decisions in the order in which they can be taken: each after those that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from engine.credit.model import DecisionDefinition, Expression, Tests
from engine.feel.syntax import (
    AtLiteral,
    Boolean,
    Name,
    Node,
    Null,
    Number,
    RangeLiteral,
    String,
    UnaryComparison,
    UnaryTests,
    walk,
)
from engine.source import Span
from engine.text import Reader

_LITERALS = (Number, String, Boolean, Null, AtLiteral)
Reads = Mapping[str, Mapping[str, Span]]
"""By decision: the names it reads, each with the place where it is first read."""


def names_in(expression: Expression | Tests) -> list[tuple[str, Span]]:
    """Return the names that an expression speaks of, with their places, in reading order."""
    node = expression.node
    if all(map(_is_literal, node.tests if isinstance(node, UnaryTests) else (node,))):
        return []
    found = [part for part in walk(node) if isinstance(part, Name)]
    return [(part.name, expression.span.shifted(part.offset, max(1, part.length))) for part in found]


def _is_literal(node: Node) -> bool:
    """Tell quickly of the many cells of large tables that no name can be in them."""
    match node:
        case UnaryComparison(_, operand):
            return isinstance(operand, _LITERALS)
        case RangeLiteral(low, high):
            return isinstance(low, _LITERALS) and isinstance(high, _LITERALS)
    return isinstance(node, _LITERALS)


def reads_of(decision: DecisionDefinition) -> dict[str, Span]:
    """Return every name that a decision reads, with the place where it is first read."""
    reads: dict[str, Span] = {}
    for expression in decision.expressions():
        for name, span in names_in(expression):
            reads.setdefault(name, span)
    return reads


def dependency_order(reader: Reader, decisions: Mapping[str, DecisionDefinition]) -> tuple[str, ...]:
    """Return the names of the decisions in an order that can be computed; a cycle is a problem."""
    reads = {name: reads_of(decision) for name, decision in decisions.items()}
    done: dict[str, None] = {}
    for start in decisions:
        if start not in done:
            _visit(reader, reads, start, done)
    return tuple(done)


def _visit(reader: Reader, reads: Reads, start: str, done: dict[str, None]) -> None:
    """Walk depth first with a stack of our own: a long chain of decisions is not a deep recursion."""
    stack = [(start, iter(reads[start]))]
    path = [start]
    while stack:
        name, rest = stack[-1]
        following = next((other for other in rest if other in reads and other not in done), None)
        if following is None:
            done[name] = None
            stack.pop()
            path.pop()
        elif following in path:
            _note_cycle(reader, reads, [*path[path.index(following) :], following])
        else:
            stack.append((following, iter(reads[following])))
            path.append(following)


def _note_cycle(reader: Reader, reads: Reads, cycle: list[str]) -> None:
    first, second, *_ = cycle
    related = tuple((f"`{name}` reads `{other}`", reads[name][other]) for name, other in pairwise(cycle[1:]))
    message = f"decisions read each other in a circle: {' -> '.join(f'`{name}`' for name in cycle)}"
    advice = "split one of them, so that each reads only what is known before it"
    reader.error("decision-cycle", message, reads[first][second], advice, related)
