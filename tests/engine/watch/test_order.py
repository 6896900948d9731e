"""What is raised does not hang on the order in which events come, and where it must, how far it may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.watch import Alert, WatchEvent, Window, match_window, replay, report
from tests.engine.watch.strategies import START, load, policies, windows

UNTIL = START + timedelta(days=40)
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
PAIR = load("""
policy: p
kind: watch
version: "1"
effective: {from: 2026-01-01}
window: P30D
events: {paid: {amount: integer}, back: {}}
rules:
  - rule: pair
    all: {paid: type = "paid", back: type = "back" and back.at > paid.at}
    then: {alert: x}
    reason: {en: r}
""")


def paid(name: str, amount: int, hour: int = 0) -> WatchEvent:
    return WatchEvent(id=name, type="paid", at=START + timedelta(hours=hour), values={"amount": amount})


BACK = WatchEvent(id="back", type="back", at=START + timedelta(hours=9))


def said(alerts: Sequence[Alert], events: Sequence[WatchEvent]) -> list[Any]:
    """Return alerts without the ids of their events: what these say stands in their place."""
    by_id = {event.id: event for event in events}
    return [
        (
            alert.rule,
            alert.at,
            sorted((e.name, e.at, e.type, str(sorted(by_id[e.id].values.items()))) for e in alert.evidence),
        )
        for alert in alerts
    ]


def test_of_two_events_at_one_instant_content_decides_and_not_who_was_numbered_first() -> None:
    one = (paid("1", 10), paid("2", 20), BACK)
    other = (paid("1", 20), paid("2", 10), BACK)
    found = [
        said(match_window(PAIR, Window(subject="c", as_of=UNTIL - timedelta(days=20), events=e)), e)
        for e in (one, other)
    ]
    assert found[0] == found[1]


@QUIET
@given(policies(), windows(10), st.randoms(use_true_random=False))
def test_one_look_gives_the_same_alerts_for_any_order_and_numbering(
    text: str, window: Window, draw: Any
) -> None:
    policy, events = load(text), list(window.events)
    window = window.model_copy(update={"reported": {}})
    before = match_window(policy, window)
    draw.shuffle(events)
    again = window.model_copy(update={"events": (*events, *events[:2])})
    assert match_window(policy, again) == before
    numbered = [e.model_copy(update={"id": f"n{n}"}) for n, e in enumerate(events)]
    renamed = match_window(policy, window.model_copy(update={"events": tuple(numbered)}))
    assert said(renamed, numbered) == said(before, events)


@QUIET
@given(policies(), windows(10), st.lists(st.integers(0, 200), min_size=10, max_size=10))
def test_whatever_comes_late_each_event_serves_once_and_nothing_is_left(
    text: str, window: Window, late: list[int]
) -> None:
    """An alert stays as it was raised, later ones use what it left, and in the end no match is left."""
    policy = load(text)
    arrivals = [(e.at + timedelta(hours=h), e) for e, h in zip(window.events, late, strict=False)]
    raised = replay(policy, "customer", "c", arrivals, UNTIL)
    assert replay(policy, "customer", "c", arrivals[::-1], UNTIL) == raised
    assert len({alert.key for alert in raised}) == len(raised)
    used = [(a.rule, i) for a in raised for i in {e.id for e in a.evidence if e.type != "f"}]
    assert len(used) == len(set(used))
    as_of = max([START, *(at for at, _ in arrivals)])
    seen = tuple(event for _, event in arrivals)
    end = report(Window(subject="c", as_of=as_of, events=seen), [a for a in raised if a.as_of <= as_of])
    assert match_window(policy, end) == ()


@QUIET
@given(policies(), windows(10))
def test_looks_in_between_change_nothing_while_news_come_in_order(text: str, window: Window) -> None:
    """Of rules that bar nothing and ask no clock: event by event, or all at once at the end."""
    policy = load(text)
    assume(not any(rule.none or rule.uses_clock for rule in policy.rules))
    facts = [(START - timedelta(days=1), e.model_copy(update={"at": START - timedelta(days=1)}))
             for e in window.events if e.type == "f"]  # fmt: skip
    events = [(e.at, e) for e in window.events if e.type != "f"]
    until = START + timedelta(days=6)
    step_by_step = replay(policy, "customer", "c", [*facts, *events], until)
    at_once = match_window(
        policy, Window(subject="c", as_of=until, events=tuple(e for _, e in [*facts, *events]))
    )
    assert [(a.rule, a.evidence) for a in sorted(step_by_step, key=_place)] == [
        (a.rule, a.evidence) for a in sorted(at_once, key=_place)
    ]


def _place(alert: Alert) -> tuple[str, datetime, str]:
    return alert.rule, alert.at, alert.trigger


def test_what_an_early_look_has_raised_stays() -> None:
    """The late one would have been chosen; the alert is there, and one return raises one alert."""
    at = datetime(2026, 3, 2, tzinfo=UTC)
    early, late = paid("early", 10, hour=3), paid("late", 10, hour=1)
    (raised,) = replay(PAIR, "customer", "c", [(early.at, early), (BACK.at, BACK), (at, late)], UNTIL)
    assert [evidence.id for evidence in raised.evidence] == ["early", "back"]
    (together,) = replay(PAIR, "customer", "c", [(at, early), (at, BACK), (at, late)], UNTIL)
    assert [evidence.id for evidence in together.evidence] == ["late", "back"]
    assert raised.key == together.key
