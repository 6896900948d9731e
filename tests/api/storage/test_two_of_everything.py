"""Two API processes, each with a worker and a relay, on one PostgreSQL and one Temporal, under many clients.

All write to the same accounts, promises and cases, each thing through both processes at once. Nothing is
lost, nothing is there twice, no case is opened twice, and the receiver hears of each action once.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Semaphore
from typing import Any

import pytest
from httpx import Client, Response

from api.embedded import EmbeddedTemporal
from api.exiting import leave
from api.serving import serving
from api.settings import Settings
from api.storage.session import Database
from api.storage.verifying import findings
from api.wiring import build
from tests.api.conftest import fresh_database, publish_plain
from tests.api.relay.listening import Listener, confirms, listening
from tests.api.relay.test_courier import SECRET

pytestmark = pytest.mark.slow
ACCOUNTS = [f"A{n}" for n in range(4)]
CLIENTS, PAYMENTS = 12, 120
BEFORE, OPENED, AFTER = (f"2026-03-{day}:00+08:00" for day in ("19T02:00", "21T09:00", "21T11:00"))


def serve(given: str, told: Connection) -> None:
    """Run API, worker and relay until the pipe is closed."""

    async def until_closed() -> None:
        async with serving(Settings.model_validate_json(given), ui=False) as running:
            told.send((running.url, running.wiring.directory.key))
            await asyncio.to_thread(told.poll, None)

    asyncio.run(until_closed())
    leave(0)


@contextmanager
def processes(settings: Settings, count: int) -> Iterator[list[Client]]:
    """Start so many at once."""
    pipes, children = [], []
    for _ in range(count):
        here, there = get_context("spawn").Pipe()
        children.append(get_context("spawn").Process(target=serve, args=(settings.model_dump_json(), there)))
        children[-1].start()
        there.close()
        pipes.append(here)
    with ExitStack() as stack:
        for child in children:
            stack.callback(child.join)
        for here in pipes:
            stack.callback(here.close)
        clients = []
        for here in pipes:
            url, key = here.recv()
            headers = {"Authorization": f"Bearer {key}"}
            client = Client(base_url=url, headers=headers, trust_env=False, timeout=60)
            clients.append(stack.enter_context(client))
        yield clients


@dataclass
class Two:
    """Both processes, what their receiver hears, and the database that they share."""

    clients: list[Client]
    heard: Listener
    url: str

    def at_once(self, calls: list[Callable[[Client], Response]]) -> list[Response]:
        """Make all calls, each by one of many clients, through one process or the other."""

        def call(number: int) -> Response:
            return calls[number](self.clients[number % 2])

        with ThreadPoolExecutor(CLIENTS) as threads:
            return list(threads.map(call, range(len(calls))))

    def items(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.clients[0].get(path).json()["items"]
        return found


@pytest.fixture(scope="module")
def two(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder, url = tmp_path_factory.mktemp("both"), fresh_database(postgres)
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())
        server = runner.run(EmbeddedTemporal.start(folder / "temporal", simulated=True))
        stack.callback(lambda: runner.run(server.stop()))
        heard = stack.enter_context(listening(SECRET))
        heard.reply = confirms
        settings = Settings(
            data=folder / "data", database=url, port=0, temporal=server.address, webhook_url=heard.url,
            webhook_secret=SECRET, webhook_inside=True,
        )  # fmt: skip
        wiring = build(settings, simulated=True)
        publish_plain(wiring)
        wiring.close()
        both = Two(stack.enter_context(processes(settings, 2)), heard, url)
        parties(both)
        yield both


def parties(two: Two) -> None:
    one, other = two.clients
    assert one.post("/v1/customers", json={"id": "C1", "segment": "consumer"}).status_code == 201
    for name in ACCOUNTS:
        terms = {"id": name, "customer": "C1", "currency": "CNY", "timezone": "Asia/Shanghai"}
        assert other.post("/v1/accounts", json=terms).status_code == 201


def posting(path: str, account: str, ref: str, at: str, **more: Any) -> Callable[[Client], Response]:
    body = {"account": account, "id": ref, "value_date": at[:10], "received_at": at} | more
    return lambda client: client.post(f"/v1/{path}", json=body)


def moving(what: str, account: str, at: str) -> Callable[[Client], Response]:
    body = {"account": account, "at": at}
    return lambda client: client.post(f"/v1/simulation/{what}", json=body)


def test_two_workers_and_two_api_processes_under_many_clients(two: Two) -> None:
    draw = random.Random(7)

    # Each entry twice, through both processes: one writes it, the other finds it.
    bills = [
        posting("bills", a, f"B-{a}", BEFORE, amount="300.00", value_date="2026-03-01", due_date="2026-03-18")
        for a in ACCOUNTS
    ]
    paid = [
        posting("payments", draw.choice(ACCOUNTS), f"P{n}", BEFORE, amount="0.50") for n in range(PAYMENTS)
    ]
    first = [call for each in bills + paid for call in (each, each)]
    answers = Counter(answer.status_code for answer in two.at_once(first))
    assert answers == {201: len(first) // 2, 200: len(first) // 2}

    # Everybody opens every case. The receiver is away, so that its messages wait for whoever comes first.
    came = Semaphore(0)

    def away(event: dict[str, Any]) -> tuple[int, None]:
        came.release()
        return 503, None

    two.heard.reply = away
    opening = [moving("open", a, OPENED) for a in ACCOUNTS] * 6
    opened = [answer.json()["opened"] for answer in two.at_once(opening)]
    assert opened.count(True) == len(ACCOUNTS)
    assert all(came.acquire(timeout=60) for _ in ACCOUNTS), "each case has asked for its first notice"
    two.heard.events.clear()
    two.heard.reply = confirms

    # Promises are made, and each is taken back by two, while both processes carry the same messages.
    promises = [(a, f"PR{n}-{a}") for a in ACCOUNTS for n in range(4)]
    made = [
        posting("promises", a, ref, AFTER, amount="50.00", by="2026-04-02")
        for a, ref in promises
        for _ in "12"
    ]
    late = [posting("payments", a, f"L{n}-{a}", AFTER, amount="1.00") for a in ACCOUNTS for n in range(10)]
    carrying = [moving("deliver", a, AFTER) for a in ACCOUNTS] * 4
    mixed = [*made, *late, *carrying]
    draw.shuffle(mixed)
    assert {answer.status_code for answer in two.at_once(mixed)} <= {200, 201}
    back = [
        posting("promise-withdrawals", a, f"W{side}-{ref}", AFTER, promise=ref)
        for a, ref in promises for side in "ab"
    ]  # fmt: skip
    taken = Counter(answer.status_code for answer in two.at_once(back))
    assert taken == {201: len(promises), 409: len(promises)}

    told = [*two.at_once(carrying)]
    assert all(answer.json() == {"waiting": 0} for answer in told), [answer.text for answer in told]
    everything_is_there_once(two, len(promises))


def everything_is_there_once(two: Two, promises: int) -> None:
    entries = [(a, item) for a in ACCOUNTS for item in two.items(f"/v1/accounts/{a}/entries?limit=500")]
    kinds = Counter(item["kind"] for _, item in entries)
    assert kinds["bill"] == len(ACCOUNTS)
    assert kinds["payment"] == PAYMENTS + 10 * len(ACCOUNTS)
    assert kinds["promise"] == kinds["promise_withdrawn"] == promises
    assert len({(a, item["id"]) for a, item in entries}) == len(entries)
    cases = two.items("/v1/cases?limit=500")
    assert sorted((case["account"], case["number"]) for case in cases) == [(a, 1) for a in ACCOUNTS]
    assert [case["trouble"] for case in cases] == [""] * len(ACCOUNTS)
    messages = two.items("/v1/messages?limit=500")
    assert {message["state"] for message in messages} == {"delivered"}
    assert sorted(two.heard.keys) == sorted(set(two.heard.keys)), "nothing was sent twice"
    assert len(two.heard.keys) >= len(ACCOUNTS)
    assert two.heard.wrong == []
    receipts = Counter(item["key"] for _, item in entries if item["kind"] == "receipt")
    assert set(receipts.values()) == {1}
    assert set(receipts) == set(two.heard.keys)
    database = Database(two.url)
    try:
        assert list(findings(database)) == []
    finally:
        database.close()
