"""The whole way from text to value, type and text again, for a few expressions of each kind."""

from __future__ import annotations

import pytest

from engine.feel import (
    NUMBER,
    STRING,
    evaluate,
    infer,
    matches,
    parse_expression,
    parse_unary_tests,
    show,
    to_text,
)
from engine.source import Span

SPAN = Span("policy.yaml", 3, 7)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("0.1 + 0.2 = 0.3", "true"),
        ("max([terms.floor, min([terms.cap, floor(bill * 3, -1)])])", "370"),
        ('@"2024-01-31" + @"P1M"', '@"2024-02-29"'),
        ("{monthly fee: 3, twice: monthly fee * 2}.twice", "6"),
        ("[1, 2, 3][item > 1]", "[2, 3]"),
        ('substring(string: "hello", start position: 2)', '"ello"'),
    ],
)
def test_value(text: str, result: str) -> None:
    loaded = parse_expression(text, SPAN, ("terms", "bill"))
    assert loaded.policy is not None
    facts = {"terms": {"floor": 100, "cap": 2000}, "bill": 125}
    assert show(evaluate(loaded.policy, facts, notes=[])) == result
    assert parse_expression(to_text(loaded.policy), SPAN).policy == loaded.policy


@pytest.mark.parametrize(
    ("cell", "value", "result"),
    [
        (">= 720", 720, True),
        ("[650..720)", 720, False),
        ('"sme", "key"', "key", True),
        ("not(null)", None, False),
    ],
)
def test_cell(cell: str, value: object, result: bool) -> None:
    loaded = parse_unary_tests(cell, SPAN)
    assert loaded.policy is not None
    assert matches(loaded.policy, value, {}, notes=[]) is result


def test_an_unknown_name_is_a_problem_at_its_place() -> None:
    loaded = parse_expression("score > 1 and scor > 2", SPAN, ("score",))
    assert loaded.policy is not None
    _, problems = infer(loaded.policy, {"score": NUMBER, "grade": STRING}, SPAN)
    assert [(p.code, p.span.column, p.span.length, p.advice) for p in problems] == [
        ("unknown-name", 21, 4, "Did you mean `score`?")
    ]


def test_a_syntax_error_is_a_problem_at_its_place() -> None:
    problems = parse_expression("1 + * 2", SPAN).problems
    assert [(p.span.line, p.span.column, p.message) for p in problems] == [
        (3, 11, "expected a value, read `*`")
    ]


def test_a_function_can_be_a_fact() -> None:
    double = parse_expression("function(x) x * 2", SPAN).policy
    call = parse_expression("double(21)", SPAN).policy
    assert double is not None
    assert call is not None
    assert show(evaluate(call, {"double": evaluate(double, {}, notes=[])}, notes=[])) == "42"
