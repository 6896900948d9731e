"""Amounts and plain numbers: what they come to together, and where they do not go together."""

from __future__ import annotations

import pytest

from tests.engine.credit.samples import codes_of

FACTS = """
facts:
  owed: {type: money, min: 0}
  bill: {type: money, min: 1}
  unpaid: {type: integer, min: 0}
  rate: {type: decimal, min: 0}
"""


def found(expression: str, more: str = "") -> list[str]:
    text = f"{FACTS}decisions:\n  it: |\n    {expression}\n{more}outcome: {{it: it}}\n"
    return [code for code in codes_of(text) if code in ("units-mixed", "units-doubtful", "wrong-types")]


@pytest.mark.parametrize(
    "expression",
    [
        "owed + unpaid", "unpaid - owed", "owed * bill", "unpaid / owed", "owed ** 2", "owed > unpaid",
        "owed between 1 and unpaid", "unpaid in [1..owed]", "max(owed, unpaid)", "min([owed, unpaid])",
        "sum(owed, unpaid)", "if unpaid > 1 then owed else unpaid", "sqrt(owed)", "product(owed, 2)",
        "modulo(owed, unpaid)", "owed / bill + owed", "floor(owed) + unpaid", "count([owed]) + owed",
        "owed * rate > unpaid", "list contains([owed], unpaid)", "sum(for x in [owed] return x) > unpaid",
        "some x in [owed, bill] satisfies x > unpaid", "[owed, bill][item > unpaid]",
    ],
)  # fmt: skip
def test_amounts_and_plain_numbers_do_not_go_together(expression: str) -> None:
    assert found(expression) == ["units-mixed"]


@pytest.mark.parametrize(
    "expression",
    [
        "owed + bill", "owed + 50", "owed * unpaid", "owed * rate", "owed / bill", "owed / bill > 2",
        "owed / bill + unpaid", "owed / unpaid > 30", "owed > 50", "owed * 2 > bill", "50 * unpaid + owed",
        "max(owed, 50.00)", "max(0, owed - bill)", "if unpaid > 1 then owed else 0", "floor(owed * rate, -1)",
        "unpaid + rate", "unpaid * 50 > owed", "sum(for x in [owed, bill] return x * 2) > bill",
        "owed / 2 > bill", "if owed = null then 0 else owed", "rate * owed / bill + unpaid",
    ],
)  # fmt: skip
def test_what_goes_together_passes(expression: str) -> None:
    assert found(expression) == []


def test_an_amount_divided_by_a_written_number_is_doubted_beside_plain_numbers() -> None:
    assert found("unpaid - owed / 100") == ["units-doubtful"]


TABLES = """  one:
    hit: FIRST
    table: |
      | unpaid || sum   | times  |
      | > 3    || owed  | unpaid |
      | -      || 50.00 | 2      |
"""


@pytest.mark.parametrize(
    ("expression", "codes"),
    [
        ("one.sum + owed", []), ("one.sum + unpaid", ["units-mixed"]), ("one.times * owed", []),
        ("one.times + owed", ["units-mixed"]), ("one.sum * bill", ["units-mixed"]),
    ],
)  # fmt: skip
def test_units_go_through_the_outputs_of_decisions(expression: str, codes: list[str]) -> None:
    assert found(expression, TABLES) == codes


@pytest.mark.parametrize(
    ("cell", "codes"),
    [("> bill", []), ("> unpaid", ["units-mixed"]), ("> bill * rate", []), ("[1..unpaid]", ["units-mixed"])],
)
def test_cells_are_held_against_their_heading(cell: str, codes: list[str]) -> None:
    rows = "".join(f"      {row}\n" for row in ("| owed || out |", f"| {cell} || a |", "| - || b |"))
    table = f"  it:\n    hit: FIRST\n    table: |\n{rows}"
    text = f"{FACTS}decisions:\n{table}outcome: {{it: it}}\n"
    assert [code for code in codes_of(text) if code.startswith("units")] == codes


@pytest.mark.parametrize(
    ("threshold", "doubted"), [("100.005", True), ("100.50", False), ("100.500", False), ("-0.001", True)]
)
def test_a_threshold_between_two_amounts_is_doubted(threshold: str, doubted: bool) -> None:
    text = f"{FACTS}decisions: {{it: 'if owed >= {threshold} then 1 else 2'}}\noutcome: {{it: it}}\n"
    assert ("threshold-between-amounts" in codes_of(text)) is doubted
