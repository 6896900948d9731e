"""How a case is driven from one wait to the next."""

from __future__ import annotations

from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    is_cancelled_exception,
)

from workflows import effects
from workflows.case_state import CaseState
from workflows.messages import ActRequest, CaseResult, Problem, StepRecord
from workflows.waiting import Woken, for_news_or_time

STALE_LOOKS = 3
ROUNDS = 30
"""Looks in a row that each ask for something new; no ladder is so long."""


class _Stuck(Exception):
    """The case cannot go on until a person, news or time changes something."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


async def look_and_act(state: CaseState) -> CaseResult | None:
    """Look and act until a look asks for nothing new; return the result if the case has ended."""
    state.idle = False
    try:
        record = await _until_nothing_new(state)
    except _Stuck as stuck:
        await effects.trouble(state.stumble(stuck.problem))
        return None
    if record.open:
        state.settle(record)
        return None
    state.settle(record)
    await effects.close(state.close_request(record))
    state.consume("close", None)
    return state.result(record)


async def wait(state: CaseState) -> None:
    """Wait for news or for the next instant on which something can change."""
    state.idle = True
    woken = await for_news_or_time(lambda: state.news, state.longest_wait(), state.chain)
    if woken is Woken.TIME:
        state.consume("timer", None)


async def _until_nothing_new(state: CaseState) -> StepRecord:
    asked: set[str] = set()
    stale = 0
    for _ in range(ROUNDS):
        state.news = False
        record = await _look(state)
        if record.adopted_from:
            state.go_over(record)
            continue
        if not record.actions:
            _check_wake(record)
            return record
        keys = {action.key for action in record.actions}
        if keys <= asked:
            raise _Stuck(_no_progress(keys))
        if await _act(state, state.act_request(record)):
            asked |= keys
            continue
        stale += 1
        if stale == STALE_LOOKS:
            raise _Stuck(_always_stale(keys))
    raise _Stuck(_no_progress(asked))


async def _look(state: CaseState) -> StepRecord:
    request = state.step_request()
    try:
        record = await effects.step(request)
    except FailureError as error:
        raise _Stuck(_failed("step-failed", error)) from error
    state.take_record(request, record)
    return record


async def _act(state: CaseState, request: ActRequest) -> bool:
    """Carry out; False if the decision had grown stale and must be taken again."""
    try:
        result = await effects.act(request)
    except FailureError as error:
        problem = _failed("act-failed", error)
        if problem.extra["error"] not in (effects.STALE, "TimeoutError"):
            raise _Stuck(problem) from error
        state.consume("stale", problem)
        return False
    state.take_result(request, result)
    return True


def _failed(kind: str, error: FailureError) -> Problem:
    if is_cancelled_exception(error):
        raise error
    # A local activity's failure comes as it is, an ordinary one's inside an ActivityError.
    cause = error.cause if isinstance(error, ActivityError) else error
    name = (cause.type if isinstance(cause, ApplicationError) else None) or type(cause).__name__
    said = getattr(cause, "message", "") or str(cause)
    return Problem(type=kind, detail=f"{name}: {said}", extra={"error": name})


def _no_progress(keys: set[str]) -> Problem:
    detail = "The step asks again for what it asked for a moment ago, so the case would spin."
    return Problem(type="no-progress", detail=detail, extra={"keys": sorted(keys)})


def _always_stale(keys: set[str]) -> Problem:
    detail = (
        f"{STALE_LOOKS} decisions in a row were too old when they came to be carried out; "
        "is the worker far behind, or are its clock and Temporal's apart?"
    )
    return Problem(type="always-stale", detail=detail, extra={"keys": sorted(keys)})


def _check_wake(record: StepRecord) -> None:
    if record.open and record.wake_at is not None and record.wake_at <= record.at:
        detail = f"The step at {record.at.isoformat()} asks to be woken at {record.wake_at.isoformat()}."
        raise _Stuck(Problem(type="wake-in-the-past", detail=detail))
