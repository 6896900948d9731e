"""Every built-in with everything in every place: a value or a note, and compiled Python agrees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.feel import (
    NUMBER,
    STRING,
    FeelType,
    ListOf,
    Node,
    Note,
    Value,
    evaluate,
    infer,
    parse_expression,
    show,
    to_feel,
)
from engine.feel.functions import REGISTRY, Overload
from engine.feel.functions.signature import VARIABLE
from engine.feel.kinds import ANY, FUNCTION, RangeOf
from engine.feel.to_python import FAILURES, compile_expression
from engine.source import Span

SPAN = Span("x", 1, 1)
FAILED = "failed"
GIVEN = (
    "[null]", "null", "[]", "{}", "[[]]", "[{}]", "[[null]]", "[{a: null}, null]", "[1, null]", '["a", null]',
    "[null, null]", "1", "-1.5", "1e6000", '"a"', '""', "true", '@"2026-01-31"', '@"10:00:00"', '@"P1D"',
    '@"P1M"', '@"2026-01-31T10:00:00"', "[1..2]", "(< 1)", "function(a) a", "abs", "xs", "t",
)  # fmt: skip
KINDS: dict[str, FeelType] = {"xs": ListOf(NUMBER), "t": STRING}
SCOPE: dict[str, Value] = {"xs": [to_feel(1), None], "t": "a"}
RIGHT = {
    "number": "1", "string": '"a"', "context": "{a: 1}", "date": '@"2026-01-31"', "time": '@"10:00:00"',
    "date and time": '@"2026-01-31T10:00:00"', "days and time duration": '@"P1D"',
    "years and months duration": '@"P1M"', "Any": "1", "T": "1", "list<Any>": "[1, 2]", "list<T>": "[1, 2]",
    "list<number>": "[1, 2]", "list<context>": '[{key: "a", value: 1}]', "list<string>": '["a"]',
    "function": "function(a, b) true",
}  # fmt: skip


def _right(kind: FeelType) -> str:
    return "[1..3]" if isinstance(kind, RangeOf) else RIGHT[str(kind)]


def _calls(overload: Overload) -> Iterator[str]:
    good = [_right(formal.type) for formal in overload.formals]
    for place in range(len(good)):
        for given in GIVEN:
            yield f"{overload.name}({', '.join([*good[:place], given, *good[place + 1 :]])})"
    for given in GIVEN:
        yield f"{overload.name}({', '.join([given] * len(good))})"


def _compiled(node: Node) -> str:
    run = compile_expression(node, KINDS)
    try:
        return show(run(SCOPE))
    except FAILURES:
        return FAILED


@pytest.mark.parametrize("line", [o.line for built_in in REGISTRY.values() for o in built_in.overloads])
def test_any_argument_is_a_value_or_a_note(line: str) -> None:
    overload = next(o for b in REGISTRY.values() for o in b.overloads if o.line == line)
    for text in _calls(overload):
        node = parse_expression(text, SPAN, KINDS).policy
        assert node is not None, text
        notes: list[Note] = []
        value = show(evaluate(node, SCOPE, notes=notes))
        assert not notes or value == "null", text
        if not infer(node, KINDS, SPAN)[1]:
            assert _compiled(node) == (FAILED if notes else value), text


def test_every_type_of_a_parameter_is_tried() -> None:
    kinds = {f.type for b in REGISTRY.values() for o in b.overloads for f in o.formals}
    assert {VARIABLE, ANY, FUNCTION} < kinds
    assert all(_right(kind) for kind in kinds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("floor([null])", "`n` of `floor`: [null] is not a number"),
        ("substring([null], 1)", "`string` of `substring`: [null] is not a string"),
        ("sublist([1], [null])", "`start position` of `sublist`: [null] is not a number"),
        ("context merge([{a: 1}, null])", "`contexts` of `context merge`: item 2 is null"),
        ("context([null])", "`entries` of `context`: item 1 is null"),
    ],
)
def test_a_null_in_a_list_is_a_null(text: str, why: str) -> None:
    node = parse_expression(text, SPAN).policy
    assert node is not None
    notes: list[Note] = []
    assert evaluate(node, {}, notes=notes) is None
    assert [note.why for note in notes] == [why]
