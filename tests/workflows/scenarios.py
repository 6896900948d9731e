"""Whole stories through real workflows; each gives what an auditor would be handed.

`python -m tests.workflows.scenarios` writes them to `fixtures/histories` anew, one bundle a story.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowFailureError

from api.embedded import EmbeddedTemporal, connect
from api.evidence.bundle import Contents, bundle_files, write_bundle
from api.exiting import leave
from api.simulated_time import SimulatedTime
from api.worker import wired
from engine.credit.decision import Fact
from engine.model import canonical
from tests.workflows.fakes import World, bill, collections_world, credit_world, facts, paid
from workflows import ids
from workflows.audit.auditing import Exported
from workflows.audit.structure import is_closed
from workflows.messages import (
    NAMED,
    AssessmentRequest,
    CaseResult,
    CaseStart,
    Poke,
    ReviewRequest,
    SweepRequest,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "histories"
AS_OF = date(2026, 11, 21)
APRIL_20 = datetime(2026, 4, 20, 3, 0, tzinfo=UTC)
MAY_1 = datetime(2026, 5, 1, 3, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Stage:
    """Where a story is played."""

    client: Client
    clock: SimulatedTime


async def exported(client: Client, workflow: str, first: str) -> list[tuple[Exported, bool]]:
    """Fetch all runs of a workflow."""
    found, run = [], first
    while run:
        history = await client.get_workflow_handle(workflow, run_id=run).fetch_history()
        data = History(events=history.events).SerializeToString(deterministic=True)
        found.append((Exported(workflow, run, data), is_closed(history.events)))
        last = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run = last.new_execution_run_id
    return found


def contents(
    world: World, runs: list[tuple[Exported, bool]], records: dict[str, list[bytes]] | None = None
) -> Contents:
    """Put together what a world knows about some runs."""
    policies = {digest: made.text for digest, made in world.manifests.items()}
    return Contents(runs=runs, policies=policies, texts=world.bodies, records=records or {})


async def start_case(stage: Stage, policy: str, **more: object) -> tuple[str, str]:
    """Start case 1 of account A1; return its id and first run."""
    case = f"case/A1/{_number()}"
    given = {"account": "A1", "number": 1, "policy": policy} | more
    handle = await stage.client.start_workflow(
        ids.CASE, CaseStart.model_validate(given), id=case, task_queue=ids.TASK_QUEUE
    )
    return case, handle.first_execution_run_id or ""


async def poke(stage: Stage, case: str, number: int, at: datetime, reason: str = "payment") -> None:
    news = Poke(id=f"row-{number}", reason=reason, sent_at=at)
    await stage.client.get_workflow_handle(case).signal(ids.POKE, news)


async def cured_after_suspension(stage: Stage) -> Contents:
    """Reminded, noticed, barred and suspended on exact days; paid in two parts; restored and closed."""
    world, policy = collections_world()
    opened = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    world.put("A1", bill("B1", date(2026, 3, 1), "120.00", opened - timedelta(days=20)))
    offset = opened - datetime.now(UTC)
    async with wired(stage.client, world.outside()):
        case, first = await start_case(stage, policy, clock_offset=offset, run_length=6)
        for number, (when, amount) in enumerate(((APRIL_20, "20.00"), (MAY_1, "100.00"))):
            await stage.clock.fast_forward(case, when, offset)
            world.put("A1", paid(f"P{number}", when, amount))
            await poke(stage, case, number, when)
            await poke(stage, case, number, when)
        await stage.clock.fast_forward(case, datetime(2026, 6, 1, tzinfo=UTC), offset)
        handle = stage.client.get_workflow_handle(case, result_type=CaseResult)
        ended: CaseResult = await handle.result()
        assert ended.ended == "cured"
        return contents(world, await exported(stage.client, case, first))


async def paid_at_once(stage: Stage) -> Contents:
    """On the real clock: overdue, and paid before anything was due."""
    world, policy = collections_world()
    now = datetime.now(UTC)
    world.put("A1", bill("B1", now.date() - timedelta(days=2), "120.00", now - timedelta(days=22)))
    async with wired(stage.client, world.outside()):
        case, first = await start_case(stage, policy)
        while not world.steps:
            await asyncio.sleep(0.01)
        world.put("A1", paid("P1", datetime.now(UTC), "120.00"))
        await poke(stage, case, 1, now)
        await stage.client.get_workflow_handle(case).result()
        return contents(world, await exported(stage.client, case, first))


async def withdrawn_in_time(stage: Stage) -> Contents:
    """Simulated: the payment comes between the look and the act, so the bar is withdrawn."""
    world, policy = collections_world()
    opened = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    world.put("A1", bill("B1", date(2026, 3, 1), "120.00", opened - timedelta(days=20)))
    offset = opened - datetime.now(UTC)
    world.before_act = lambda request: (
        world.put("A1", paid("P1", request.at, "120.00"))
        if any(action.step == "bar" for action in request.actions)
        else None
    )
    async with wired(stage.client, world.outside()):
        case, first = await start_case(stage, policy, clock_offset=offset)
        await stage.clock.fast_forward(case, datetime(2026, 5, 1, tzinfo=UTC), offset)
        await stage.client.get_workflow_handle(case).result()
        return contents(world, await exported(stage.client, case, first))


async def assess(stage: Stage, given: dict[str, Fact], form: Literal[1, 2] = 1) -> Contents:
    world, policy = credit_world()
    world.customers["C1"] = ("consumer", facts())
    number = f"r-{_number()}"
    request = AssessmentRequest(
        request=number, policy=policy, customer="C1", as_of=AS_OF, at=datetime.now(UTC), facts=given,
        form=form,
    )  # fmt: skip
    async with wired(stage.client, world.outside()):
        handle = await stage.client.start_workflow(
            ids.ASSESSMENT,
            request,
            id=ids.assessment_id(number),
            task_queue=ids.TASK_QUEUE,
            request_eager_start=True,
        )
        with contextlib.suppress(WorkflowFailureError):
            await handle.result()
        return contents(world, await exported(stage.client, handle.id, handle.first_execution_run_id or ""))


async def decided(stage: Stage) -> Contents:
    """One grade, with a fact that the caller gave."""
    return await assess(stage, {"tenure_months": Fact(value=2)})


async def facts_refused(stage: Stage) -> Contents:
    """A request with a fact that the policy does not read: refused, nothing recorded."""
    return await assess(stage, {"tenure_month": Fact(value=2)})


async def named(stage: Stage) -> Contents:
    """One grade, whose record the result only names."""
    return await assess(stage, {"tenure_months": Fact(value=2)}, NAMED)


async def named_refused(stage: Stage) -> Contents:
    """The same form, refused."""
    return await assess(stage, {"tenure_month": Fact(value=2)}, NAMED)


async def book(stage: Stage) -> Contents:
    """A book of seven in chunks of three; one customer has facts that no policy can read."""
    world, policy = credit_world()
    for number in range(7):
        changed = {"tenure_months": number * 9} if number != 4 else {"tenure_months": -1}
        world.customers[f"C{number}"] = ("consumer", facts(**changed))
    run = f"book-{_number()}"
    request = ReviewRequest(
        run=run, policies={"consumer": policy}, as_of=AS_OF, at=datetime.now(UTC), chunk=3
    )
    async with wired(stage.client, world.outside()):
        handle = await stage.client.start_workflow(
            ids.REVIEW, request, id=ids.review_id(run), task_queue=ids.REVIEW_QUEUE
        )
        await handle.result()
        runs = await exported(stage.client, handle.id, handle.first_execution_run_id or "")
    records: dict[str, list[bytes]] = {}
    after = ""
    for chunk in (chunk for (name, _), chunk in sorted(world.chunks.items()) if name == run and chunk.done):
        asked = [f"{run}/{name}" for name in sorted(world.customers) if after < name <= chunk.last]
        records[chunk.decisions_digest] = [
            canonical(world.decisions[request]) for request in asked if request in world.decisions
        ]
        after = chunk.last
    return contents(world, runs, records)


async def due(stage: Stage) -> Contents:
    """A sweep over five due accounts, two a page."""
    world, _ = collections_world()
    world.due = [f"A{number}" for number in range(5)]
    async with wired(stage.client, world.outside()):
        handle = await stage.client.start_workflow(
            ids.SWEEP, SweepRequest(page=2), id=ids.sweep_id(_number()), task_queue=ids.TASK_QUEUE
        )
        await handle.result()
        return contents(world, await exported(stage.client, handle.id, handle.first_execution_run_id or ""))


Story = Callable[[Stage], Awaitable[Contents]]
STORIES: dict[str, Story] = {
    "ArrearsCase/cured_after_suspension": cured_after_suspension,
    "ArrearsCase/withdrawn_in_time": withdrawn_in_time,
    "ArrearsCase/paid_at_once": paid_at_once,
    "Assessment/decided": decided,
    "Assessment/facts_refused": facts_refused,
    "Assessment/named": named,
    "Assessment/named_refused": named_refused,
    "PortfolioReview/book": book,
    "AccountSweep/due": due,
}
SIMULATED = {"ArrearsCase/cured_after_suspension", "ArrearsCase/withdrawn_in_time"}

FORGED = "forged/softened_reminder"

_used = 0


def _number() -> str:
    """Another number each time, because all stories share one server."""
    global _used  # a counter for tests
    _used += 1
    return str(_used)


def forged(contents: Contents) -> Contents:
    """The story of a suspension in which somebody says that the final notice never had to be sent."""

    def softened(data: bytes) -> bytes:
        history = History.FromString(data)
        for event in history.events:
            for payloads in event.marker_recorded_event_attributes.details.values():
                for payload in payloads.payloads:
                    payload.data = payload.data.replace(b'"severe":true', b'"severe":false')
        return history.SerializeToString(deterministic=True)

    runs = [(replace(run, history=softened(run.history)), closed) for run, closed in contents.runs]
    return replace(contents, runs=runs)


async def _write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with await EmbeddedTemporal.start(Path(folder), simulated=True) as server:
            client = await connect(server.address, "forbear-fixtures")
            stage = Stage(client, SimulatedTime(client))
            told = {name: await story(stage) for name, story in STORIES.items()}
    told[FORGED] = forged(told["ArrearsCase/cured_after_suspension"])
    for name, contents in told.items():
        target = FIXTURES / f"{name}.zip"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bundle(target, bundle_files(contents, Ed25519PrivateKey.generate()))
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    asyncio.run(_write())
    leave(0)
