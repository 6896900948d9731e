"""The known defects of durable-rules 2.0.28, each shown to be out of reach.

What a rule or an event would have to say to reach one is refused when the policy is checked
(tests/engine/watch/test_from_yaml.py) or when the event comes in; what is accepted is run here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from api.matcher import Limits, Matcher
from engine.watch import EventRefused, WatchEvent, WatchPolicy, Window, admit, encode, match_window, prepare
from engine.watch.encode import MOST_FACTS
from engine.watch.layout import MOST_COLUMNS, MOST_PATTERNS, MOST_RULES
from engine.watch.linear import MOST
from tests.engine.watch.strategies import load, policies, windows

START = datetime(2026, 3, 1, tzinfo=UTC)
HEAD = """
policy: p
kind: watch
version: "1"
effective: {from: 2026-01-01}
window: P90D
events:
  a: {n: integer, d: decimal(6), s: string, b: boolean, account_id: integer}
  z: {n: integer, account_id: integer}
rules:
"""


def policy(*conditions: str, head: str = HEAD) -> WatchPolicy:
    """Return a policy with a rule for each condition on `x`, an `a`; `y` is a `z`."""
    return load(head + "\n".join(rule(n, condition) for n, condition in enumerate(conditions)))


def rule(number: int, condition: str) -> str:
    other = "y: 'type = \"z\"', " if "y." in condition else ""
    tail = f" and {condition}" if condition else ""
    return f"""  - rule: r{number}
    all: {{{other}x: 'type = "a"{tail}'}}
    then: {{alert: a}}
    reason: {{en: r}}"""


def event(number: int, kind: str = "a", **values: Any) -> WatchEvent:
    standard = (
        {"n": 0, "d": "0", "s": "", "b": False, "account_id": 0} if kind == "a" else {"n": 0, "account_id": 0}
    )
    return WatchEvent(
        id=f"e{number}", type=kind, at=START + timedelta(minutes=number), values=standard | values
    )


def window(*events: WatchEvent) -> Window:
    return Window(subject="c", as_of=START + timedelta(days=30), events=events)


def fired(watch: WatchPolicy, found: Window) -> list[str]:
    """Return the rules that fire by durable-rules, which must agree with the reference."""
    with Matcher() as matcher:
        matched = matcher.match(watch, found)
    assert (matched.flag, matched.detail) == (None, "")
    return [alert.rule for alert in matched.alerts]


# --- what reaches the C module --------------------------------------------------------------------


def _tests(ruleset: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for found in ruleset.values():
        for pattern in found["all"]:
            for body in pattern.values():
                yield from body["$and"]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies(), windows())
def test_rules_and_facts_hold_whole_numbers_and_comparisons_only(text: str, found: Window) -> None:
    """No strings, truth values, floats, exponents, arithmetic, `$nex`, timers; `id` is never compared."""
    encoding = encode(load(text), "customer")
    for test in _tests(encoding.ruleset):
        ((sign, body),) = test.items()
        ((name, value),) = body.items() if sign.startswith("$") else [(sign, body)]
        assert sign in ("$lt", "$lte", "$gt", "$gte", "$neq") or sign == name
        assert name in ("t", "n", "z") or name.removeprefix("c").isdigit()
        if isinstance(value, dict):
            ((alias, other),) = value.items()
            assert alias.startswith("a")
            assert other in ("n", "z") or other.startswith("c")
        else:
            assert type(value) is int
            assert abs(value) < MOST
    for number, fact in enumerate(encoding.facts(prepare(load(text), found))):
        assert (fact.pop("id"), fact.pop("sid")) == (str(number), "w")
        assert all(type(value) is int and abs(value) < MOST for value in fact.values())
        assert len(fact) <= MOST_COLUMNS + 3


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies())
def test_joined_patterns_end_with_a_test_that_always_holds(text: str) -> None:
    """A failing last test of a sequence makes the module read on beyond it: its crash on shared patterns."""
    aliases: set[str] = set()
    for found in encode(load(text), "customer").ruleset.values():
        for place, pattern in enumerate(found["all"]):
            ((alias, body),) = pattern.items()
            assert alias not in aliases  # two rules never share a join
            aliases.add(alias)
            joins = [test for test in body["$and"] if _is_join(test)]
            assert not joins or place > 0
            if joins:
                first = next(iter(found["all"][0]))
                assert joins[-1] == body["$and"][-1] == {"$gte": {"z": {first: "z"}}}


def _is_join(test: dict[str, Any]) -> bool:
    return any(
        isinstance(value, dict) and isinstance(next(iter(value.values())), str) for value in test.values()
    ) or any(
        isinstance(inner, dict)
        for value in test.values()
        if isinstance(value, dict)
        for inner in value.values()
    )


def test_ids_of_facts_have_different_hashes() -> None:
    """Facts are told apart by 32 bits of FNV-1a: one that collides would be `already observed`."""
    ids = [*(str(number) for number in range(MOST_FACTS)), "prime", "sid-w"]
    assert len({_fnv(name) for name in ids}) == len(ids)


def test_columns_have_different_hashes() -> None:
    names = [*(f"c{number}" for number in range(MOST_COLUMNS)), "t", "n", "z", "id", "sid", "$s", "$and"]
    assert len({_fnv(name) for name in names}) == len(names)


def _fnv(text: str) -> int:
    found = 2_166_136_261
    for byte in text.encode():
        found = (found ^ byte) * 16_777_619 % 2**32
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies(), windows())
def test_what_bars_a_match_is_asserted_before_all_else(text: str, found: Window) -> None:
    """A match stayed although a fact that bars it came later."""
    encoding = encode(load(text), "customer")
    slots = [slot for slots in encoding.layout.slots.values() for slot in slots]
    wanted = {slot.number for slot in slots if not slot.absent and slot.type != "now"}
    facts = [fact["t"] in wanted for fact in encoding.facts(prepare(load(text), found))]
    assert facts == sorted(facts)


# --- what rules say ---------------------------------------------------------------------------------


def test_opposite_comparisons_behind_a_shared_pattern() -> None:
    """Crashed with SIGSEGV (issue 381 of the project)."""
    watch = policy("x.n > y.n", "x.n < y.n", "x.n >= y.n and x.account_id < y.account_id", "x.n != y.n")
    events = [event(n, "a" if n % 2 else "z", n=n % 7, account_id=n % 5) for n in range(120)]
    found = window(*events)
    with Matcher() as matcher:
        matched = matcher.match(watch, found)
    assert matched.flag is None
    assert matched.alerts == match_window(watch, found)
    assert {alert.rule for alert in matched.alerts} == {"r0", "r1", "r2", "r3"}


def test_numbers_written_as_text_are_compared_as_numbers() -> None:
    """Compared as text: `"9" >= 50` held and `"100" >= 50` did not."""
    watch = policy("x.n >= 50")
    assert [fired(watch, window(event(1, n=text))) for text in ("9", "100", "50", "49")] == [
        [],
        ["r0"],
        ["r0"],
        [],
    ]


def test_numeric_keys_join() -> None:
    """A join on a numeric `id` never matched; no property can be called so."""
    assert fired(
        policy("x.account_id = y.account_id"), window(event(1, "z", account_id=7), event(2, account_id=7))
    ) == ["r0"]


def test_truth_is_not_one() -> None:
    """`true == 1` matched."""
    watch = policy("x.b", "x.b = false", "x.n = 1")
    assert fired(watch, window(event(1, b=True, n=0))) == ["r0"]
    assert fired(watch, window(event(1, b=False, n=1))) == ["r1", "r2"]


@pytest.mark.parametrize(
    "value", [2**63 - 1, 2**64 + 123, -(2**63), 10**12 + 1, "1e400", "NaN", "Infinity", True]
)
def test_numbers_that_would_saturate_are_refused_at_the_door(value: object) -> None:
    """Whole numbers saturated at 2**63 - 1, so 2**64 + 123 was equal to it."""
    with pytest.raises(EventRefused, match="/values/n"):
        admit(policy(""), event(1, n=value))


def test_floats_stop_at_the_door() -> None:
    with pytest.raises(ValueError, match="never a binary float"):
        event(1, d=0.1)


def test_small_and_large_numbers_have_no_exponent() -> None:
    """`1e-05` and `1e16`, as JSON writes floats, ended in error 204; decimals were a TypeError."""
    watch = policy("x.d = 0.00001", "x.d >= 999999999999.999999", "x.d < -999999999999")
    found = [
        fired(watch, window(event(1, d=d)))
        for d in ("0.00001", "999999999999.999999", "-1000000000000", "1E-5")
    ]
    assert found == [["r0"], ["r1"], ["r2"], ["r0"]]


def test_sums_are_exact() -> None:
    """Doubles only: 0.1 + 0.2 was not 0.3; 7 / 2 was 3."""
    assert fired(policy("x.d + 0.2 = 0.3", "x.d * 3 = 0.3"), window(event(1, d="0.1"))) == ["r0", "r1"]


def test_the_most_rules_may_all_match_one_event() -> None:
    """More than 64 rules that matched one fact ended in error 303."""
    watch = policy(*(f"x.n < {number + 1}" for number in range(MOST_RULES)))
    assert fired(watch, window(event(1))) == [f"r{number}" for number in range(MOST_RULES)]
    assert MOST_PATTERNS < 64


def test_the_most_equality_rules_on_one_property() -> None:
    """512 equality rules on a property ended in error 303, one more hung for ever."""
    watch = policy(*(f"x.n = {number}" for number in range(MOST_RULES)))
    assert fired(watch, window(*(event(n, n=n) for n in range(0, 60, 7)))) == [
        f"r{n}" for n in range(0, 60, 7)
    ]


def test_what_matches_nothing_is_no_error() -> None:
    """Not matching was an exception."""
    assert fired(policy("x.n > 5"), window(event(1), event(2, "z"))) == []


def test_events_with_the_same_content_are_two_events() -> None:
    """Equal content was `already observed`."""
    watch = load(HEAD + rule(0, "").replace("then:", "count: 3\n    then:"))
    same = [event(1).model_copy(update={"id": name}) for name in "abc"]
    assert fired(watch, window(*same)) == ["r0"]


def test_a_process_stays_sound_and_small_over_many_windows() -> None:
    """The 1,025th state was a MemoryError; 46,010 facts met a false `already observed`; rulesets leaked."""
    watch = policy("x.n = y.n and x.at > y.at")
    events = [event(n, "a" if n % 2 else "z", n=n // 2) for n in range(48)]
    sizes: list[int] = []
    with Matcher(Limits(windows=10_000), verify=False) as matcher:
        for number in range(1_060):
            matched = matcher.match(watch, window(*events))
            assert (len(matched.alerts), matched.flag) == (24, None)
            if number % 200 == 100:
                sizes.append(matcher.megabytes(watch))
        assert matcher.started == 1
    assert sizes[-1] - sizes[1] <= 4, sizes


def test_facts_carry_no_more_than_their_rules_read() -> None:
    """More than 252 properties ended in error 302."""
    many = ", ".join(f"p{number}: integer" for number in range(38))
    head = HEAD.replace("a: {", f"w: {{{many}}}\n  a: {{")
    rules = "\n".join(
        f"  - rule: r{n}\n    all: {{x: 'type = \"w\" and x.p{n % 38} > 2 * x.p{(n + 1) % 38} - {n}'}}\n"
        "    then: {alert: a}\n    reason: {en: r}"
        for n in range(MOST_RULES)
    )
    watch = load(head + rules)
    values = {f"p{number}": number for number in range(38)}
    found = window(WatchEvent(id="e", type="w", at=START, values=values))
    facts = encode(watch, "customer").facts(prepare(watch, found))
    assert len(json.dumps(facts)) < 2_000
    assert fired(watch, found) == [alert.rule for alert in match_window(watch, found)] != []
