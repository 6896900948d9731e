"""The flat files of cases in fixtures/expressions, run by the interpreter and by generated Python."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.feel import (
    ANY,
    Note,
    Value,
    evaluate,
    infer,
    matches,
    parse_expression,
    parse_unary_tests,
    show,
    to_text,
)
from engine.feel.to_python import FAILURES, Unit, Variable, cell, compile_expression
from engine.source import Span

FOLDER = Path(__file__).parents[3] / "fixtures" / "expressions"
SPAN = Span("case", 1, 1)


def _cases(*names: str) -> list[object]:
    return list(_read(*names))


def _read(*names: str) -> Iterator[object]:
    for file in sorted(FOLDER.glob("*.csv")):
        if file.stem in names or (not names and file.stem != "cells"):
            for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
                if number > 1 and line and not line.startswith("#"):
                    first, second, result = line.split(";")
                    yield pytest.param(first, second, result, id=f"{file.stem}:{number} {first}")


def _value(text: str) -> Value:
    node = parse_expression(text, SPAN).policy
    assert node is not None, text
    notes: list[Note] = []
    value = evaluate(node, {}, notes=notes)
    assert not notes, text
    return value


def _facts(text: str) -> dict[str, Value]:
    facts = _value(text or "{}")
    assert isinstance(facts, dict)
    return facts


def _outcome(value: Value, notes: list[Note]) -> str:
    if not notes:
        return show(value)
    return f"!{notes[0].what}" + ("" if value is None else f"={show(value)}")


@pytest.mark.parametrize(("text", "facts", "result"), _cases())
def test_expression(text: str, facts: str, result: str) -> None:
    scope = _facts(facts)
    node = parse_expression(text, SPAN, scope).policy
    assert node is not None
    notes: list[Note] = []
    assert _outcome(evaluate(node, scope, notes=notes), notes) == result
    assert parse_expression(to_text(node), SPAN, scope).policy == node
    names = dict.fromkeys(scope, ANY)
    if not infer(node, names, SPAN)[1]:
        try:
            compiled = show(compile_expression(node, names)(scope))
        except FAILURES:
            compiled = "!"
        assert compiled == (result if not notes else "!")


@pytest.mark.parametrize(("tests", "subject", "result"), _cases("cells"))
def test_cell(tests: str, subject: str, result: str) -> None:
    tree = parse_unary_tests(tests, SPAN).policy
    assert tree is not None
    value, notes, unit = _value(subject), list[Note](), Unit()
    passed = matches(tree, value, {}, notes=notes)
    assert _outcome(passed, notes) == result
    assert parse_unary_tests(to_text(tree), SPAN).policy == tree
    run = unit.function(["v"], [ast.Return(cell(tree, Variable("v", ANY), {}, unit))])
    try:
        found: object = run(value)
    except FAILURES:
        found = None
    assert found == (None if notes else passed is True)
