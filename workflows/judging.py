"""How one customer, and how a whole book, is graded."""

from __future__ import annotations

import json
from collections import Counter

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from engine.model import digest_bytes
from workflows import effects
from workflows.history_chain import HistoryChain
from workflows.messages import (
    NAMED,
    AssessmentRequest,
    AssessmentResult,
    ChunkRequest,
    ReviewRequest,
    ReviewResult,
)
from workflows.wrong import WrongAnswer

CHUNKS_A_RUN = 200


async def assess(asked: RawValue) -> AssessmentResult:
    """Decide in one local activity; raise WrongAnswer if the record is not of this request.

    A refusal fails the workflow under the refusal's own name, with the head of the chain in its details.
    """
    said = json.loads(asked.payload.data)
    if said.get("form") != NAMED:
        return await _assess_whole(
            workflow.payload_converter().from_payload(asked.payload, AssessmentRequest)
        )
    chain = HistoryChain("", digest_bytes(asked.payload.data))
    try:
        found = await effects.assess_as_written(asked)
    except ApplicationError as refusal:
        raise _refused(chain, refusal) from None
    record = json.loads(found.payload.data)
    want = (said["request"], said["policy"], said["as_of"])
    got = (record["request"], record["decision"]["digest"], record["decision"]["as_of"])
    if got != want:
        raise WrongAnswer(want, got)
    chain.consume("assess", digest_bytes(found.payload.data))
    return AssessmentResult(id=record["id"], chain=chain.head)


async def _assess_whole(request: AssessmentRequest) -> AssessmentResult:
    """Do the same in the first form, which histories hold."""
    chain = HistoryChain("", request)
    try:
        record = await effects.assess(request)
    except ApplicationError as refusal:
        raise _refused(chain, refusal) from None
    want = (request.request, request.policy, request.as_of)
    got = (record.request, record.decision.digest, record.decision.as_of)
    if got != want:
        raise WrongAnswer(want, got)
    chain.consume("assess", record)
    return AssessmentResult(record=record, chain=chain.head)


def _refused(chain: HistoryChain, refusal: ApplicationError) -> ApplicationError:
    wrong = list(refusal.details)  # with each fact, where the activity says it
    heard = {"type": refusal.type, "message": refusal.message} | ({"details": wrong} if wrong else {})
    chain.consume("refused", heard)
    return ApplicationError(refusal.message, chain.head, *wrong, type=refusal.type, non_retryable=True)


async def review(request: ReviewRequest) -> ReviewResult | ReviewRequest:
    """Grade chunk after chunk; return the result, or the input of the run that goes on."""
    chain = HistoryChain(request.chain, request)
    counts = Counter(request.counts)
    after = request.after
    for _ in range(CHUNKS_A_RUN):
        chunk = await effects.grade_chunk(_chunk_request(request, after, chain.head))
        chain.consume("chunk", chunk)
        counts.update(chunk.counts)
        if chunk.done < request.chunk:
            return ReviewResult(counts=_sorted(counts), chain=chain.head)
        if chunk.last <= after:
            raise WrongAnswer(f"a customer after {after}", chunk.last)
        after = chunk.last
        if workflow.info().is_continue_as_new_suggested():
            break
    return request.model_copy(update={"after": after, "counts": _sorted(counts), "chain": chain.head})


def _chunk_request(request: ReviewRequest, after: str, chain: str) -> ChunkRequest:
    return ChunkRequest(
        run=request.run,
        policies=request.policies,
        as_of=request.as_of,
        at=request.at,
        after=after,
        limit=request.chunk,
        chain=chain,
    )


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
