"""When the process says that it can do its work, and what it says else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api.wiring import Wiring
from tests.api.conftest import Build
from tests.api.rest.conftest import Serve


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
