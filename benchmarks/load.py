"""Mixed traffic against a running `forbear up`: `python -m benchmarks.load [--seconds 30] [--loops 16]`.

A process of its own with everything in it (Temporal, worker, relay, SQLite), real time, the shipped
policies. Closed loops draw what a billing system asks, by the weights below; each answer is counted by its
kind, and one that is not 2xx is an error. Durable answers (an assessment) are waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

from benchmarks.decision import customers
from benchmarks.rounds import machine

ROOT = Path(__file__).parents[1]
ACCOUNTS = 300
TODAY = datetime.now(UTC).date()
Asked = tuple[str, str, dict[str, Any] | None]
"""Method, path, body."""
FACTS = [
    {
        n: v if isinstance(v, bool | int) else str(v)
        for n, v in one.items()
        if v is not None and n != "segment"
    }
    for one in customers(200)
]


def _account(draw: random.Random) -> str:
    return f"A{draw.randrange(ACCOUNTS)}"


def _preview(draw: random.Random) -> Asked:
    return "POST", "/v1/previews", {"policy": "consumer-credit", "facts": draw.choice(FACTS)}


def _entry(draw: random.Random, **more: Any) -> dict[str, Any]:
    amount = f"{draw.randrange(1, 20_000) / 100:.2f}"
    shared = {"account": _account(draw), "id": uuid.uuid4().hex, "value_date": TODAY.isoformat()}
    return shared | {"amount": amount} | more


def _bill(draw: random.Random) -> Asked:
    due = (TODAY + timedelta(days=draw.randrange(5, 30))).isoformat()
    return "POST", "/v1/bills", _entry(draw, due_date=due)


def _payment(draw: random.Random) -> Asked:
    return "POST", "/v1/payments", _entry(draw)


def _usage(draw: random.Random) -> Asked:
    return "GET", f"/v1/accounts/{_account(draw)}/position", None


def _list(draw: random.Random) -> Asked:
    return "GET", "/v1/bills?limit=50", None


def _assessment(draw: random.Random) -> Asked:
    return "POST", "/v1/assessments", {"policy": "consumer-credit", "facts": draw.choice(FACTS)}


MIX: dict[str, tuple[int, Callable[[random.Random], Asked]]] = {
    "preview": (50, _preview), "position of an account": (15, _usage), "payment": (15, _payment),
    "bill": (10, _bill), "list of bills": (5, _list), "assessment, durable": (5, _assessment),
}  # fmt: skip


@dataclass
class Found:
    """What came of one kind of request."""

    waits: list[float] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)


class Line:
    """One kept connection."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._key = port, key
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, asked: Asked) -> tuple[int, bytes]:
        """Ask and read the whole answer; raises OSError or EOFError when the connection ends."""
        method, path, said = asked
        body = b"" if said is None else json.dumps(said).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
        head += f"Authorization: Bearer {self._key}\r\n"
        if said is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        if path == "/v1/assessments":
            head += f"Idempotency-Key: {uuid.uuid4().hex}\r\n"
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        reader, writer = self._streams
        writer.write(f"{head}\r\n".encode() + body)
        told = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", told)
        answer = await reader.readexactly(int(length[1]) if length else 0)
        return int(told[9:12]), answer


async def load(port: int, key: str, loops: int, seconds: float) -> tuple[dict[str, Found], float]:
    """Ask in closed loops for so long; return what came of it by kind, and the seconds it took."""
    found = {name: Found() for name in MIX}
    begun = perf_counter()

    async def loop(number: int) -> None:
        draw, line = random.Random(number), Line(port, key)
        weights = [weight for weight, _ in MIX.values()]
        while perf_counter() - begun < seconds:
            (name,) = draw.choices(list(MIX), weights)
            start = perf_counter()
            try:
                status, answer = await line.ask(MIX[name][1](draw))
            except (OSError, EOFError) as error:
                found[name].wrong[type(error).__name__] += 1
                line = Line(port, key)
                continue
            found[name].waits.append(perf_counter() - start)
            if not 200 <= status < 300:
                found[name].wrong[f"{status} {json.loads(answer).get('type', '')}"] += 1

    await asyncio.gather(*(loop(number) for number in range(loops)))
    return found, perf_counter() - begun


async def parties(port: int, key: str) -> None:
    """Make the customers and accounts."""
    line = Line(port, key)
    for number in range(ACCOUNTS):
        account = {"customer": f"C{number}", "currency": "CNY", "timezone": "Asia/Shanghai"}
        made: list[tuple[str, dict[str, Any]]] = [
            ("customers", {"id": f"C{number}", "segment": "consumer"}),
            ("accounts", {"id": f"A{number}"} | account),
        ]
        for path, body in made:
            status, answer = await line.ask(("POST", f"/v1/{path}", body))
            if status != 201:
                raise RuntimeError(answer.decode())


@contextmanager
def up() -> Iterator[tuple[int, str]]:
    """Run `forbear up` on a directory of its own; gives port and key."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        command = [sys.executable, "-m", "api.cli", "up", "--data", str(data), "--port", "0"]
        env = os.environ | {"FORBEAR_TEMPORAL_PORT": "0"}  # noqa: TID251 - handed on, not read
        process = subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE)
        assert process.stdout is not None
        try:
            port = next(int(m[1]) for line in process.stdout if (m := re.search(r"API +\S+:(\d+),", line)))
            yield port, (data / "api.key").read_text(encoding="ascii").strip()
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()


def report(loops: int, seconds: float) -> Iterator[str]:
    """Yield the lines of the report."""
    yield from machine()
    with up() as (port, key):
        asyncio.run(parties(port, key))
        asyncio.run(load(port, key, loops, 3))  # policies are read, workflows cached
        begun = os.getloadavg()[0]
        found, spent = asyncio.run(load(port, key, loops, seconds))
    yield f"load of the machine: {begun:.1f} before, {os.getloadavg()[0]:.1f} after (1 minute)"
    yield f"`forbear up`, closed loop of {loops} for {spent:.0f} s, {ACCOUNTS} accounts; its client, too"
    yield ""
    yield f"{'':24} {'asked':>7} {'/s':>7} {'errors':>7} {'p50 ms':>7} {'p95':>7} {'p99':>7} {'max':>7}"
    whole = Found(
        [wait for one in found.values() for wait in one.waits],
        sum((one.wrong for one in found.values()), Counter()),
    )
    for name, one in (*found.items(), ("all", whole)):
        wrong = sum(one.wrong.values())
        count = len(one.waits)
        cuts = [1e3 * cut for cut in quantiles(one.waits, n=100)]
        yield (
            f"{name:24} {count:7,} {count / spent:7.1f} {wrong / max(count, 1):7.2%} {cuts[49]:7.1f} "
            f"{cuts[94]:7.1f} {cuts[98]:7.1f} {max(one.waits) * 1e3:7.1f}"
        )
    for what, times in whole.wrong.items():
        yield f"error: {what}, {times} times"


def main() -> None:
    """Read the command line and print the report."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=30)
    asked.add_argument("--loops", type=int, default=16)
    given = asked.parse_args()
    for line in report(given.loops, given.seconds):
        print(line, flush=True)  # noqa: T201 - a benchmark prints


if __name__ == "__main__":
    main()
