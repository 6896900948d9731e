"""What a condition means, in Python's own values: the readable specification."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

from engine.watch.model import (
    And,
    Arithmetic,
    Clock,
    Compare,
    Condition,
    Constant,
    Expression,
    Or,
    Reference,
    Value,
)
from engine.watch.window import Item

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_COMPUTE: Mapping[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_EXACT = Context(prec=1_000, traps=[Inexact, InvalidOperation])  # 40 parts of at most 21 digits stay exact
_DECIMAL: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": _EXACT.add, "-": _EXACT.subtract, "*": _EXACT.multiply,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Binding:
    """The events that stand for a rule's names, and the instant of the look."""

    items: Mapping[str, Item]
    now: datetime


def holds(condition: Condition, binding: Binding) -> bool:
    """Tell whether a condition is true; what is unknown is not true."""
    match condition:
        case Compare():
            return _compare(condition, binding)
        case And(items):
            return all(holds(item, binding) for item in items)
        case Or(items):
            return any(holds(item, binding) for item in items)


def _compare(compare: Compare, binding: Binding) -> bool:
    left, right = value_of(compare.left, binding), value_of(compare.right, binding)
    if (left is None or right is None) and compare.operator not in ("=", "!="):
        return False
    return _COMPARE[compare.operator](left, right)


def value_of(expression: Expression, binding: Binding) -> Value:
    """Return what an expression is worth; null if a part of it is null."""
    match expression:
        case Reference(alias, prop):
            return binding.items[alias].values.get(prop.name)
        case Clock():
            return binding.now
        case Constant(value):
            return value
        case Arithmetic(sign, first, second):
            left, right = value_of(first, binding), value_of(second, binding)
            if left is None or right is None:
                return None
            compute = _DECIMAL if isinstance(left, Decimal) else _COMPUTE
            found: Value = compute[sign](left, right)
            return found
