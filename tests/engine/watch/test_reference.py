"""What the rules mean, on small windows that can be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.watch import (
    EventRefused,
    UnknownPartition,
    WatchEvent,
    Window,
    WindowRefused,
    match_window,
    prepare,
    subjects,
)
from engine.watch import reference as reference_module
from engine.watch.errors import SearchTooLong
from tests.engine.watch.strategies import load

START = datetime(2026, 3, 1, tzinfo=UTC)
HEAD = """
policy: p
kind: watch
version: "1"
effective: {from: 2026-01-01}
window: P90D
events:
  a: {n: integer, s: {type: string, optional: true}, account: {type: string, optional: true}}
  b:
    n: {type: integer, optional: true}
    account: {type: string, optional: true}
    usual: {average: n, over: P30D, at_least: 2}
    total: {sum: a.n, over: P30D}
    times: {count: a, over: P30D}
    lowest: {lowest: n, over: P30D}
    highest: {highest: n, over: P30D}
facts:
  f: {limit: integer}
rules:
"""
THEN = "\n    then: {alert: x}\n    reason: {en: r}\n"


def rule(body: str, name: str = "r") -> str:
    return f"  - rule: {name}\n    {body}{THEN}"


def event(name: str, hours: float, kind: str = "a", **values: Any) -> WatchEvent:
    standard = {"n": 0} if kind == "a" else {}
    at = START + timedelta(hours=hours)
    return WatchEvent(id=name, type=kind, at=at, customer="C", values=standard | values)


def evidence(body: str, *events: WatchEvent, days: float = 60, **more: Any) -> list[str]:
    """Return the evidence of each alert: `a1 b2`."""
    found = Window(subject="C", as_of=START + timedelta(days=days), events=events, **more)
    alerts = match_window(load(HEAD + rule(body)), found)
    return [" ".join(item.id for item in alert.evidence) for alert in alerts]


PAIR = "all: {x: 'type = \"a\"', y: 'type = \"b\" and y.at > x.at'}"


def test_an_event_serves_one_alert_of_a_rule() -> None:
    assert evidence(PAIR, event("a1", 1), event("a2", 2), event("b1", 3, "b")) == ["a1 b1"]
    assert evidence(PAIR, event("a1", 1), event("b1", 2, "b"), event("b2", 3, "b")) == ["a1 b1"]
    pairs = [*(event(f"a{n}", n) for n in (1, 2)), *(event(f"b{n}", n, "b") for n in (3, 4))]
    assert evidence(PAIR, *pairs) == ["a1 b3", "a2 b4"]


def test_a_fact_serves_any_number_and_does_not_grow_old() -> None:
    body = "all: {f: 'type = \"f\"', x: 'type = \"a\" and x.n > f.limit'}"
    fact = event("limit", -5000, "f", limit=3)
    one, two, three = event("a1", 1, n=4), event("a2", 2, n=5), event("a3", 3, n=3)
    assert evidence(body, fact, one, two, three) == ["limit a1", "limit a2"]


def test_names_of_one_type_mean_different_events() -> None:
    body = "all: {x: 'type = \"a\"', y: 'type = \"a\" and y.n = x.n'}"
    assert evidence(body, event("a1", 1)) == []
    assert evidence(body, event("a1", 1), event("a2", 2)) == ["a1 a2"]


def test_what_bars_is_another_event_of_the_window() -> None:
    body = PAIR + "\n    none: {z: 'type = \"a\" and z.n = 7'}"
    assert evidence(body, event("a1", 1, n=7), event("b1", 2, "b")) == ["a1 b1"]
    assert evidence(body, event("a1", 1, n=7), event("a2", 9, n=7), event("b1", 2, "b")) == []
    assert evidence(body, event("a1", 1), event("b1", 2, "b"), event("old", -24 * 40, n=7), days=60) == [
        "a1 b1"
    ]


def test_within_is_from_the_first_to_the_last_event() -> None:
    body = PAIR + "\n    within: PT2H"
    assert evidence(body, event("a1", 1), event("b1", 3, "b")) == ["a1 b1"]
    assert evidence(body, event("a1", 1), event("b1", 3.01, "b")) == []


def test_the_window_ends_at_the_look_and_begins_just_after_its_length_before() -> None:
    body = "all: {x: 'type = \"a\"'}"
    events = [event("old", 0), event("in", 0.01), event("now", 24 * 90), event("later", 24 * 91)]
    assert evidence(body, *events, days=90) == ["in", "now"]


def test_counts_start_anew_after_an_alert() -> None:
    body = "all: {x: 'type = \"a\"'}\n    count: 3\n    within: P1D"
    many = [event(f"a{n}", n) for n in range(1, 8)]
    assert evidence(body, *many) == ["a1 a2 a3", "a4 a5 a6"]
    assert evidence(body, *many, reported={"r": ("a1", "a2", "a3")}) == ["a4 a5 a6"]
    assert evidence(body, event("a1", 0), event("a2", 1), event("a3", 24.1), event("a4", 24.9)) == [
        "a2 a3 a4"
    ]


def test_same_and_distinct_pass_over_what_is_not_known() -> None:
    apart = "all: {x: 'type = \"a\"'}\n    count: 2\n    same: x.s"
    assert evidence(apart, event("a1", 1), event("a2", 2), event("a3", 3, s="u"), event("a4", 4, s="v")) == []
    assert evidence(apart, event("a1", 1, s="u"), event("a2", 2, s="v"), event("a3", 3, s="u")) == ["a1 a3"]
    other = "all: {x: 'type = \"a\"'}\n    count: 2\n    distinct: x.s"
    assert evidence(other, event("a1", 1, s="u"), event("a2", 2, s="u"), event("a3", 3)) == []
    assert evidence(other, event("a1", 1, s="u"), event("a2", 2, s="u"), event("a3", 3, s="v")) == [
        "a1 a2 a3"
    ]


def test_null_is_equal_to_null_only() -> None:
    assert evidence("all: {x: 'type = \"a\" and x.s = null'}", event("a1", 1), event("a2", 2, s="u")) == [
        "a1"
    ]
    assert evidence(
        "all: {x: 'type = \"b\" and x.n < 5'}", event("b1", 1, "b"), event("b2", 2, "b", n=4)
    ) == ["b2"]
    assert evidence(
        "all: {x: 'type = \"b\" and x.n != 5'}", event("b1", 1, "b"), event("b2", 2, "b", n=5)
    ) == ["b1"]


def test_derived_properties_look_at_strictly_earlier_events() -> None:
    events = [
        event("b1", 1, "b", n=10),
        event("b2", 2, "b", n=21),
        event("b3", 3, "b", n=99),
        event("a1", 2, n=4),
    ]
    window = Window(subject="C", as_of=START + timedelta(days=1), events=tuple(events))
    items = {item.id: item.values for item in prepare(load(HEAD + rule(PAIR)), window).items}
    read = {
        name: [str(items[name][p]) for p in ("usual", "total", "times", "lowest", "highest")]
        for name in ("b1", "b2", "b3")
    }
    assert read == {
        "b1": ["None", "0", "0", "None", "None"],
        "b2": ["None", "0", "0", "10", "10"],
        "b3": ["15.50", "4", "1", "10", "21"],
    }


def test_averages_reach_back_beyond_the_window() -> None:
    watch = load(HEAD.replace("P90D", "P1D") + rule("all: {x: 'type = \"b\" and x.n > 2 * x.usual'}"))
    events = tuple(event(f"b{n}", 24 * n, "b", n=value) for n, value in enumerate((10, 12, 11, 25)))
    window = Window(subject="C", as_of=START + timedelta(days=3), events=events)
    assert watch.keep == timedelta(days=31)
    assert [alert.trigger for alert in match_window(watch, window)] == ["b3"]


def test_an_alert_has_a_key_that_does_not_change() -> None:
    window = Window(
        subject="C", as_of=START + timedelta(days=3), events=(event("a1", 1), event("b1", 2, "b"))
    )
    later = window.model_copy(update={"as_of": START + timedelta(days=9)})
    watch = load(HEAD + rule(PAIR))
    (first,), (again,) = match_window(watch, window), match_window(watch, later)
    assert first.key == again.key == "p/r/customer/C/b1"
    assert (first.trigger, first.at) == ("b1", START + timedelta(hours=2))


def test_an_event_is_refused_with_all_that_is_wrong() -> None:
    with pytest.raises(EventRefused) as refused:
        evidence(PAIR, event("a1", 1, n="x", s=5, m=1))
    assert [(p.pointer, p.code) for p in refused.value.problems] == [
        ("/values/m", "unknown-property"), ("/values/n", "bad-value"), ("/values/s", "bad-value"),
    ]  # fmt: skip
    with pytest.raises(EventRefused, match="did you mean"):
        evidence(PAIR, event("a1", 1, "a").model_copy(update={"type": "A"}))
    with pytest.raises(EventRefused, match="/at"):
        evidence(PAIR, event("a1", -24 * 365 * 300))
    with pytest.raises(EventRefused, match="that is given"):
        evidence(PAIR, event("b1", 1, "b", usual=3))


def test_a_window_that_contradicts_itself_is_refused() -> None:
    assert evidence(PAIR, event("a1", 1), event("a1", 1), event("b", 2, "b")) == ["a1 b"]
    with pytest.raises(WindowRefused, match="two different events have the id `a1`"):
        evidence(PAIR, event("a1", 1), event("a1", 2))
    with pytest.raises(WindowRefused, match="more than 2,000"):
        evidence(PAIR, *(event(f"a{n}", n / 100) for n in range(2_001)))
    with pytest.raises(UnknownPartition):
        evidence(PAIR, per="dealer")


def test_a_search_that_takes_too_long_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_module, "MOST_STEPS", 1_000)
    body = "all: {x: 'type = \"a\"', y: 'type = \"a\" and y.n > x.n', z: 'type = \"a\" and z.n > y.n'}"
    with pytest.raises(SearchTooLong, match="join its events by a property"):
        evidence(body, *(event(f"a{n}", n / 10) for n in range(60)))


def test_an_event_belongs_to_the_windows_that_rules_look_at() -> None:
    watch = load(
        HEAD + rule("all: {x: 'type = \"a\"'}") + rule("per: account\n    all: {x: 'type = \"a\"'}", "s")
    )
    assert subjects(watch, event("a1", 1, account="A9")) == (("customer", "C"), ("account", "A9"))
    assert subjects(watch, event("a1", 1)) == (("customer", "C"),)
