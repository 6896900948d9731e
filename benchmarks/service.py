"""The preview endpoint beside an empty one of the same body: `python -m benchmarks.service`.

Both stand in the same app behind the same gate and key, on one uvicorn worker; 16 connections in a closed
loop ask one, then the other, in turn. Prints requests a second, latencies and the ratio of the medians.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time

import uvicorn
from fastapi import APIRouter
from pydantic import BaseModel

from api.rest.app import create_app
from api.rest.assessments import PreviewBody
from api.rest.routes import router
from api.settings import Settings
from api.wiring import build
from benchmarks.decision import customers
from benchmarks.rounds import machine

LOOPS, ASKED, ROUNDS = 16, 4_000, 7
POLICIES = Path(__file__).parents[1] / "policies"
EMPTY = "empty endpoint, plain pydantic body"
PATHS = {
    EMPTY: "/v1/nothing",
    "empty endpoint, body as the preview has it": "/v1/strict",
    "preview": "/v1/previews",
}


class Plain(BaseModel):
    """The same body without any rule of ours: the least that FastAPI and pydantic can be asked."""

    policy: str
    as_of: date | None = None
    facts: dict[str, bool | int | str | None]


class Nothing(BaseModel):
    """An answer without content."""

    ok: bool = True


def empty() -> list[APIRouter]:
    """Return the empty endpoints: FastAPI's own routing, and ours with its strict JSON."""
    bare, strict = APIRouter(prefix="/v1"), router("benchmark")

    @bare.post("/nothing")
    async def nothing(body: Plain) -> Nothing:
        return Nothing()

    @strict.post("/strict")
    async def as_ours(body: PreviewBody) -> Nothing:
        return Nothing()

    return [bare, strict]


def serve(folder: str, told: Connection) -> None:
    """Serve until the pipe is closed; says the port and the key."""
    wiring = build(Settings(data=Path(folder)), simulated=False)
    wiring.publisher.publish_folder(POLICIES, datetime.now(UTC))
    bound = socket.socket(proto=socket.IPPROTO_TCP)  # by name, or asyncio leaves Nagle's delay on
    bound.bind(("127.0.0.1", 0))
    bound.listen(64)
    app = create_app(wiring, more=empty())
    config = uvicorn.Config(  # as the service has it
        app, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False,
        proxy_headers=False,
    )  # fmt: skip
    server = uvicorn.Server(config)

    def stop() -> None:
        try:
            while told.recv():
                told.send(process_time())
        except EOFError:
            server.should_exit = True

    threading.Thread(target=stop, daemon=True).start()
    told.send((bound.getsockname()[1], wiring.directory.key))
    server.run(sockets=[bound])
    wiring.close()


@contextmanager
def serving() -> Iterator[tuple[int, str, Connection]]:
    """Start a server in a process of its own; gives its port, its key, and where to ask for its CPU time."""
    here, there = get_context("spawn").Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = get_context("spawn").Process(target=serve, args=(folder, there))
        process.start()
        there.close()
        try:
            port, key = here.recv()
            yield port, key, here
        finally:
            here.close()
            process.join()


def requests(path: str, port: int, key: str) -> list[bytes]:
    """Return requests of made-up customers, the same each time."""
    made = []
    for customer in customers(200):
        facts = {n: v if isinstance(v, bool | int) else str(v) for n, v in customer.items() if v is not None}
        del facts["segment"]  # the portfolio reads it, not the policy
        body = json.dumps({"policy": "consumer-credit", "as_of": "2026-11-20", "facts": facts}).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def ask(port: int, asked: list[bytes], count: int) -> list[float]:
    """Ask so many times on one connection; return the seconds each took. Raises on any failure."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    spent = []
    for number in range(count):
        start = perf_counter()
        writer.write(asked[number % len(asked)])
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode() + (await reader.read(500)).decode())
        (length,) = [
            int(line[16:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: ")
        ]
        await reader.readexactly(length)
        spent.append(perf_counter() - start)
    writer.close()
    return spent


async def load(port: int, asked: list[bytes]) -> tuple[float, list[float]]:
    """Ask in closed loops; return requests a second and all latencies."""
    start = perf_counter()
    found = await asyncio.gather(
        *(ask(port, random.Random(n).sample(asked, len(asked)), ASKED // LOOPS) for n in range(LOOPS))
    )
    spent = perf_counter() - start
    return ASKED / spent, [one for loop in found for one in loop]


@dataclass
class Found:
    """What came of one path, by round; latencies of all of them."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Seconds of processor time of the server for one request."""
    waits: list[float] = field(default_factory=list)


def measured() -> dict[str, Found]:
    """Ask all paths in turn; the first round warms up."""
    found = {name: Found() for name in PATHS}
    with serving() as (port, key, server):

        def spent() -> float:
            server.send(True)
            return float(server.recv())

        asked = {name: requests(path, port, key) for name, path in PATHS.items()}
        for turn in range(ROUNDS + 1):
            for name, one in found.items():
                before = spent()
                rate, waits = asyncio.run(load(port, asked[name]))
                if turn:
                    one.rates.append(rate)
                    one.cpu.append((spent() - before) / ASKED)
                    one.waits += waits
    return found


def report() -> Iterator[str]:
    """Yield the lines of the report."""
    yield from machine()
    begun = os.getloadavg()[0]
    found = measured()
    yield f"load of the machine: {begun:.1f} before, {os.getloadavg()[0]:.1f} after (1 minute)"
    yield "one uvicorn worker, closed loop of 16; rounds take turns, medians; ratios are to the first line"
    yield ""
    yield f"{'':42} {'/s':>7} {'ratio':>7} {'CPU us':>7} {'ratio':>7} {'p50 ms':>7} {'p95':>6} {'p99':>6}"
    rate, cpu = median(found[EMPTY].rates), median(found[EMPTY].cpu)
    for name, one in found.items():
        cuts = quantiles(one.waits, n=100)
        yield (
            f"{name:42} {median(one.rates):7,.0f} {median(one.rates) / rate:7.2f} "
            f"{median(one.cpu) * 1e6:7.0f} {cpu / median(one.cpu):7.2f} "
            f"{cuts[49] * 1e3:7.1f} {cuts[94] * 1e3:6.1f} {cuts[98] * 1e3:6.1f}"
        )
    yield f"errors: 0 of {sum(len(one.waits) for one in found.values()):,}"
    by_round = [a / b for a, b in zip(found["preview"].rates, found[EMPTY].rates, strict=True)]
    told = ", ".join(f"{ratio:.2f}" for ratio in by_round)
    yield f"preview against the empty one, round by round: {told} (bar: at least 1.2)"


if __name__ == "__main__":
    for line in report():
        print(line, flush=True)  # noqa: T201 - a benchmark prints
