"""One Temporal server from the wheel for all tests that need it, with time that can be skipped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from temporalio.client import Client

from api.embedded import EmbeddedTemporal, connect
from api.simulated_time import SimulatedTime
from tests.workflows.scenarios import Stage

Run = Callable[[Awaitable[Any]], Any]

STORY_SECONDS = 200
"""Less than pytest's own timeout for a test."""


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """One event loop for the session, because a client and its workers belong to one.

    A story that does not end is cancelled within the loop: cut off by pytest's alarm, it would go on there,
    hold up the stories after it and then the end of the session.
    """
    with asyncio.Runner() as runner:

        async def wrapped(awaitable: Awaitable[Any]) -> Any:
            async with asyncio.timeout(STORY_SECONDS):
                return await awaitable

        yield lambda awaitable: runner.run(wrapped(awaitable))
        time.sleep(0.1)  # Temporal's client needs a moment of life after its last call (sdk-python 300)


@pytest.fixture(scope="session")
def temporal(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTemporal]:
    server: EmbeddedTemporal = run(
        EmbeddedTemporal.start(tmp_path_factory.mktemp("temporal"), simulated=True)
    )
    yield server
    run(server.stop())


@pytest.fixture(scope="session")
def client(run: Run, temporal: EmbeddedTemporal) -> Client:
    found: Client = run(connect(temporal.address, "forbear-test"))
    return found


@pytest.fixture(scope="session")
def clock(client: Client) -> SimulatedTime:
    return SimulatedTime(client)


@pytest.fixture(scope="session")
def stage(client: Client, clock: SimulatedTime) -> Stage:
    return Stage(client, clock)
