"""Which numbers are amounts of money, as far as a policy shows it."""

from __future__ import annotations

from engine.credit.model import CreditPolicy, DecisionTable, FactKind, Formula
from engine.feel.syntax import Arithmetic, Call, If, ListLiteral, Name, Negation, Node

_SAME_UNIT = frozenset(
    ("max", "min", "sum", "abs", "floor", "ceiling", "decimal", "round up", "round down", "round half up",
     "round half down", "mean", "median")
)  # fmt: skip


def is_amount(policy: CreditPolicy, node: Node) -> bool:
    """Tell whether an expression certainly is an amount: it adds, scales or picks amounts."""
    units = _Units(policy)
    for name in policy.order:  # in this order no decision has to ask another one: a chain is not deep
        units.named(name)
    return units.amount(node)


class _Units:
    """One question; decisions that were looked at are remembered, so that a circle ends."""

    def __init__(self, policy: CreditPolicy) -> None:
        self.policy = policy
        self.decisions: dict[str, bool] = {}

    def amount(self, node: Node) -> bool:
        match node:
            case Name(name):
                return self.named(name)
            case Negation(operand):
                return self.amount(operand)
            case Arithmetic("+" | "-", left, right):
                return self.amount(left) or self.amount(right)
            case Arithmetic("*", left, right):
                return self.amount(left) is not self.amount(right)
            case Arithmetic("/", left, right):
                return self.amount(left) and not self.amount(right)
            case If(_, then, otherwise):
                return self.amount(then) or self.amount(otherwise)
            case Call(Name(function), arguments, ()) if function in _SAME_UNIT:
                return any(map(self.amount, arguments))
            case ListLiteral(items):
                return any(map(self.amount, items))
        return False

    def named(self, name: str) -> bool:
        """Tell whether a fact or a decision is an amount."""
        if name in self.policy.facts:
            return self.policy.facts[name].kind is FactKind.MONEY
        if name not in self.decisions:
            self.decisions[name] = False
            self.decisions[name] = self._decision(name)
        return self.decisions[name]

    def _decision(self, name: str) -> bool:
        decision = self.policy.decisions.get(name)
        if isinstance(decision, Formula):
            return self.amount(decision.expression.node)
        if isinstance(decision, DecisionTable) and len(decision.outputs) == 1 and decision.hit.single:
            return any(self.amount(rule.results[0].node) for rule in decision.rules)
        return False
