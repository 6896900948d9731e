"""What cases try: rows, bounds on both sides, changes of one threshold; and the cases that are missing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from engine.credit import CreditPolicy, load_credit, render_report, run_cases
from engine.credit.cases import read_bases, read_cases
from engine.credit.cases_to_yaml import Base, as_yaml, in_yaml
from engine.credit.coverage import Coverage, coverage, mutants
from engine.credit.formula_thresholds import formula_mutants
from engine.credit.generating import generate
from engine.credit.thresholds import thresholds
from engine.text import MapNode, ScalarNode, read_yaml
from tests.engine.credit.samples import policy_of

POLICIES = Path(__file__).parents[3] / "policies"
NAMES = ("consumer-credit", "sme-credit", "key-account-credit", "uci-card-credit")

TEXT = """
facts:
  days: {type: integer, min: 0}
  bill: {type: money, min: 0}
  rate: {type: decimal, min: 0, max: 1}
decisions:
  score:
    scorecard:
      base: 100
      table: |
        | characteristic | bin   || points |
        | days           | < 30  || 10     |
        | days           | >= 30 || 0      |
        | rate           | < 0.5 || 0      |
        | rate           | >= 0.5|| 20     |
  grade:
    table: |
      | score  | bill      || grade |
      | >= 120 | -         || A     |
      | < 120  | >= 50.00  || B     |
      | < 120  | < 50.00   || C     |
outcome: {grade: grade, score: score}
"""
BASES = """policy: sample
as_of: 2026-11-20
facts_base:
  plain: {days: 0, bill: 100.00, rate: 0.4}
cases:
  - case: first
    facts_base: plain
    expect: {grade: B}
"""


def tried(policy: CreditPolicy, cases: str) -> Coverage:
    found = read_cases(policy, cases.encode(), "cases.yaml")
    assert found.policy is not None, found.problems
    return coverage(policy, found.policy)


def test_every_threshold_has_its_step() -> None:
    found = [(t.heading.text, str(t.point), str(t.step)) for t in thresholds(policy_of(TEXT))]
    assert found == [
        ("days", "30", "1"), ("days", "30", "1"), ("rate", "0.5", "0.01"), ("rate", "0.5", "0.01"),
        ("score", "120", "10"), ("score", "120", "10"), ("bill", "50.00", "0.01"),
        ("score", "120", "10"), ("bill", "50.00", "0.01"),
    ]  # fmt: skip


def test_every_change_of_a_threshold_is_named_with_its_cell() -> None:
    named = [str(mutant) for mutant in mutants(policy_of(TEXT))]
    assert len(named) == len(set(named)) == 20
    assert "score row 1 (line 18), days `< 30`: as `< 29`" in named
    assert "score row 4 (line 21), rate `>= 0.5`: as `> 0.5`" in named
    assert "grade row 2 (line 26), bill `>= 50.00`: as `>= 49.99`" in named


def test_a_change_that_no_value_can_tell_is_not_counted() -> None:
    policy = policy_of(TEXT.replace("| < 30 ", "| < 1  ").replace("| >= 30", "| >= 1 "))
    named = [str(mutant) for mutant in mutants(policy)]
    assert not any("days `< 1`: as `< 0`" in name and "min" in name for name in named)
    assert any("days `< 1`: as `< 0`" in name for name in named)  # 0 days can tell it


def test_what_one_case_tries() -> None:
    found = tried(policy_of(TEXT), BASES)
    assert (found.rows, len(found.unmatched)) == (7, 4)
    assert len(found.untried) == found.bounds == 9
    assert (found.mutants, len(found.unnoticed)) == (20, 18)  # at 110 points `>= 110` would make it A
    assert str(found) == (
        "3 of 7 rows matched, 0 of 9 bounds tried on both sides, 18 of 20 threshold changes unnoticed"
    )


def test_a_bound_is_tried_with_values_one_step_apart() -> None:
    more = """
  - case: a day before
    facts_base: plain
    facts: {days: 29}
    expect: {score: 110}
  - case: the day
    facts_base: plain
    facts: {days: 30}
    expect: {score: 100}
