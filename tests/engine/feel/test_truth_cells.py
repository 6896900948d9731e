"""`true` in a cell is a value to compare with, and no condition that holds for every input."""

from decimal import Decimal
from typing import Any

import pytest

from engine.feel import evaluate, matches, parse_expression, parse_unary_tests
from engine.source import Span

SPAN = Span("policy.yaml", 3, 7)
INPUTS = (None, True, False, "x", Decimal(5))


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("true", (False, True, False, None, None)),
        ("false", (False, False, True, None, None)),
        ("not(true)", (True, False, True, None, None)),
        ('"x", true', (False, True, None, True, None)),
        ("flag", (False, True, False, None, None)),
        ("limit > 3", (True, True, False, True, True)),
        ("limit > 3 and flag", (True, True, False, True, True)),
        ("even(limit)", (False, False, True, False, False)),
        ("? = null", (True, False, False, False, False)),
    ],
)
def test_cells(text: str, passes: tuple[bool | None, ...]) -> None:
    tests = parse_unary_tests(text, SPAN, ("limit", "flag")).policy
    assert tests is not None
    facts: dict[str, Any] = {"limit": 5, "flag": True}
    assert tuple(matches(tests, value, facts, notes=[]) for value in INPUTS) == passes


@pytest.mark.parametrize(
    ("text", "result"), [("null in (true)", False), ("null in (false)", False), ("true in (true)", True)]
)
def test_in(text: str, result: bool) -> None:
    node = parse_expression(text, SPAN).policy
    assert node is not None
    assert evaluate(node, {}, notes=[]) is result
