"""Two API processes on one PostgreSQL: no update is lost, and one state is overwritten once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import uvicorn
from httpx import Client

from api.rest.app import create_app
from api.settings import Settings
from api.storage.session import Database
from api.storage.verifying import findings
from api.wiring import build
from tests.api.conftest import fresh_database
from tests.api.rest.conftest import parties

POSTS = 40


def serve(folder: str, url: str, told: Connection) -> None:
    """Serve until the pipe is closed; says the port and the key."""
    wiring = build(Settings(data=Path(folder), database=url), simulated=True)
    bound = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(wiring), log_config=None, lifespan="off", ws="none"))

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
def process(folder: Path, url: str) -> Iterator[Client]:
    here, there = get_context("spawn").Pipe()
    child = get_context("spawn").Process(target=serve, args=(str(folder), url, there))
    child.start()
    there.close()
    try:
        port, key = here.recv()
        headers = {"Authorization": f"Bearer {key}"}
        with Client(
            base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=60
        ) as client:
            yield client
    finally:
        here.close()
        child.join()


@pytest.fixture(scope="module")
def both(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Client, str]]:
    folder, url = tmp_path_factory.mktemp("two") / "data", fresh_database(postgres)
    with ExitStack() as stack:
        first = stack.enter_context(process(folder, url))
        second = stack.enter_context(process(folder, url))
        parties(first)
        yield first, second, url


def test_no_entry_is_lost_and_each_state_is_built_on_once(both: tuple[Client, Client, str]) -> None:
    clients = both[:2]

    def post(number: int) -> tuple[str, int]:
        """Read, decide, write on what was read; again if something came in between."""
        while True:
            client = clients[number % 2]
            tag = client.get("/v1/accounts/A1").headers["etag"]
            entry = {
                "account": "A1", "id": f"P{number}", "value_date": "2026-03-02", "amount": "1.00",
                "received_at": "2026-03-02T02:00:00+08:00",
            }  # fmt: skip
            answer = client.post("/v1/payments", json=entry, headers={"If-Match": tag})
            if answer.status_code == 201:
                return tag.strip('"').partition("-")[0], answer.json()["version"]
            assert answer.status_code == 412, answer.text

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(post, range(POSTS)))
    assert len({read for read, _ in done}) == POSTS, "no two writes were decided on one state"
    assert all(int(read) + 1 == version for read, version in done)
    items = clients[1].get("/v1/accounts/A1/entries?limit=500").json()["items"]
    assert len(items) == POSTS
    assert clients[0].get("/v1/accounts/A1/position").json()["credit"] == f"{POSTS}.00"


def test_of_two_who_read_the_same_one_overwrites(both: tuple[Client, Client, str]) -> None:
    for turn in range(5):
        tag = both[0].get("/v1/customers/C1").headers["etag"]

        def change(client: Client, name: str, tag: str = tag) -> int:
            return client.patch(
                "/v1/customers/C1", json={"name": name}, headers={"If-Match": tag}
            ).status_code  # fmt: skip

        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(change, both[:2], (f"first {turn}", f"second {turn}")))
        assert sorted(found) == [200, 412]


def test_the_same_key_in_both_processes_is_one_request(both: tuple[Client, Client, str]) -> None:
    entry = {
        "account": "A1", "id": "K1", "value_date": "2026-03-03", "amount": "7.00",
        "received_at": "2026-03-03T02:00:00+08:00",
    }  # fmt: skip

    def post(client: Client) -> int:
        return client.post("/v1/payments", json=entry, headers={"Idempotency-Key": "one"}).status_code

    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(post, [*both[:2]] * 8))
    assert found <= {201, 409}
    assert {post(client) for client in both[:2]} == {201}
    items = both[0].get("/v1/payments?account=A1&fields=id&limit=500").json()["items"]
    assert [item["id"] for item in items].count("K1") == 1


def test_what_both_have_written_is_whole(both: tuple[Client, Client, str]) -> None:
    database = Database(both[2])
    assert list(findings(database)) == []
    database.close()
