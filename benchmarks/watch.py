"""Watch rules: events a second and memory, against durable-rules bare and against the reference matcher.

    python -m benchmarks.watch                     # 50 rules, windows of 200 events, medians of 15 rounds
    python -m benchmarks.watch --memory 1000000    # memory of the matcher process over so many events
    python -m benchmarks.watch --service 20000     # events through storage, windows, matcher and alerts

What was measured is in `benchmarks/results/watch.txt`.

"bare" is the C module in a process of its own with the same rules as somebody would write them by hand: one
fact an event with plain properties, no checks, no order, no choice between matches, nothing sent anywhere.
It can crash (its known defects); then that is printed, and ratios are of its speed with that avoided.
"""

# ruff: noqa: T201  # a benchmark prints

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import func
from sqlmodel import select

from api.matcher import Limits, Matcher
from api.settings import Settings
from api.storage.watch_events import Told
from api.storage.watch_tables import WatchAlertRow
from api.wiring import build
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
BASE = "durable-rules bare, crash avoided"
BARE = """
import json, sys, time
import durable_rules_engine as engine
handle = engine.create_ruleset("bare", sys.stdin.readline())
for number, line in enumerate(sys.stdin):
    texts = [json.dumps({**fact, "sid": str(number)}) for fact in json.loads(line)]
    begun = time.perf_counter()
    for text in texts:
        _, offset = engine.assert_fact(handle, text)
    step = engine.start_action_for_state(handle, offset)
    found = step[1] if step else None
    while found:
        found = engine.complete_and_start_action(handle, offset)
    print(time.perf_counter() - begun, flush=True)
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
    text = HEAD + _declared() + "rules:\n" + "".join(text for text, _ in made)
    loaded = load_watch({"policy.yaml": text.encode()})
    if loaded.policy is None:
        raise SystemExit("\n".join(str(problem) for problem in loaded.problems))
    return loaded.policy


def _declared() -> str:
    return "".join(f"  {kind}: {{account: string, amount: integer}}\n" for kind in KINDS)


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


class Bare:
    """The bare C module in a process of its own; `crashed` says how it ended, if it has."""

    def __init__(self, made: Sequence[tuple[str, dict[str, Any]]], *, patched: bool) -> None:
        self.crashed = ""
        command = [sys.executable, "-c", BARE]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        rules = {f"r{number}": _patched(rule) if patched else rule for number, (_, rule) in enumerate(made)}
        self._say(rules)

    def seconds(self, one: Window) -> float | None:
        """Return how long a window takes, None once the process has crashed."""
        if not self.crashed:
            self._say([_fact(event) for event in sorted(one.events, key=lambda e: (e.at, e.id))])
        assert self._process.stdout is not None  # asked for when it was started
        told = "" if self.crashed else self._process.stdout.readline()
        if told:
            return float(told)
        self.crashed = self.crashed or f"it ended with {self._process.wait()}"
        return None

    def _say(self, value: object) -> None:
        assert self._process.stdin is not None  # asked for when it was started
        try:
            self._process.stdin.write(json.dumps(value) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self.crashed = f"it ended with {self._process.wait()}"

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def _patched(rule: dict[str, Any]) -> dict[str, Any]:
    first, *others = rule["all"]
    always = {"$gte": {"amount": {"a": "nothing"}}}
    rest = [{name: {"$and": [*body["$and"], always]} for name, body in found.items()} for found in others]
    return {**rule, "all": [first, *rest]}


def _fact(event: WatchEvent) -> dict[str, Any]:
    at = int((event.at - START).total_seconds())
    return {"id": event.id, "type": event.type, "at": at, "nothing": 0, **event.values}


def seconds(run: Callable[[Window], object], one: Window) -> float:
    """Return how long a window takes."""
    begun = time.perf_counter()
    run(one)
    return time.perf_counter() - begun


def speed(count: int, size: int, rounds: int) -> None:
    """Print events a second and ratios; each round runs everything on one window, one after the other."""
    made, draw = rules(count), random.Random(20260301)
    policy = policy_of(made)
    windows = [window(draw, size) for _ in range(rounds + 1)]
    alerts = statistics.median(len(match_window(policy, one)) for one in windows)
    print(f"{count} rules, windows of {size} events, {rounds} rounds, {alerts:g} alerts a window")
    plain, patched = Bare(made, patched=False), Bare(made, patched=True)
    with Matcher(verify=False) as matcher, Matcher() as verified:
        runs: dict[str, Callable[[Window], float | None]] = {
            BASE: patched.seconds,
            "durable-rules bare": plain.seconds,
            "checking and ordering only": lambda w: seconds(lambda x: prepare(policy, x), w),
            "reference": lambda w: seconds(lambda x: match_window(policy, x), w),
            "matcher, not verified": lambda w: seconds(lambda x: matcher.match(policy, x), w),
            "matcher, verified by the reference": lambda w: seconds(lambda x: verified.match(policy, x), w),
        }
        measured = [{name: run(one) for name, run in runs.items()} for one in windows][
            1:
        ]  # the first warms up
    for name in runs:
        _show(name, size, measured)
    if plain.crashed:
        print(f"  durable-rules bare: {plain.crashed}")
    plain.close()
    patched.close()


def _show(name: str, size: int, measured: Sequence[dict[str, float | None]]) -> None:
    times = [took for round_ in measured if (took := round_[name])]
    ratios = [base / took for round_ in measured if (took := round_[name]) and (base := round_[BASE])]
    if times:
        median = statistics.median(times)
        speed_of = f"{size / median:10,.0f} events/s {statistics.median(ratios):6.2f} of bare"
        print(f"  {name:36} {1000 * median:8.2f} ms a window {speed_of}")


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
                told = f"{matcher.megabytes(policy)} MB, {matcher.started} process(es)"
                print(f"  {(number + 1) * size:>10,} events: {told}")


def service(events: int, count: int, customers: int = 100) -> None:
    """Print how fast events go through the whole service; windows are looked at after every thousand."""
    made, draw = rules(count), random.Random(11)
    text = HEAD + _declared() + "rules:\n" + "".join(text for text, _ in made)
    with TemporaryDirectory() as folder:
        wiring = build(Settings(data=Path(folder) / "data"), simulated=True)
        wiring.publisher.publish({"policy.yaml": text.encode()}, START)
        taking = looking = 0.0
        looks = 0
        for first in range(0, events, 1_000):
            told = [_told(draw, first + number, customers) for number in range(1_000)]
            begun = time.perf_counter()
            with wiring.database.write() as work:
                wiring.events.take(work, told)
            taking += time.perf_counter() - begun
            begun = time.perf_counter()
            looks += wiring.watcher.look_at_all(told[-1].received_at)
            looking += time.perf_counter() - begun
        with wiring.database.read() as session:
            raised = session.exec(select(func.count()).select_from(WatchAlertRow)).one()
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        wiring.close()
    print(f"service: {events:,} events of {customers} customers, {count} rules, verified by the reference")
    print(f"  taken in   {events / taking:10,.0f} events/s")
    print(f"  looked at  {events / looking:10,.0f} events/s, {looks / looking:,.0f} windows/s")
    print(f"  {raised:,} alerts; {own} MB of memory at most")


def _told(draw: random.Random, number: int, customers: int) -> Told:
    at = START + timedelta(minutes=number)
    event = WatchEvent(
        id=f"e{number}", type=draw.choice(KINDS), at=at, customer=f"C{draw.randrange(customers)}",
        values={"account": f"A{draw.randrange(20)}", "amount": draw.randrange(1_000)},
    )  # fmt: skip
    return Told(event, START + timedelta(minutes=number // 1_000 * 1_000 + 1_000))


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rules", type=int, default=50)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--memory", type=int, default=0, metavar="EVENTS")
    parser.add_argument("--service", type=int, default=0, metavar="EVENTS")
    asked = parser.parse_args()
    if asked.memory:
        memory(asked.memory, asked.rules, asked.size)
    elif asked.service:
        service(asked.service, asked.rules)
    else:
        speed(asked.rules, asked.size, asked.rounds)


if __name__ == "__main__":
    main()
