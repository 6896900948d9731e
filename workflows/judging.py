"""How one customer, and how a whole book, is graded."""

from __future__ import annotations

from collections import Counter

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows import effects
from workflows.history_chain import HistoryChain
from workflows.messages import (
    AssessmentRequest,
    AssessmentResult,
    ChunkRequest,
    ReviewRequest,
    ReviewResult,
)
from workflows.wrong import WrongAnswer

CHUNKS_A_RUN = 200


async def assess(request: AssessmentRequest) -> AssessmentResult:
    """Decide in one local activity; raise WrongAnswer if the record is not of this request.

    A refusal fails the workflow under the refusal's own name, with the head of the chain in its details.
    """
    chain = HistoryChain("", request)
    try:
        record = await effects.assess(request)
    except ApplicationError as refusal:
        wrong = list(refusal.details)  # with each fact, where the activity says it
        heard = {"type": refusal.type, "message": refusal.message} | ({"details": wrong} if wrong else {})
        chain.consume("refused", heard)
        raise ApplicationError(
            refusal.message, chain.head, *wrong, type=refusal.type, non_retryable=True
        ) from None
    want = (request.request, request.policy, request.as_of)
    got = (record.request, record.decision.digest, record.decision.as_of)
    if got != want:
        raise WrongAnswer(want, got)
    chain.consume("assess", record)
    return AssessmentResult(record=record, chain=chain.head)


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