"""
    found = tried(policy_of(TEXT), BASES + more.lstrip("\n"))
    assert "days" not in " ".join(map(str, found.untried))
    assert "days" not in " ".join(map(str, found.unnoticed))


def test_a_case_that_does_not_hold_tries_nothing() -> None:
    found = tried(policy_of(TEXT), BASES.replace("grade: B", "grade: A"))
    assert len(found.unmatched) == 7


def generated(policy: CreditPolicy, data: str) -> str:
    cases = read_cases(policy, data.encode(), "cases.yaml").policy
    assert cases is not None
    bases = [
        Base(n, day, facts) for n, (day, facts) in read_bases(policy, data.encode(), "cases.yaml").items()
    ]
    return as_yaml(generate(policy, cases, bases).cases, "  ")


def test_the_missing_cases_are_found_hold_and_leave_nothing_unnoticed() -> None:
    policy = policy_of(TEXT)
    added = generated(policy, BASES)
    whole = BASES.rstrip() + added + "\n"
    assert run_cases(policy, whole.encode(), "cases.yaml").passed
    found = tried(policy, whole)
    assert (found.unmatched, found.unnoticed, found.untried) == ((), (), ())
    assert generated(policy, whole) == ""  # nothing is missing any more
    assert "    facts: {days: 29}\n    expect: {grade: B, score: 110, reasons: []}" in added


def test_a_bound_whose_changes_are_noticed_gets_the_value_one_step_beside_it_too() -> None:
    """A case farther off may notice each change, and yet say nothing of the last hundredth."""
    policy = policy_of(TEXT)
    whole = BASES.rstrip() + generated(policy, BASES) + "\n"
    beside = "rate: 0.49}"
    assert beside in whole
    farther = whole.replace(beside, "rate: 0.4999}")
    left = tried(policy, farther)
    assert (left.unnoticed, len(left.untried)) == ((), 2)  # the two bins of the rate
    added = generated(policy, farther)
    assert added.count("- case:") == 1
    assert beside in added
    assert tried(policy, farther.rstrip() + added + "\n").untried == ()


def test_cases_are_found_without_named_facts_too() -> None:
    policy = policy_of(TEXT)
    data = BASES.replace("facts_base:\n  plain: {days: 0, bill: 100.00, rate: 0.4}\n", "").replace(
        "facts_base: plain", "facts: {days: 0, bill: 100.00, rate: 0.4}"
    )
    cases = read_cases(policy, data.encode(), "cases.yaml").policy
    assert cases is not None
    added = as_yaml(generate(policy, cases, [Base("", cases[0].as_of, cases[0].facts)]).cases, "  ")
    assert run_cases(policy, (data.rstrip() + added + "\n").encode(), "cases.yaml").passed


@pytest.mark.parametrize(
    "text", ["a: b", "x, y", "[a", "true", "null", "it's", "", "# no", "12", "等级", "a #b", "- x"]
)
def test_a_text_in_yaml_is_read_as_it_was(text: str) -> None:
    node = read_yaml(f"{{a: {in_yaml(text)}, b: 1}}".encode(), "f").policy
    assert isinstance(node, MapNode)
    value = node.get("a")
    assert isinstance(value, ScalarNode)
    assert (value.text, value.boolean, value.is_null) == (text, None, False)


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_cases_match_every_row_and_notice_changes(name: str) -> None:
    policy = load_credit({"policy.yaml": (POLICIES / name / "policy.yaml").read_bytes()}).policy
    assert policy is not None
    found = tried(policy, (POLICIES / name / "cases.yaml").read_text("utf-8"))
    assert found.unmatched == ()
    assert found.mutants >= 30
    # A row that would never match, where another says the same.
    assert found.untried == ()
    equivalent = {"key-account-credit": 2}
    assert len(found.unnoticed) <= equivalent.get(name, 0), [str(m) for m in found.unnoticed]


CSV = "case,facts_base,days,rate,as_of,||,grade,score,reasons\r\n"


def test_cases_may_be_rows_of_a_table() -> None:
    rows = CSV + 'a csv case,plain,30,,,,B,100,[]\r\n"another, with a day",,5,0.5,2026-01-02,,,,\r\n'
    policy = policy_of(TEXT)
    report = run_cases(policy, BASES.encode(), "cases.yaml", rows.encode())
    assert [p.code for p in report.problems] == ["nothing-expected"]
    good = run_cases(
        policy, BASES.encode(), "cases.yaml", (CSV + "a csv case,plain,30,,,,B,100,[]\r\n").encode()
    )
    assert [result.case for result in good.results] == ["first", "a csv case"]
    assert good.passed
    wrong = run_cases(policy, BASES.encode(), "cases.yaml", (CSV + "x,plain,31,,,,C,,\r\n").encode())
    (failed,) = wrong.failed
    assert (failed.mismatches[0].name, failed.mismatches[0].got) == ("grade", "B")
    assert failed.mismatches[0].span.file == "cases.csv"
    assert failed.mismatches[0].span.cell == "row 1, column grade"
    assert "\n    |\n  2 | x,plain,31,,,,C,,\n    |               ^\n  because\n" in render_report(
        wrong, {"cases.csv": CSV + "x,plain,31,,,,C,,\r\n"}
    )


def test_a_fact_called_as_of_is_the_day_of_the_row() -> None:
    policy = policy_of(TEXT.replace("facts:\n", "facts:\n  as_of: {type: date}\n", 1))
    rows = "case,as_of,days,rate,||,grade\nx,2026-01-02,30,0,,B\n"
    (case,) = read_cases(policy, None, "cases.yaml", rows.encode()).policy or ()
    assert case.as_of == case.facts["as_of"].value == date(2026, 1, 2)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("case,dayz,||,grade\r\nx,3,,B\r\n", "unknown-fact"),
        ("case,days,grade\r\nx,3,B\r\n", "cases-columns"),
        ("days,||,grade\r\n3,,B\r\n", "cases-columns"),
        ("case,days,||,grde\r\nx,3,,B\r\n", "unknown-key"),
        ("case,days,||,grade\r\nfirst,3,,B\r\n", "duplicate-case"),
        ("case,days,||,grade\r\nx,three,,B\r\n", "not-a-whole-number"),
    ],
)
def test_mistakes_in_a_table_of_cases_are_told(rows: str, code: str) -> None:
    report = run_cases(policy_of(TEXT), BASES.encode(), "cases.yaml", rows.encode())
    assert code in [problem.code for problem in report.problems]


FORMULA = """
facts:
  owed: {type: money, min: 0}
