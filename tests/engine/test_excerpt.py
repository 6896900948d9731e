"""A problem shows the place that it means, however long its line is."""

from __future__ import annotations

import pytest

from engine.source import BEFORE, WIDTH, Problem, Span, render_problem

LONG = "a" * 500 + "HERE" + "b" * 1_000_000


def excerpt(line: str, column: int, length: int) -> list[str]:
    problem = Problem("x", "wrong", Span("f", 1, column, length))
    return [shown.split(" | ", 1)[1] for shown in render_problem(problem, {"f": line}).splitlines()[3:]]


@pytest.mark.parametrize(
    ("line", "column", "length", "shown", "marked"),
    [
        ("short HERE", 7, 4, "short HERE", "HERE"),
        ("c" * WIDTH, 1, 1, "c" * WIDTH, "c"),
        (LONG, 501, 4, f"...{'a' * BEFORE}HERE{'b' * (WIDTH - BEFORE - 4)}...", "HERE"),
        (LONG, 1, 1, f"{'a' * WIDTH}...", "a"),
        (LONG, len(LONG), 1, f"...{'b' * WIDTH}", "b"),
    ],
)
def test_a_long_line_is_cut_around_the_place(
    line: str, column: int, length: int, shown: str, marked: str
) -> None:
    text, marks = excerpt(line, column, length)
    assert text == shown
    assert marks.count("^") == length
    assert text[marks.index("^") :][:length] == marked


def test_wide_characters_take_two_columns_in_a_cut_line_too() -> None:
    text, marks = excerpt("钱" * 300 + "额" + "c" * 300, 301, 1)
    assert text.startswith("...钱")
    assert marks == " " * (3 + 2 * BEFORE) + "^^"
