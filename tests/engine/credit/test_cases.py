from __future__ import annotations

import pytest

from engine.credit import CaseReport, CreditPolicy, render_report, run_cases
from tests.engine.credit.samples import policy_of

POLICY = """
facts:
  debt: {type: money, min: 0}
  days: {type: integer, optional: true}
  bill:
    type: money
    max_age: P3M
    when_missing: {default: 50.00, reason: NO_BILL}
    when_old: {refer, reason: OLD}
decisions:
  knockout:
    hit: RULE ORDER
    table: |
      | debt   | days  || reason   |
      | > 1000 | -     || KO_DEBT  |
      | -      | >= 90 || KO_DAYS  |
  grade:
    table: |
      | count(knockout) | debt   || grade |
      | 0               | <= 100 || A     |
      | 0               | > 100  || B     |
      | > 0             | -      || E     |
  limit: if grade = "E" then 0 else bill * 2
outcome: {grade: grade, limit: {money: limit}, reasons: reasons}
reasons: {KO_DEBT: {en: debt}, KO_DAYS: {en: days}, NO_BILL: {en: no bill}, OLD: {en: an old bill}}
"""
HEAD = """policy: sample
as_of: 2026-11-20
facts_base:
  fine: {debt: 0, days: 0, bill: 80.00}
cases:
"""


@pytest.fixture(scope="module")
def policy() -> CreditPolicy:
    return policy_of(POLICY)


def run(policy: CreditPolicy, cases: str, head: str = HEAD) -> CaseReport:
    text = head + cases.replace("@", "case: c, facts_base: fine")
    return run_cases(policy, text.encode(), "cases.yaml")


@pytest.mark.parametrize(
    "case",
    [
        "{@, expect: {grade: A, limit: 160, status: decided, reasons: []}}",
        "{@, facts: {debt: 100.01}, expect: {grade: B}}",
        "{case: c, facts: {debt: 1}, expect: {limit: 100.00, reasons: [NO_BILL]}}",
        "{@, facts: {bill: null}, expect: {limit: 100.00, principal: NO_BILL}}",
        "{@, facts: {debt: 1001, days: 90}, expect: {reasons: [KO_DEBT, KO_DAYS]}}",
        "{@, facts: {bill: {value: 80, as_of: 2026-08-19}}, expect: {status: referred}}",
        "{@, facts: {bill: {value: 80, as_of: 2026-08-20}}, expect: {status: decided}}",
        "{@, as_of: 2026-12-24, expect: {limit: 160}}",
    ],
)
def test_a_case_that_holds(policy: CreditPolicy, case: str) -> None:
    report = run(policy, f"  - {case}\n")
    assert report.passed, render_report(report)
    assert len(report.results) == 1


@pytest.mark.parametrize(
    ("case", "name", "expected", "got"),
    [
        ("{@, expect: {grade: B}}", "grade", "B", "A"),
        ("{@, expect: {limit: 160.01}}", "limit", "160.01", "160.00"),
        ("{@, expect: {limit: a lot}}", "limit", "a lot", "160.00"),
        ("{@, expect: {reasons: [NO_BILL]}}", "reasons", "[NO_BILL]", "[]"),
        ("{@, expect: {principal: NO_BILL}}", "principal", "NO_BILL", "null"),
        ("{@, expect: {status: refused}}", "status", "refused", "decided"),
        ("{@, facts: {days: 90}, expect: {principal: KO_DEBT}}", "principal", "KO_DEBT", "KO_DAYS"),
    ],
)  # fmt: skip
def test_a_case_that_does_not_hold_says_what_came_out(
    policy: CreditPolicy, case: str, name: str, expected: str, got: str
) -> None:
    (result,) = run(policy, f"  - {case}\n").failed
    mismatch = result.mismatches[0]
    assert (mismatch.name, mismatch.expected, mismatch.got) == (name, expected, got)
    assert result.because


