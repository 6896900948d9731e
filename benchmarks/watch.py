"""Watch rules: events a second and memory, against durable-rules bare and against the reference matcher.

    python -m benchmarks.watch                     # 50 rules, windows of 200 events, medians of 15 rounds
    python -m benchmarks.watch --memory 1000000    # memory of the matcher process over so many events

"bare" is the C module in a process of its own with the same rules as somebody would write them by hand: one
fact an event with plain properties, no checks, no order, no choice between matches, nothing sent anywhere.
It can crash (its known defects); then that is printed, and ratios are of its speed with that avoided.
"""

# ruff: noqa: T201  # a benchmark prints

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from api.matcher import Limits, Matcher
from engine.watch import WatchEvent, WatchPolicy, Window, load_watch, match_window, prepare

START = datetime(2026, 3, 1, tzinfo=UTC)
KINDS = ("usage", "recharge", "refund", "payment", "payment_returned", "moved", "identity_changed")
HEAD = """
policy: benchmark
kind: watch
version: "1"
effective: {from: 2026-01-01}
window: P90D
events:
"""
BARE = """
import json, sys, time
import durable_rules_engine as engine
asked = json.load(sys.stdin)
handle = engine.create_ruleset("bare", json.dumps(asked["rules"]))
times, fired = [], 0
for number, facts in enumerate(asked["windows"]):
    texts = [json.dumps({**fact, "sid": str(number)}) for fact in facts]
    begun = time.perf_counter()
    for text in texts:
        _, offset = engine.assert_fact(handle, text)
    step = engine.start_action_for_state(handle, offset)
    found = step[1] if step else None
    while found:
        fired += 1
        found = engine.complete_and_start_action(handle, offset)
    times.append(time.perf_counter() - begun)
print(json.dumps({"times": times, "fired": fired}))
"""


def rules(count: int) -> list[tuple[str, dict[str, Any]]]:
    """Return rules twice: as policy text, and as durable-rules JSON by hand."""
    return [_rule(number) for number in range(count)]


