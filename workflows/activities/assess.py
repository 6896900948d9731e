"""Decide on one request."""

from __future__ import annotations

from dataclasses import asdict

from temporalio import activity
from temporalio.exceptions import ApplicationError

from engine.credit.decision import Decision, Fact
from engine.credit.errors import FactsRefused
from engine.model import digest_bytes
from workflows import effects, ids
from workflows.activities.registering import current_run
from workflows.activities.texts import PolicyTexts
from workflows.messages import AssessmentRecord, AssessmentRequest
from workflows.ports import DecisionBook, Ledger
from workflows.recorded import recorded_digest, recorded_text


def _told(why: FactsRefused) -> ApplicationError:
    """Return a refusal with its problems one by one, for whoever asked; by its type it is not tried again."""
    problems = [asdict(problem) for problem in why.problems]
    return ApplicationError(str(why), *problems, type=type(why).__name__)


class Assess:
    """Gathers facts, decides and records; a request that was answered before gets the same answer."""

    def __init__(self, texts: PolicyTexts, ledger: Ledger, decisions: DecisionBook) -> None:
        self._texts = texts
        self._ledger = ledger
        self._decisions = decisions

    @activity.defn(name=effects.ASSESS)
    def assess(self, request: AssessmentRequest) -> AssessmentRecord:
        """Decide and record; the stored decision has the whole trace, the history the rows that matched."""
        try:
            return short(self._answer(request))
        except Exception as why:
            if type(why).__name__ in effects.HOPELESS:
                self._decisions.refused(request, str(why))  # whoever asked must not wait for an answer
            if isinstance(why, FactsRefused):
                raise _told(why) from None
            raise

    def _answer(self, request: AssessmentRequest) -> AssessmentRecord:
        """Return the decision that counts for the request: this one, or the one stored before."""
        try:
            # Decided before it is asked whether it was: most were not. Another attempt decides the same,
            # as the facts are those known at `request.at`.
            record, trace = self._decide(request)
        except Exception:
            stored = self._decisions.find(request.request)
            if stored is None:
                raise
        else:
            stored = self._decisions.keep(record, trace, current_run())
            if stored is record:
                return record
        _same_request(request, stored)
        return stored

    def _decide(self, request: AssessmentRequest) -> tuple[AssessmentRecord, bytes]:
        """Decide; return the record, and the text of its trace."""
        compiled = self._texts.credit(request.policy)
        facts: dict[str, Fact] = {}
        if request.customer or request.account:
            found = self._ledger.facts(
                request.customer, request.account, request.as_of, request.at, compiled.policy.currency
            )
            facts = {name: fact for name, fact in found.items() if name in compiled.policy.facts}
        decision = compiled.decide(facts | request.facts, request.as_of, trace=True)
        text = recorded_text(decision.trace)
        record = AssessmentRecord(
            id=ids.assessment_id(request.request),
            request=request.request,
            customer=request.customer,
            account=request.account,
            at=request.at,
            decision=decision,
            facts_digest=recorded_digest(decision.facts),
            trace_digest=digest_bytes(text),
            regraded_for=request.regraded_for,
        )
        return record, text


class RequestReused(Exception):
    """A request's id was used before for another question."""


def _same_request(request: AssessmentRequest, stored: AssessmentRecord) -> None:
    asked = (request.policy, request.as_of, request.customer, request.account)
    before = (stored.decision.digest, stored.decision.as_of, stored.customer, stored.account)
    if asked != before:
        raise RequestReused(
            f"The request `{request.request}` was answered before, for another policy, day or customer. "
            "Ask again under an id of its own."
        )


def trace_digest(decision: Decision) -> str:
    """Return the digest of a decision's whole trace."""
    return recorded_digest(decision.trace)


def short(record: AssessmentRecord) -> AssessmentRecord:
    """Return the record with only the rows that matched; `trace_digest` still speaks of the whole."""
    return record.model_copy(update={"decision": without_misses(record.decision)})


def without_misses(decision: Decision) -> Decision:
    """Return the decision with only the rows of its trace that matched."""
    trace = tuple(
        part.model_copy(update={"rows": tuple(row for row in part.rows if row.matched)})
        for part in decision.trace
    )
    return decision.model_copy(update={"trace": trace})
