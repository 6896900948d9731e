"""The sweep by Temporal over the real store: bills are announced before they are due, each of them once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from sqlmodel import select
from temporalio.client import Client

from api.serving import workers
from api.settings import Settings
from api.storage.actions import get_action
from api.storage.audit import verify
from api.storage.tables import OutboxRow
from api.wiring import Wiring, build
from tests.api.conftest import publish_plain
from tests.api.policies import COLLECTIONS
from tests.api.relay.listening import Listener, confirms, listening
from tests.api.relay.test_courier import SECRET
from tests.api.scenes import account, add_parties, bill, local, pay
from tests.workflows.conftest import Run
from workflows import ids
from workflows.messages import SweepRequest, SweepResult

TABLE = b"""before_due: |
  | days | do                       |
  | 7    | notify(email, announced) |
  | 3    | notify(sms, announced)   |
"""
NAMES = ("A1", "A2", "A3")
NUMBERS = count()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[Wiring, Listener]]:
    with listening(SECRET) as heard:
        heard.reply = confirms
        settings = Settings(data=tmp_path / "data").changed(webhook_url=heard.url, webhook_secret=SECRET)
        wiring = build(settings, simulated=True)
        publish_plain(wiring)
        wiring.publisher.publish({"policy.yaml": COLLECTIONS + TABLE}, local("2026-03-01 00:00"))
        for name in NAMES:
            add_parties(wiring, name, customer=f"C-{name}")
            bill(wiring, name, local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
        yield wiring, heard
        wiring.close()


def key(name: str, number: int, by: str) -> str:
    return f"before_due/{name}/B1/before_due/{number}/notify.{by}.announced/do"


async def swept(client: Client, at: datetime) -> int:
    """Let a sweep of two accounts a page go by at an instant of business time; return how many it opened."""
    request = SweepRequest(page=2, clock_offset=at - datetime.now(UTC))
    name = ids.sweep_id(f"store-{next(NUMBERS)}")
    handle = await client.start_workflow(
        ids.SWEEP, request, id=name, task_queue=ids.TASK_QUEUE, result_type=SweepResult
    )
    found: SweepResult = await handle.result()
    return found.opened


def test_bills_are_announced_once_and_cases_open_when_nobody_has_paid(
    run: Run, client: Client, world: tuple[Wiring, Listener]
) -> None:
    wiring, heard = world

    async def story() -> list[int]:
        async with workers(wiring, client):
            opened = [await swept(client, local("2026-03-11 08:00"))]
            assert not wiring_keys(wiring)
            for clock in ("2026-03-11 09:00", "2026-03-11 12:00", "2026-03-12 09:00"):
                opened.append(await swept(client, local(clock)))
            assert wiring_keys(wiring) == {key(name, 1, "email") for name in NAMES}
            pay(wiring, "A1", local("2026-03-12 10:00"), "P1", "205.42")  # before its message went out
            for name in NAMES:
                wiring.courier.deliver(name, local("2026-03-12 10:05"))
            pay(wiring, "A2", local("2026-03-13 10:00"), "P1", "205.42")
            opened.append(await swept(client, local("2026-03-15 09:00")))
            for name in NAMES:
                wiring.courier.deliver(name, local("2026-03-15 09:01"))
            for clock in ("2026-03-18 09:00", "2026-03-19 09:00"):
                opened.append(await swept(client, local(clock)))
            return opened

    assert run(story()) == [0, 0, 0, 0, 0, 0, 1]
    told = [key("A2", 1, "email"), key("A3", 1, "email"), key("A3", 2, "sms")]
    assert sorted(heard.keys) == sorted(told)
    with wiring.database.read() as session:
        assert [get_action(session, one).state for one in told] == ["done"] * 3
        assert get_action(session, key("A1", 1, "email")).state == "withdrawn"
        assert verify(session)[1] is None
    assert [account(wiring, name).open_case for name in NAMES] == [None, None, 1]


def wiring_keys(wiring: Wiring) -> set[str]:
    """Return the keys of all messages that were asked for."""
    with wiring.database.read() as session:
        rows = session.exec(select(OutboxRow).where(OutboxRow.channel == "webhook")).all()
        return {row.subject for row in rows}
