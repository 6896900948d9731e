"""FEEL to thresholds: cells and conditions of a ladder, and advice where FEEL allows more than a ladder."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from engine.feel import syntax as s
from engine.feel.parser import parse_expression, parse_unary_tests
from engine.ladder.threshold import Bounds, Condition, NumberTest, Term
from engine.source import Span
from engine.text import Reader, did_you_mean

QUANTITIES = ("overdue", "age", "days_past_due", "unpaid_bills")
"""What conditions and cells of a ladder may compare."""


class _NotAThreshold(Exception):  # control flow of this file
    def __init__(self, node: s.Node, advice: str) -> None:
        super().__init__(advice)
        self.node, self.advice = node, advice


def read_number_test(reader: Reader, text: str, span: Span, column: str) -> NumberTest | None:
    """Read a cell of a threshold column: `>= 30`, `[30..60)`, `< 50.00`, `-`."""
    loaded = parse_unary_tests(text, span)
    reader.take(loaded.problems)
    if loaded.policy is None:
        return None
    try:
        if loaded.policy.negated:
            raise _NotAThreshold(loaded.policy, "say what the number must be: `>= 30`, `[30..60)`")
        return NumberTest(text, span, tuple(_bounds(test, column) for test in loaded.policy.tests))
    except _NotAThreshold as failure:
        place = span.shifted(failure.node.offset, max(1, failure.node.length))
        bare = isinstance(failure.node, s.Number)
        reader.error(
            "bare-threshold" if bare else "not-a-threshold",
            f"`{text}` in column `{column}` means exactly {text}" if bare
            else f"`{text}` in column `{column}` is not a threshold",
            place, failure.advice,
        )  # fmt: skip
        return None


def _bounds(test: s.Node, column: str) -> Bounds:
    match test:
        case s.UnaryComparison(operator, operand):
            return _compared(operator, _number(operand), test)
        case s.RangeLiteral(low, high, low_closed, high_closed):
            return Bounds(_number(low), low_closed, _number(high), high_closed)
        case s.Number(value):
            raise _NotAThreshold(
                test, f"write `>= {value}` for {value} or more, `[{value}..{value}]` for exactly"
            )
    raise _NotAThreshold(test, f"compare `{column}` with numbers: `>= 30`, `< 50.00`, `[30..60)`")


def _number(node: s.Node) -> Decimal:
    if isinstance(node, s.Number):
        return node.value
    if isinstance(node, s.Negation):
        return -_number(node.operand)
    raise _NotAThreshold(node, "a threshold is a number, such as `30` or `50.00`")


def _compared(operator: str, value: Decimal, node: s.Node) -> Bounds:
    match operator:
        case ">=":
            return Bounds(low=value)
        case ">":
            return Bounds(low=value, low_closed=False)
        case "<=":
            return Bounds(high=value)
        case "<":
            return Bounds(high=value, high_closed=False)
        case "=":
            return Bounds(low=value, high=value)
    raise _NotAThreshold(node, "use `>=`, `>`, `<=`, `<` or `=`")


_MIRRORED = {">=": "<=", ">": "<", "<=": ">=", "<": ">", "=": "="}


def read_condition(
    reader: Reader, text: str, span: Span, names: Collection[str] = QUANTITIES
) -> Condition | None:
    """Read a condition such as `overdue >= 20.00 and age >= 1`."""
    loaded = parse_expression(text, span, names)
    reader.take(loaded.problems)
    if loaded.policy is None:
        return None
    try:
        return Condition(text, span, tuple(_clauses(loaded.policy, names)))
    except _NotAThreshold as failure:
        place = span.shifted(failure.node.offset, max(1, failure.node.length))
        reader.error("not-a-condition", f"`{text}` is not a condition of a ladder", place, failure.advice)
        return None


def _clauses(node: s.Node, names: Collection[str]) -> list[tuple[Term, ...]]:
    match node:
        case s.Or(items):
            return [clause for item in items for clause in _clauses(item, names)]
        case s.And(items):
            joined: list[tuple[Term, ...]] = [()]
            for item in items:
                joined = [a + b for a in joined for b in _clauses(item, names)]
            return joined
        case s.Comparison(operator, s.Name() as left, right):
            return [(_term(left, names, _compared(operator, _number(right), node)),)]
        case s.Comparison(operator, left, s.Name() as right) if operator in _MIRRORED:
            return [(_term(right, names, _compared(_MIRRORED[operator], _number(left), node)),)]
        case s.Between(s.Name() as value, low, high):
            return [(_term(value, names, Bounds(_number(low), True, _number(high), True)),)]
    raise _NotAThreshold(node, "join comparisons with `and` and `or`: `overdue >= 20.00 and age >= 1`")


def _term(name: s.Name, names: Collection[str], bounds: Bounds) -> Term:
    if name.name not in names:
        raise _NotAThreshold(name, did_you_mean(name.name, names, of="it may compare"))
    return Term(name.name, bounds)
