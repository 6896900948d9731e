"""What two customers have who differ in one fact only: bounds of a number, and who has the larger one.

Sound, not complete: what is said to be at most or at least as large is so for every pair of customers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from engine.feel import syntax as s
from engine.feel.decimals import CONTEXT
from engine.feel.interpreter import evaluate

INFINITE = Decimal("Infinity")
Truths: TypeAlias = frozenset[tuple[bool, bool]]
"""What a condition can be for the one and the other."""
_ROUNDS = ("floor", "ceiling", "round up", "round down", "round half up", "round half down", "decimal")


class NotDecided(Exception):  # it is turned into a note at once
    """A part of an expression about which nothing is known here."""

    def __init__(self, node: s.Node) -> None:
        super().__init__()
        self.node = node


@dataclass(frozen=True, slots=True)
class Number:
    """A number for the one customer and for the other."""

    low: Decimal
    high: Decimal
    low2: Decimal
    high2: Decimal
    rises: bool = False
    """The other one's is at least as large."""
    falls: bool = False
    """The other one's is at most as large."""

    @property
    def never_falls(self) -> bool:
        """Tell whether the other one's is at least as large."""
        return self.rises or self.high <= self.low2

    @property
    def never_rises(self) -> bool:
        """Tell whether the other one's is at most as large."""
        return self.falls or self.low >= self.high2

    @property
    def same(self) -> bool:
        """Tell whether both have the same number."""
        return self.never_falls and self.never_rises

    @property
    def least(self) -> Decimal:
        """The least that any of the two has."""
        return min(self.low, self.low2)

    @property
    def most(self) -> Decimal:
        """The most that any of the two has."""
        return max(self.high, self.high2)

    @property
    def exact(self) -> tuple[Decimal, Decimal] | None:
        """Both numbers, if they are known."""
        return (self.low, self.low2) if self.low == self.high and self.low2 == self.high2 else None


Value: TypeAlias = "Number | Truths | tuple[str, str]"
"""Of an expression: numbers, truth values, or one text each."""


def exactly(one: Decimal, other: Decimal) -> Number:
    """Return two known numbers."""
    return Number(one, one, other, other, one <= other, one >= other)


def alike(low: Decimal, high: Decimal) -> Number:
    """Return one number that both have."""
    return Number(low, high, low, high, rises=True, falls=True)


def worth(node: s.Node, names: Mapping[str, Value]) -> Value:
    """Return what an expression is worth for the two; `names` also holds `table.column`."""
    match node:
        case s.Number(value):
            return exactly(value, value)
        case s.String(value):
            return value, value
        case s.Boolean(value):
            return frozenset({(value, value)})
        case s.Name(name) if name in names:
            return names[name]
        case s.Path(s.Name(name), entry) if f"{name}.{entry}" in names:
            return names[f"{name}.{entry}"]
        case s.Call(s.Name("count"), (s.Name(name),)) if f"count {name}" in names:
            return names[f"count {name}"]
        case s.Negation(operand):
            return _negated(_number(operand, names))
        case s.Arithmetic(operator, left, right):
            return _combined(node, operator, _number(left, names), _number(right, names))
        case s.Call(s.Name("min" | "max" as name), arguments) if arguments:
            items = arguments[0].items if isinstance(arguments[0], s.ListLiteral) else arguments
            return _extreme(min if name == "min" else max, [_number(item, names) for item in items])
        case s.Call(s.Name(name), (value, *scale)) if name in _ROUNDS:
            return _rounded(node, name, _number(value, names), scale)
        case s.Call(s.Name("abs"), (value,)) if (found := _number(value, names)).least >= 0:
            return found
        case s.If(condition, then, otherwise):
            return _either(_truths(condition, names), worth(then, names), worth(otherwise, names), node)
        case s.Comparison() | s.And() | s.Or() | s.Between():
            return _truths(node, names)
        case s.Call(s.Name("not"), (value,)):
            return frozenset((not a, not b) for a, b in _truths(value, names))
    raise NotDecided(node)


