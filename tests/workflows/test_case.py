"""How a case is driven, with looks and acts that follow a script."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from api.simulated_time import SimulatedTime
from tests.workflows.conftest import Run
from tests.workflows.playing import (
    DAY,
    events,
    idle,
    poke,
    result,
    running,
    signals,
    troubled,
    view,
)
from tests.workflows.scripted import Script, action
from workflows import driving
from workflows.messages import ActRequest, ActResult, CaseResult, CaseView, StepRequest


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
