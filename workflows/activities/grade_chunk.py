"""Grade a chunk of a book."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from temporalio import activity

from engine.credit import CreditError
from engine.credit.decision import Decision, Fact
from engine.model import Model
from workflows import effects, ids
from workflows.activities.registering import Registering
from workflows.activities.texts import PolicyTexts
from workflows.chain import running_digest
from workflows.messages import AssessmentRecord, ChunkRequest, ReviewChunk
from workflows.ports import DecisionBook, Evidence, Ledger
from workflows.recorded import recorded_digest

BATCH = 100
"""Customers between two heartbeats: one read of facts, one transaction of decisions."""
NAMED_FAILURES = 20


class Progress(Model):
    """How far a chunk is; goes out with each heartbeat, and a later attempt goes on from it."""

    last: str
    done: int = 0
    counts: dict[str, int] = {}
    inputs: str = ""
    decisions: str = ""
    failures: tuple[tuple[str, str], ...] = ()
    """The first customers that could not be decided on, each with the reason in a sentence."""


class GradeChunk:
    """Grades customers in order of id, the same again after a crash: `at` says what was known."""

    def __init__(
        self, texts: PolicyTexts, ledger: Ledger, decisions: DecisionBook, evidence: Evidence
    ) -> None:
        self._texts = texts
        self._ledger = ledger
        self._decisions = decisions
        self._runs = Registering(evidence)

    @activity.defn(name=effects.GRADE_CHUNK)
    def grade_chunk(self, request: ChunkRequest) -> ReviewChunk:
        """Grade up to `request.limit` customers after the cursor."""
        self._runs.register("review", request.at)
        progress = _resumed(request)
        while progress.done < request.limit:
            wanted = min(BATCH, request.limit - progress.done)
            customers = self._ledger.customers_after(progress.last, wanted)
            if customers:
                progress = self._grade(request, progress, customers)
                activity.heartbeat(progress)
            if len(customers) < wanted:
                break
        chunk = ReviewChunk(
            last=progress.last if progress.done else "",
            done=progress.done,
            counts=progress.counts,
            inputs_digest=progress.inputs,
            decisions_digest=progress.decisions,
            failures=progress.failures,
        )
        self._decisions.note_chunk(request.run, chunk)
        return chunk

    def _grade(
        self, request: ChunkRequest, progress: Progress, customers: Sequence[tuple[str, str]]
    ) -> Progress:
        names = [customer for customer, _ in customers]
        asked = [(customer, self._currency(request, segment)) for customer, segment in customers]
        gathered = self._ledger.facts_of(asked, request.as_of, request.at)
        counts, failures = Counter(progress.counts), list(progress.failures)
        records: list[AssessmentRecord] = []
        inputs = progress.inputs
        for (customer, segment), facts in zip(customers, gathered, strict=True):
            decided = self._decide(request, segment, facts)
            if isinstance(decided, str):
                counts["failed"] += 1
                failures.append((customer, decided))
                continue
            inputs = running_digest(inputs, [{"customer": customer, "facts": decided.facts}])
            counts[decided.status] += 1
            counts[f"grade:{decided.outcome.get('grade') or '-'}"] += 1
            records.append(_record(request, customer, decided))
        self._decisions.record(records)
        return Progress(
            last=names[-1],
            done=progress.done + len(names),
            counts=dict(sorted(counts.items())),
            inputs=inputs,
            decisions=running_digest(progress.decisions, records),
            failures=tuple(failures[:NAMED_FAILURES]),
        )

    def _currency(self, request: ChunkRequest, segment: str) -> str:
        digest = request.policies.get(segment)
        return self._texts.credit(digest).policy.currency if digest else ""

    def _decide(self, request: ChunkRequest, segment: str, facts: dict[str, Fact]) -> Decision | str:
        """Decide on one customer, or say why not: one must not hold up the others."""
        digest = request.policies.get(segment)
        if digest is None:
            return f"No policy judges the segment `{segment}`."
        compiled = self._texts.credit(digest)
        read = {name: fact for name, fact in facts.items() if name in compiled.policy.facts}
        try:
            return compiled.decide(read, request.as_of)
        except CreditError as error:
            return str(error)


def _record(request: ChunkRequest, customer: str, decision: Decision) -> AssessmentRecord:
    asked = f"{request.run}/{customer}"
    return AssessmentRecord(
        id=ids.assessment_id(asked),
        request=asked,
        customer=customer,
        account="",
        at=request.at,
        decision=decision,
        facts_digest=recorded_digest(decision.facts),
        trace_digest="",
    )


def _resumed(request: ChunkRequest) -> Progress:
    details = activity.info().heartbeat_details
    return Progress.model_validate(details[0]) if details else Progress(last=request.after)
