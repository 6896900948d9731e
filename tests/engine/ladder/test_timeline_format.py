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
        ("{on: 2026-02-30, bill: B1, amount: 300.00, due: 2026-03-25}", "no-such-day", "28 days"),
        ("{on: 2026-01-05, bill: B1, amount: 3e2, due: 2026-01-25}", "not-a-number", "no exponent"),
        ("{on: 2026-01-05, bill: B1, amount: -3.00, due: 2026-01-25}", "not-positive", "`refund`"),
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
  --> cases.yaml:3:11
  2026-02-14: do (cases.yaml:8:30)
    expected:     final_notice notify(sms, final_notice)
    got:          final_notice notify(letter, final_notice) 300.00
  2026-02-14: reached (cases.yaml:8:83)
    expected:     reminder
    got:          final_notice
  what happened:
    2026-01-05 Mon 08:00  bill B1, amount 300.00, due 2026-01-25
    2026-01-26 Mon 09:00  case 1 opens
    2026-01-28 Wed 09:00  asks: reminder notify(sms, reminder) 300.00
    2026-02-14 Sat 09:00  asks: final_notice notify(letter, final_notice) 300.00

consumer-collections: 0 of 1 timelines passed (cases.yaml)"""
    )


def test_what_a_ledger_refuses_does_not_count() -> None:
    """The dispute of 400.00 is refused, so one of 300.00 is possible, and all that is wrong is told."""
    lines = "dispute: D1, bill: B1, amount: 400.00", "dispute: D2, bill: B1, amount: 300.00"
    refused = "hold: disaster, until: 2026-02-01"
    history = "\n      - ".join([BILL, *(f"{{on: 2026-02-10, {line}}}" for line in (*lines, refused))])
    report = run(history, "{on: 2026-02-28, open: true}")
    assert [(p.code, p.span.line) for p in report.problems] == [
        ("dispute-exceeds-bill", 7), ("hold-without-days", 9),
    ]  # fmt: skip


def test_mistakes_of_the_history_and_of_what_is_expected_are_told_together() -> None:
    report = run(f"{BILL}\n      - {{on: 2026-02-10, returned: P7}}", "{on: 2026-01-28, level: barred}")
    assert [(p.code, p.span.line) for p in report.problems] == [("unknown-payment", 7), ("unknown-level", 9)]


def test_a_reference_may_come_before_what_it_names() -> None:
    early = "{on: 2026-02-20, received: 2026-02-10, returned: P1}"
    report = run(f"{BILL}\n      - {early}\n      - {{on: 2026-02-16, payment: 300.00}}",
                 "{on: 2026-02-28, overdue: 300.00}")  # fmt: skip
    assert report.ok, render_report(report)


def test_of_two_receipts_with_the_same_words_the_idle_one_is_told() -> None:
    answer = 'receipt: "reminder notify(sms, reminder)", status: done}'
    history = f"{BILL}\n      - {{on: 2026-01-27, {answer}\n      - {{on: 2026-01-29, {answer}"
    report = run(history, "{on: 2026-01-30, reached: reminder}", "    receipts: explicit")
    assert [(m.what, m.span.line) for result in report.failed for m in result.mismatches] == [("receipt", 7)]


PART = "\n      - {on: 2026-02-10, payment: 290.00}"
ALL = "\n      - {on: 2026-02-20, payment: 300.00}"


@pytest.mark.parametrize(
    ("more", "expect"),
    [
        # amounts are compared as numbers
        (PART, '{on: 2026-02-10, overdue: "10"}'), (PART, "{on: 2026-02-10, overdue: 10.000}"),
        (PART, '{on: 2026-02-10, disputed: "0"}'), (PART, "{on: 2026-02-10, disputed: 0.00, credit: 0.0}"),
        ("", "{on: 2026-02-14, do: [\"final_notice notify(letter,final_notice) 300\"]}"),
        ("", "{on: 2026-03-11, do: [suspend service(suspended), suspend fee(suspension) 5]}"),
        # the late fee stands every evening, not only when a notice states it
        ("", "{on: 2026-01-26, late_fee: 0.90}"), ("", "{on: 2026-02-13, late_fee: 17.10}"),
        ("", "{on: 2026-02-14, late_fee: 18.0}"), (PART, "{on: 2026-02-20, late_fee: 14.70}"),
        (ALL, "{on: 2026-02-20, ended: cured, late_fee: 0}"),
        # words for nothing
        ("", "{on: 2026-01-26, reached: nothing, rows: nothing, ended: nothing, do: nothing}"),
        ("", "{on: 2026-01-20, open: false, do: nothing}"),
        ("", "{on: 2026-01-20, level: open, reached: nothing, rows: nothing, overdue: 0, age: 0}"),
        ("", "{on: 2026-01-20, wake: 2026-01-26 09:00, ended: nothing, late_fee: 0}"),
        ("", "{on: 2026-02-14, figures: {debts: B1, next_step: bar}, says: [age 20, taken now]}"),
    ],
)  # fmt: skip
def test_what_holds_is_found_to_hold(more: str, expect: str) -> None:
    report = run(BILL + more, expect)
    assert report.ok, render_report(report)


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ("{on: 2026-01-20, case: 1}", "2026-01-20: case: expected 1, got no case has opened by then"),
        ("{on: 2026-01-20, level: suspended}",
         "2026-01-20: level: expected suspended, got open (no case has opened by then)"),
        ("{on: 2026-02-10, overdue: 300.01}", "2026-02-10: overdue: expected 300.01, got 300.00"),
        ("{on: 2026-02-10, late_fee: 14.41}", "2026-02-10: late_fee: expected 14.41, got 14.40"),
        ("{on: 2026-02-10, open: false}", "2026-02-10: open: expected false, got true"),
        ("{on: 2026-02-10, wake: never}", "2026-02-10: wake: expected never, got 2026-02-14 09:00"),
        ("{on: 2026-02-10, rows: nothing}", "2026-02-10: rows: expected nothing, got reminder"),
        ("{on: 2026-02-14, do: [\"final_notice notify(letter, final_notice) 299.99\"]}",
         "2026-02-14: do: expected final_notice notify(letter, final_notice) 299.99, "
         "got final_notice notify(letter, final_notice) 300.00"),
        ("{on: 2026-02-20, do: [bar service(outgoing_barred)]}",
         "2026-02-20: do: expected bar service(outgoing_barred), got nothing (bar: age 26 is not >= 31)"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_told_in_the_words_of_the_policy(expect: str, told: str) -> None:
    report = run(BILL, expect)
    assert [m.told for result in report.failed for m in result.mismatches] == [told]


def test_a_payment_for_an_unknown_bill_is_told_and_the_history_played() -> None:
    report = run(f"{BILL}\n      - {{on: 2026-01-27, payment: 300.00, pays: {{B11: 300.00}}}}",
                 "{on: 2026-01-28, credit: 300.00, overdue: 300.00}")  # fmt: skip
    assert report.ok
    assert [problem.code for problem in report.problems] == ["unknown-bill"]


@pytest.mark.parametrize(
    ("expect", "holds"),
    [
        ("figures: {overdue: 300}", True), ("figures: {overdue: 300.00, next_due: '-'}", True),
        ("figures: {overdue: 30}", False), ("figures: {overdue: '-'}", False),
        ("figures: [\"debts: B\"]", False), ("figures: {next_due: 2026-02-25}", False),
        ("sent: 2026-02-14", True), ("sent: 2026-02-13", False), ("sent: [2026-02-14, 2026-02-14]", False),
        ("do: [nothing]", False), ("ladder: none", False), ("says: nothing", False),
        ("text: nothing", False), ("sent: nothing", False),
    ],
)  # fmt: skip
def test_a_figure_is_compared_as_a_whole_and_amounts_by_value(expect: str, *, holds: bool) -> None:
    assert run(expect=f"{{on: 2026-02-14, {expect}}}").ok is holds


def test_a_day_without_notices_has_no_text() -> None:
    assert run(expect="{on: 2026-02-13, text: nothing, sent: nothing, do: nothing}").ok


@pytest.mark.parametrize(
    "received",
    [
        "received: 2026-02-16 10:00", "received_at: 2026-02-16T10:00",
        "received_at: 2026-02-16T10:00:00+08:00", "received: 2026-02-16T02:00:00Z",
    ],
)  # fmt: skip
def test_news_is_late_in_the_zone_of_the_account(received: str) -> None:
    late = f"{BILL}\n      - {{on: 2026-02-14, {received}, payment: 300.00}}"
    report = run(late, "{on: 2026-02-16, ended: cured}")
    assert report.ok, render_report(report)
    when = [at for result in report.results for at, text in result.story if text.startswith("payment")]
    assert [f"{at:%Y-%m-%d %H:%M}" for at in when] == ["2026-02-16 10:00"]
