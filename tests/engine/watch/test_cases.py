"""The shipped watch policies pass their cases, and cases say what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.watch import load_watch, run_watch_cases
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
