"""When the process says that it can do its work, and what it says else."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from api.serving import _task
from api.wiring import Wiring
from tests.api.conftest import Build
from tests.api.rest.conftest import Serve
from tests.api.scenes import in_arrears, local
from workflows.messages import TroubleNote

AT = local("2026-03-21 09:00")


@pytest.mark.parametrize(
    ("simulated", "days", "warned"), [(False, 299, 0), (False, 301, 1), (True, 9_999, 0)]
)
def test_a_run_that_temporal_will_forget_is_told(
    builder: Build, serve: Serve, simulated: bool, days: int, warned: int
) -> None:
    wiring: Wiring = builder(simulated=simulated)
    begun = wiring.clock.now() - timedelta(days=days)
    wiring.evidence.register("case/A1/1", "run-1", "ArrearsCase", begun)
    answer = serve(wiring).get("/ready").json()
    assert sum("will soon forget it" in why for why in answer["why"]) == warned


def test_cases_that_cannot_go_on_are_counted(lite: Wiring, serve: Serve) -> None:
    driver = in_arrears(lite)
    problem = {"type": "calendar-missing", "detail": "the calendar of 2027 is missing"}
    note = TroubleNote.model_validate(
        {"case": driver.case, "account": "A1", "problem": problem, "at": AT, "again_at": AT, "chain": "c"}
    )
    lite.cases.note_trouble(note)
    api = serve(lite)
    said = api.get("/ready").json()
    assert said["troubled_cases"] == 1
    assert any("1 case cannot go on" in told for told in said["told"])
    (case,) = api.get("/v1/cases?troubled=true").json()["items"]
    assert case["trouble"] == "the calendar of 2027 is missing"


def test_work_that_ends_beside_the_service_makes_it_unready(lite: Wiring, serve: Serve) -> None:
    async def run() -> None:
        async def fails() -> None:
            raise OSError("no space left on device")

        async with _task(lite, fails(), "export"):
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    asyncio.run(run())
    answer = serve(lite).get("/ready")
    assert answer.status_code == 503
    assert "The export of histories has ended: OSError. Start this process again." in answer.json()["why"]


def test_work_that_is_ended_with_the_service_is_no_trouble(lite: Wiring) -> None:
    async def run() -> None:
        async with _task(lite, asyncio.sleep(60), "relay"):
            await asyncio.sleep(0)

    asyncio.run(run())
    assert lite.ended == {}


def test_a_receiver_that_wants_nothing_more_is_told(lite: Wiring, serve: Serve) -> None:
    api = serve(lite)
    assert api.get("/ready").json()["told"] == []
    lite.stopped.stop(AT)
    (told,) = api.get("/ready").json()["told"]
    assert "410 Gone at 2026-03-21T" in told
    assert "`POST /v1/webhook/resume`" in told
    lite.stopped.resume()
    assert api.get("/ready").json()["told"] == []
