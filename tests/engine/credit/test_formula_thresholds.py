"""Thresholds in formulas: numbers, amounts, days, durations, and facts that are compared with each other."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.credit import load_credit
from engine.credit.cases import read_cases
from engine.credit.coverage import Coverage, coverage
from engine.credit.formula_thresholds import formula_mutants, formula_thresholds
from engine.credit.grain import grain_of
from engine.credit.thresholds import thresholds
from engine.feel.parser import parse_expression
from engine.source import Span
from tests.engine.credit.samples import HEAD, policy_of

FACTS = """
facts:
  today: {type: date}
  since: {type: date}
  owed: {type: money, min: 0}
  limit: {type: money, min: 0}
  count_now: {type: integer, min: 0}
  rate: {type: decimal, min: 0, max: 1}
"""


def mutants_of(formula: str, currency: str = "CNY") -> list[str]:
    policy = policy_of(
        f"{FACTS}decisions:\n  it: |\n    {formula}\noutcome: {{it: it}}\n".replace("CNY", currency)
    )
    return [mutant.told for mutant in formula_mutants(policy)]


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ('today > date("2026-06-30")', ["2026-06-30 as 2026-06-29", "2026-06-30 as 2026-07-01"]),
        ('@"2026-06-30" <= today', ["2026-06-30 as 2026-06-29", "2026-06-30 as 2026-07-01"]),
        ('today > since + duration("P30D")', ["P30D as P29D", "P30D as P31D"]),
        ('since + @"P30D" < today', ["P30D as P29D", "P30D as P31D"]),
        ('today - since >= @"P90D"', ["P90D as P89D", "P90D as P91D"]),
        (
            'today < since + @"P3M"',
            ['since + @"P3M" as since + @"P3M" - @"P1D"', 'since + @"P3M" as since + @"P3M" + @"P1D"'],
        ),
        ("today > since", ['since as since - @"P1D"', 'since as since + @"P1D"']),
        ("owed > limit", ["limit as limit - 0.01", "limit as limit + 0.01"]),
        ("owed >= 50", ["50 as 49.99", "50 as 50.01"]),
        ("owed * 1.5 >= 50", ["50 as 49.99", "50 as 50.01"]),
        ("floor(owed * 1.5, -2) > 500", ["500 as 400", "500 as 600"]),
        ("owed > limit + 20", ["20 as 19.99", "20 as 20.01"]),
        ("count_now > 3", ["3 as 2", "3 as 4"]),
        ("rate >= 0.5", ["0.5 as 0.49", "0.5 as 0.51", "as `rate > 0.5`"]),
        ("count_now in [3..5]", ["3 as 2", "3 as 4", "5 as 4", "5 as 6"]),
        (
            "owed between 1 and limit",
            ["1 as 0.99", "1 as 1.01", "limit as limit - 0.01", "limit as limit + 0.01"],
        ),
        ('if owed = 3 or "a" = "b" then 1 else 2', []),
    ],
)
def test_every_comparison_by_order_is_moved_by_one_step(formula: str, told: list[str]) -> None:
    assert mutants_of(formula) == told


@pytest.mark.parametrize(("currency", "told"), [("JPY", "49"), ("KWD", "49.999"), ("CNY", "49.99")])
def test_the_step_of_money_is_the_smallest_amount_of_the_currency(currency: str, told: str) -> None:
    rows = "\n".join(f"      {row}" for row in ("| owed || out |", "| >= 50 || a |", "| < 50 || b |"))
    table = f"\n  it:\n    table: |\n{rows}\n"
    for decisions in (" {it: owed >= 50}\n", table):
        text = HEAD.replace("CNY", currency) + f"{FACTS}decisions:{decisions}outcome: {{it: it}}\n"
        policy = load_credit({"policy.yaml": text.encode()}).policy
        assert policy is not None
        moved = [mutant.told for mutant in formula_mutants(policy)]
        moved += [f"50 as {threshold.moved(-1)}" for threshold in thresholds(policy)]
        assert moved[0] == f"50 as {told}"


CELLS = """
decisions:
  it:
    hit: FIRST
    table: |
      | since                   | owed          || out                              |
      | < today                 | > limit * 0.5 || if count_now > 3 then 1 else 2   |
      | [today..today + @"P9D"] | -             || 3                                |
      | -                       | -             || 4                                |
outcome: {it: it}
"""


def test_cells_and_outputs_that_compare_with_something_computed_count_too() -> None:
    places = [threshold.place for threshold in formula_thresholds(policy_of(FACTS + CELLS))]
    assert places == [
        "it row 1 (line 21), since `< today`",
        "it row 1 (line 21), owed `> limit * 0.5`",
        "it row 1 (line 21), `count_now > 3`",
        'it row 2 (line 22), since `[today..today + @"P9D"]`',
        'it row 2 (line 22), since `[today..today + @"P9D"]`',
    ]


def tried(policy_text: str, *rows: str) -> Coverage:
    policy = policy_of(policy_text)
    cases = "".join(f"  - {{case: c{number}, {row}}}\n" for number, row in enumerate(rows))
    text = f"policy: sample\nas_of: 2026-11-20\ncases:\n{cases}"
    found = read_cases(policy, text.encode(), "cases.yaml")
    assert found.policy is not None, found.problems
    return coverage(policy, found.policy)


DAYS = """
facts: {today: {type: date}, since: {type: date}}
decisions: {it: 'if today > since + duration("P30D") then 1 else 0'}
outcome: {it: it}
"""


@pytest.mark.parametrize(
    ("days", "bounds", "unnoticed"),
    [
        (["2026-03-02: 0", "2026-03-03: 1"], 0, []),  # since 31 January: the 30th day, and the one after
        (["2026-03-02: 0"], 1, ["P30D as P31D"]),
        (["2026-03-03: 1"], 1, ["P30D as P29D"]),
        (["2026-03-01: 0", "2026-03-04: 1"], 1, ["P30D as P29D", "P30D as P31D"]),
    ],
)
def test_days_are_tried_one_day_apart(days: list[str], bounds: int, unnoticed: list[str]) -> None:
    rows = [
        f"facts: {{today: {day}, since: 2026-01-31}}, expect: {{it: {value}}}"
        for day, value in (text.split(": ") for text in days)
    ]
    found = tried(DAYS, *rows)
    assert (found.bounds, len(found.untried)) == (1, bounds)
    assert [getattr(mutant, "told", "") for mutant in found.unnoticed] == unnoticed


@pytest.mark.parametrize(
    ("expression", "grain"),
    [
        ("owed", "0.01"), ("count_now", "1"), ("rate", None), ("owed + 5", "0.01"), ("count_now * 3", "3"),
        ("floor(owed, -3)", "1E+3"), ("min(500, floor(owed, -1))", "10"), ("owed / 3", None),
        ("if owed > 1 then 20 else 30", "10"), ("round half up(rate, 1)", "0.1"), ("count([1, 2])", "1"),
    ],
)  # fmt: skip
def test_how_far_values_lie_apart(expression: str, grain: str | None) -> None:
    policy = policy_of(f"{FACTS}decisions: {{it: owed}}\noutcome: {{it: {{money: it}}}}\n")
    node = parse_expression(expression, Span("f", 1, 1), list(policy.facts)).policy
    assert node is not None
    found = grain_of(policy, node)
    assert found == (None if grain is None else Decimal(grain))
