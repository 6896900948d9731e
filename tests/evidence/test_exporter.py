"""Every run leaves Temporal, whatever is killed in between, and comes back as a bundle that is proved."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import col, select
from temporalio.client import Client

from api.evidence.auditing import audit_bundle
from api.evidence.bundle import bundle_files, to_zip
from api.evidence.exporter import Exporter
from api.evidence.gathering import Gatherer
from api.settings import Settings
from api.storage import audit
from api.storage.tables import AuditRow, RunRow
from api.wiring import Wiring, build
from api.worker import wired
from engine.credit.decision import Fact
from tests.workflows.conftest import Run
from tests.workflows.fakes import HERE, SHIPPED, World, bill, collections_world, credit_world, facts
from tests.workflows.scenarios import AS_OF, Stage, poke, start_case
from workflows import ids
from workflows.activities.wiring import Outside
from workflows.messages import NAMED, AssessmentRequest, ReviewRequest

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def wiring(tmp_path: Path) -> Iterator[Wiring]:
    made = build(Settings(data=tmp_path / "data"), simulated=True)
    for texts in (
        {"cn-telecom.yaml": (SHIPPED / "regulations" / "cn-telecom.yaml").read_bytes()},
        {"CN.yaml": (SHIPPED / "calendars" / "CN.yaml").read_bytes()},
        {"policy.yaml": (SHIPPED / "consumer-credit" / "policy.yaml").read_bytes()},
        {
            "policy.yaml": (HERE / "collections.yaml").read_bytes(),
            "templates/reminder.en.txt": (HERE / "reminder.en.txt").read_bytes(),
            "templates/final.en.txt": (HERE / "final.en.txt").read_bytes(),
        },
    ):
        made.publisher.publish(texts, NOW)
    yield made
    made.close()


def half(world: World, wiring: Wiring) -> Outside:
    """Ledger and cases in memory; shelf, decisions and evidence as they are stored."""
    return Outside(
        shelf=wiring.shelf, ledger=world, cases=world, decisions=wiring.decisions,
        evidence=wiring.evidence, clock=world,
    )  # fmt: skip


def exporter(client: Client, wiring: Wiring) -> Exporter:
    return Exporter(client, wiring.evidence, wiring.database, lambda: NOW)


def rows(wiring: Wiring, *workflows: str) -> dict[str, RunRow]:
    with wiring.database.read() as session:
        query = select(RunRow).where(col(RunRow.workflow).in_(workflows))
        return {row.workflow: row for row in session.exec(query)}


def links(wiring: Wiring, kind: str) -> list[str]:
    with wiring.database.read() as session:
        return list(session.exec(select(AuditRow.subject).where(AuditRow.kind == kind)))


async def a_case(stage: Stage, wiring: Wiring) -> str:
    """A case that waits for its first reminder."""
    world, policy = collections_world()
    now = datetime.now(UTC)
    world.put("A1", bill("B1", now.date() - timedelta(days=2), "120.00", now - timedelta(days=22)))
    async with wired(stage.client, half(world, wiring)):
        case, _ = await start_case(stage, policy)
        while not world.steps:
            await asyncio.sleep(0.01)
        await poke(stage, case, 1, now)
        while len(world.steps) < 2:
            await asyncio.sleep(0.01)
    return case


async def an_assessment(stage: Stage, wiring: Wiring, number: str) -> str:
    world, policy = credit_world()
    request = AssessmentRequest(
        request=number, policy=policy, as_of=AS_OF, at=datetime.now(UTC), facts=facts(),
        customer="",
    )  # fmt: skip
    async with wired(stage.client, half(world, wiring)):
        handle = await stage.client.start_workflow(
            ids.ASSESSMENT, request, id=ids.assessment_id(number), task_queue=ids.TASK_QUEUE
        )
        await handle.result()
    return handle.id


async def seen(client: Client, *workflows: str) -> None:
    """Wait until Temporal's list shows the runs as ended."""
    for workflow in workflows:
        query = f"WorkflowId = '{workflow}' AND ExecutionStatus != 'Running'"
        while not [execution async for execution in client.list_workflows(query)]:
            await asyncio.sleep(0.02)


def test_ended_runs_are_exported_once_and_open_ones_wait(run: Run, stage: Stage, wiring: Wiring) -> None:
    async def story() -> tuple[str, str]:
        case = await a_case(stage, wiring)
        graded = await an_assessment(stage, wiring, "export-1")
        await seen(stage.client, graded)
        first = await exporter(stage.client, wiring).export_closed()
        again = await exporter(stage.client, wiring).export_closed()
        assert (first.open, first.lost, again.exported) == (1, 0, 0)
        return case, graded

    case, graded = run(story())
    found = rows(wiring, case, graded)
    assert found[case].exported_at is None
    assert found[graded].exported_at == NOW
    assert wiring.evidence.read(found[graded].digest)
    assert [s for s in links(wiring, "export") if s.startswith(graded)] == [f"{graded}#{found[graded].run}"]
    with wiring.database.read() as session:
        assert audit.verify(session)[1] is None


