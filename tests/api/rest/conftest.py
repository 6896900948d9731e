"""The API as a client sees it."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import pytest
import uvicorn
from httpx import Client

from api.rest.app import framework_app, gated
from api.settings import Settings
from api.wiring import Wiring, build
from tests.api.conftest import Build, publish_plain

Serve = Callable[..., Client]


class Turning:
    """Stands for the wiring that is served just now, because paths take half a second to build."""

    def __init__(self) -> None:
        self.app = framework_app(cast("Wiring", self))
        self.served: Wiring | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.served, name)


FREE: list[Turning] = []
"""Those that no server uses."""


@contextmanager
def listening(wiring: Wiring) -> Iterator[str]:
    """Serve the API on a free loopback port until the block ends; gives its URL."""
    bound = socket.socket(proto=socket.IPPROTO_TCP)  # by name, or asyncio leaves Nagle's delay on
    bound.bind(("127.0.0.1", 0))
    bound.listen(128)  # who is quicker than the server waits and is not turned away
    turning = FREE.pop() if FREE else Turning()
    turning.served = wiring
    config = uvicorn.Config(gated(turning.app, wiring), log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        bound.close()
        turning.served = None
        FREE.append(turning)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server for a wiring; gives a client that has the key."""
    with ExitStack() as stack:

        def make(wiring: Wiring, *, key: bool = True) -> Client:
            url = stack.enter_context(listening(wiring))
            headers = {"Authorization": f"Bearer {wiring.directory.key}"} if key else {}
            client = Client(base_url=url, headers=headers, trust_env=False, timeout=30)
            return stack.enter_context(client)

        yield make


@pytest.fixture
def api(wiring: Wiring, serve: Serve) -> Client:
    """The API over simulated time, on each database, with a customer and an account."""
    client = serve(wiring)
    parties(client)
    return client


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One server on SQLite for tests that have an account of their own, or change nothing."""
    wiring = build(Settings(data=tmp_path_factory.mktemp("shared") / "data"), simulated=True)
    publish_plain(wiring)
    headers = {"Authorization": f"Bearer {wiring.directory.key}"}
    with (
        listening(wiring) as url,
        Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client,
    ):
        assert client.post("/v1/customers", json={"id": "C1", "segment": "consumer"}).status_code == 201
        yield client
    wiring.close()


@pytest.fixture
def acct(shared: Client) -> str:
    """The id of an account that only this test knows."""
    name = f"A{uuid.uuid4().hex[:12]}"
    account = {"id": name, "customer": "C1", "currency": "CNY", "timezone": "Asia/Shanghai"}
    assert shared.post("/v1/accounts", json=account).status_code == 201
    return name


@pytest.fixture
def real(builder: Build, serve: Serve) -> Client:
    """The API over real time."""
    client = serve(builder(simulated=False))
    parties(client)
    return client


def parties(client: Client) -> None:
    assert client.post("/v1/customers", json={"id": "C1", "segment": "consumer"}).status_code == 201
    account = {"id": "A1", "customer": "C1", "currency": "CNY", "timezone": "Asia/Shanghai"}
    assert client.post("/v1/accounts", json=account).status_code == 201


def a_bill(**changes: Any) -> dict[str, Any]:
    fields = {
        "account": "A1", "id": "B1", "value_date": "2026-03-01", "due_date": "2026-03-18", "amount": "205.42",
        "received_at": "2026-03-01T02:00:00+08:00",
    }  # fmt: skip
    return fields | changes


def a_payment(**changes: Any) -> dict[str, Any]:
    fields = {
        "account": "A1", "id": "P1", "value_date": "2026-03-02", "amount": "5.42",
        "received_at": "2026-03-02T02:00:00+08:00",
    }  # fmt: skip
    return fields | changes