def _number(node: s.Node, names: Mapping[str, Value]) -> Number:
    found = worth(node, names)
    if not isinstance(found, Number):
        raise NotDecided(node)
    return found


def _negated(a: Number) -> Number:
    return Number(-a.high, -a.low, -a.high2, -a.low2, a.never_rises, a.never_falls)


def _combined(node: s.Node, operator: str, a: Number, b: Number) -> Number:
    if operator == "-":
        return _combined(node, "+", a, _negated(b))
    if operator == "+":
        return Number(
            _plus(a.low, b.low), _plus(a.high, b.high), _plus(a.low2, b.low2), _plus(a.high2, b.high2),
            a.never_falls and b.never_falls, a.never_rises and b.never_rises,
        )  # fmt: skip
    if operator == "*":
        if b.exact == (b.low, b.low) and b.low < 0:
            return _negated(_combined(node, "*", a, exactly(-b.low, -b.low)))
        if a.exact == (a.low, a.low) and (a.low < 0 or b.least < 0):
            return _combined(node, "*", b, a) if b.exact is None else _known(node, operator, a, b)
        if b.exact == (b.low, b.low):
            return _scaled(a, b.low)
        if a.least >= 0 and b.least >= 0:
            return Number(
                _times(a.low, b.low), _times(a.high, b.high), _times(a.low2, b.low2),
                _times(a.high2, b.high2), a.never_falls and b.never_falls, a.never_rises and b.never_rises,
            )  # fmt: skip
    if operator == "/" and b.least >= 0 and a.least >= 0:  # over 0 there is no result at all
        return Number(
            _over(a.low, b.high), _over(a.high, b.low), _over(a.low2, b.high2), _over(a.high2, b.low2),
            a.never_falls and b.never_rises, a.never_rises and b.never_falls,
        )  # fmt: skip
    return _known(node, operator, a, b)


def _known(node: s.Node, operator: str, a: Number, b: Number) -> Number:
    """Return the result of two known numbers each; raises NotDecided for others."""
    if a.exact is None or b.exact is None:
        raise NotDecided(node)
    results = []
    for x, y in zip(a.exact, b.exact, strict=True):
        tree = s.Arithmetic(operator, s.Number(x), s.Number(y))  # type: ignore[arg-type]  # it stood in a tree
        value = evaluate(tree, {}, notes=[])
        if not isinstance(value, Decimal):
            raise NotDecided(node)
        results.append(value)
    return exactly(results[0], results[1])


def _scaled(a: Number, by: Decimal) -> Number:
    return Number(
        _times(a.low, by), _times(a.high, by), _times(a.low2, by), _times(a.high2, by), a.never_falls,
        a.never_rises,
    )  # fmt: skip


def _plus(a: Decimal, b: Decimal) -> Decimal:
    return CONTEXT.add(a, b)


def _times(a: Decimal, b: Decimal) -> Decimal:
    return Decimal(0) if not a or not b else CONTEXT.multiply(a, b)


def _over(a: Decimal, b: Decimal) -> Decimal:
    if not a or b.is_infinite():
        return Decimal(0)
    return INFINITE if not b or a.is_infinite() else CONTEXT.divide(a, b)


def _extreme(pick: Callable[[list[Decimal]], Decimal], items: list[Number]) -> Number:
    return Number(
        pick([i.low for i in items]), pick([i.high for i in items]), pick([i.low2 for i in items]),
        pick([i.high2 for i in items]), all(i.never_falls for i in items), all(i.never_rises for i in items),
    )  # fmt: skip


def _rounded(node: s.Node, name: str, value: Number, scale: list[s.Node]) -> Number:
    """Return a number rounded: rounding keeps the order, whatever way it goes."""
    if any(not isinstance(part, s.Number | s.Negation) for part in scale):
        raise NotDecided(node)

    def at(bound: Decimal) -> Decimal:
        if bound.is_infinite():
            return bound
        found = evaluate(s.Call(s.Name(name), (s.Number(bound), *scale)), {}, notes=[])
        if not isinstance(found, Decimal):
            raise NotDecided(node)
        return found

    return Number(
        at(value.low), at(value.high), at(value.low2), at(value.high2), value.never_falls, value.never_rises
    )  # fmt: skip