def test_a_kill_between_keeping_and_noting_loses_nothing(
    run: Run, stage: Stage, wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = wiring.evidence.exported

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    async def story() -> str:
        graded = await an_assessment(stage, wiring, "export-2")
        await seen(stage.client, graded)
        monkeypatch.setattr(wiring.evidence, "exported", killed)
        with pytest.raises(KeyboardInterrupt):
            exporter(stage.client, wiring)._keep(graded, rows(wiring, graded)[graded].run, "assessment", b"x")
        monkeypatch.setattr(wiring.evidence, "exported", noted)
        await exporter(stage.client, wiring).export_closed()
        return graded

    assert rows(wiring, graded := run(story()))[graded].exported_at == NOW


def test_a_run_that_nobody_registered_is_exported_too(run: Run, stage: Stage, wiring: Wiring) -> None:
    async def story() -> str:
        number = "never-run"
        handle = await stage.client.start_workflow(
            ids.ASSESSMENT,
            AssessmentRequest(request=number, policy="sha256:0", as_of=AS_OF, at=NOW),
            id=ids.assessment_id(number),
            task_queue=ids.TASK_QUEUE,
        )
        await handle.terminate("no worker was there")
        await seen(stage.client, handle.id)
        await exporter(stage.client, wiring).export_closed()
        return handle.id

    assert rows(wiring, workflow := run(story()))[workflow].exported_at == NOW


def test_evidence_that_temporal_has_forgotten_is_counted(run: Run, stage: Stage, wiring: Wiring) -> None:
    wiring.evidence.register("case/gone/1", "00000000-0000-0000-0000-000000000000", "case", NOW)
    assert run(exporter(stage.client, wiring).export_closed()).lost == 1


def test_everything_comes_back_as_a_bundle_that_is_proved(run: Run, stage: Stage, wiring: Wiring) -> None:
    async def story() -> bytes:
        case = await a_case(stage, wiring)
        graded = await an_assessment(stage, wiring, "bundle-1")
        reviewed = await a_review(stage, wiring)
        await seen(stage.client, graded, reviewed)
        made = exporter(stage.client, wiring)
        await made.export_closed()
        contents = await Gatherer(wiring.database, wiring.evidence, made).gather([case, graded, reviewed])
        return to_zip(bundle_files(contents, Ed25519PrivateKey.generate()))

    report = audit_bundle(run(story()))
    assert report.ok, report.render_text()
    assert [r.closed for r in report.runs] == [False, True, True]
    assert len(report.verdicts) == 2 + 1 + 5
    assert any("exported: how it ends is not proved" in note for note in report.notes)
    assert any(note.startswith("The audit chain had") for note in report.notes)


async def a_review(stage: Stage, wiring: Wiring) -> str:
    world, policy = credit_world()
    for number in range(5):
        world.customers[f"C{number}"] = ("consumer", facts(tenure_months=number * 9))
    request = ReviewRequest(
        run="bundle", policies={"consumer": policy}, as_of=AS_OF, at=datetime.now(UTC), chunk=2
    )
    async with wired(stage.client, half(world, wiring)):
        handle = await stage.client.start_workflow(
            ids.REVIEW, request, id=ids.review_id("bundle"), task_queue=ids.REVIEW_QUEUE
        )
        await handle.result()
    return handle.id


def test_many_runs_are_audited_by_several_processes(run: Run, stage: Stage, wiring: Wiring) -> None:
    async def story() -> bytes:
        world, policy = credit_world()
        async with wired(stage.client, half(world, wiring)):
            started = [
                await stage.client.start_workflow(
                    ids.ASSESSMENT,
                    AssessmentRequest(
                        request=f"many-{n}", policy=policy, as_of=AS_OF, at=datetime.now(UTC),
                        form=(1, NAMED)[n % 2], facts=facts(tenure_months=n) | {"value": Fact(value="high")},
                    ),
                    id=ids.assessment_id(f"many-{n}"),
                    task_queue=ids.TASK_QUEUE,
                )
                for n in range(26)
            ]  # fmt: skip
            await asyncio.gather(*(handle.result() for handle in started))
        await seen(stage.client, *(handle.id for handle in started))
        made = exporter(stage.client, wiring)
        await made.export_closed()
        contents = await Gatherer(wiring.database, wiring.evidence).gather([h.id for h in started])
        return to_zip(bundle_files(contents, Ed25519PrivateKey.generate()))

    report = audit_bundle(run(story()), processes=2)
    assert report.ok, report.render_text()
    assert report.counts() == {"agrees": 26}
