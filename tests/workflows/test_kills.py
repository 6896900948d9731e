"""kill -9 of the worker and of Temporal, at seeded moments: nothing lost, nothing done twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from temporalio.client import Client

from api.embedded import EmbeddedTemporal, connect
from api.evidence.auditing import audit_bundle
from api.evidence.bundle import bundle_files, to_zip
from api.evidence.exporter import Exporter
from api.evidence.gathering import Gatherer
from api.evidence.signing import signing_key
from api.settings import Settings
from api.simulated_time import SimulatedTime
from api.storage.accounts import add_account
from api.storage.customers import add_customer
from api.storage.tables import ActionRow, CaseRow, OutboxRow
from api.wiring import Wiring, build
from engine.ledger import EntryAdapter
from tests.workflows.conftest import Run
from tests.workflows.fakes import HERE, SHIPPED, ZONE
from workflows import ids
from workflows.messages import CaseStart, Poke

OPENED = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PAID = datetime(2026, 4, 29, 2, 0, tzinfo=UTC)
ACCOUNTS = ("K1", "K2", "K3")
Done = dict[str, list[tuple[str, str, str]]]


def prepared(folder: Path) -> Wiring:
    wiring = build(Settings(data=folder), simulated=True)
    for texts in (
        {"cn-telecom.yaml": (SHIPPED / "regulations" / "cn-telecom.yaml").read_bytes()},
        {"CN.yaml": (SHIPPED / "calendars" / "CN.yaml").read_bytes()},
        {
            "policy.yaml": (HERE / "collections.yaml").read_bytes(),
            "templates/reminder.en.txt": (HERE / "reminder.en.txt").read_bytes(),
            "templates/final.en.txt": (HERE / "final.en.txt").read_bytes(),
        },
    ):
        wiring.publisher.publish(texts, OPENED - timedelta(days=60))
    for name in ACCOUNTS:
        begun = OPENED - timedelta(days=50)
        with wiring.database.write() as work:
            add_customer(work, {"id": name, "name": "", "segment": "consumer", "since": None}, begun)
            add_account(
                work,
                {"id": name, "customer": name, "currency": "CNY", "timezone": str(ZONE),
                 "policy": "test-collections"},
                begun,
            )  # fmt: skip
        post(wiring, name, OPENED - timedelta(days=20), kind="bill", due_date="2026-03-01", amount="120.00")
    return wiring


def post(wiring: Wiring, account: str, at: datetime, **fields: str) -> None:
    dated = {"id": fields["kind"], "received_at": at, "value_date": at.astimezone(ZONE).date()}
    with wiring.database.write() as work:
        wiring.writer.post(work, account, EntryAdapter.validate_python(dated | fields), clamp=True)


async def open_cases(wiring: Wiring, client: Client) -> dict[str, timedelta]:
    """Open a case for each account, as the relay does; return each case's clock offset."""
    offsets = {}
    for account in ACCOUNTS:
        assert wiring.cases.open_case(account, OPENED)
        with wiring.database.read() as session:
            query = select(OutboxRow).where(OutboxRow.kind == "start", OutboxRow.account == account)
            row = session.exec(query).one()
        start = CaseStart.model_validate_json(row.body)
        await client.start_workflow(
            ids.CASE,
            start,
            id=row.subject,
            task_queue=ids.TASK_QUEUE,
            task_timeout=timedelta(seconds=2),
        )
        offsets[row.subject] = start.clock_offset
    return offsets


async def worker(wiring: Wiring, address: str, at: int) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "tests.workflows.killed_worker"]
    return await asyncio.create_subprocess_exec(
        *command, str(wiring.directory.path), address, str(at), stdout=asyncio.subprocess.PIPE
    )


async def workers(wiring: Wiring, address: str, kills: Sequence[int]) -> None:
    """Start worker after worker: each dies at its moment, the last one lives until it is cancelled."""
    for at in (*kills, 0):
        process = await worker(wiring, address, at)
        try:
            code = await process.wait()
            assert code == -signal.SIGKILL
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise


async def story(wiring: Wiring, client: Client, address: str, kills: Sequence[int]) -> Done:
    offsets = await open_cases(wiring, client)
    return await finish(wiring, client, address, offsets, kills)


