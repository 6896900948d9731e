"""Reviews: a whole book graded in chunks by one durable run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response, status
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, Field
from sqlmodel import Session, col, select
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.rest.bodies import Body, Day, Id, Page, ReceivedAt, example
from api.rest.days import day_that_has_come
from api.rest.errors import Refusal
from api.rest.paging import After, cursor_of, page_of
from api.rest.routes import Prefer, received, router, wait_of
from api.storage.accounts import zones_of
from api.storage.errors import NotFound
from api.storage.tables import DecisionRow, ReviewChunkRow
from api.wiring import Wiring
from workflows import ids
from workflows.messages import ReviewChunk, ReviewRequest, ReviewResult
from workflows.ports import PolicyNotFound

_STATES: dict[WorkflowExecutionStatus, Literal["running", "done", "failed"]] = {
    WorkflowExecutionStatus.RUNNING: "running",
    WorkflowExecutionStatus.COMPLETED: "done",
}


class ReviewBody(Body):
    """Ask for a review of the whole book; the same `run` again is answered with the first one."""

    model_config = example(run="2026-06", as_of="2026-06-30")
    run: Id
    as_of: Day | None = Field(
        default=None,
        description="The day to judge by; left out: today. One that has not come is refused; as of an "
        "earlier one nobody's newer decision is replaced.",
    )
    policies: dict[str, str] = Field(
        default={}, description="Credit policy by segment; empty: the ones that the portfolio names."
    )
    received_at: ReceivedAt = None


class FailureOut(Body):
    """A customer on whom no decision could be taken."""

    customer: str
    why: str


class ReviewOut(Body):
    """A review and how far it is."""

    run: str
    workflow: str
    state: Literal["running", "done", "failed"]
    started_at: AwareDatetime
    counts: dict[str, int] = Field(description="By status and by grade, when it is done.")
    failures: list[FailureOut] = Field(description="The first customers of each chunk without a decision.")


class GradedOut(Body):
    """One customer of a review; the whole decision is at `/v1/decisions/{id}`."""

    id: str
    customer: str
    policy: str
    status: str
    outcome: dict[str, Any]
    reasons: list[str] = Field(description="Codes, the principal one first.")


def reviews_router(wiring: Wiring) -> APIRouter:
    """Return the paths of reviews."""
    api = router("grading")

    @api.post("/reviews", status_code=202, summary="Grade the whole book")
    async def start(body: ReviewBody, response: Response, prefer: Prefer = None) -> ReviewOut:
        client = _client(wiring)
        request = await run_in_threadpool(_request, wiring, body)
        try:
            handle = await _started(client, request)
            seconds = wait_of(prefer)
            if seconds is not None and await _finished(handle, seconds):
                response.headers["Preference-Applied"] = f"wait={seconds:.0f}"
            found = await _review(wiring, body.run, handle)
        except RPCError as error:
            raise _away(error) from error
        response.status_code = (
            status.HTTP_202_ACCEPTED if found.state == "running" else status.HTTP_201_CREATED
        )
        response.headers["Location"] = f"/v1/reviews/{body.run}"
        return found

    @api.get("/reviews/{run}", summary="Read how far a review is")
    async def read(run: str) -> ReviewOut:
        try:
            return await _review(wiring, run, _handle(_client(wiring), run))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise NotFound("review", run) from error
            raise _away(error) from error

    @api.get("/reviews/{run}/decisions", summary="List what a review decided, in order of customer")
    def decisions(
        run: str,
        limit: Annotated[int, Query(ge=1, le=5_000, description="How many at most.")] = 1_000,
        after: After = "",
    ) -> Page[GradedOut]:
        (cursor,) = cursor_of(after, str) or ("",)
        with wiring.database.read() as session:
            rows = page_of_run(session, run, cursor, limit)
        following = page_of(f"/v1/reviews/{run}/decisions", rows, limit, lambda row: (row.customer,))
        return Page(items=[_graded(row) for row in rows], next=following)

    return api


def _graded(row: DecisionRow) -> GradedOut:
    decision = json.loads(row.body)["decision"]
    return GradedOut(
        id=row.id, customer=row.customer, policy=row.name, status=row.status, outcome=decision["outcome"],
        reasons=[reason["code"] for reason in decision["reasons"]],
    )  # fmt: skip


def page_of_run(session: Session, run: str, after: str, limit: int) -> Sequence[DecisionRow]:
    """Return the decisions of a review after a customer, in order of customer."""
    first, end = f"{run}/{after}", f"{run}0"  # `0` is the sign after `/`
    query = select(DecisionRow).where(col(DecisionRow.request) > first, col(DecisionRow.request) < end)
    return session.exec(query.order_by(col(DecisionRow.request)).limit(limit)).all()


def _request(wiring: Wiring, body: ReviewBody) -> ReviewRequest:
    at = received(wiring, body.received_at)
    with wiring.database.read() as session:
        as_of = day_that_has_come(body.as_of, at, zones_of(session, ""))
        policies = body.policies
        if not policies:
            portfolio = wiring.library.portfolio(session, as_of)
            if portfolio is None:
                raise PolicyNotFound(f"portfolio (in force on {as_of})")
            policies = dict(portfolio.credit)
        digests = {
            segment: wiring.library.require(session, "credit", name, as_of).digest
            for segment, name in sorted(policies.items())
        }
    return ReviewRequest(run=body.run, policies=digests, as_of=as_of, at=at)


async def _started(client: Client, request: ReviewRequest) -> WorkflowHandle[object, ReviewResult]:
    with suppress(WorkflowAlreadyStartedError):  # it ran before, and is answered with what it did
        await client.start_workflow(
            ids.REVIEW,
            request,
            id=ids.review_id(request.run),
            task_queue=ids.REVIEW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
    return _handle(client, request.run)


def _handle(client: Client, run: str) -> WorkflowHandle[object, ReviewResult]:
    return client.get_workflow_handle(ids.review_id(run), result_type=ReviewResult)


async def _finished(handle: WorkflowHandle[object, ReviewResult], seconds: float) -> bool:
    try:
        await asyncio.wait_for(handle.result(), seconds)
    except TimeoutError:
        return False
    except WorkflowFailureError:
        return True
    return True


async def _review(wiring: Wiring, run: str, handle: WorkflowHandle[object, ReviewResult]) -> ReviewOut:
    found = await handle.describe()
    state = _STATES.get(found.status, "failed") if found.status else "failed"
    return ReviewOut(
        run=run,
        workflow=found.id,
        state=state,
        started_at=found.start_time,
        counts=(await handle.result()).counts if state == "done" else {},
        failures=await run_in_threadpool(_failures, wiring, run),
    )


def _failures(wiring: Wiring, run: str) -> list[FailureOut]:
    with wiring.database.read() as session:
        rows = session.exec(select(ReviewChunkRow).where(ReviewChunkRow.run == run)).all()
    chunks = [ReviewChunk.model_validate_json(row.body) for row in rows]
    return [FailureOut(customer=name, why=why) for chunk in chunks for name, why in chunk.failures]


def _client(wiring: Wiring) -> Client:
    if wiring.temporal is None:
        raise Refusal("temporal-away", "No connection to Temporal has been made yet.")
    return wiring.temporal


def _away(error: RPCError) -> Refusal:
    return Refusal("temporal-away", f"Temporal did not take the request: {error.message}.")
