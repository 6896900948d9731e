"""Aligned tables: only blanks move, nothing else of a text is touched, twice is once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.credit import load_credit
from engine.identity import meaning
from engine.source import has_errors
from engine.tables import align_text, width
from engine.text import read_table, read_yaml
from engine.text.yaml import MapNode, ScalarNode

POLICIES = Path(__file__).parents[3] / "policies"
HEAD = "top: 1   # kept as it is\n"


def aligned(text: str) -> str:
    loaded = align_text(text.encode(), "policy.yaml")
    assert loaded.policy is not None, loaded.problems
    return loaded.policy.decode()


def block(*lines: str) -> str:
    return HEAD + "t: |\n" + "".join(f"  {line}\n" if line else "\n" for line in lines)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["|a|b||c|", "|long one|-||1|"], ["| a        | b || c |", "| long one | - || 1 |"]),
        (["| 等级 || x |", "| ab || 1 |"], ["| 等级 || x |", "| ab   || 1 |"]),
        (
            ["| 客户信用，全角 || x |", '| "a|b" || 1 |'],
            ["| 客户信用，全角 || x |", '| "a|b"          || 1 |'],
        ),
        (["| a || b |", "|---||:-:|", "| 1 || 2 |"], ["| a   || b   |", "| --- || :-: |", "| 1   || 2   |"]),
        (["|a|b|", "# a comment,  kept", "", "|1 |2|"], ["| a | b |", "# a comment,  kept", "", "| 1 | 2 |"]),
        (["  | a || b |", "  | 1 || 2 |"], ["  | a || b |", "  | 1 || 2 |"]),
        (["| a || b |   ", "    | 1 || 2 |"], ["| a || b |", "| 1 || 2 |"]),
        (["| e\u0301 || b |", "| abc || 2 |"], ["| e\u0301   || b |", "| abc || 2 |"]),
    ],
)
def test_a_table_is_aligned(before: list[str], after: list[str]) -> None:
    assert aligned(block(*before)) == block(*after)


def test_what_is_no_table_is_left_alone() -> None:
    text = "a: |\n  if x then |y|\n  else z\nb: '| a|b |'\nc: >\n  |a|b|\n  |1|2|\nd: ''\n"
    assert aligned(text) == text


def test_line_ends_the_mark_of_the_text_and_its_last_line_stay() -> None:
    data = b"\xef\xbb\xbft: |\r\n  |a||b|\r\n  |10||2|"
    assert align_text(data, "f").policy == b"\xef\xbb\xbft: |\r\n  | a  || b |\r\n  | 10 || 2 |"


def test_a_table_that_cannot_be_read_is_told_and_left_alone() -> None:
    text = block("|a||b|", "|1||2||3|") + "u: |\n  |a||bb|\n  |1||2|\n"
    loaded = align_text(text.encode(), "f")
    assert [problem.code for problem in loaded.problems] == ["double-bar"]
    assert loaded.policy is not None
    assert loaded.policy.decode() == block("|a||b|", "|1||2||3|") + "u: |\n  | a || bb |\n  | 1 || 2  |\n"


def test_a_text_that_is_no_yaml_gives_no_text() -> None:
    assert align_text(b"a: [", "f").policy is None


CELL = st.text(st.sampled_from('ab1 -"等（e\u0301ｱ'), max_size=6).map(
    lambda s: s.strip() if s.count('"') % 2 == 0 else s.replace('"', "").strip()
)
COMMENT = st.text(st.sampled_from("ab |等"), max_size=8).map(lambda s: f"# {s}".rstrip())


@st.composite
def tables(draw: st.DrawFn) -> str:
    columns = draw(st.integers(1, 4))
    divide = draw(st.integers(0, columns - 1))
    lines = []
    for number in range(draw(st.integers(1, 5))):
        cells = [draw(CELL) for _ in range(columns)]
        cells = [f"c{i}{c}".replace('"', "") for i, c in enumerate(cells)] if number == 0 else cells
        blanks = [" " * draw(st.integers(0, 3)) for _ in cells]
        bars = ["||" if i == divide and i else "|" for i in range(columns)]
        lines.append("".join(f"{bar}{b}{c}{b}" for bar, b, c in zip(bars, blanks, cells, strict=True)) + "|")
        if draw(st.booleans()):
            lines.append(draw(COMMENT))
    return block(*lines)


@given(tables())
def test_only_blanks_move_and_twice_is_once(text: str) -> None:
    once = aligned(text)
    assert aligned(once) == once
    assert [line.replace(" ", "") for line in once.splitlines()] == [
        line.replace(" ", "") for line in text.splitlines()
    ]
    assert _cells(once) == _cells(text)
    rows = [line for line in once.splitlines()[2:] if line.strip().startswith("|")]
    if _cells(text):
        assert len({width(line) for line in rows}) == 1


def _cells(text: str) -> list[list[str]]:
    node = read_yaml(text.encode(), "f").policy
    assert isinstance(node, MapNode)
    block = node.get("t")
    assert isinstance(block, ScalarNode)
    table = read_table(block).policy
    return [] if table is None else [[cell.text for cell in row.cells] for row in table.rows]


@given(st.binary(max_size=200))
def test_any_bytes_come_back_or_are_refused(data: bytes) -> None:
    loaded = align_text(data, "f")
    assert loaded.policy is not None or has_errors(loaded.problems)


@pytest.mark.parametrize("name", sorted(path.parent.name for path in POLICIES.glob("*-credit/policy.yaml")))
def test_a_policy_means_the_same_afterwards(name: str) -> None:
    data = (POLICIES / name / "policy.yaml").read_bytes()
    spread = data.replace(b" | ", b"  |   ")
    again = align_text(spread, "policy.yaml").policy
    assert again is not None
    before, after = (load_credit({"policy.yaml": text}).policy for text in (data, again))
    assert before is not None
    assert after is not None
    assert meaning(before) == meaning(after)
