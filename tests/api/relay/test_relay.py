"""The relay against a real Temporal server: starts, pokes, order, and a server that goes away."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select
from temporalio.client import Client

from api.embedded import EmbeddedTemporal
from api.storage import outbox
from api.storage.tables import OutboxRow
from api.wiring import Wiring, connect
from tests.api.conftest import Build
from tests.api.scenes import in_arrears, local, pay


def played(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in a loop of its own, which lives a moment longer than its last call (sdk-python 300)."""

    @functools.wraps(test)
    def sync(**fixtures: Any) -> None:
        async def whole() -> None:
            await test(**fixtures)
            await asyncio.sleep(0.1)

        asyncio.run(whole())

    return sync


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server; each test has accounts of its own, so that no two cases share a name."""
    with asyncio.Runner() as runner:
        server = runner.run(EmbeddedTemporal.start(tmp_path_factory.mktemp("temporal")))
        yield server.address
        runner.run(server.stop())


@asynccontextmanager
async def relayed(wiring: Wiring, client: Client) -> AsyncIterator[None]:
    task = asyncio.create_task(wiring.relay.run(client))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def pending(wiring: Wiring) -> list[int]:
    with wiring.database.read() as session:
        rows = session.exec(select(OutboxRow).where(OutboxRow.state == "pending")).all()
        return [row.id for row in rows if row.id is not None]


async def told(client: Client, workflow: str) -> list[tuple[str, Any]]:
    """What a case's history says it was told: its start, and the ids of the pokes in order."""
    found: list[tuple[str, Any]] = []
    async for event in client.get_workflow_handle(workflow).fetch_history_events():
        if event.HasField("workflow_execution_started_event_attributes"):
            found.append(("start", event.workflow_execution_started_event_attributes.workflow_type.name))
        if event.HasField("workflow_execution_signaled_event_attributes"):
            said = event.workflow_execution_signaled_event_attributes
            found.append((said.signal_name, said.input.payloads[0].data))
    return found


@played
async def test_starts_and_pokes_arrive_in_order(builder: Build, temporal: str) -> None:
    wiring = builder()
    client = await connect(wiring.settings, "test", temporal)
    async with relayed(wiring, client):
        await asyncio.to_thread(in_arrears, wiring, "A1")
        for n in range(5):
            await asyncio.to_thread(pay, wiring, "A1", local(f"2026-03-2{n} 02:00"), f"P{n}", "1.00")
        assert await wiring.relay.settled(pending(wiring), 20)
    heard = await told(client, "case/A1/1")
    assert heard[0] == ("start", "ArrearsCase")
    assert [name for name, _ in heard[1:]] == ["poke"] * 5
    with wiring.database.read() as session:
        rows = session.exec(select(OutboxRow).where(OutboxRow.kind == "poke")).all()
    ids = [f'"id":"{row.id}"'.encode() for row in sorted(rows, key=lambda r: r.id or 0)]
    assert all(mark in data for mark, (_, data) in zip(ids, heard[1:], strict=True))
    assert {row.state for row in rows} == {"delivered"}


@played
async def test_what_was_written_while_nobody_relayed_is_told_later_and_once(
    builder: Build, temporal: str
) -> None:
    wiring = builder()
    in_arrears(wiring, "B1")
    pay(wiring, "B1", local("2026-03-20 02:00"), "P1", "1.00")
    client = await connect(wiring.settings, "test", temporal)
    async with relayed(wiring, client):
        assert await wiring.relay.settled(pending(wiring), 20)
    # The process dies between telling and noting that it told: everything is told again.
    with wiring.database.write() as work:
        for row in work.session.exec(select(OutboxRow)).all():
            row.state = "pending"
            work.session.add(row)
    async with relayed(wiring, client):
        assert await wiring.relay.settled(pending(wiring), 20)
    heard = await told(client, "case/B1/1")
    assert [name for name, _ in heard] == ["start", "poke", "poke"]
    assert heard[1] == heard[2]  # the same id: the case takes it once


@played
async def test_a_poke_for_a_case_that_has_ended_is_settled(builder: Build, temporal: str) -> None:
    wiring = builder()
    in_arrears(wiring, "C1")
    client = await connect(wiring.settings, "test", temporal)
    async with relayed(wiring, client):
        assert await wiring.relay.settled(pending(wiring), 20)
        await client.get_workflow_handle("case/C1/1").terminate()
        await asyncio.to_thread(pay, wiring, "C1", local("2026-03-20 02:00"), "P1", "1.00")
        assert await wiring.relay.settled(pending(wiring), 20)
    with wiring.database.read() as session:
        row = session.exec(select(OutboxRow).where(OutboxRow.kind == "poke")).one()
    assert (row.state, row.error) == ("delivered", "the case has ended")


@played
async def test_waiting_ends_when_its_time_is_over(lite: Wiring) -> None:
    in_arrears(lite)
    assert await lite.relay.settled(pending(lite), 0.01) is False
    assert await lite.relay.settled([], 20) is True


@played
async def test_a_database_that_goes_away_for_a_moment_does_not_end_the_relay(
    builder: Build, temporal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring = builder()
    away = [OperationalError("SELECT", {}, Exception("terminating connection"))] * 2
    heads = outbox.heads

    def read(session: Session, channel: outbox.Channel, only: str = "") -> Sequence[OutboxRow]:
        if away:
            raise away.pop()
        return heads(session, channel, only=only)

    monkeypatch.setattr(outbox, "heads", read)
    client = await connect(wiring.settings, "test", temporal)
    async with relayed(wiring, client):
        await asyncio.to_thread(in_arrears, wiring, "D1")
        assert await wiring.relay.settled(pending(wiring), 20)
        assert wiring.relay.reaches_temporal
    assert [name for name, _ in await told(client, "case/D1/1")] == ["start"]
