"""Generated Python says what the interpreter says, and fails exactly where the interpreter leaves a note."""

from __future__ import annotations

import ast
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.feel import (
    DATE,
    NUMBER,
    STRING,
    FeelType,
    Node,
    Note,
    UnaryTests,
    evaluate,
    infer,
    matches,
    parse_expression,
    parse_unary_tests,
    show,
    to_feel,
    to_text,
)
from engine.feel.to_python import FAILURES, Unit, Variable, cell, compile_expression, expression
from engine.source import Span
from tests.engine.feel.typed import NAMES, date_cells, expressions, number_cells, scopes, text_cells

SPAN = Span("x", 1, 1)
FAILED = "failed"


def _interpreted(node: Node, scope: dict[str, Any]) -> str:
    notes: list[Note] = []
    value = evaluate(node, scope, notes=notes)
    return FAILED if notes else show(value)


def _compiled(node: Node, scope: dict[str, Any]) -> str:
    run = compile_expression(node, NAMES)
    try:
        return show(run({name: to_feel(value) for name, value in scope.items()}))
    except FAILURES:
        return FAILED


@settings(max_examples=1200, deadline=None)
@given(expressions, scopes)
def test_an_expression_is_worth_the_same(node: Node, scope: dict[str, Any]) -> None:
    if not infer(node, NAMES, SPAN)[1]:
        assert _compiled(node, scope) == _interpreted(node, scope), to_text(node)


def _check_cell(tests: UnaryTests, value: Any, kind: FeelType, scope: dict[str, Any]) -> None:
    notes: list[Note] = []
    passed = matches(tests, value, scope, notes=notes)
    wanted = FAILED if notes else passed is True
    unit = Unit()
    names = {name: Variable(unit.fresh(), own) for name, own in NAMES.items()}
    for nullable in (True, False) if value is not None else (True,):
        subject = Variable(unit.fresh(), kind, nullable)
        code = cell(tests, subject, names, unit)
        run = unit.function([subject.identifier, *(v.identifier for v in names.values())], [ast.Return(code)])
        try:
            found: object = run(to_feel(value), *(to_feel(scope[name]) for name in names))
        except FAILURES:
            found = FAILED
        assert found == wanted, to_text(tests)


@settings(max_examples=500, deadline=None)
@given(number_cells, st.none() | st.decimals(-1000, 1000, places=2), scopes)
def test_a_cell_of_numbers_passes_the_same(tests: UnaryTests, value: Any, scope: dict[str, Any]) -> None:
    _check_cell(tests, value, NUMBER, scope)


@settings(max_examples=200, deadline=None)
@given(text_cells, st.none() | st.sampled_from(["", "A", "gold"]), scopes)
def test_a_cell_of_texts_passes_the_same(tests: UnaryTests, value: Any, scope: dict[str, Any]) -> None:
    _check_cell(tests, value, STRING, scope)


@settings(max_examples=200, deadline=None)
@given(date_cells, st.none() | st.dates(), scopes)
def test_a_cell_of_dates_passes_the_same(tests: UnaryTests, value: Any, scope: dict[str, Any]) -> None:
    _check_cell(tests, value, DATE, scope)


@settings(max_examples=800, deadline=None)
@given(expressions)
def test_parse_and_print_are_inverse(node: Node) -> None:
    assert parse_expression(to_text(node), SPAN, NAMES).policy == node


@settings(max_examples=300, deadline=None)
@given(number_cells | text_cells | date_cells)
def test_parse_and_print_are_inverse_for_cells(tests: UnaryTests) -> None:
    assert parse_unary_tests(to_text(tests), SPAN, NAMES).policy == tests


def test_code_is_specialised_where_types_are_known() -> None:
    unit = Unit()
    names = {
        "bill": Variable("a", NUMBER, nullable=False),
        "terms.cap": Variable("b", NUMBER, nullable=False),
        "grade": Variable("c", STRING),
    }

    def code(text: str) -> str:
        node = parse_expression(text, SPAN, names).policy
        assert node is not None
        return ast.unparse(expression(node, names, unit).code)

    assert code("bill >= terms.cap") == "a >= b"
    assert code('grade = "A"') == "c == k0"
    assert code("grade = null") == "c is None"
    assert unit.constants["k0"] == "A"


def test_generated_code_sees_no_builtins() -> None:
    unit = Unit()
    run = unit.function([], [ast.Return(ast.Name("open", ast.Load()))])
    try:
        run()
    except NameError:
        return
    raise AssertionError("generated code can open files")
