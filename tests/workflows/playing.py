"""Starting, poking and watching cases in tests."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.client import Client, WorkflowHandle, WorkflowHistory

from api.worker import Workers
from tests.workflows.scripted import Script, start
from workflows import ids
from workflows.messages import CaseResult, CaseView, Poke
from workflows.sandbox import sandboxed_runner

DAY = timedelta(days=1)
numbers = itertools.count(1)


@asynccontextmanager
async def running(client: Client, script: Script, **more: Any) -> AsyncIterator[str]:
    case = ids.case_id(f"T{next(numbers)}", 1)
    async with Workers(client, script.activities, [], runner=sandboxed_runner()):
        await client.start_workflow(ids.CASE, start(**more), id=case, task_queue=ids.TASK_QUEUE)
        yield case


async def result(client: Client, case: str) -> CaseResult:
    found: CaseResult = await client.get_workflow_handle(case, result_type=CaseResult).result()
    return found


async def view(client: Client, case: str) -> CaseView:
    found: CaseView = await client.get_workflow_handle(case).query(ids.VIEW, result_type=CaseView)
    return found


async def poke(client: Client, case: str, number: int) -> None:
    news = Poke(id=f"row-{number}", reason="payment", sent_at=datetime(2026, 1, 1, tzinfo=UTC))
    await client.get_workflow_handle(case).signal(ids.POKE, news)


async def events(client: Client, case: str, kind: EventType.ValueType) -> int:
    handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(case)
    history: WorkflowHistory = await handle.fetch_history()
    return sum(event.event_type == kind for event in history.events)


def history_bytes(events: Sequence[HistoryEvent]) -> bytes:
    return History(events=events).SerializeToString()


async def all_pokes(client: Client, case: str, first: str) -> set[bytes]:
    found = set()
    for run_id in await runs(client, case, first):
        history = await client.get_workflow_handle(case, run_id=run_id).fetch_history()
        for event in history.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                found.add(event.workflow_execution_signaled_event_attributes.input.payloads[0].data)
    return found


async def runs(client: Client, case: str, first: str) -> list[str]:
    found, run_id = [], first
    while run_id:
        found.append(run_id)
        history = await client.get_workflow_handle(case, run_id=run_id).fetch_history()
        last = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run_id = last.new_execution_run_id
    return found


async def idle(client: Client, case: str, steps: int) -> None:
    while True:
        seen = await view(client, case)
        if seen.idle and seen.steps >= steps:
            return
        await asyncio.sleep(0.02)


async def troubled(script: Script, count: int) -> None:
    while len(script.troubles) < count:
        await asyncio.sleep(0.02)


async def signals(client: Client, case: str, count: int) -> None:
    kind = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    while await events(client, case, kind) < count:
        await asyncio.sleep(0.02)
