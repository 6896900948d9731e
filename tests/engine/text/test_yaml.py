from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.source import Span
from engine.text import ListNode, MapNode, ScalarNode, read_yaml
from engine.text.yaml import MAX_BYTES, MAX_DEPTH


def read(text: str) -> MapNode:
    loaded = read_yaml(text.encode(), "p.yaml")
    assert isinstance(loaded.policy, MapNode), loaded.problems
    return loaded.policy


def scalar(text: str) -> ScalarNode:
    node = read(f"a: {text}").get("a")
    assert isinstance(node, ScalarNode)
    return node


@pytest.mark.parametrize(
    "text", ["0.003", "2026.10", "1e3", "0x1F", "012", "1_000", "2026-01-01", "no", "NaN"]
)
def test_a_scalar_is_kept_as_it_is_written(text: str) -> None:
    assert scalar(text).text == text
    assert scalar(text).boolean is None


@pytest.mark.parametrize(
    ("text", "boolean", "null"),
    [
        ("true", True, False), ("false", False, False), ("null", None, True), ("~", None, True),
        ("", None, True), ('"true"', None, False), ("'null'", None, False), ("True", None, False),
    ],
)  # fmt: skip
def test_only_plain_words_are_more_than_text(text: str, boolean: bool | None, null: bool) -> None:
    assert scalar(text).boolean is boolean
    assert scalar(text).is_null is null


def test_every_node_has_its_place() -> None:
    node = read('a: 1\nb:\n  - x\n  - "y z"\n')
    items = node.get("b")
    assert isinstance(items, ListNode)
    assert [item.span for item in items.items] == [Span("p.yaml", 3, 5, 1), Span("p.yaml", 4, 5, 5)]
    assert node.key("b") == ScalarNode("b", Span("p.yaml", 2, 1, 1))
    assert isinstance(items.items[1], ScalarNode)
    assert items.items[1].inner == Span("p.yaml", 4, 6, 3)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("header", ["|", "|-", "|+", "|2", "|  # a comment"])
def test_the_lines_of_a_block_have_their_places(newline: str, header: str) -> None:
    text = f"t: {header}\n  | a |\n\n    | b |\n  | c |\nz: 1\n".replace("\n", newline)
    node = read(text).get("t")
    assert isinstance(node, ScalarNode)
    pairs = list(zip(node.text.splitlines(), node.lines, strict=True))
    assert [(line, span.line, span.column) for line, span in pairs if line] == [
        ("| a |", 2, 3), ("  | b |", 4, 3), ("| c |", 5, 3),
    ]  # fmt: skip


def test_a_mark_at_the_beginning_of_the_file_is_no_text() -> None:
    assert read("\ufeffa: 1").get("a") is not None


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\na: 2\n", "duplicate-key", 2, 1),
        ("a: {b: 1, b: 2}", "duplicate-key", 1, 11),
        ("a: &x 1", "yaml-anchor", 1, 4),
        ("a: 1\nb: *x", "yaml-alias", 2, 4),
        ("a: !!int 1", "yaml-tag", 1, 4),
        ("a: !x {b: 1}", "yaml-tag", 1, 4),
        ("? [a]\n: 1", "key-not-text", 1, 3),
        ("---\na: 1\n---\nb: 2", "several-documents", 3, 1),
        ("", "file-empty", 1, 1),
        ("# only a comment\n", "file-empty", 1, 1),
        ("a: b: c", "yaml-syntax", 1, 5),
        ("a: 1\nb: 'x", "yaml-syntax", 2, 4),
        ("a: [1, 2", "yaml-syntax", 1, 9),
        ("\ta: 1", "yaml-syntax", 1, 1),
        ("a: 1\nb: x\x07y", "bad-character", 2, 5),
        ("- " * (MAX_DEPTH + 1) + "a", "too-deep", 1, 2 * MAX_DEPTH + 1),
    ],
)
def test_what_surprises_is_refused_at_its_place(text: str, code: str, line: int, column: int) -> None:
    loaded = read_yaml(text.encode(), "p.yaml")
    assert loaded.policy is None
    first = loaded.problems[0]
    assert (first.code, first.span.line, first.span.column) == (code, line, column)


def test_bytes_that_are_not_utf8_are_named_with_their_place() -> None:
    (problem,) = read_yaml("a: ä\nb: ".encode() + b"\xe4", "p.yaml").problems
    assert (problem.code, problem.span.line, problem.span.column) == ("not-utf8", 2, 4)


def test_a_file_that_is_too_large_is_not_read() -> None:
    (problem,) = read_yaml(b"a" * (MAX_BYTES + 1), "p.yaml").problems
    assert problem.code == "file-too-large"


def test_aliases_cannot_blow_up() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    loaded = read_yaml("\n".join(lines).encode(), "p.yaml")
    assert {problem.code for problem in loaded.problems} == {"yaml-anchor", "yaml-alias"}


@given(
    st.one_of(
        st.binary(max_size=200), st.text(alphabet="ab:-{}[],|>&*!#'\"\n\t ?~%@`", max_size=80).map(str.encode)
    )
)
def test_any_bytes_give_nodes_or_problems(data: bytes) -> None:
    loaded = read_yaml(data, "p.yaml")
    assert (loaded.policy is None) == bool(loaded.problems)


KEYS = st.text(alphabet="abcdefg_", min_size=1, max_size=6)
TEXTS = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12
)


@given(st.dictionaries(KEYS, TEXTS, min_size=1, max_size=5))
def test_quoted_texts_come_back_as_they_were(texts: dict[str, str]) -> None:
    quoted = {key: text.replace("'", "''") for key, text in texts.items() if "\ufeff" not in text}
    lines = [f"{key}: '{text}'" for key, text in quoted.items() if _printable(text)]
    if lines:
        node = read("\n".join(lines))
        found = {key.text: value.text for key, value in node.entries if isinstance(value, ScalarNode)}
        assert found == {key: texts[key] for key, text in quoted.items() if _printable(text)}


def _printable(text: str) -> bool:
    return all(c.isprintable() or c == "\xa0" for c in text)
