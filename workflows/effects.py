"""Every effect a workflow can ask for: its name, how long it may take, how often it is tried again.

The activities themselves are in `workflows/activities/`, one file each. Workflows call them by name, so
that a workflow's file, which Temporal's sandbox reads again for every run, imports none of them.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy

from workflows.messages import (
    ActRequest,
    ActResult,
    AssessmentRecord,
    AssessmentRequest,
    ChunkRequest,
    CloseRequest,
    PageRequest,
    PageResult,
    ReviewChunk,
    StepRecord,
    StepRequest,
    TroubleNote,
)

STEP = "step"
ACT = "act"
CLOSE = "close"
TROUBLE = "trouble"
ASSESS = "assess"
GRADE_CHUNK = "grade_chunk"
OPEN_DUE = "open_due"

HOPELESS = [
    "PolicyNotFound", "PolicyUnusable", "PolicyRefused", "TextNotFound", "AccountNotFound",
    "CustomerNotFound", "NotFound", "DayNotCovered", "FactsRefused", "EvaluationFailed",
    "NoRowMatches", "RowsCollide", "RequestReused",
]  # fmt: skip
"""Errors that do not go away by trying again; a person has to do something first."""
STALE = "StaleAction"
"""A severe action was decided too long ago to be carried out: look again."""

_QUICK = RetryPolicy(
    initial_interval=timedelta(milliseconds=100),
    maximum_interval=timedelta(seconds=5),
    maximum_attempts=5,
    non_retryable_error_types=HOPELESS,
)
_STEADY = RetryPolicy(  # about a minute: a database that is started again holds up no case for longer
    initial_interval=timedelta(milliseconds=100),
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=12,
    non_retryable_error_types=HOPELESS,
)
_ASSESSING = timedelta(seconds=30)
_PATIENT = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(minutes=1))


async def step(request: StepRequest) -> StepRecord:
    """Look at a case once: a local activity, whose result stands in the history."""
    result: StepRecord = await workflow.execute_local_activity(
        STEP,
        request,
        result_type=StepRecord,
        start_to_close_timeout=timedelta(seconds=30),
        retry_policy=_STEADY,
    )
    return result


async def act(request: ActRequest) -> ActResult:
    """Carry out the actions of a step.

    An ordinary activity: its input is recorded and its attempts are counted. It is given up after nine
    minutes, because what was decided ten minutes ago must be decided anew before anything severe.
    """
    result: ActResult = await workflow.execute_activity(
        ACT,
        request,
        result_type=ActResult,
        start_to_close_timeout=timedelta(minutes=1),
        schedule_to_close_timeout=timedelta(minutes=9),
        heartbeat_timeout=timedelta(seconds=5),
        retry_policy=RetryPolicy(
            initial_interval=timedelta(milliseconds=200),
            maximum_interval=timedelta(seconds=30),
            non_retryable_error_types=[*HOPELESS, STALE],
        ),
        summary=", ".join(a.key for a in request.actions)[:200],
    )
    return result


async def close(request: CloseRequest) -> None:
    """Say that a case has ended; tried until it is said."""
    await workflow.execute_activity(
        CLOSE, request, start_to_close_timeout=timedelta(minutes=1), retry_policy=_PATIENT
    )


async def trouble(note: TroubleNote) -> None:
    """Tell the operators that a case cannot go on; tried until it is told."""
    await workflow.execute_activity(
        TROUBLE,
        note,
        start_to_close_timeout=timedelta(minutes=1),
        retry_policy=_PATIENT,
        summary=note.problem.type,
    )


async def assess(request: AssessmentRequest) -> AssessmentRecord:
    """Decide and record a grade, once for each request."""
    result: AssessmentRecord = await workflow.execute_local_activity(
        ASSESS,
        request,
        result_type=AssessmentRecord,
        start_to_close_timeout=_ASSESSING,
        retry_policy=_QUICK,
    )
    return result


async def assess_as_written(request: RawValue) -> RawValue:
    """Do the same, without reading what passes through."""
    result: RawValue = await workflow.execute_local_activity(
        ASSESS,
        request,
        result_type=RawValue,
        start_to_close_timeout=_ASSESSING,
        retry_policy=_QUICK,
    )
    return result


async def grade_chunk(request: ChunkRequest) -> ReviewChunk:
    """Grade one chunk of a book; heartbeats its cursor and takes up from it after a crash."""
    result: ReviewChunk = await workflow.execute_activity(
        GRADE_CHUNK,
        request,
        result_type=ReviewChunk,
        start_to_close_timeout=timedelta(minutes=30),
        heartbeat_timeout=timedelta(seconds=30),
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=1),
            maximum_interval=timedelta(minutes=5),
            non_retryable_error_types=HOPELESS,
        ),
        summary=f"after {request.after or 'the beginning'}",
    )
    return result


async def open_due(request: PageRequest) -> PageResult:
    """Open the cases of one page of due accounts."""
    result: PageResult = await workflow.execute_activity(
        OPEN_DUE,
        request,
        result_type=PageResult,
        start_to_close_timeout=timedelta(minutes=10),
        heartbeat_timeout=timedelta(seconds=30),
        retry_policy=_PATIENT,
        summary=f"after {request.after or 'the beginning'}",
    )
    return result
