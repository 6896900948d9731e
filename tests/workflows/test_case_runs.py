"""How a case goes on over many runs, and replays the same."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowQueryRejectedError
from temporalio.service import RPCError

from api.simulated_time import SimulatedTime
from api.worker import Workers
from tests.workflows.conftest import Run
from tests.workflows.playing import (
    DAY,
    all_pokes,
    history_bytes,
    idle,
    numbers,
    poke,
    running,
    runs,
    view,
)
from tests.workflows.scripted import Script, action, start
from workflows import ids
from workflows.audit.auditing import Bundle, Exported, audited_runs
from workflows.audit.texts import Texts
from workflows.messages import CaseView, StepRequest
from workflows.sandbox import sandboxed_runner


def test_long_cases_continue_anew_and_lose_no_poke(run: Run, client: Client) -> None:
    pokes = 60

    script = Script(lambda request, number: {"wake": 30 * DAY})

    async def story() -> tuple[CaseView, int]:
        async with running(client, script, run_length=2) as case:
            first = (await client.get_workflow_handle(case).describe()).run_id
            await idle(client, case, 1)
            for batch in range(0, pokes, 10):
                # Counted from what was seen: pokes that come before a look begins are heard by that look.
                before = (await view(client, case)).steps
                await asyncio.gather(*(poke(client, case, n) for n in range(batch, batch + 10)))
                await idle(client, case, before + 1)
            while True:
                seen = await view(client, case)
                if seen.idle and len(await all_pokes(client, case, first)) == pokes:
                    return seen, len(await runs(client, case, first))
                await asyncio.sleep(0.02)

    seen, count = run(story())
    assert count > 1
    assert seen.steps >= 3


def test_a_quiet_case_is_looked_at_every_quarter_and_continues_anew_twice_a_year(
    run: Run, client: Client, clock: SimulatedTime
) -> None:
    script = Script(lambda request, number: {"wake": 1000 * DAY})

    async def story() -> int:
        async with running(client, script) as case:
            first = (await client.get_workflow_handle(case).describe()).run_id
            await clock.fast_forward(case, await clock.now(case) + 370 * DAY)
            await idle(client, case, 7)
            return len(await runs(client, case, first))

    assert run(story()) == 3
    days = [(look.at - script.looks[0].at).days for look in script.looks]
    assert days == [0, 90, 180, 180, 270, 360, 360]


def test_looks_that_outlast_their_task_replay_the_same(run: Run, client: Client) -> None:
    """A task is extended while a look takes long, and a query ends it early: both move a replay's clock."""

    def look(request: StepRequest, number: int) -> dict[str, Any]:
        time.sleep(1.2 if number in (1, 3) else 0.02)
        match number:
            case 2 | 5:
                return {"actions": (action(f"k{number}"),), "wake": 30 * DAY}
            case 8:
                return {"ended": "cured"}
        return {"wake": 30 * DAY}

    script = Script(look)

    async def ask(case: str) -> None:
        while len(script.looks) < 8:
            with contextlib.suppress(RPCError, WorkflowQueryRejectedError):
                await view(client, case)

    async def story() -> list[Exported]:
        case = ids.case_id(f"T{next(numbers)}", 1)
        async with Workers(client, script.activities, [], runner=sandboxed_runner()):
            handle = await client.start_workflow(
                ids.CASE, start(), id=case, task_queue=ids.TASK_QUEUE, task_timeout=timedelta(seconds=1)
            )
            asking = [asyncio.create_task(ask(case)) for _ in range(2)]
            number = 0
            while len(script.looks) < 8:
                number += 1
                with contextlib.suppress(RPCError):
                    await poke(client, case, number)
                await asyncio.sleep(0.05)
            await handle.result()
            await asyncio.gather(*asking, return_exceptions=True)
            history = await handle.fetch_history()
            return [Exported(case, handle.first_execution_run_id or "", history_bytes(history.events))]

    exported = run(story())
    kinds = [event.event_type for event in History.FromString(exported[0].history).events]
    extended = (EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
    shown = extended in list(itertools.pairwise(kinds))
    (audited,) = run(audited_runs(Bundle(exported, Texts({}, {}))))
    assert audited.report.closed
    assert not audited.report.findings
    if not shown:
        pytest.skip("proved, but on this machine no task outlasted its look: nothing special was shown")
