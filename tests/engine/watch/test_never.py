"""Rules that can never fire are refused when the policy is checked, with their place; others are not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.source import Severity
from engine.watch import Window, load_watch
from engine.watch.alerts import match_window
from engine.watch.feasible import AtMost, can_hold
from tests.engine.watch.strategies import HEAD as RANDOM
from tests.engine.watch.strategies import load, read, rule_of, rules, windows

HEAD = """policy: p
kind: watch
version: "1"
effective: {from: 2026-01-01}
window: P90D
events:
  usage:
    n: {type: integer, min: 0, max: 100}
    amount: {type: decimal(2), min: 0}
    place: {type: string, optional: true}
    kind: {type: string, one_of: [voice, data]}
    roaming: boolean
    who: {type: string, optional: true}
    seen: {count: usage, over: P30D}
    usual: {average: n, over: P30D}
    day: date
  moved: {place: {type: string, optional: true}, who: {type: string, optional: true}}
facts:
  contract: {limit: {type: decimal(2), min: 0, max: 500}}
rules:
"""
RULE = """  - rule: r
    all: {{{all}}}
    {more}
    then: {{alert: a}}
    reason: {{en: r}}
"""


def found(every: dict[str, str], more: str = "") -> list[tuple[str, str, str, int]]:
    """Return code, text at its place, severity and number of related places of each problem."""
    names = ", ".join(f"{name}: '{text}'" for name, text in every.items())
    text = HEAD + RULE.format(all=names, more=more)
    lines = text.splitlines()
    return [
        (
            p.code,
            lines[p.span.line - 1][p.span.column - 1 :][: p.span.length],
            p.severity.value,
            len(p.related),
        )
        for p in load_watch({"policy.yaml": text.encode()}).problems
    ]


def one(text: str) -> dict[str, str]:
    return {"u": f'type = "usage" and {text}'}


def two(text: str) -> dict[str, str]:
    return {"m": 'type = "moved"', "u": f'type = "usage" and {text}'}


NEVER: list[tuple[dict[str, str], str, str, int]] = [
    (one("u.n > 5 and u.n < 3"), "", "u.n < 3", 1),
    (one("u.n = 5 and u.n != 5"), "", "u.n != 5", 1),
    (one("u.n in [3..5] and u.n >= 6"), "", "u.n >= 6", 1),
    (one("u.n > 5 and u.n < 6"), "", "u.n < 6", 1),
    (one("u.n > 100"), "", "u.n > 100", 0),
    (one("u.n < 0"), "", "u.n < 0", 0),
    (one("u.n = 1.5"), "", "u.n = 1.5", 0),
    (one("2 * u.n = 7"), "", "2 * u.n = 7", 0),
    (one("u.amount + u.n < 0"), "", "u.amount + u.n < 0", 0),
    (one("u.amount * u.n < 0"), "", "u.amount * u.n < 0", 0),
    (one("u.seen > 2000"), "", "u.seen > 2000", 0),
    (one("u.usual > 100"), "", "u.usual > 100", 0),
    (one("u.n > u.n + 1 - u.n and u.n < 0.5"), "", "u.n < 0.5", 1),
    (one("u.place = null and u.place = \"x\""), "", 'u.place = "x"', 1),
    (one('u.place = "y" and u.place = "x"'), "", 'u.place = "x"', 1),
    (one('u.kind != "voice" and u.kind != "data"'), "", 'u.kind != "data"', 1),
    (one("u.roaming and not(u.roaming)"), "", "u.roaming", 1),
    (one('u.day > @"2026-02-01" and u.day < @"2026-02-02"'), "", 'u.day < @"2026-02-02"', 1),
    (one("u.at > now"), "", "u.at > now", 0),
    (one('now >= u.at + @"P91D"'), "", 'now >= u.at + @"P91D"', 0),
    (one('now >= u.at + @"P90D"'), "", 'now >= u.at + @"P90D"', 0),
    (two("u.at > m.at and m.at > u.at"), "", "m.at > u.at", 1),
    (two('u.at > m.at + @"P8D"'), "within: P7D", 'u.at > m.at + @"P8D"', 0),
    (two('u.at > m.at + @"P100D"'), "", 'u.at > m.at + @"P100D"', 0),
    (two('u.place = m.place and m.place != null and m.place = "x" and u.place = "y"'), "",
     'u.place = "y"', 2),
    (two("u.place = m.place and u.place != m.place and u.place != null"), "", "u.place != m.place", 1),
    ({"a": 'type = "usage"', "b": 'type = "usage" and b.n > a.n and b.at > a.at',
      "c": 'type = "usage" and c.n > b.n and a.n > c.n'}, "", "a.n > c.n", 2),
    ({"c": 'type = "contract"', "u": 'type = "usage" and u.amount > c.limit and u.amount < 0.5 * c.limit'},
     "", "u.amount < 0.5 * c.limit", 1),
    (two("(u.n > 200 or u.n < 0)"), "", "u.n > 200", 0),
    (two("u.who != m.who"), "per: who", "u.who != m.who", 0),
]  # fmt: skip


@pytest.mark.parametrize(("every", "more", "place", "related"), NEVER, ids=lambda v: str(v)[:50])
def test_conditions_that_exclude_each_other(
    every: dict[str, str], more: str, place: str, related: int
) -> None:
    assert found(every, more) == [("never-fires", place, "error", related)]


COUNTED = [
    ("count: 3\n    distinct: u.roaming", "u.n > 3", "u.roaming"),
    ("count: 3\n    distinct: u.kind", "u.n > 3", "u.kind"),
    ("count: 2\n    distinct: u.kind", 'u.kind != "voice"', "u.kind"),
    ("count: 2\n    distinct: u.place", 'u.place = "x"', "u.place"),
    ("count: 2\n    distinct: u.customer", "u.n > 3", "u.customer"),
    ("count: 2\n    per: who\n    distinct: u.who", "u.n > 3", "u.who"),
    ("count: 2\n    none: {v: 'type = \"usage\" and v.n > 3'}", "u.n > 3 and u.roaming", "v"),
    ("count: 2\n    none: {v: 'type = \"usage\"'}", "u.n > 3", "v"),
]


@pytest.mark.parametrize(("more", "condition", "place"), COUNTED)
def test_counts_that_nothing_reaches(more: str, condition: str, place: str) -> None:
    assert found(one(condition), more) == [("never-fires", place, "error", 0)]


FINE = [
    (one("u.n >= 5 and u.n <= 5"), ""),
    (one("(u.n > 5 or u.n < 3)"), ""),
    (one('now >= u.at + @"P89D"'), ""),
    (two('u.at > m.at + @"P6D"'), "within: P7D"),
    (two("u.at >= m.at and m.at >= u.at"), ""),
    (one("u.n > 3"), "count: 2\n    distinct: u.kind"),
    (one("u.n > 3"), "count: 2\n    none: {v: 'type = \"usage\" and v.n > 4'}"),
    (one("u.n > 3"), "none: {v: 'type = \"usage\"'}"),
    (one("u.seen >= 2000"), ""),
    (one("u.amount > 999999999999"), ""),
]


@pytest.mark.parametrize(("every", "more"), FINE)
def test_rules_that_can_fire_are_left_alone(every: dict[str, str], more: str) -> None:
    assert found(every, more) == []


def test_a_part_of_an_or_that_is_never_true_is_a_warning() -> None:
    got = found(one("u.n > 10 and (u.roaming or u.n < 3)"))
    assert got == [("never-true", "u.n < 3", "warning", 0)]


def test_a_name_under_none_that_bars_nothing_is_a_warning() -> None:
    got = found(one("u.n > 10"), "none: {v: 'type = \"usage\" and v.n > 5 and v.n < 4'}")
    assert got == [("bars-nothing", "v", "warning", 0)]


def test_what_it_runs_against_is_said() -> None:
    text = HEAD + RULE.format(all=", ".join(f"{k}: '{v}'" for k, v in one("u.n > 100").items()), more="")
    (problem,) = load_watch({"policy.yaml": text.encode()}).problems
    assert problem.severity is Severity.ERROR
    assert "`n` has `min: 0` and `max: 100`" in problem.advice
    assert "rule `r` can never fire" in problem.message


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(-3, 3), st.sampled_from("xyz")), min_size=1, max_size=3),
            st.integers(-6, 6),
        ),
        max_size=6,
    )
)
def test_no_is_said_only_where_no_whole_numbers_fit(told: list[tuple[list[tuple[int, str]], int]]) -> None:
    limits = [AtMost(tuple(terms), most) for terms, most in told]
    grid = [{"x": x, "y": y, "z": z} for x in range(-2, 3) for y in range(-2, 3) for z in range(-2, 3)]
    fits = any(all(sum(f * at[n] for f, n in li.terms) <= li.most for li in limits) for at in grid)
    if fits:
        assert can_hold(limits, dict.fromkeys("xyz", (-2, 2)))


@settings(max_examples=300, deadline=None)
@given(rules(0).filter(lambda text: read(text)[0] is not None), st.data())
def test_what_is_said_never_to_fire_never_fires(text: str, data: st.DataObject) -> None:
    rule, never = read(text)
    assert rule is not None
    window: Window = data.draw(windows(most=8 if never else 0))
    if never:
        any_policy = load(RANDOM + rule_of("all: {x: 'type = \"a\"'}"))
        assert match_window(replace(any_policy, rules=(rule,)), window) == ()
