"""The preview endpoint beside an empty one of the same body: `python -m benchmarks.service`.

Both stand in the same app behind the same gate and key, on one uvicorn worker; 16 connections in a closed
loop ask one, then the other, in turn. Prints requests a second, latencies and the ratio of the medians.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import uvicorn

from api.rest.app import create_app
from api.rest.assessments import PreviewBody
from api.rest.bodies import Body
from api.rest.routes import router
from api.settings import Settings
from api.wiring import build
from benchmarks.decision import customers

LOOPS, ASKED, ROUNDS = 16, 4_000, 7
POLICIES = Path(__file__).parents[1] / "policies"
PATHS = {"empty endpoint of the same body": "/v1/nothing", "preview": "/v1/previews"}


class Nothing(Body):
    """An answer without content."""

    ok: bool = True


def serve(folder: str, told: Connection) -> None:
    """Serve until the pipe is closed; says the port and the key."""
    wiring = build(Settings(data=Path(folder)), simulated=False)
    wiring.publisher.publish_folder(POLICIES, datetime.now(UTC))
    empty = router("benchmark")

    @empty.post("/nothing")
    def nothing(body: PreviewBody) -> Nothing:
        return Nothing()

    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen(64)
    app = create_app(wiring, more=[empty])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))

    def stop() -> None:
        try:
            told.recv()
        except EOFError:
            server.should_exit = True

    threading.Thread(target=stop, daemon=True).start()
    told.send((bound.getsockname()[1], wiring.directory.key))
    server.run(sockets=[bound])
    wiring.close()


@contextmanager
def serving() -> Iterator[tuple[int, str]]:
    """Start a server in a process of its own; gives its port and key."""
    here, there = get_context("spawn").Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = get_context("spawn").Process(target=serve, args=(folder, there))
        process.start()
        there.close()
        try:
            yield here.recv()
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


def main() -> None:
    """Measure both in turn."""
    rates: dict[str, list[float]] = {name: [] for name in PATHS}
    waits: dict[str, list[float]] = {name: [] for name in PATHS}
    with serving() as (port, key):
        asked = {name: requests(path, port, key) for name, path in PATHS.items()}
        for turn in range(ROUNDS + 1):
            for name in PATHS:
                rate, spent = asyncio.run(load(port, asked[name]))
                if turn:  # the first warms up
                    rates[name].append(rate)
                    waits[name] += spent
    base = median(rates["empty endpoint of the same body"])
    for name, found in rates.items():
        cuts = quantiles(waits[name], n=100)
        print(  # noqa: T201 - a benchmark prints
            f"{name:34} {median(found):8,.0f} /s {median(found) / base:6.2f} x   "
            f"p50 {cuts[49] * 1e3:5.1f} ms  p95 {cuts[94] * 1e3:5.1f} ms  p99 {cuts[98] * 1e3:5.1f} ms  "
            f"errors 0 of {len(waits[name]):,}"
        )


if __name__ == "__main__":
    main()
