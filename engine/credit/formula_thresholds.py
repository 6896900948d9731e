"""Thresholds inside formulas: `if owed > 50 then ...` with 50 a little lower and a little higher."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from engine.credit.model import CreditPolicy, Expression, Formula
from engine.credit.thresholds import literal, node_of
from engine.feel import syntax as s

_ORDER = ("<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class FormulaMutant:
    """One small change of one threshold of one formula."""

    name: str
    """The decision whose formula it is; empty: the status."""
    expression: Expression
    part: s.Node
    """The comparison in which the number stands."""
    point: Decimal
    moved: Decimal
    changed: s.Node
    """The whole formula with the change."""

    def __str__(self) -> str:
        text = self.expression.text[self.part.offset : self.part.offset + self.part.length]
        place = f"{self.name or 'status'} (line {self.expression.span.line})"
        return f"{place}, `{' '.join(text.split())}`: {self.point:f} as {self.moved:f}"

    def policy(self, policy: CreditPolicy) -> CreditPolicy:
        """Return the policy with the change."""
        expression = replace(self.expression, node=self.changed)
        if not self.name:
            return replace(policy, status=expression)
        decision = policy.decisions[self.name]
        assert isinstance(decision, Formula)  # it was made of one
        changed = replace(decision, expression=expression)
        return replace(policy, decisions={**policy.decisions, self.name: changed})


def formula_mutants(policy: CreditPolicy) -> Iterator[FormulaMutant]:
    """Yield every number that a formula compares with by order, one unit of its last place to either side."""
    formulas = [(d.name, d.expression) for d in policy.decisions.values() if isinstance(d, Formula)]
    for name, expression in [*formulas, *([("", policy.status)] if policy.status else [])]:
        for part in s.walk(expression.node):
            for old, point in _points(part):
                step = Decimal(1).scaleb(min(0, int(point.as_tuple().exponent)))
                for moved in (point - step, point + step):
                    new = _with(expression.node, old, node_of(moved))
                    yield FormulaMutant(name, expression, part, point, moved, new)


def _points(part: s.Node) -> Iterator[tuple[s.Node, Decimal]]:
    sides: tuple[s.Node, ...] = ()
    if isinstance(part, s.Comparison) and part.operator in _ORDER:
        sides = (part.left, part.right)
    elif isinstance(part, s.Between):
        sides = (part.low, part.high)
    for side in sides:
        point = literal(side)
        if isinstance(point, Decimal):
            yield side, point


def _with(node: s.Node, old: s.Node, new: s.Node) -> s.Node:
    """Return a tree with one of its nodes replaced; the node itself is meant, not one that equals it."""
    if node is old:
        return new
    changed: dict[str, Any] = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, s.Node):
            inner: object = _with(value, old, new)
        elif isinstance(value, tuple):
            inner = tuple(_with(item, old, new) if isinstance(item, s.Node) else item for item in value)
            inner = value if all(a is b for a, b in zip(inner, value, strict=True)) else inner
        else:
            continue
        if inner is not value:
            changed[field.name] = inner
    return replace(node, **changed) if changed else node
