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


@pytest.mark.parametrize(
    ("text", "message", "place", "advice"),
    [
        (
            "a:\n  b: 1\n   c: 2",
            "the line is indented by 3, the line above by 2",
            "3:4",
            "in the same column",
        ),
        ("a:\n  b: 1\n c: 2", "the line is indented by 1, the line above by 2", "3:2", "in the same column"),
        ("a:\n\tb: 1", "there is a tab here", "2:1", "blanks instead of tabs"),
        ("a:\n\u3000b: 1\n  c: 2", "the line is indented with blanks of another kind", "2:1", "plain blanks"),
        ("a: 1\nb：2\nc: 3", "`：` is a full-width sign", "2:2", "write `:`"),
        ("a: {b: 1，c: 2}", "`，` is a full-width sign", "1:9", "write `,`"),
        ("a: {b: “x: y”}", "`“` is a full-width sign", "1:8", 'write `"`'),
        ("a: 1\nb:2\nc: 3", "the line is no `key: value`", "2:1", "a colon and a blank"),
        ('a: "x\nb: "y"\n', "a quote was opened and not closed", "1:4", "close it"),
        ("a: b: c", "a second `: ` stands on one line", "1:5", "in quotes"),
        ("a: {b: x: y}", "a second `: ` stands in this entry", "1:9", "in quotes"),
        ("a: {b: 1\nc: 2", "the closing `}` is missing before this", "2:2", "add `}`"),
        ("a: [b, c\nd: 2", "the closing `]` is missing before this", "2:2", "add `]`"),
        ("a: @b", "a text cannot begin with this sign", "1:4", "in quotes"),
        ("t:\n  | a |\n  | 1 |", "the table needs a `|` behind `t:`", "2:3", "write `t: |`"),
        ("t: |\n  | a |\n | 1 |", "the line is indented by 1, the line above by 2", "3:2", "same column"),
        ("t: | a |\n  | 1 |", "a table begins below the `|`", "1:6", "on the next line"),
        ("a: x\u200by", "the character U+200B is not allowed in a text file", "1:5", "invisible"),
        ("a: \u202ex", "the character U+202E is not allowed in a text file", "1:4", "invisible"),
    ],
)
def test_what_is_not_yaml_is_told_in_the_words_of_authors(
    text: str, message: str, place: str, advice: str
) -> None:
    (problem,) = read_yaml(text.encode(), "p.yaml").problems
    assert (problem.message, f"{problem.span.line}:{problem.span.column}") == (message, place)
    assert advice in problem.advice


def test_a_file_of_another_encoding_is_named() -> None:
    (problem,) = read_yaml("a: 1".encode("utf-16"), "p.yaml").problems
    assert problem.message == "the file is saved as UTF-16, not as UTF-8"


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
