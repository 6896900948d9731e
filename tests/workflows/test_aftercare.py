"""A case that looks after an ended one, through real workflows, and audited."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.evidence.auditing import audit_bundle
from api.evidence.bundle import Contents, bundle_files, to_zip
from api.worker import wired
from engine.ladder import Taken
from engine.ledger.entries import Receipt
from tests.workflows.conftest import Run
from tests.workflows.fakes import World, bill, collections_world, paid
from tests.workflows.scenarios import MAY_1, Stage, contents, exported, poke, start_case
from workflows.messages import CaseResult

OPENED = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LATE = datetime(2026, 5, 4, 3, 0, tzinfo=UTC)


async def cured(stage: Stage, world: World, policy: str) -> Taken:
    """Play a case that is paid while suspended; return what it had done."""
    world.put("A1", bill("B1", date(2026, 3, 1), "120.00", OPENED - timedelta(days=20)))
    offset = OPENED - datetime.now(UTC)
    case, _ = await start_case(stage, policy, clock_offset=offset)
    await stage.clock.fast_forward(case, MAY_1, offset)
    world.put("A1", paid("P1", MAY_1, "120.00"))
    await poke(stage, case, 1, MAY_1)
    await stage.clock.fast_forward(case, LATE, offset)
    ended: CaseResult = await stage.client.get_workflow_handle(case, result_type=CaseResult).result()
    assert ended.ended == "cured"
    return ended.taken


async def looked_after(stage: Stage, world: World, policy: str) -> tuple[CaseResult, Contents]:
    async with wired(stage.client, world.outside()):
        before = await cured(stage, world, policy)
        key = next(key for row in before.left for key in row.undo_keys if "/service." in key)
        said = {"id": "late", "value_date": LATE.date(), "received_at": LATE, "at": LATE}
        world.put("A1", Receipt.model_validate(said | {"key": key, "status": "failed"}))
        case, first = await start_case(
            stage, policy, number=2, clock_offset=LATE - datetime.now(UTC), care=True,
            previous=before.model_copy(update={"text": policy}),
        )  # fmt: skip
        handle = stage.client.get_workflow_handle(case, result_type=CaseResult)
        return await handle.result(), contents(world, await exported(stage.client, case, first))


def test_a_case_of_care_restores_again_ends_as_the_case_before_and_is_proved(run: Run, stage: Stage) -> None:
    world, policy = collections_world()
    ended, made = run(looked_after(stage, world, policy))
    assert ended.ended == "cured"
    again = [key for key in world.done if "/undo" in key and "/service." in key]
    assert len(again) == 2
    assert any("task.restore_failed" in key for key in world.done)
    report = audit_bundle(to_zip(bundle_files(made, Ed25519PrivateKey.generate())), accept_simulated=True)
    assert report.ok, report.render_text()
