"""Any text as an expression: a clear problem or an answer, within the limits, and never an exception."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.feel import (
    ANY,
    NUMBER,
    STRING,
    Limits,
    Node,
    Note,
    UnaryTests,
    context_of,
    evaluate,
    infer,
    infer_tests,
    matches,
    parse_expression,
    parse_type,
    parse_unary_tests,
    show,
    to_text,
)
from engine.feel.functions import BUILT_IN_NAMES
from engine.source import Span

SPAN = Span("fuzz", 1, 1)
SMALL = Limits(iterations=5_000, items=500, characters=5_000)
SCOPE = {"a": 1, "b c": "x", "d": [1, 2, None], "e": {"a": 2, "f g": [{"h": 3}]}}
KINDS = {"a": NUMBER, "b c": STRING, "d": ANY, "e": context_of(a=NUMBER)}

SENTENCES = """
a d e h ? item partial zz 1 0 2.5 1e3 99999999999 @ true false null for in return if then else some every
satisfies instance of function external between and or not number list< context< // /* */ ' + - * / ** = !=
< <= > >= ( ) [ ] { } , : . .. -> "x" "[0-9]+" "2026-01-31" @"P1D" @"2026-01-31T00:00:00@Asia/Shanghai"
"""
WORDS = [*SENTENCES.split(), "\n", "b c", "f g", *sorted(BUILT_IN_NAMES)]
word_soup = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
atoms = st.sampled_from(["a", "b c", "d", "e", "1", "-2", '"x"', "null", "true", "[1, 2, 3]", '@"P1M"', "zz"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair, call = st.tuples(inner, inner), st.sampled_from(sorted(BUILT_IN_NAMES))
    signs = st.sampled_from(["+", "-", "*", "/", "**", "=", "<", ">=", "and", "or", "in"])
    return st.one_of(
        st.builds(lambda p, sign: f"({p[0]} {sign} {p[1]})", pair, signs),
        st.builds(lambda name, given: f"{name}({', '.join(given)})", call, st.lists(inner, max_size=4)),
        st.builds(lambda p: f"{p[0]}[{p[1]}]", pair),
        st.builds(lambda p: f"for x in {p[0]} return [x, partial, {p[1]}]", pair),
        st.builds(lambda p: f"some x in {p[0]} satisfies {p[1]}", pair),
        st.builds(lambda p: f"if {p[0]} then {p[1]} else {p[0]}", pair),
        st.builds(lambda p: f"{{k: {p[0]}, l: {p[1]}}}.k", pair),
        st.builds(lambda p: f"[{p[0]}..{p[1]})", pair),
        st.builds(lambda p: f"(function(a, b) {p[0]})({p[1]}, a)", pair),
        st.builds(lambda p: f"sort({p[0]}, function(x, y) {p[1]})", pair),
    )


grammar = st.recursive(atoms, _grown, max_leaves=12)


def _use(node: Node, text: str) -> None:
    assert parse_expression(to_text(node), SPAN, SCOPE).policy == node, text
    infer(node, KINDS, SPAN, text)
    notes: list[Note] = []
    show(evaluate(node, SCOPE, notes=notes, limits=SMALL))
    for note in notes:
        assert 0 <= note.offset <= note.offset + note.length <= len(text)
        assert len(note.why) < 1_000


def _use_cell(cell: UnaryTests, text: str) -> None:
    assert parse_unary_tests(to_text(cell), SPAN, SCOPE).policy == cell, text
    infer_tests(cell, NUMBER, KINDS, SPAN, text)
    matches(cell, 1, SCOPE, notes=[], limits=SMALL)


def _check(text: str) -> None:
    loaded = parse_expression(text, SPAN, SCOPE)
    assert (loaded.policy is None) == bool(loaded.problems)
    if loaded.policy is not None:
        _use(loaded.policy, text)
    cell = parse_unary_tests(text, SPAN, SCOPE)
    if cell.policy is not None:
        _use_cell(cell.policy, text)
    parse_type(text, SPAN)


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    _check(text)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_read_as_text(data: bytes) -> None:
    _check(data.decode(errors="replace"))


@settings(max_examples=600, deadline=None)
@given(word_soup)
def test_any_words_of_the_language(text: str) -> None:
    _check(text)


@settings(max_examples=600, deadline=None)
@given(grammar)
def test_any_sentence_of_the_grammar(text: str) -> None:
    _check(text)