def _either(truths: Truths, then: Value, otherwise: Value, node: s.Node) -> Value:
    """Return what `if` gives: each pair of truths takes its part of the two branches."""
    if len(truths) == 1 and next(iter(truths)) in ((True, True), (False, False)):
        return then if next(iter(truths))[0] else otherwise
    if isinstance(then, frozenset) and isinstance(otherwise, frozenset):
        picked = {True: then, False: otherwise}
        return frozenset((a, b) for x, y in truths for a, _ in picked[x] for _, b in picked[y])
    if isinstance(then, Number) and isinstance(otherwise, Number):
        branches = {True: then, False: otherwise}
        return _joined([_crossed(branches[a], branches[b]) for a, b in truths])
    raise NotDecided(node)


def _crossed(one: Number, other: Number) -> Number:
    """Return the number of the one from one branch, that of the other from another."""
    if one is other:
        return one
    return Number(one.low, one.high, other.low2, other.high2)


def _joined(items: list[Number]) -> Number:
    return Number(
        min(i.low for i in items), max(i.high for i in items), min(i.low2 for i in items),
        max(i.high2 for i in items), all(i.never_falls for i in items), all(i.never_rises for i in items),
    )  # fmt: skip


def _truths(node: s.Node, names: Mapping[str, Value]) -> Truths:
    match node:
        case s.Comparison(operator, left, right):
            return _compared(node, operator, worth(left, names), worth(right, names))
        case s.Between(value, low, high):
            parts = (s.Comparison(">=", value, low), s.Comparison("<=", value, high))
            return _all(_truths(part, names) for part in parts)
        case s.And(items):
            return _all(_truths(item, names) for item in items)
        case s.Or(items):
            flipped = _all(frozenset((not a, not b) for a, b in _truths(i, names)) for i in items)
            return frozenset((not a, not b) for a, b in flipped)
    found = worth(node, names)
    if not isinstance(found, frozenset):
        raise NotDecided(node)
    return found


def _all(parts: Iterable[Truths]) -> Truths:
    found: Truths = frozenset({(True, True)})
    for part in parts:
        found = frozenset((a and x, b and y) for a, b in found for x, y in part)
    return found


def _compared(node: s.Node, operator: str, a: Value, b: Value) -> Truths:
    if isinstance(a, tuple) and isinstance(b, tuple) and operator in ("=", "!="):
        same = (a[0] == b[0], a[1] == b[1])
        return frozenset({same if operator == "=" else (not same[0], not same[1])})
    if not isinstance(a, Number) or not isinstance(b, Number):
        raise NotDecided(node)
    if operator in (">", ">="):
        return _compared(node, "<" if operator == ">" else "<=", b, a)
    if operator in ("=", "!="):
        both = _all((_compared(node, "<=", a, b), _compared(node, "<=", b, a)))
        if a.same and b.same:
            both = frozenset(pair for pair in both if pair[0] == pair[1])
        return both if operator == "=" else frozenset((not x, not y) for x, y in both)
    found = {
        (x, y)
        for x in _possible(operator, a.low, a.high, b.low, b.high)
        for y in _possible(operator, a.low2, a.high2, b.low2, b.high2)
    }
    if a.never_falls and b.never_rises:  # what is compared rises: it cannot become true
        found.discard((False, True))
    if a.never_rises and b.never_falls:
        found.discard((True, False))
    return frozenset(found)


def _possible(operator: str, low: Decimal, high: Decimal, low2: Decimal, high2: Decimal) -> list[bool]:
    """Return whether one number can be below another, by their bounds, and whether it can be not."""
    strict = operator == "<"
    found = []
    if (low < high2) if strict else (low <= high2):
        found.append(True)
    if (high >= low2) if strict else (high > low2):
        found.append(False)
    return found