decisions:
  level: if owed > 50.00 then 2 else if owed between 10 and 20 then 1 else 0
outcome: {level: level}
status: if level >= 2 then "referred" else "decided"
"""


def test_thresholds_inside_formulas_are_changed_too() -> None:
    policy = policy_of(FORMULA)
    named = [str(mutant) for mutant in formula_mutants(policy)]
    assert named == [
        "level (line 11), `owed > 50.00`: 50.00 as 49.99",
        "level (line 11), `owed > 50.00`: 50.00 as 50.01",
        "level (line 11), `owed between 10 and 20`: 10 as 9.99",
        "level (line 11), `owed between 10 and 20`: 10 as 10.01",
        "level (line 11), `owed between 10 and 20`: 20 as 19.99",
        "level (line 11), `owed between 10 and 20`: 20 as 20.01",
        "status (line 13), `level >= 2`: 2 as 1",
        "status (line 13), `level >= 2`: 2 as 3",
    ]
    assert all(mutant.policy(policy) != policy for mutant in formula_mutants(policy))
    head = "policy: sample\nas_of: 2026-11-20\ncases:\n"
    case = "  - {{case: c{0}, facts: {{owed: {0}}}, expect: {{level: {1}, status: {2}}}}}\n"
    amounts = [
        ("50.00", 0, "decided"),
        ("50.01", 2, "referred"),
        ("9.99", 0, "decided"),
        ("10", 1, "decided"),
    ]
    found = tried(policy, head + "".join(case.format(*one) for one in amounts))
    assert (found.mutants, [str(mutant) for mutant in found.unnoticed]) == (8, named[4:6])
