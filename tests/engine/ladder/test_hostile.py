"""Any bytes as a policy, a law pack, a calendar or cases: problems or a result, never a crash."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.ladder import load_collections, load_law, render_report, run_timelines
from engine.source import render_problem
from engine.workdays import load_calendar
from tests.engine.ladder.world import POLICIES, calendar, law, policy, texts_of

TEXTS = texts_of("collections")
POLICY = TEXTS["policy.yaml"].decode()
CASES = TEXTS["cases.yaml"].decode()
SHORT = CASES[: CASES.index("  - case: Under 20.00 no case opens")]
LAW = (POLICIES / "regulations" / "cn-telecom.yaml").read_text()
DAYS = (POLICIES / "calendars" / "TW.yaml").read_text()
WORDS = st.one_of(
    st.sampled_from(
        ["", "-", "||", ">= 3", "30", "none", "final", "recall", "P7D", "P99999M", "[1..2)", "null", "true",
         "{", "}", "[]", "- -", "9" * 40, "-1", "1e9", "0.5 of overdue", "24:00", "23:59-00:00",
         "2026-02-30", "9999-12-31", "0001-01-01", "*a", "&a", "!!python", "'", '"', "#", "|", ":",
         "bill", "ignored", "P0D", "on: x", "\u0085", "overdue >= age", "age > 1 and age > 2 or age < 0",
         "not(3)", "notify(sms)", "write_off", "终止"]
    ),
    st.text(max_size=12),
)  # fmt: skip
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def damaged(draw: st.DrawFn, text: str) -> str:
    """Return a text with some of its words replaced, doubled or cut."""
    places = [match.span() for match in re.finditer(r"[^\s|,{}\[\]]+|[|,{}\[\]]", text)]
    for _ in range(draw(st.integers(1, 3))):
        start, end = places[draw(st.integers(0, len(places) - 1))]
        if end <= len(text):
            text = text[:start] + draw(WORDS) + text[end:]
    return text


@given(damaged(POLICY))
@QUICK
def test_a_damaged_policy_is_read_or_refused(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    loaded = load_collections(TEXTS | {"policy.yaml": data})
    for problem in loaded.problems:
        assert render_problem(problem, {"policy.yaml": text})
    assert loaded.policy is not None or loaded.problems


@given(st.binary(max_size=200))
@QUICK
def test_any_bytes_are_refused(data: bytes) -> None:
    assert load_collections({"policy.yaml": data}).policy is None
    assert load_law(data, "law.yaml").policy is None
    assert load_calendar(data, "XX.yaml").policy is None
    assert not run_timelines(policy(), law(), calendar(), data, "cases.yaml").ok


@given(damaged(LAW))
@QUICK
def test_a_damaged_law_pack_is_read_or_refused(text: str) -> None:
    loaded = load_law(text.encode("utf-8", "surrogatepass"), "law.yaml")
    assert loaded.policy is not None or loaded.problems


@given(damaged(DAYS))
@QUICK
def test_a_damaged_calendar_is_read_or_refused(text: str) -> None:
    loaded = load_calendar(text.encode("utf-8", "surrogatepass"), "TW.yaml")
    assert loaded.policy is not None or loaded.problems


@given(damaged(SHORT))
@QUICK
def test_damaged_cases_are_played_or_refused(text: str) -> None:
    report = run_timelines(policy(), law(), calendar(), text.encode("utf-8", "surrogatepass"), "cases.yaml")
    assert render_report(report, {"cases.yaml": text})


@given(damaged(POLICY))
@QUICK
def test_a_policy_that_is_read_can_be_stepped_through(text: str) -> None:
    loaded = load_collections(TEXTS | {"policy.yaml": text.encode("utf-8", "surrogatepass")})
    if loaded.policy is not None:
        report = run_timelines(loaded.policy, law(), calendar(), SHORT.encode(), "cases.yaml")
        assert report.results or report.problems


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("| reminder     | P7D  |", "| reminder     | P99999M |", "not-a-period"),
        ("| reminder     | P7D  |", "| reminder     | P0D  |", "not-a-period"),
        ("review: P90D", "review: P0D", "span-out-of-range"),
        ("for: P30D", "for: P999999D", "span-out-of-range"),
        ("valid: P90D", "valid: P0D", "span-out-of-range"),
        ("message: 1 per P1D", "message: 0 per P1D", "not-a-cap"),
        ("call: 7 per P7D", "call: 7 per P0D", "not-a-cap"),
        ("revive: P30D", "revive: P9999Y", "span-out-of-range"),
        ("max_days: 14", "max_days: 0", "too-small"),
        ("tolerance: 0.05", "tolerance: 1.05", "too-large"),
        ("covers: 0.5 of overdue", "covers: 1.5 of overdue", "not-a-share"),
        ("quiet_hours: 21:00-08:00", "quiet_hours: 21:00-21:00", "not-hours"),
        ("window: 09:00-16:00", "window: 16:00-09:00", "window-overnight"),
    ],
)
def test_numbers_that_a_ladder_cannot_count_with_are_refused(old: str, new: str, code: str) -> None:
    assert old in POLICY
    loaded = load_collections(TEXTS | {"policy.yaml": POLICY.replace(old, new).encode()})
    assert loaded.policy is None
    assert code in [problem.code for problem in loaded.problems]


def test_a_row_that_comes_in_ten_thousand_years_is_simply_not_reached() -> None:
    far = POLICY.replace("| bar           | >= 31  |", "| bar           | >= 9999999 |")
    loaded = load_collections(TEXTS | {"policy.yaml": far.encode()})
    assert loaded.policy is not None
    report = run_timelines(loaded.policy, law(), calendar(), SHORT.encode(), "cases.yaml")
    assert any("final_notice" in text for result in report.results for _, text in result.story)


def test_a_policy_without_a_main_text_is_refused() -> None:
    assert [problem.code for problem in load_collections({}).problems] == ["unknown-file"]