def what_was_done(wiring: Wiring) -> Done:
    with wiring.database.read() as session:
        actions = session.exec(select(ActionRow)).all()
        cases = session.exec(select(CaseRow)).all()
    assert [case.ended for case in cases] == ["cured"] * len(ACCOUNTS)
    assert not [case.trouble for case in cases if case.trouble]
    done: Done = {account: [] for account in ACCOUNTS}
    for action in sorted(actions, key=lambda action: action.requested_at):
        day = action.requested_at.astimezone(ZONE).date().isoformat()
        done[action.account].append((action.key.split("/", 3)[3], action.state, day))
    return done


EXPECTED = [
    ("account/reminder/1/notify.sms.reminder/do", "done", "2026-03-04"),
    ("account/final_notice/1/notify.letter.final/do", "done", "2026-03-21"),
    ("account/bar/1/service.outgoing_barred/do", "done", "2026-04-01"),
    ("account/suspend/1/service.suspended/do", "done", "2026-04-15"),
    ("account/suspend/1/service.suspended/undo", "done", "2026-04-29"),
]


async def proved(wiring: Wiring, client: Client) -> None:
    """What is left behind after all kills is whole: every run proved, every step taken again."""
    exporter = Exporter(client, wiring.evidence, wiring.database, lambda: PAID)
    contents = await Gatherer(wiring.database, wiring.evidence, exporter).gather()
    bundle = to_zip(bundle_files(contents, signing_key(wiring.directory.path)))
    report = await asyncio.to_thread(audit_bundle, bundle, accept_simulated=True, processes=1)
    assert report.ok, report.render_text()


@pytest.mark.parametrize("seed", [None, 1])
def test_a_worker_that_is_killed_loses_nothing_and_does_nothing_twice(
    run: Run, tmp_path: Path, seed: int | None
) -> None:
    kills = [] if seed is None else [random.Random(seed * 100 + n).randint(1, 14) for n in range(6)]

    async def play() -> Done:
        wiring = prepared(tmp_path / "data")
        async with await EmbeddedTemporal.start(tmp_path / "temporal", simulated=True) as server:
            client = await connect(server.address, "forbear-test")
            done = await story(wiring, client, server.address, kills)
        wiring.close()
        return done

    assert run(play()) == dict.fromkeys(ACCOUNTS, EXPECTED)


def test_a_temporal_that_is_killed_loses_nothing(run: Run, tmp_path: Path) -> None:
    async def play() -> Done:
        wiring = prepared(tmp_path / "data")
        folder = tmp_path / "temporal"
        server = await EmbeddedTemporal.start(folder, simulated=True)
        port = server.ports.frontend
        client = await connect(server.address, "forbear-test")
        clock = SimulatedTime(client)
        offsets = await open_cases(wiring, client)
        lives = asyncio.create_task(workers(wiring, server.address, []))
        for day in (10, 25, 40):
            until = OPENED + timedelta(days=day)
            await asyncio.gather(*(clock.fast_forward(case, until, off) for case, off in offsets.items()))
            os.kill(int((folder / "temporal.lock").read_text()), signal.SIGKILL)
            await server.stop()
            server = await EmbeddedTemporal.start(folder, simulated=True, port=port)
        lives.cancel()
        await asyncio.wait({lives})
        client = await connect(server.address, "forbear-test")
        done = await finish(wiring, client, server.address, offsets)
        await server.stop()
        wiring.close()
        return done

    assert run(play()) == dict.fromkeys(ACCOUNTS, EXPECTED)


async def finish(
    wiring: Wiring, client: Client, address: str, offsets: dict[str, timedelta], kills: Sequence[int] = ()
) -> Done:
    lives = asyncio.create_task(workers(wiring, address, kills))
    tale = asyncio.create_task(told(wiring, client, offsets))
    await asyncio.wait({lives, tale}, return_when=asyncio.FIRST_COMPLETED)
    if not tale.done():
        tale.cancel()
        await lives  # a worker ended in another way than it should
    lives.cancel()
    await asyncio.wait({lives})
    tale.result()
    await proved(wiring, client)
    return what_was_done(wiring)


async def told(wiring: Wiring, client: Client, offsets: dict[str, timedelta]) -> None:
    """Let time go by until every account has paid and its case has ended."""
    clock = SimulatedTime(client)
    await asyncio.gather(*(clock.fast_forward(case, PAID, offset) for case, offset in offsets.items()))
    for account in ACCOUNTS:
        post(wiring, account, PAID, kind="payment", amount="120.00")
    for case, offset in offsets.items():
        handle = client.get_workflow_handle(case)
        await handle.signal(ids.POKE, Poke(id="paid", reason="payment", sent_at=PAID))
        await clock.fast_forward(case, PAID + timedelta(days=3), offset)
        await handle.result()
