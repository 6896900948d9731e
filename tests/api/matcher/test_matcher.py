"""A matcher process may crash, hang, be killed or grow old: nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest

import api.matcher.matcher as module
from api.matcher import Flag, Limits, Matcher, MatcherGone, MatcherProcess
from engine.watch import (
    MOST_EVENTS,
    UnknownPartition,
    WatchEvent,
    WatchPolicy,
    Window,
    encode,
    match_window,
    prepare,
)
from engine.watch.encode import Encoding
from tests.engine.watch.strategies import load

START = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = load("""
policy: p
kind: watch
version: "1"
effective: {from: 2026-01-01}
window: P90D
events:
  paid: {amount: integer}
  refunded: {amount: integer}
rules:
  - rule: back-and-forth
    all:
      came: type = "paid"
      went: type = "refunded" and went.amount = came.amount and went.at > came.at
    then: {alert: loop}
    reason: {en: r}
""")


def window(pairs: int = 20, subject: str = "c") -> Window:
    """Return a window with that many alerts."""
    events = []
    for number in range(pairs):
        for kind, hours in (("paid", 0), ("refunded", 1)):
            at = START + timedelta(hours=number * 3 + hours)
            events.append(WatchEvent(id=f"{kind}{number}", type=kind, at=at, values={"amount": number}))
    return Window(subject=subject, as_of=START + timedelta(days=30), events=tuple(events))


def process_of(matcher: Matcher) -> MatcherProcess:
    (served,) = matcher._served.values()
    assert served.process is not None
    return served.process


def test_alerts_are_those_of_the_reference() -> None:
    with Matcher(verify=False) as matcher:
        matched = matcher.match(POLICY, window())
        assert (len(matched.alerts), matched.flag) == (20, None)
        assert matched.alerts == match_window(POLICY, window())


def test_a_large_process_has_a_small_matcher() -> None:
    """On Linux the most memory a process had is passed on to what it starts: each window seemed its last."""
    assert sum(bytearray(b"x" * (300 << 20))[:: 1 << 12]) > 0
    with Matcher(verify=False) as matcher:
        matcher.match(POLICY, window())
        matcher.match(POLICY, window())
        assert (matcher.started, matcher.megabytes(POLICY) < 100) == (1, True)


def test_a_process_killed_between_windows_costs_one_retry() -> None:
    with Matcher(verify=False) as matcher:
        matcher.match(POLICY, window())
        os.kill(process_of(matcher).pid, signal.SIGKILL)
        matched = matcher.match(POLICY, window())
        assert (len(matched.alerts), matched.flag, matcher.started) == (20, None, 2)


def test_a_process_killed_in_mid_flight_loses_and_doubles_nothing() -> None:
    """Somebody kills whatever process there is, again and again, while windows go through."""
    done = Event()
    with Matcher(verify=False) as matcher:

        def kill() -> None:
            while not done.is_set():
                for served in list(matcher._served.values()):
                    if (process := served.process) is not None:
                        process._process.send_signal(signal.SIGKILL)
                done.wait(0.02)

        killer = Thread(target=kill)
        killer.start()
        try:
            found = [matcher.match(POLICY, window(30, f"c{n}")) for n in range(60)]
        finally:
            done.set()
            killer.join()
        assert matcher.started > 1
    keys = [alert.key for matched in found for alert in matched.alerts]
    assert keys == [f"p/back-and-forth/customer/c{n}/refunded{i}" for n in range(60) for i in range(30)]


def test_a_process_that_hangs_is_killed_and_replaced() -> None:
    with Matcher(Limits(seconds=0.3), verify=False) as matcher:
        matcher.match(POLICY, window())
        hung = process_of(matcher)
        os.kill(hung.pid, signal.SIGSTOP)
        matched = matcher.match(POLICY, window())
        assert (len(matched.alerts), matched.flag, matcher.started) == (20, None, 2)
        assert hung._process.returncode == -signal.SIGKILL


def test_when_a_process_refuses_the_reference_answers_and_says_so() -> None:
    with Matcher(Limits(matches=5), verify=False) as matcher:
        matched = matcher.match(POLICY, window())
        assert (len(matched.alerts), matched.flag, matcher.started) == (20, Flag.NOT_ANSWERED, 1)
        assert matched.detail == "it refused the window: more than 5 matches"
        assert matched.alerts == match_window(POLICY, window())
        assert (matcher.match(POLICY, window(2)).flag, matcher.started) == (None, 2)


def test_when_no_process_answers_the_reference_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(process: MatcherProcess, *_: object) -> None:
        process.close()
        raise MatcherGone("it broke off")

    monkeypatch.setattr(MatcherProcess, "match", gone)
    with Matcher(verify=False) as matcher:
        matched = matcher.match(POLICY, window())
        assert (len(matched.alerts), matched.flag, matcher.started) == (20, Flag.NOT_ANSWERED, 2)
        assert matched.detail == "it broke off"


def full(reported: Mapping[str, tuple[str, ...]]) -> Window:
    """Return a window as full as one may be, all of whose payments fit all later refunds."""
    events = [
        WatchEvent(id=f"e{n}", type=kind, at=START + timedelta(minutes=n), values={"amount": 1})
        for n, kind in enumerate(["paid", "refunded"] * (MOST_EVENTS // 2))
    ]
    as_of = START + timedelta(days=30)
    return Window(subject="c", as_of=as_of, events=tuple(events), reported=reported)


def test_a_full_window_of_too_many_matches_is_refused_by_name() -> None:
    with Matcher() as matcher:
        matched = matcher.match(POLICY, full({}))
        assert (len(matched.alerts), matched.flag) == (1_000, Flag.NOT_ANSWERED)
        assert matched.detail == "it refused the window: more than 20,000 matches"


def test_what_is_used_up_costs_the_matcher_nothing() -> None:
    used = full({"back-and-forth": tuple(f"e{n}" for n in range(MOST_EVENTS - 2))})
    with Matcher() as matcher:
        matched = matcher.match(POLICY, used)
        assert ([alert.trigger for alert in matched.alerts], matched.flag) == ([f"e{MOST_EVENTS - 1}"], None)
    assert len(encode(POLICY, "customer").facts(prepare(POLICY, used))) == 2


def test_when_they_differ_the_reference_decides_and_the_answer_is_flagged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def blind(policy: WatchPolicy, per: str) -> Encoding:
        found = encode(policy, per)
        never = {"all": [{"a0_0_0": {"t": 77}}, {"a0_0_1": {"t": 78}}], "count": 1}
        return replace(found, ruleset=dict.fromkeys(found.ruleset, never))

    monkeypatch.setattr(module, "encode", blind)
    with Matcher() as matcher:
        matched = matcher.match(POLICY, window())
    assert (len(matched.alerts), matched.flag) == (20, Flag.DIFFERS)
    assert "back-and-forth" in matched.detail


def test_a_worn_process_is_replaced() -> None:
    with Matcher(Limits(windows=3), verify=False) as matcher:
        for _ in range(7):
            assert len(matcher.match(POLICY, window(2)).alerts) == 2
        assert matcher.started == 3


def test_one_matcher_serves_many_threads() -> None:
    with Matcher() as matcher, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: matcher.match(POLICY, window(n % 5, f"c{n}")), range(40)))
        assert [len(matched.alerts) for matched in found] == [n % 5 for n in range(40)]
        assert {matched.flag for matched in found} == {None}
        assert matcher.started == 1


def test_closing_ends_every_process() -> None:
    matcher = Matcher()
    matcher.match(POLICY, window(1))
    process = process_of(matcher)
    matcher.close()
    assert process._process.returncode is not None


def test_a_process_ends_when_its_owner_is_gone() -> None:
    process = MatcherProcess({"customer": encode(POLICY, "customer").ruleset}, Limits())
    assert process._process.stdin is not None
    process._process.stdin.close()
    assert process._process.wait(10) == 0
    process.close()


def test_a_ruleset_that_the_module_refuses_is_a_clear_error() -> None:
    with pytest.raises(MatcherGone, match="broke off"):
        MatcherProcess({"customer": {"r": {"all": "nonsense"}}}, Limits())


def test_what_the_caller_gets_wrong_is_not_blamed_on_the_process() -> None:
    with Matcher() as matcher, pytest.raises(UnknownPartition, match="there are: `customer`"):
        matcher.match(POLICY, window().model_copy(update={"per": "dealer"}))


def test_facts_are_the_same_whatever_order_events_come_in() -> None:
    encoding = encode(POLICY, "customer")
    forth = window()
    back = forth.model_copy(update={"events": forth.events[::-1]})
    assert encoding.facts(prepare(POLICY, forth)) == encoding.facts(prepare(POLICY, back))
