"""Where an expression stands in a policy, so that another can be put in its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from engine.credit.model import (
    CreditPolicy,
    DecisionDefinition,
    DecisionTable,
    Expression,
    Formula,
    Scorecard,
    Tests,
)

Part = TypeVar("Part", Expression, Tests)


def put_back(
    policy: CreditPolicy, name: str, old: Expression | Tests, new: Expression | Tests
) -> CreditPolicy:  # fmt: skip
    """Return a policy with another expression or cell in the place of one; that one itself is meant."""
    if policy.status is old and isinstance(new, Expression):
        return replace(policy, status=new)
    if any(item.expression is old for item in policy.outcome):
        items = (
            replace(item, expression=new) if item.expression is old and isinstance(new, Expression) else item
            for item in policy.outcome
        )
        return replace(policy, outcome=tuple(items))
    return replace(policy, decisions={**policy.decisions, name: _changed(policy.decisions[name], old, new)})


def _changed(
    decision: DecisionDefinition, old: Expression | Tests, new: Expression | Tests
) -> DecisionDefinition:  # fmt: skip
    def put(part: Part) -> Part:
        return new if part is old and isinstance(new, type(part)) else part

    if isinstance(decision, Formula):
        return replace(decision, expression=put(decision.expression))
    if isinstance(decision, Scorecard):
        parts = tuple(
            replace(
                part, expression=put(part.expression),
                bins=tuple(replace(bin_, tests=put(bin_.tests)) for bin_ in part.bins),
            )
            for part in decision.characteristics
        )  # fmt: skip
        return replace(decision, characteristics=parts)
    return _table(decision, old, new)


def _table(table: DecisionTable, old: Expression | Tests, new: Expression | Tests) -> DecisionTable:
    def put(part: Part) -> Part:
        return new if part is old and isinstance(new, type(part)) else part

    rules = tuple(
        replace(rule, tests=tuple(map(put, rule.tests)), results=tuple(map(put, rule.results)))
        for rule in table.rules
    )
    otherwise = None if table.otherwise is None else tuple(map(put, table.otherwise))
    return replace(table, inputs=tuple(map(put, table.inputs)), rules=rules, otherwise=otherwise)