def test_a_failed_case_shows_the_rows_that_decided(policy: CreditPolicy) -> None:
    case = """
  - case: A debt of 500 keeps grade A
    facts_base: fine
    facts: {debt: 500}
    expect: {grade: A}
"""
    assert render_report(run(policy, case)) == (
        "FAILED A debt of 500 keeps grade A\n"
        "  --> cases.yaml:7:11\n"
        "  grade: expected A, got B\n"
        "  because\n"
        "    knockout = []\n"
        "      no row matched\n"
        "      row 1 (line 21): debt 500 is not > 1000\n"
        "      row 2 (line 22): days 0 is not >= 90\n"
        "      it read debt 500, days 0\n"
        "    grade = B\n"
        "      row 2 (line 27): count(knockout) 0, debt > 100 -> grade B\n"
        "      it read knockout [], debt 500\n"
        "sample: 0 of 1 cases hold (cases.yaml)"
    )


@pytest.mark.parametrize(
    ("cases", "code", "advice"),
    [
        ("  - {@, expect: {grad: A}}", "unknown-key", "did you mean `grade`?"),
        ("  - {@, expect: {reasons: [KO_DEPT]}}", "unknown-choice", "did you mean `KO_DEBT`?"),
        ("  - {@, expect: {status: decide}}", "unknown-choice", "did you mean `decided`?"),
        ("  - {@, facts: {depth: 1}, expect: {grade: A}}", "unknown-fact", "did you mean `debt`?"),
        ("  - {case: c, facts_base: find, expect: {grade: A}}", "unknown-base", "did you mean `fine`?"),
        ("  - {case: c, facts: {debt: 1e2}, expect: {grade: A}}", "not-a-number", "write digits"),
        ("  - {@, facts: {debt: -1}, expect: {grade: A}}", "fact-refused", ""),
        ("  - {@, expect: {}}", "nothing-expected", ""),
        ("  - {@}", "missing-key", "add `expect: ...`"),
        ("  - {@, as_of: 2026-02-30, expect: {grade: A}}", "no-such-day", ""),
        ("  - &a {@, expect: {grade: A}}", "yaml-anchor", ""),
        ("  - {@, expect: {grade: A}}\n  - {@, expect: {grade: A}}", "duplicate-case", ""),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_a_problem_and_nothing_runs(
    policy: CreditPolicy, cases: str, code: str, advice: str
) -> None:
    report = run(policy, cases + "\n")
    assert not report.passed
    assert report.results == ()
    assert code in [problem.code for problem in report.problems]
    assert any(problem.advice.startswith(advice) for problem in report.problems)
    assert "no case was run" in render_report(report)


def test_cases_of_another_policy_are_refused(policy: CreditPolicy) -> None:
    report = run(policy, "  - {@, expect: {grade: A}}\n", HEAD.replace("sample", "other"))
    assert [problem.code for problem in report.problems] == ["other-policy"]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("-1", "fact `debt` is -1.00; the least is 0"),
        ("1.005", "fact `debt` is 1.005; amounts in CNY have 2 decimals"),
    ],
)
def test_a_fact_that_the_policy_refuses_is_told_at_its_place_once(
    policy: CreditPolicy, value: str, says: str
) -> None:
    cases = f"  - {{case: c, facts: {{debt: {value}}}, expect: {{grade: A}}}}\n"
    report = run(policy, cases)
    assert [problem.message for problem in report.problems] == [says]
    assert report.problems[0].advice
    assert report.results == ()


def test_a_day_that_cannot_be_read_is_told_once(policy: CreditPolicy) -> None:
    text = f"policy: {policy.name}\nas_of: 26-11-20\ncases:\n  - {{case: c, expect: {{grade: A}}}}\n"
    assert [problem.code for problem in run_cases(policy, text.encode(), "cases.yaml").problems] == [
        "not-a-date"
    ]


def test_a_case_that_the_facts_stop_says_which_fact(policy: CreditPolicy) -> None:
    case = "  - {@, facts: {bill: {value: 8, as_of: 2026-01-01}}, expect: {grade: A}}\n"
    (result,) = run(policy, case).failed
    assert result.because == ("status referred: OLD (bill)",)
