"""Timelines as officers write them: misspellings are problems, and a failed case tells its story."""

from __future__ import annotations

import pytest

from engine.ladder import render_report, run_timelines
from engine.ladder.timeline_report import TimelineReport
from tests.engine.ladder.world import calendar, law, policy

BILL = "{on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}"
EXPECT = "{on: 2026-01-28, reached: reminder}"


def run(history: str = BILL, expect: str = EXPECT, more: str = "") -> TimelineReport:
    text = f"""policy: consumer-collections
cases:
  - case: One
{more}
    history:
      - {history}
    expect:
      - {expect}
"""
    return run_timelines(policy(), law(), calendar(), text.encode(), "cases.yaml")


def test_a_case_that_goes_as_stated_passes() -> None:
    assert run().ok


@pytest.mark.parametrize(
    ("history", "code", "advice"),
    [
        ("{on: 2026-01-05, bil: B1, amount: 300.00}", "unknown-event", "did you mean `bill`?"),
        (
            "{on: 2026-01-05, bill: B1, amout: 300.00, due: 2026-01-25}",
            "unknown-key",
            "did you mean `amount`?",
        ),
        ("{bill: B1, amount: 300.00, due: 2026-01-25}", "missing-key", "add `on: ...`"),
        ("{on: 2026-02-30, bill: B1, amount: 300.00, due: 2026-03-25}", "no-such-day", ""),
        ("{on: 2026-01-05, bill: B1, amount: 3e2, due: 2026-01-25}", "not-a-number", "no exponent"),
        ("{on: 2026-01-05, bill: B1, amount: -3.00, due: 2026-01-25}", "not-an-entry", ""),
        ("{on: 2026-01-05, at: 9am, payment: 3.00}", "not-a-time", "09:00"),
        ("{on: 2026-01-05, payment: 3.00, received: tomorrow}", "not-an-instant", "2026-02-03 14:00"),
        ("{on: 2026-01-05, demand: fraud, level: suspend}", "unknown-choice", "did you mean `suspended`?"),
        ("{on: 2026-01-05, receipt: reminder x, status: don}", "unknown-choice", "did you mean `done`?"),
        ("{on: 2026-01-05, force: bar, by: anna}", "missing-key", "add `reason: ...`"),
        ("{on: 2026-01-05, bill: B1, amount: 3.00}", "missing-key", "add `due: 2026-01-25`"),
        ("{on: 2026-01-05, policy: next.yaml}", "unknown-policy", "add the file"),
        ("nothing", "not-an-event", "{on: 2026-01-05"),
    ],
)
def test_a_line_that_cannot_be_read_is_a_problem_at_its_place(history: str, code: str, advice: str) -> None:
    report = run(history)
    found = [problem for problem in report.problems if problem.code == code]
    assert len(found) == 1
    assert advice in found[0].advice
    assert found[0].span.line == 6
    assert not report.ok
    assert report.results == ()


@pytest.mark.parametrize(
    ("expect", "code"),
    [
        ("{on: 2026-01-28, reachd: reminder}", "unknown-key"),
        ("{reached: reminder}", "missing-key"),
    ],
)
def test_an_expectation_that_cannot_be_read_is_a_problem(expect: str, code: str) -> None:
    assert code in [problem.code for problem in run(expect=expect).problems]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("    receipts: sometimes", "unknown-choice"),
        ("    outage: {from: 2026-02-01, until: 2026-01-01}", "outage-backwards"),
        ("    timezone: Mars/Phobos", "not-a-timezone"),
        ("    chekcs: [2026-01-28]", "unknown-key"),
        ("    checks: [soon]", "not-a-date"),
    ],
)
def test_what_is_said_of_the_world_is_read_as_strictly(more: str, code: str) -> None:
    assert code in [problem.code for problem in run(more=more).problems]


def test_a_line_after_the_last_expectation_is_a_problem() -> None:
    late = f"{BILL}\n      - {{on: 2026-01-29, payment: 1.00}}"
    assert [problem.code for problem in run(late).problems] == ["after-the-end"]


def test_cases_of_another_policy_are_refused() -> None:
    report = run_timelines(policy(), law(), calendar(), b"policy: other\ncases: []\n", "cases.yaml")
    assert [problem.code for problem in report.problems] == ["other-policy"]


def test_a_failed_case_shows_expected_got_and_its_story() -> None:
    report = run(expect='{on: 2026-02-14, do: ["final_notice notify(sms, final_notice)"], reached: reminder}')
    assert not report.ok
    assert (
        render_report(report)
        == """FAILED One
  --> cases.yaml:3:5
  2026-02-14 do (cases.yaml:8:30)
    expected: final_notice notify(sms, final_notice)
    got:      final_notice notify(letter, final_notice)
  2026-02-14 reached (cases.yaml:8:83)
    expected: reminder
    got:      final_notice
  what happened:
    2026-01-05 Mon 08:00  bill B1, amount 300.00, due 2026-01-25
    2026-01-26 Mon 09:00  case 1 opens
    2026-01-28 Wed 09:00  asks: reminder notify(sms, reminder) 300.00
    2026-02-14 Sat 09:00  asks: final_notice notify(letter, final_notice) 300.00

consumer-collections: 0 of 1 timelines passed (cases.yaml)"""
    )


def test_a_history_that_no_ledger_would_take_fails_the_case() -> None:
    twice = f"{BILL}\n      - {{on: 2026-01-06, dispute: D1, bill: B1, amount: 300.01}}"
    report = run(twice)
    assert "300.01 is more than that" in report.failed[0].mismatches[0].got


def test_a_receipt_for_what_was_never_asked_fails_the_case() -> None:
    wrong = f"{BILL}\n      - {{on: 2026-01-29, receipt: bar service(outgoing_barred), status: done}}"
    expect = "{on: 2026-01-30, reached: reminder}"
    assert report_says(run(wrong, expect), "it was never asked for")


def report_says(report: TimelineReport, text: str) -> bool:
    return any(text in found.got for result in report.failed for found in result.mismatches)
