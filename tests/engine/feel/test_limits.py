"""Whatever is written, reading and evaluating it ends soon, and the limit is named."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.feel import STRING, Limits, NotAFeelValue, Note, evaluate, parse_expression, to_feel
from engine.feel.to_python import FAILURES, compile_expression
from engine.source import Span

SPAN = Span("x", 1, 1)
DEEP = 5_000

REFUSED_WHEN_READ = {
    "text": " " * 60_000 + "1",
    "depth": "(" * DEEP,
    "depth of lists": "[" * DEEP,
    "depth of signs": "-" * DEEP + "1",
    "depth of conditions": "if " * DEEP,
    "depth of contexts": "{a:" * DEEP,
    "depth of loops": "for x in " * DEEP,
    "depth of types": "1 instance of " + "list<" * DEEP,
    "depth of sums": "+".join(["1"] * DEEP),
    "depth of paths": "a" + ".a" * DEEP,
    "depth of iterators": "for " + ", ".join(f"x{i} in [1]" for i in range(200)) + " return 1",
}

SHARED = ", ".join(f"{b}: [{', '.join([a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
STOPPED_WHEN_EVALUATED = {
    "iterations": "some i in 1..1000000000000 satisfies i < 0",
    "iterations of a range": "some i in [1..1000000000000] satisfies i < 0",
    "iterations of built-ins": "for i in 1..9999, j in [for k in 1..999 return k] return count(j)",
    "iterations of patterns": f'for i in 1..99999 return matches("{"a" * 300}", "(a|aa)+c")',
    "iterations of shared parts": f"{{a: [1], {SHARED}, z: count(flatten([i]))}}.z",
    "iterations of a shared result": f"{{a: [1], {SHARED}}}",
    "iterations of sums of texts": f'{{s: "{"a" * 40_000}", r: for i in 1..9999 return s + "b"}}.r',
    "iterations of texts that are made": (
        f'for i in 1..9999 return replace("{"a" * 1_000}", "a", "{"b" * 900}")'
    ),
    "iterations of joins": (
        f'{{l: for i in 1..900 return "", r: for i in 1..9999 return string join(l, "{"b" * 1_000}")}}.r'
    ),
    "items": "{x: for i in 1..60000 return i, y: count(concatenate(x, x))}.y",
    "nesting": "{x: for i in 1..500 return [partial[-1]], y: x = x}.y",
    "nesting of a result": "for i in 1..500 return [partial[-1]]",
    "characters": 'for i in 1..64 return if i = 1 then "abcdefgh" else partial[-1] + partial[-1]',
    "characters of a replacement": f'replace("{"a" * 5_000}", "a", "{"b" * 5_000}")',
    "characters of a join": f'string join(for i in 1..5000 return "x", "{"y" * 5_000}")',
    "pattern": f'matches("a", "{"a" * 501}")',
    "pattern of repeats": 'matches("a", "((a{100}){100}){100}")',
    "subject": f'matches("{"a" * 10_001}", "a")',
    "calls": "{f: function(g, n) 1 + g(g, n + 1), r: f(f, 1)}.r",
    "calls of sort": "{f: function(g) sort([1, 2], function(a, b) g(g)), r: f(f)}.r",
    "calls of filters": "{f: function(g) [1, 2][g(g)], r: f(f)}.r",
    "calls of replace": "{f: function(g) list replace([1, 2], function(a, b) g(g), 1), r: f(f)}.r",
}


@pytest.mark.parametrize("name", REFUSED_WHEN_READ)
def test_too_much_to_read(name: str) -> None:
    (problem,) = parse_expression(REFUSED_WHEN_READ[name], SPAN).problems
    assert f"(limit `{name.split()[0]}`)" in problem.message


@pytest.mark.parametrize("name", STOPPED_WHEN_EVALUATED)
def test_too_much_to_evaluate(name: str) -> None:
    loaded = parse_expression(STOPPED_WHEN_EVALUATED[name], SPAN)
    assert loaded.policy is not None, loaded.problems
    notes: list[Note] = []
    evaluate(loaded.policy, {}, notes=notes, limits=Limits(items=70_000, iterations=700_000))
    assert any(f"(limit `{name.split()[0]}`)" in note.why for note in notes), notes[-1:]


def test_notes_are_counted_too() -> None:
    node = parse_expression("for i in 1..5000 return 1 / 0", SPAN).policy
    assert node is not None
    notes: list[Note] = []
    evaluate(node, {}, notes=notes)
    assert len(notes) == Limits().notes


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|aa)+c", "(a*)*b", "((a)+){1,9}c", "(x+x+)+y", "^(([a-z])+.)+[A-Z]"]
)
def test_a_pattern_never_takes_exponential_time(pattern: str) -> None:
    node = parse_expression(f'matches("{"a" * 2_000}", "{pattern}")', SPAN).policy
    assert node is not None
    notes: list[Note] = []
    assert evaluate(node, {}, notes=notes) is False
    assert notes == []


def test_a_value_from_outside_may_not_be_nested_without_end() -> None:
    value: list[object] = []
    for _ in range(5_000):
        value = [value]
    with pytest.raises(NotAFeelValue, match="limit `nesting`"):
        to_feel(value)


def test_a_binary_float_stops_at_the_door() -> None:
    with pytest.raises(NotAFeelValue, match="exact decimal"):
        to_feel({"amount": 0.1})


@pytest.mark.parametrize(
    ("value", "says"),
    ids=range(7),
    argvalues=[
        (Decimal("1e7000"), "about 1e7000 is too large"),
        (Decimal("1e999999999"), "about 1e999999999 is too large"),
        (1 << 20_600, "about 1e6201 is too large; numbers end at 1e6144"),
        (Decimal("Infinity"), "is not a FEEL value"),
        ("a\ud83d", "half of a surrogate pair"),
        ({"\udc00": 1}, "half of a surrogate pair"),
        ([["\ud83d"]], "half of a surrogate pair"),
    ],
)
def test_numbers_and_texts_that_are_none_stop_at_the_door(value: object, says: str) -> None:
    with pytest.raises(NotAFeelValue, match=says):
        to_feel(value)


def test_a_long_sum_of_texts_is_left_to_the_interpreter() -> None:
    names, scope = {"t": STRING}, {"t": "a" * 900_000}
    long = parse_expression("[" + ", ".join(['t + "b"'] * 4_000) + "]", SPAN, names).policy
    short = parse_expression('"c" + "b"', SPAN, names).policy
    assert long is not None
    assert short is not None
    with pytest.raises(FAILURES):
        compile_expression(long, names)(scope)
    notes: list[Note] = []
    assert evaluate(long, scope, notes=notes) is None
    assert ["(limit `iterations`)" in note.why for note in notes] == [True]
    assert compile_expression(short, names)(scope) == "cb"


def test_a_long_chain_is_not_said_to_be_nested() -> None:
    (problem,) = parse_expression("+".join(["1"] * 81), SPAN).problems
    assert "each sign of a chain such as `a + b + c`" in problem.message
    assert "nested" not in problem.message
    assert "`sum([a, b, c])`" in problem.advice
    assert parse_expression(f"sum([{', '.join(['1'] * 500)}])", SPAN).problems == ()
