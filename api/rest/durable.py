"""Asking Temporal for an assessment, and what its failures mean to a caller."""

from __future__ import annotations

from fastapi.concurrency import run_in_threadpool
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError

from api.rest.errors import Refusal, fact_mistakes
from api.wiring import Wiring
from engine.credit.errors import FactProblem
from workflows import ids
from workflows.messages import AssessmentRecord, AssessmentRequest, AssessmentResult

_SLUGS = {
    "PolicyNotFound": "policy-not-found",
    "PolicyUnusable": "policy-refused",
    "TextNotFound": "policy-not-found",
    "AccountNotFound": "account-not-found",
    "CustomerNotFound": "customer-not-found",
    "FactsRefused": "facts-refused",
    "EvaluationFailed": "policy-failed",
    "NoRowMatches": "policy-failed",
    "RowsCollide": "policy-failed",
}


async def assess(wiring: Wiring, request: AssessmentRequest) -> AssessmentRecord:
    """Run one assessment, or read the answer of the one that ran; raise Refusal if it failed.

    Started eagerly: the worker of this process takes it without another round over the server.
    """
    client = wiring.temporal
    if client is None:
        raise Refusal("temporal-away", "No connection to Temporal has been made yet.")
    try:
        result = await _run(client, request)
    except WorkflowFailureError as error:
        raise _refusal(error) from error
    except RPCError as error:
        raise Refusal("temporal-away", f"Temporal did not take the request: {error.message}.") from error
    record = result.record or wiring.decisions.recent(request.request)
    record = record or await run_in_threadpool(wiring.decisions.find, request.request)
    if record is None:
        raise LookupError(f"the decision `{result.id}` is not in the database")
    return record


async def _run(client: Client, request: AssessmentRequest) -> AssessmentResult:
    workflow = ids.assessment_id(request.request)
    try:
        handle = await client.start_workflow(
            ids.ASSESSMENT,
            request,
            id=workflow,
            task_queue=ids.TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            request_eager_start=True,
            result_type=AssessmentResult,
        )
    except WorkflowAlreadyStartedError:
        handle = client.get_workflow_handle(workflow, result_type=AssessmentResult)
    result: AssessmentResult = await handle.result()
    return result


def _told(slug: str, cause: ApplicationError) -> Refusal:
    told = cause.details[1:] if slug == "facts-refused" else ()  # the first is the head of the hash chain
    problems = [FactProblem(**said) for said in told]
    if problems:
        return Refusal(slug, cause.message, errors=fact_mistakes(problems))
    return Refusal(slug, cause.message)


def _refusal(error: WorkflowFailureError) -> Exception:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ApplicationError) and cause.type in _SLUGS:
            return _told(_SLUGS[cause.type], cause)
        cause = cause.__cause__
    return error
