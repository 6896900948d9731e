"""An account's run is patient with a machine that has no time to answer, and no longer than it says."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from api.demo import account_run
from api.demo.account_run import AccountRun, RunFailed, World
from api.demo.book import AccountLedger
from api.demo.client import Client
from api.demo.draws import Draws
from api.demo.network import Network
from api.simulated_time import SimulatedTime

SLOW = WorkflowQueryFailedError("[TMPRL1101] Potential deadlock detected")
LATE = RPCError("Timeout expired", RPCStatusCode.CANCELLED, b"")
GONE = RPCError("no such workflow", RPCStatusCode.NOT_FOUND, b"")


class Cases:
    """Stands in for Temporal: answers questions in turn."""

    def __init__(self, *answers: object) -> None:
        self._answers: Iterator[object] = iter(answers)

    def get_workflow_handle(self, workflow: str) -> "Cases":
        return self

    async def query(self, name: str, **how: Any) -> object:
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ask(*answers: object, patience: float = 60) -> object:
    temporal = cast("TemporalClient", Cases(*answers))
    network = Network(Draws(1), {})
    world = World(
        cast("Client", None), temporal, cast("SimulatedTime", None), network,
        datetime(2027, 1, 1, tzinfo=UTC), patience=patience,
    )  # fmt: skip
    ledger = AccountLedger("A1", "C1", "Asia/Shanghai", ())
    return asyncio.run(AccountRun(world, ledger)._view("case/A1/1"))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_run, "LONGEST_PAUSE", 0)


def test_a_question_in_vain_is_asked_again() -> None:
    assert ask(SLOW, LATE, "here") == "here"


@pytest.mark.parametrize(("answers", "patience"), [((GONE, "late"), 60.0), ((SLOW, "late"), -1.0)])
def test_a_case_that_is_gone_or_silent_for_too_long_fails_the_run(
    answers: tuple[object, ...], patience: float
) -> None:
    with pytest.raises(RunFailed, match="case/A1/1 does not answer"):
        ask(*answers, patience=patience)
