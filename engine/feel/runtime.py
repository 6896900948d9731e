"""What generated Python calls: the operators of the interpreter, under one roof."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from engine.feel import decimals, operators
from engine.feel import syntax as s
from engine.feel.access import between, entry_of, item_at
from engine.feel.calls import call
from engine.feel.functions import BuiltIn
from engine.feel.interpreter import Note, evaluate, matches
from engine.feel.operators import compare, negate
from engine.feel.values import FeelError, Range, Value, brief

__all__ = [
    "DECIMAL", "arithmetic", "call_by_position", "compare", "entry_of", "interpreted", "is_between",
    "item_of", "logic", "negate", "passes", "truth",
]  # fmt: skip

DECIMAL: Final[dict[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "+": decimals.add,
    "-": decimals.subtract,
    "*": decimals.multiply,
    "/": decimals.divide,
    "**": decimals.power,
}


COUNTED: Final = 1_000
"""Characters of a text that only the interpreter makes, since it counts what that costs."""


def arithmetic(operator: str, left: Value, right: Value) -> Value:
    """Return `left operator right`; raises FeelError also for a text that is left to the interpreter."""
    if isinstance(left, str) and isinstance(right, str) and len(left) + len(right) > COUNTED:
        raise FeelError("limit", f"a text of more than {COUNTED} characters is made by the interpreter")
    return operators.arithmetic(operator, left, right)


class Noted(FeelError):
    """The interpreter, asked by generated code, has left a note."""

    def __init__(self, notes: list[Note]) -> None:
        super().__init__(notes[0].what, notes[0].why)


def interpreted(node: s.Node, names: Mapping[str, Any]) -> Value:
    """Return what the interpreter makes of a node; raises Noted if it is not content."""
    notes: list[Note] = []
    value = evaluate(node, joined(names), notes=notes)
    if notes:
        raise Noted(notes)
    return value


def passes(cell: s.UnaryTests, subject: Value, names: Mapping[str, Any]) -> bool:
    """Tell whether a subject passes a cell, by the interpreter."""
    notes: list[Note] = []
    passed = matches(cell, subject, joined(names), notes=notes)
    if notes:
        raise Noted(notes)
    return passed is True


def joined(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scope in which the paths among the names are contexts again."""
    scope: dict[str, Any] = {}
    for name, value in names.items():
        first, dot, last = name.partition(".")
        if dot:
            scope.setdefault(first, {})[last] = value
        else:
            scope[name] = value
    return scope


def logic(decisive: bool, *thunks: Callable[[], Value]) -> bool | None:
    """Return what `or` (true decides) or `and` (false decides) makes of its items."""
    unknown = False
    for thunk in thunks:
        value = thunk()
        if value is decisive:
            return decisive
        if value is None:
            unknown = True
        elif not isinstance(value, bool):
            raise FeelError("not-a-truth", f"{brief(value)} is neither true nor false")
    return None if unknown else not decisive


def truth(value: Value) -> bool:
    """Return a condition; raises FeelError if it is neither true nor false."""
    if not isinstance(value, bool):
        raise FeelError("not-a-truth", f"the condition is {brief(value)}, neither true nor false")
    return value


def is_between(low: Value, high: Value, value: Value) -> bool:
    """Return `value between low and high`."""
    return between(value, Range(low, high))


def item_of(source: Value, position: Decimal) -> Value:
    """Return `source[position]`."""
    if source is None:
        return None
    return item_at(source if isinstance(source, list) else [source], position)


def call_by_position(function: BuiltIn, *arguments: Value) -> Value:
    """Call a built-in whose overload depends on the values."""
    return call(function, arguments, {})
