"""Look at a case."""

from __future__ import annotations

from temporalio import activity

from engine.credit.finish import ENGINE
from engine.ladder import CollectionsPolicy, Position, Taken, open_case
from engine.ladder import Step as LadderStep
from engine.ladder import step as take_step
from engine.ladder.adopting import adopt, adopts
from engine.model import SEMANTICS
from workflows import effects
from workflows.activities.registering import Registering
from workflows.activities.texts import PolicyTexts
from workflows.messages import StepRecord, StepRequest
from workflows.ports import CaseBook, Evidence, Ledger
from workflows.recorded import recorded_digest


class Step:
    """Reads the account's position and takes a step from it; the record is what the history keeps."""

    def __init__(self, texts: PolicyTexts, ledger: Ledger, cases: CaseBook, evidence: Evidence) -> None:
        self._texts = texts
        self._ledger = ledger
        self._cases = cases
        self._runs = Registering(evidence)

    @activity.defn(name=effects.STEP)
    def step(self, request: StepRequest) -> StepRecord:
        """Look at the case at `request.at` and keep the record for lists."""
        self._runs.register("case", request.at)
        policy = self._texts.collections(request.policy)
        position = self._ledger.position(request.account, request.at, policy.regulation, policy.calendar)
        new = self._texts.successor(policy, position.account.today) if request.taken else None
        record = gone_over(policy, new, position, request) if new else look(policy, position, request)
        self._cases.note_step(record)
        return record


def look(policy: CollectionsPolicy, position: Position, request: StepRequest) -> StepRecord:
    """Take the step and write down what it was taken from; pure, so that an audit can take it again."""
    before = request.taken or opened(policy, position, request)
    step = take_step(policy, before, position, request.at)
    return _record(step, position, request, request.policy)


def gone_over(
    old: CollectionsPolicy, new: CollectionsPolicy, position: Position, request: StepRequest
) -> StepRecord:
    """Let the case go over to another text and write that down; pure, as `look` is.

    Raises ValueError if it may not go over to that text.
    """
    if request.taken is None or not adopts(old, new) or new.effective_from > position.account.today:
        raise ValueError(f"a case under `{old.digest}` does not go over to `{new.digest}`")
    step = adopt(old, new, request.taken, position, request.at)
    return _record(step, position, request, new.digest, adopted_from=request.policy)


def _record(
    step: LadderStep, position: Position, request: StepRequest, policy: str, adopted_from: str = ""
) -> StepRecord:
    return StepRecord(
        case=request.case,
        at=request.at,
        taken_before=recorded_digest(request.taken),
        policy=policy,
        law=position.law.digest,
        calendar=position.calendar.digest,
        engine=ENGINE,
        semantics=SEMANTICS,
        position=position.account,
        taken=step.taken,
        actions=step.actions,
        wake_at=step.wake_at,
        open=step.open,
        trace=step.trace,
        trace_digest=recorded_digest(step.trace),
        adopted_from=adopted_from,
    )


def opened(policy: CollectionsPolicy, position: Position, request: StepRequest) -> Taken:
    """Return the memory that the case begins with."""
    return open_case(
        policy, request.case, position, request.at, request.previous, request.item, care=request.care
    )
