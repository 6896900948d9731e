"""Texts that are adopted, cases about one bill, bills announced: through real workflows, and audited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from api.evidence.bundle import Contents
from api.worker import wired
from engine.ladder import load_collections
from engine.ladder.before_due import reminder_source
from engine.model import canonical
from tests.workflows.conftest import Run
from tests.workflows.fakes import HERE, World, bill, collections_world
from tests.workflows.scenarios import Stage, contents, exported, start_case
from workflows import ids
from workflows.audit.auditing import Bundle, audit
from workflows.audit.report import AuditReport
from workflows.audit.texts import Texts
from workflows.messages import SweepRequest
from workflows.recorded import recorded_digest

OPENED = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
NEXT = (("version: \"1\"", "version: \"2\""), ("from: 2026-01-01", "from: 2026-04-03"),
        ("final_notice", "last_call"))  # fmt: skip


def adopting_world() -> tuple[World, str, str]:
    """A world with a text that is adopted and the one that follows it on 3 April, with a step renamed."""
    world, pinned = collections_world()
    del world.manifests[pinned]
    plain = (HERE / "collections.yaml").read_text()
    first = plain.replace("binding: pin", "binding: adopt")
    second = first
    for old, new in NEXT:
        second = second.replace(old, new)
    return world, publish(world, first), publish(world, second + "maps: {final_notice: last_call}\n")


def publish(world: World, text: str) -> str:
    names = ("reminder.en.txt", "final.en.txt")
    texts = {"policy.yaml": text.encode()} | {f"templates/{n}": (HERE / n).read_bytes() for n in names}
    loaded = load_collections(texts)
    assert loaded.policy, loaded.problems
    return world.publish(loaded.policy.manifest, texts)


async def judged(found: Contents) -> AuditReport:
    bundle = Bundle([run for run, _ in found.runs], Texts(found.texts, found.policies), found.records)
    return await audit(bundle, accept_simulated=True)


def test_a_case_goes_over_on_the_day_and_the_audit_takes_that_again(run: Run, stage: Stage) -> None:
    world, first, second = adopting_world()
    world.put("A1", bill("B1", date(2026, 3, 1), "120.00", OPENED - timedelta(days=20)))
    offset = OPENED - datetime.now(UTC)

    async def story() -> Contents:
        async with wired(stage.client, world.outside()):
            case, started = await start_case(stage, first, clock_offset=offset, run_length=8)
            await stage.clock.fast_forward(case, datetime(2026, 5, 1, tzinfo=UTC), offset)
            return contents(world, await exported(stage.client, case, started))

    found = run(story())
    (over,) = [record for record in world.steps if record.adopted_from]
    assert (over.adopted_from, over.policy, over.actions) == (first, second, ())
    assert over.taken.adopted_at == over.at
    assert [row.step for row in over.taken.rows] == ["reminder", "last_call", "bar"]
    assert {r.policy for r in world.steps if r.at < over.at} == {first}
    assert {r.policy for r in world.steps if r.at >= over.at} == {second}
    report = run(judged(found))
    assert report.ok, report.render_text()


def test_a_case_about_one_bill_knows_no_other(run: Run, stage: Stage) -> None:
    world, _ = collections_world()
    policy = publish(
        world, (HERE / "collections.yaml").read_text().replace("grain: account", "grain: invoice")
    )
    for name, due in (("B1", date(2026, 3, 1)), ("B2", date(2026, 2, 1))):
        world.put("A1", bill(name, due, "120.00", OPENED - timedelta(days=60)))
    offset = OPENED - datetime.now(UTC)

    async def story() -> Contents:
        async with wired(stage.client, world.outside()):
            case, started = await start_case(stage, policy, clock_offset=offset, item="B1", run_length=6)
            await stage.clock.fast_forward(case, datetime(2026, 4, 25, tzinfo=UTC), offset)
            return contents(world, await exported(stage.client, case, started))

    found = run(story())
    asked = [action for record in world.steps for action in record.actions]
    assert {action.item for action in asked} == {"B1"}
    assert {action.debts for action in asked} == {("B1",)}
    assert [action.step for action in asked] == ["reminder", "final_notice", "bar", "suspend"]
    assert {len(record.position.debts) for record in world.steps} == {2}
    report = run(judged(found))
    assert report.ok, report.render_text()


TABLE = """before_due: |
  | days | do                    |
  | 3    | notify(sms, reminder) |
"""


def test_a_sweep_announces_bills_and_the_audit_derives_each_notice_again(run: Run, stage: Stage) -> None:
    world, _ = collections_world()
    world.announces = publish(world, (HERE / "collections.yaml").read_text() + TABLE)
    world.due = ["A1", "A2"]
    now = datetime.now(UTC)
    tomorrow = now.date() + timedelta(days=2)
    world.put("A1", bill("B1", tomorrow, "120.00", now - timedelta(days=20)))
    world.put("A2", bill("B1", tomorrow + timedelta(days=20), "120.00", now - timedelta(days=20)))

    async def story() -> Contents:
        async with wired(stage.client, world.outside()):
            handle = await stage.client.start_workflow(
                ids.SWEEP, SweepRequest(page=2), id=ids.sweep_id("announcing"), task_queue=ids.TASK_QUEUE
            )
            await handle.result()
            runs = await exported(stage.client, handle.id, handle.first_execution_run_id or "")
        lines = {recorded_digest(record): [canonical(record)] for record in world.reminders}
        return contents(world, runs, lines)

    found = run(story())
    assert list(world.done) == [f"{reminder_source('A1')}/B1/before_due/1/notify.sms.reminder/do"]
    report = run(judged(found))
    assert report.ok, report.render_text()
    ((mark, [line]),) = found.records.items()
    forged = line.replace(b'"120.00"', b'"220.00"')
    assert not run(judged(replace(found, records={mark: [forged]}))).ok
    assert not run(judged(replace(found, records={}))).ok
