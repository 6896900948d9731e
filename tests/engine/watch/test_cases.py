"""The shipped watch policies pass their cases, and cases say what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.watch import load_watch, run_watch_cases
from engine.watch.cases import read_watch_cases
from engine.watch.coverage import changes_of, watch_coverage
from tests.engine.watch.strategies import load
from tests.engine.watch.test_clock import MOVED

SHIPPED = Path(__file__).parents[3] / "policies"


@pytest.mark.parametrize("name", ["fraud-watch", "arrears-watch"])
def test_shipped_policies_pass_their_cases_and_every_rule_fires_in_one(name: str) -> None:
    texts = {path.name: path.read_bytes() for path in (SHIPPED / name).iterdir()}
    loaded = load_watch(texts)
    assert loaded.problems == ()
    assert loaded.policy is not None
    report = run_watch_cases(loaded.policy, texts)
    assert report.ok, report.render()
    assert report.silent == ()
    cases = read_watch_cases(loaded.policy, texts["cases.yaml"]).policy
    assert cases is not None
    tried = watch_coverage(loaded.policy, cases)
    assert tried.silent == ()
    assert tried.unnoticed == ()  # each threshold, one step lower and one step higher, breaks a case
    assert all({"en", "zh"} <= rule.reason.keys() for rule in loaded.policy.rules)


CASES = """cases:
  - case: moved
    events:
      - {id: m, type: moved, at: 2026-03-01}
    until: 2026-04-01
    expect: EXPECT
"""


def run(expected: str, text: str = CASES) -> list[str]:
    report = run_watch_cases(MOVED, text.replace("EXPECT", expected).encode())
    return [problem.code for problem in report.problems] or [
        f for case in report.cases for f in case.failures
    ]


def test_a_case_that_differs_says_what_was_got() -> None:
    assert run("[{rule: unsettled, evidence: [m], on: 2026-03-15}]") == []
    assert run("none") == ["not expected: unsettled by m on 2026-03-15"]
    assert run("[{rule: unsettled, on: 2026-03-16}]") == [
        "expected unsettled on 2026-03-16, got unsettled by m on 2026-03-15"
    ]
    assert run("[{rule: unsettled}, {rule: unsettled}]") == ["expected unsettled, got no alert"]


MISTAKES = [
    ("expect: EXPECT", "expect: [{rule: unsetled}]", "unknown-choice"),
    ("expect: EXPECT", "expect: [{rule: unsettled, evidence: [x]}]", "unknown-event"),
    ("type: moved", "type: mvoed", "unknown-choice"),
    ("2026-03-01", "yesterday", "not-an-instant"),
    ("2026-03-01", "2026-03-01T10:00:00", "no-offset"),
    ("at: 2026-03-01", "at: 2026-03-01, amount: 5", "unknown-property"),
    ("until: 2026-04-01", "untill: 2026-04-01", "unknown-key"),
]


@pytest.mark.parametrize(("old", "new", "code"), MISTAKES)
def test_mistakes_in_cases_are_told_with_their_code(old: str, new: str, code: str) -> None:
    assert run("none", CASES.replace(old, new)) == [code]


def test_a_report_reads_as_text() -> None:
    report = run_watch_cases(MOVED, CASES.replace("EXPECT", "none").encode())
    assert report.render().splitlines() == [
        "FAIL moved",
        "     not expected: unsettled by m on 2026-03-15 (cases.yaml:2:11)",
        "p: 0 of 1 cases pass",
    ]
    assert not report.ok


def test_a_file_without_a_case_is_a_mistake() -> None:
    report = run_watch_cases(MOVED, b"cases: []\n")
    assert [problem.code for problem in report.problems] == ["no-cases"]
    assert not report.ok


def test_what_no_case_notices_is_named() -> None:
    cases = read_watch_cases(MOVED, CASES.replace("EXPECT", "[{rule: unsettled}]").encode()).policy
    assert cases is not None
    tried = watch_coverage(MOVED, cases)
    assert str(tried) == "1 of 1 rules fire in a case, 0 of 3 threshold changes are noticed"
    told = [change.rpartition("): ")[2] for change in tried.unnoticed]
    assert told == [
        "without `settled` under `none`",
        "13 days instead of 14 days (10:37)", "15 days instead of 14 days (10:37)",
    ]  # fmt: skip
    assert watch_coverage(MOVED, ()).silent == ("unsettled",)


def test_each_threshold_is_moved_one_step_both_ways() -> None:
    policy = load("""
policy: p
kind: watch
version: "1"
effective: {from: 2026-01-01}
window: P30D
events: {used: {amount: decimal(2), day: date, n: integer}}
rules:
  - rule: r
    all:
      a: type = "used" and a.amount > 5 and 3 * a.n >= 7
      b: type = "used" and (b.day >= @"2026-02-01" or b.at >= a.at + @"PT6H")
    count: 3
    within: P2D
    then: {alert: x}
    reason: {en: r}
""")
    told = [change.told.rpartition("): ")[2] for change in changes_of(policy.rules[0])]
    assert [text.partition(" (")[0] for text in told] == [
        "`count: 2`", "`count: 4`", "`within` of 1 days", "`within` of 3 days",
        "4.99 instead of 5", "5.01 instead of 5", "2 instead of 3", "4 instead of 3", "6 instead of 7",
        "8 instead of 7", "2026-01-31 instead of 2026-02-01", "2026-02-02 instead of 2026-02-01",
        "21599 s instead of 21600 s", "21601 s instead of 21600 s",
    ]  # fmt: skip
