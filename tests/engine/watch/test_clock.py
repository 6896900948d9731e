"""Time passing, events coming late, and windows being looked at again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.watch import WatchEvent, Window, match_window, next_look, replay, report, shrink
from tests.engine.watch.strategies import START, load, policies, windows

MOVED = load("""
policy: p
kind: watch
version: "1"
effective: {from: 2026-01-01}
window: P30D
events: {moved: {}, settled: {}}
rules:
  - rule: unsettled
    all: {moved: type = "moved" and now > moved.at + @"P14D"}
    none: {settled: type = "settled" and settled.at > moved.at}
    then: {alert: x}
    reason: {en: r}
""")


def event(kind: str, day: int) -> WatchEvent:
    return WatchEvent(id=f"{kind}{day}", type=kind, at=datetime(2026, 3, day, tzinfo=UTC))


def test_time_alone_raises_an_alert_at_its_instant() -> None:
    until = datetime(2026, 6, 1, tzinfo=UTC)
    (alert,) = replay(MOVED, "customer", "c", [(event("moved", 1).at, event("moved", 1))], until)
    assert alert.as_of == datetime(2026, 3, 15, tzinfo=UTC) + timedelta(microseconds=1)


def test_what_comes_in_time_keeps_it_quiet_and_what_comes_late_does_not() -> None:
    until = datetime(2026, 6, 1, tzinfo=UTC)
    moved, settled = event("moved", 1), event("settled", 10)
    assert replay(MOVED, "customer", "c", [(moved.at, moved), (settled.at, settled)], until) == ()
    late = [(moved.at, moved), (datetime(2026, 3, 20, tzinfo=UTC), settled)]
    assert len(replay(MOVED, "customer", "c", late, until)) == 1


def test_nothing_more_can_happen_when_there_is_no_next_look() -> None:
    window = Window(subject="c", as_of=datetime(2026, 5, 1, tzinfo=UTC), events=(event("moved", 1),))
    assert next_look(MOVED, window) is None


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies(), windows(8), st.integers(0, 999))
def test_between_two_looks_nothing_new_can_be_found(text: str, window: Window, part: int) -> None:
    policy = load(text)
    window = report(window, match_window(policy, window))
    look = next_look(policy, window)
    end = look or window.as_of + policy.window
    between = window.as_of + (end - window.as_of) * part / 1000
    if between < end:
        assert match_window(policy, window.model_copy(update={"as_of": between})) == ()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies(), windows(8))
def test_no_event_stands_in_two_alerts_of_a_rule(text: str, window: Window) -> None:
    policy = load(text)
    arrivals = [(max(e.at, START), e) for e in window.events]
    alerts = replay(policy, "customer", "c", arrivals, START + timedelta(days=30))
    used = [(a.rule, e.id) for a in alerts for e in {e.id: e for e in a.evidence}.values() if e.type != "f"]
    assert len(used) == len(set(used))
    assert len({alert.key for alert in alerts}) == len(alerts)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies(), windows(10))
def test_shrinking_a_window_changes_no_answer(text: str, window: Window) -> None:
    policy = load(text)
    assert match_window(policy, shrink(policy, window)) == match_window(policy, window)