def _rule(number: int) -> tuple[str, dict[str, Any]]:
    one, other = KINDS[number % 7], KINDS[(number + 1 + number // 7) % 7]
    limit = 900 + 2 * number
    first = {"a": {"$and": [{"type": one}, {"$gte": {"amount": limit}}]}}
    if number % 5 < 2:
        text = f"all: {{a: 'type = \"{one}\" and a.amount >= {limit}'}}"
        return _written(number, text), {"all": [first], "count": 1}
    join = "b.account = a.account and b.amount > a.amount and b.at > a.at"
    text = f"all: {{a: 'type = \"{one}\" and a.amount >= {limit - 300}'"
    text += f", b: 'type = \"{other}\" and {join}'}}"
    joined = [
        {"account": {"a": "account"}}, {"$gt": {"amount": {"a": "amount"}}}, {"$gt": {"at": {"a": "at"}}},
    ]  # fmt: skip
    found: list[dict[str, Any]] = [
        {"a": {"$and": [{"type": one}, {"$gte": {"amount": limit - 300}}]}},
        {"b": {"$and": [{"type": other}, *joined]}},
    ]
    if number % 5 == 4:
        text += "\n    none: {c: 'type = \"identity_changed\" and c.at > b.at'}"
        found.append({"c$not": {"$and": [{"type": "identity_changed"}, {"$gt": {"at": {"b": "at"}}}]}})
    return _written(number, text), {"all": found, "count": 1}


def _written(number: int, body: str) -> str:
    return f"  - rule: r{number}\n    {body}\n    then: {{alert: a}}\n    reason: {{en: r}}\n"


def policy_of(made: Sequence[tuple[str, dict[str, Any]]]) -> WatchPolicy:
    """Return the policy of the rules."""
    events = "".join(f"  {kind}: {{account: string, amount: integer}}\n" for kind in KINDS)
    text = HEAD + events + "rules:\n" + "".join(text for text, _ in made)
    loaded = load_watch({"policy.yaml": text.encode()})
    if loaded.policy is None:
        raise SystemExit("\n".join(str(problem) for problem in loaded.problems))
    return loaded.policy


def window(draw: random.Random, size: int) -> Window:
    """Return a window of random events over ninety days."""
    events = [
        WatchEvent(
            id=f"e{number}", type=draw.choice(KINDS),
            at=START + timedelta(minutes=draw.randrange(1, 129_000)),
            values={"account": f"A{draw.randrange(20)}", "amount": draw.randrange(1_000)},
        )
        for number in range(size)
    ]  # fmt: skip
    return Window(subject="c", as_of=START + timedelta(days=90), events=tuple(events))


def bare(
    made: Sequence[tuple[str, dict[str, Any]]], windows: Sequence[Window], *, patched: bool = False
) -> list[float] | str:
    """Return the seconds of each window for the bare C module, or how it ended.

    `patched`: each joined pattern ends with a test that always holds, which avoids the crash.
    """
    asked = {
        "rules": {f"r{number}": _patched(rule) if patched else rule for number, (_, rule) in enumerate(made)},
        "windows": [
            [_fact(event) for event in sorted(w.events, key=lambda e: (e.at, e.id))] for w in windows
        ],
    }
    command = [sys.executable, "-c", BARE]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False)
    if done.returncode:
        return f"it ended with {done.returncode}"
    found: list[float] = json.loads(done.stdout)["times"]
    return found


def _patched(rule: dict[str, Any]) -> dict[str, Any]:
    first, *others = rule["all"]
    always = {"$gte": {"amount": {"a": "nothing"}}}
    rest = [{name: {"$and": [*body["$and"], always]} for name, body in found.items()} for found in others]
    return {**rule, "all": [first, *rest]}


def _fact(event: WatchEvent) -> dict[str, Any]:
    at = int((event.at - START).total_seconds())
    return {"id": event.id, "type": event.type, "at": at, "nothing": 0, **event.values}


def timed(run: Callable[[Window], object], windows: Sequence[Window]) -> list[float]:
    """Return the seconds that each window takes."""
    times = []
    for one in windows:
        begun = time.perf_counter()
        run(one)
        times.append(time.perf_counter() - begun)
    return times


def speed(count: int, size: int, rounds: int) -> None:
    """Print events a second and ratios."""
    made, draw = rules(count), random.Random(20260301)
    policy = policy_of(made)
    windows = [window(draw, size) for _ in range(rounds)]
    alerts = statistics.median(len(match_window(policy, one)) for one in windows)
    print(f"{count} rules, windows of {size} events, {rounds} rounds, {alerts:g} alerts a window")
    measured: dict[str, list[float] | str] = {
        "durable-rules bare": bare(made, windows),
        "durable-rules bare, crash avoided": bare(made, windows, patched=True),
    }
    measured["checking and ordering only"] = timed(lambda w: prepare(policy, w), windows)
    measured["reference"] = timed(lambda w: match_window(policy, w), windows)
    with Matcher(verify=False) as matcher:
        matcher.match(policy, windows[0])
        measured["matcher, not verified"] = timed(lambda w: matcher.match(policy, w), windows)
    with Matcher() as matcher:
        matcher.match(policy, windows[0])
        measured["matcher, verified by the reference"] = timed(lambda w: matcher.match(policy, w), windows)
    base = measured["durable-rules bare, crash avoided"]
    for name, times in measured.items():
        if isinstance(times, str):
            print(f"  {name:36} {times}")
            continue
        median = statistics.median(times)
        ratio = f"{statistics.median(base) / median:6.2f} of bare" if not isinstance(base, str) else ""
        events = f"{size / median:10,.0f} events/s"
        print(f"  {name:36} {1000 * median:8.2f} ms a window {events} {ratio}")


def memory(events: int, count: int, size: int) -> None:
    """Print the matcher process's resident memory while so many events go through."""
    made, draw = rules(count), random.Random(7)
    policy = policy_of(made)
    windows = [window(draw, size) for _ in range(50)]
    total = max(1, events // size)
    limits = Limits(windows=total + 1, megabytes=4096)
    with Matcher(limits, verify=False) as matcher:
        for number in range(total):
            matched = matcher.match(policy, windows[number % len(windows)])
            if matched.flag is not None:
                print(f"  window {number}: {matched.flag} ({matched.detail})")
            if number in (0, 49) or (number + 1) % max(1, total // 10) == 0:
                size_now = next(iter(matcher._served.values())).process
                told = size_now.megabytes if size_now else 0
                print(f"  {(number + 1) * size:>10,} events: {told} MB, {matcher.started} process(es)")


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rules", type=int, default=50)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--memory", type=int, default=0, metavar="EVENTS")
    asked = parser.parse_args()
    if asked.memory:
        memory(asked.memory, asked.rules, asked.size)
    else:
        speed(asked.rules, asked.size, asked.rounds)


if __name__ == "__main__":
    main()
