"""Cells, hours and texts that can never be meant are found before a release."""

from __future__ import annotations

import pytest

from engine.ladder import load_collections
from tests.engine.ladder.world import texts_of

STANDARD = "| -      | -          | -       | -      || standard |"
HIGH = '| -      | -          | -       | "high" || managed  |'


def problems(old: str, new: str) -> list[str]:
    """Return what the reader says of the shipped policy with some words replaced."""
    texts = texts_of("collections")
    text = texts["policy.yaml"].decode()
    assert old in text
    found = load_collections(texts | {"policy.yaml": text.replace(old, new).encode()}).problems
    return [f"{problem.code}: {problem.message} ({problem.advice})" for problem in found]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("| true   | -          | -       ", "| tru    | -          | -       ", "`tru` in column `exempt`"),
        (
            "| -      | true       | -       ",
            "| -      | ture       | -       ",
            "`ture` in column `vulnerable`",
        ),
        ('"key"   | -      ||', '"kee"   | -      ||', '`segment` is never "kee"'),
        ('"key"   | -      ||', "key     | -      ||", "`key` in column `segment` is no value"),
        ('"key"   | -      ||', "true    | -      ||", "compares a truth value with a fact of type string"),
        ('"high" ||', "3      ||", "compares a number with a fact of type string"),
        ('"high" ||', 'not("hihg") ||', '`value` is never "hihg"'),
        ('hour: "09:00"', 'hour: "17:00"', "nothing is ever cut"),
        ("quiet_hours: 21:00-08:00", "quiet_hours: 08:00-21:00", "21:00-08:00"),
    ],
)
def test_what_cannot_be_meant_is_told(old: str, new: str, said: str) -> None:
    assert any(said in problem for problem in problems(old, new)), problems(old, new)


@pytest.mark.parametrize(
    "cell", ['"low","mid"', 'not("low")', "null", 'starts with(?, "h")', '["low", "high"]']
)
def test_cells_that_can_be_meant_are_taken(cell: str) -> None:
    assert problems('"high" ||', f"{cell} ||") == []


def test_a_folder_without_any_templates_needs_none() -> None:
    texts = {path: text for path, text in texts_of("collections").items() if "templates/" not in path}
    loaded = load_collections(texts)
    assert loaded.policy is not None
    assert [(problem.code, problem.severity) for problem in loaded.problems] == [("text-elsewhere", "info")]


def test_a_folder_with_templates_needs_each() -> None:
    texts = {path: text for path, text in texts_of("collections").items() if "templates/reminder" not in path}
    assert {problem.code for problem in load_collections(texts).problems} == {"unknown-template"}


@pytest.mark.parametrize(
    ("opens", "closes", "codes"),
    [
        ("overdue >= 20.00 and overdue < 500.00", "overdue < 5.00", []),  # its upper end alone would meet
        ("overdue >= 4.00 and overdue < 500.00", "overdue < 5.00", ["closes-meets-opens"]),
        ("overdue >= 20.00 or age >= 3", "overdue < 5.00", ["opens-without-amount"]),
        ("age >= 1", "overdue < 5.00", ["opens-without-amount"]),
        ("age >= 1", "overdue <= 0", []),  # nothing past due opens no case
        ("overdue >= 20.00", "overdue < 5.00 or overdue < 3.00 and overdue > 4.00", ["part-never-holds"]),
        ("overdue >= 20.00 or overdue > 30.00 and overdue < 25.00", "overdue < 5.00", ["part-never-holds"]),
        ("overdue >= 20.00", "overdue < 50.00 and overdue > 10.00", ["closes-meets-opens"]),
    ],
)
def test_the_amounts_at_which_a_case_opens_and_closes(opens: str, closes: str, codes: list[str]) -> None:
    texts = texts_of("collections")
    policy = texts["policy.yaml"].decode()
    lines = [
        f"  opens: {opens}" if line.startswith("  opens:")
        else f"  closes: {closes}" if line.startswith("  closes:") else line
        for line in policy.splitlines()
    ]  # fmt: skip
    assert lines != policy.splitlines()
    loaded = load_collections({**texts, "policy.yaml": "\n".join(lines).encode()})
    assert [problem.code for problem in loaded.problems] == codes
