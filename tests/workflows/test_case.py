"""How a case is driven, with looks and acts that follow a script."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.client import Client, WorkflowHandle, WorkflowHistory, WorkflowQueryRejectedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from api.simulated_time import SimulatedTime
from api.worker import Workers
from tests.workflows.conftest import Run
from tests.workflows.scripted import Script, action, start
from workflows import driving, ids
from workflows.audit.auditing import Bundle, Exported, audited_runs
from workflows.audit.texts import Texts
from workflows.messages import ActRequest, ActResult, CaseResult, CaseView, Poke, StepRequest

DAY = timedelta(days=1)
_numbers = itertools.count(1)


@asynccontextmanager
async def running(client: Client, script: Script, **more: Any) -> AsyncIterator[str]:
    case = ids.case_id(f"T{next(_numbers)}", 1)
    async with Workers(client, script.activities, []):
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


def test_looks_acts_waits_and_closes(run: Run, client: Client, clock: SimulatedTime) -> None:
    due = datetime.now(UTC).replace(microsecond=0) + 40 * DAY

    def look(request: StepRequest, number: int) -> dict[str, Any]:
        match number:
            case 1:
                return {"wake": due}
            case 2:
                return {"actions": (action("k1"), action("k2")), "wake": due + DAY}
            case 3:
                return {"wake": due + DAY}
        return {"ended": "cured"}

    script = Script(look)

    async def story() -> CaseResult:
        async with running(client, script) as case:
            assert await clock.fast_forward(case, due + DAY / 2)
            assert [r.at >= due for r in script.looks] == [False, True, True]
            assert not await clock.fast_forward(case, due + 2 * DAY)
            return await result(client, case)

    ended = run(story())
    assert ended.ended == "cured"
    _, woken, after_acting, last = script.looks
    assert woken.at - due < timedelta(seconds=1)
    assert last.at - due - DAY < timedelta(seconds=1)
    assert [a.taken_before for a in script.acts] == [woken.taken]
    assert after_acting.taken == script.acts[0].taken
    assert [a.key for a in script.acts[0].actions] == ["k1", "k2"]
    assert script.closes[0].chain != script.acts[0].chain
    assert ended.chain not in ("", script.closes[0].chain)


def test_business_time_is_offset_from_the_clock(run: Run, client: Client) -> None:
    script = Script(lambda request, number: {"ended": "cured"})
    offset = timedelta(days=-1000)

    async def story() -> None:
        async with running(client, script, clock_offset=offset) as case:
            await result(client, case)

    run(story())
    assert abs(datetime.now(UTC) + offset - script.looks[0].at) < timedelta(minutes=1)


def test_a_poke_wakes_it_and_the_same_again_does_not(run: Run, client: Client) -> None:
    script = Script(lambda request, number: {"wake": 30 * DAY} if number < 3 else {"ended": "cured"})

    async def story() -> tuple[str, str]:
        async with running(client, script) as case:
            await idle(client, case, 1)
            await poke(client, case, 1)
            await idle(client, case, 2)
            before = (await view(client, case)).chain
            await poke(client, case, 1)
            await signals(client, case, 2)
            after = (await view(client, case)).chain
            assert len(script.looks) == 2
            await poke(client, case, 2)
            await result(client, case)
        return before, after

    before, after = run(story())
    assert before != after, "an ignored poke must leave its link in the chain"
    assert len(script.looks) == 3


def test_a_poke_that_comes_while_it_acts_is_not_lost(run: Run, client: Client) -> None:
    def look(request: StepRequest, number: int) -> dict[str, Any]:
        return {"actions": (action("k"),)} if number == 1 else {"wake": 30 * DAY}

    script = Script(look)

    async def story() -> None:
        loop = asyncio.get_running_loop()

        def act(request: ActRequest, number: int) -> ActResult:
            asyncio.run_coroutine_threadsafe(poke(client, request.case, 7), loop).result(10)
            return ActResult(requested=("k",), version=1)

        script.on_act = act
        async with running(client, script) as case:
            await idle(client, case, 2)
            assert (await view(client, case)).idle

    run(story())
    assert [r.taken is None for r in script.looks] == [True, False]


def test_asking_for_the_same_again_does_not_spin(run: Run, client: Client) -> None:
    mended = False

    def look(request: StepRequest, number: int) -> dict[str, Any]:
        return {"ended": "cured"} if mended else {"actions": (action("same"),)}

    script = Script(look)

    async def story() -> CaseView:
        nonlocal mended
        async with running(client, script) as case:
            await idle(client, case, 2)
            stuck = await view(client, case)
            mended = True
            await poke(client, case, 1)
            await result(client, case)
            return stuck

    stuck = run(story())
    assert len(script.acts) == 1
    assert stuck.problem is not None
    assert stuck.problem.type == "no-progress"
    assert stuck.problem.extra == {"keys": ["same"]}
    assert stuck.wake_at
    assert stuck.wake_at - stuck.business_now <= timedelta(minutes=15)
    assert script.troubles[0].problem == stuck.problem


def test_always_asking_for_something_new_does_not_spin(run: Run, client: Client) -> None:
    script = Script(lambda request, number: {"actions": (action(f"k{number}"),)})

    async def story() -> None:
        async with running(client, script) as case:
            await idle(client, case, driving.ROUNDS)
            assert (await view(client, case)).problem is not None

    run(story())
    assert len(script.acts) == driving.ROUNDS


def test_waking_in_the_past_does_not_spin(run: Run, client: Client) -> None:
    script = Script(lambda request, number: {"wake": -DAY})

    async def story() -> None:
        async with running(client, script) as case:
            await idle(client, case, 1)
            problem = (await view(client, case)).problem
            assert problem is not None
            assert problem.type == "wake-in-the-past"

    run(story())


def test_a_look_that_cannot_be_taken_is_told_and_tried_again(
    run: Run, client: Client, clock: SimulatedTime
) -> None:
    def look(request: StepRequest, number: int) -> dict[str, Any]:
        if number < 4:
            raise ApplicationError("no policy `sha256:policy`", type="PolicyNotFound")
        return {"ended": "cured"}

    script = Script(look)

    async def story() -> None:
        async with running(client, script) as case:
            await troubled(script, 1)
            now = await clock.now(case)
            assert not await clock.fast_forward(case, now + 3 * DAY)
            assert (await result(client, case)).ended == "cured"

    run(story())
    first, second, third = script.troubles
    assert first.problem.type == "step-failed"
    assert first.problem.extra["error"] == "PolicyNotFound"
    assert second.at - first.at >= timedelta(minutes=15)
    assert third.at - second.at >= timedelta(minutes=30)


def test_a_stale_decision_is_taken_again(run: Run, client: Client) -> None:
    def look(request: StepRequest, number: int) -> dict[str, Any]:
        return {"actions": (action("bar", severe=True),)} if number < 3 else {"ended": "cured"}

    def act(request: ActRequest, number: int) -> ActResult:
        if number == 1:
            raise ApplicationError("decided an hour ago", type="StaleAction")
        return ActResult(requested=("bar",), version=1)

    script = Script(look)
    script.on_act = act

    async def story() -> None:
        async with running(client, script) as case:
            await result(client, case)

    run(story())
    assert script.looks[1].taken == script.looks[0].taken, "what was not carried out was not taken"
    assert script.acts[1].at > script.acts[0].at


def test_decisions_that_are_always_stale_are_told(run: Run, client: Client) -> None:
    def act(request: ActRequest, number: int) -> ActResult:
        raise ApplicationError("decided an hour ago", type="StaleAction")

    script = Script(lambda request, number: {"actions": (action("bar", severe=True),)})
    script.on_act = act

    async def story() -> None:
        async with running(client, script) as case:
            await troubled(script, 1)
            await idle(client, case, 3)

    run(story())
    assert script.troubles[0].problem.type == "always-stale"


@pytest.mark.parametrize(
    "wrong",
    [
        {"case": "case/other/1"},
        {"policy": "sha256:other"},
        {"taken_before": "sha256:0"},
        {"at": "2020-01-01T00:00:00Z"},
    ],
)
def test_a_record_that_answers_something_else_stops_the_task_until_mended(
    run: Run, client: Client, wrong: dict[str, str]
) -> None:
    script = Script(lambda request, number: {"ended": "cured"} | (wrong if number == 1 else {}))

    async def story() -> None:
        async with running(client, script) as case:
            await result(client, case)
            assert await events(client, case, EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED) == 1

    run(story())


def test_long_cases_continue_anew_and_lose_no_poke(run: Run, client: Client) -> None:
    pokes = 60

    script = Script(lambda request, number: {"wake": 30 * DAY})

    async def story() -> tuple[CaseView, int]:
        async with running(client, script, run_length=2) as case:
            first = (await client.get_workflow_handle(case).describe()).run_id
            for batch in range(0, pokes, 10):
                await asyncio.gather(*(poke(client, case, n) for n in range(batch, batch + 10)))
                await idle(client, case, 2 + batch // 10)
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
        case = ids.case_id(f"T{next(_numbers)}", 1)
        async with Workers(client, script.activities, []):
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
            return [Exported(case, handle.first_execution_run_id or "", _bytes(history.events))]

    exported = run(story())
    kinds = [event.event_type for event in History.FromString(exported[0].history).events]
    extended = (EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
    shown = extended in list(itertools.pairwise(kinds))
    (audited,) = run(audited_runs(Bundle(exported, Texts({}, {}))))
    assert audited.report.closed
    assert not audited.report.findings
    if not shown:
        pytest.skip("proved, but on this machine no task outlasted its look: nothing special was shown")


def _bytes(events: Sequence[HistoryEvent]) -> bytes:
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
