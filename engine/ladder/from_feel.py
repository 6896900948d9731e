"""FEEL to thresholds: cells and conditions of a ladder, and advice where FEEL allows more than a ladder."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

from engine.credit.policy_reader import polished
from engine.feel import syntax as s
from engine.feel.parser import parse_expression, parse_unary_tests
from engine.feel.reading import GRAMMAR
from engine.ladder.threshold import Bounds, Condition, NumberTest, Term
from engine.source import Problem, Span
from engine.text import Reader, did_you_mean
from engine.text.meant import full_width, meant_condition, meant_test, proposal

QUANTITIES = ("overdue", "age", "days_past_due", "unpaid_bills")
"""What conditions and cells of a ladder may compare."""


_GENERAL = (GRAMMAR, GRAMMAR[:1].lower() + GRAMMAR[1:].removesuffix("."))
"""The advice that says nothing of ladders."""


class _NotAThreshold(Exception):  # control flow of this file
    def __init__(self, node: s.Node, advice: str, why: str = "is not a threshold") -> None:
        super().__init__(advice)
        self.node, self.advice, self.why = node, advice, why


def read_number_test(reader: Reader, text: str, span: Span, column: str) -> NumberTest | None:
    """Read a cell of a threshold column: `>= 30`, `[30..60)`, `< 50.00`, `-`."""
    found = _number_test(text, span, column)
    if isinstance(found, NumberTest):
        return found
    meant = meant_test(text)
    other = _number_test(meant, span, column) if meant != text else found
    if isinstance(other, NumberTest):
        found = replace(found, code="not-a-threshold", span=span, advice=proposal(text, meant))
    elif other.code == "bare-threshold":
        found = replace(other, span=span)
    if found.code in ("not-a-threshold", "bare-threshold") and meant != text:
        found = replace(found, message=f"`{text}` in column `{column}` is not a threshold")
    reader.take([found])
    return None


def _number_test(text: str, span: Span, column: str) -> NumberTest | Problem:
    if not text:
        advice = "write `-` where the column does not matter"
        return Problem("empty", f"a cell in column `{column}` is empty", span, advice)
    loaded = parse_unary_tests(text, span)
    if loaded.policy is None:
        problem = full_width(polished(loaded.problems[0]), text, span)
        advice = "write one comparison or range a cell: `>= 30`, `< 50.00`, `[30..60)`, or `-`"
        return replace(problem, advice=advice) if problem.advice in _GENERAL else problem
    try:
        if loaded.policy.negated:
            raise _NotAThreshold(loaded.policy, "say what the number must be: `>= 30`, `[30..60)`")
        return NumberTest(text, span, tuple(_bounds(test, column) for test in loaded.policy.tests))
    except _NotAThreshold as failure:
        place = span.shifted(failure.node.offset, max(1, failure.node.length))
        if isinstance(failure.node, s.Number):
            message = f"`{text}` in column `{column}` means exactly {text}"
            return Problem("bare-threshold", message, place, failure.advice)
        message = f"`{text}` in column `{column}` {failure.why}"
        return Problem("not-a-threshold", message, place, failure.advice)


def _bounds(test: s.Node, column: str) -> Bounds:
    match test:
        case s.UnaryComparison(operator, operand):
            return _compared(operator, _number(operand), test)
        case s.RangeLiteral(low, high, low_closed, high_closed):
            bounds = Bounds(_number(low), low_closed, _number(high), high_closed)
            if not _reachable(bounds):
                turned = (
                    f"{'[' if low_closed else '('}{bounds.high}..{bounds.low}{']' if high_closed else ')'}"
                )
                advice = f"the lower bound stands first: `{turned}`"
                raise _NotAThreshold(test, advice, "is never met")
            return bounds
        case s.Number(value):
            raise _NotAThreshold(
                test, f"write `>= {value}` for {value} or more, `[{value}..{value}]` for exactly"
            )
    raise _NotAThreshold(test, f"compare `{column}` with numbers: `>= 30`, `< 50.00`, `[30..60)`")


def _reachable(bounds: Bounds) -> bool:
    low, high = bounds.low, bounds.high
    if low is None or high is None or low < high:
        return True
    return low == high and bounds.low_closed and bounds.high_closed


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
    found = _condition(text, span, names)
    if isinstance(found, Condition):
        return found
    meant = meant_condition(text)
    if meant.startswith(("<", ">", "=")):
        meant = f"overdue {meant}"
    if meant != text and isinstance(_condition(meant, span, names), Condition):
        message = f"`{text}` is not a condition of a ladder"
        found = Problem("not-a-condition", message, span, proposal(text, meant))
    reader.take([found])
    return None


def _condition(text: str, span: Span, names: Collection[str]) -> Condition | Problem:
    loaded = parse_expression(text, span, names)
    if loaded.policy is None:
        problem = full_width(polished(loaded.problems[0]), text, span)
        advice = "join comparisons with `and` and `or`: `overdue >= 20.00 and age >= 1`"
        return replace(problem, advice=advice) if problem.advice in _GENERAL else problem
    try:
        return Condition(text, span, tuple(_clauses(loaded.policy, names)))
    except _NotAThreshold as failure:
        place = span.shifted(failure.node.offset, max(1, failure.node.length))
        return Problem("not-a-condition", f"`{text}` is not a condition of a ladder", place, failure.advice)


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
