"""What the results of a policy can be, as far as its text says: who puts another in place is held to it."""

from __future__ import annotations

from engine.credit.domains import Values, domain_of
from engine.credit.model import CreditPolicy, Expression, Formula, Outcome
from engine.feel import kinds
from engine.feel.inference import infer
from engine.feel.kinds import FeelType
from engine.feel.syntax import Boolean, If, Name, Node, Null, String


def result_named(policy: CreditPolicy, name: str) -> Outcome | None:
    """Return a result of the policy by its name; None if it has no such one."""
    return next((item for item in policy.outcome if item.name == name), None)


def result_type(policy: CreditPolicy, result: Outcome) -> FeelType:
    """Return the type of a result."""
    names = {**policy.kinds, "reasons": kinds.ListOf(kinds.STRING)}
    return infer(result.expression.node, names, result.span, result.expression.text)[0]


def result_values(policy: CreditPolicy, result: Outcome) -> tuple[object, ...]:
    """Return all values that a result can have, in the policy's order; empty where it can have others."""
    found = _values(policy, result.expression.node, result.expression)
    return () if found is None else tuple(dict.fromkeys(found))


def _values(policy: CreditPolicy, node: Node, within: Expression) -> list[object] | None:
    """Return what an expression can be, following conditions and names of formulas; None: not known."""
    match node:
        case If(_, then, otherwise):
            parts = [_values(policy, part, within) for part in (then, otherwise)]
            return None if None in parts else [value for part in parts for value in part or ()]
        case String(value) | Boolean(value):
            return [value]
        case Null():
            return []
        case Name(name) if isinstance(formula := policy.decisions.get(name), Formula):
            return _values(policy, formula.expression.node, formula.expression)
    domain = domain_of(policy, Expression(within.text, within.span, node), kinds.STRING)
    return list(domain.values) if isinstance(domain, Values) and not domain.open else None


__all__ = ["result_named", "result_type", "result_values"]
