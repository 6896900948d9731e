"""Every decision in a history, taken again from the recorded facts and the texts of the recorded digests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import DecimalException
from typing import Any

from engine.credit import CreditError, Fact, decide
from engine.errata import erratum_between
from engine.ladder import Position
from engine.model import canonical
from workflows import effects
from workflows.activities.assess import trace_digest, without_misses
from workflows.activities.step import gone_over, look
from workflows.audit.diff import json_differences
from workflows.audit.report import AGREES, DIFFERS, Verdict
from workflows.audit.texts import Texts, TextWrong
from workflows.audit.values import Effect
from workflows.messages import AssessmentRecord, AssessmentRequest, StepRecord, StepRequest
from workflows.recorded import plain, recorded_digest

OWN_VERSION = ("engine", "semantics")
"""Who took the decision, not what was decided."""


def step_again(effect: Effect, texts: Texts, where: str) -> Verdict:
    """Take a step again."""
    asked, record = effect.request, effect.result
    assert isinstance(asked, StepRequest)
    assert isinstance(record, StepRecord)
    try:
        policy = texts.collections(record.policy)
        position = Position(record.position, texts.law(record.law), texts.calendar(record.calendar))
        request = asked.model_copy(update={"at": record.at})
        if record.adopted_from:
            again = gone_over(texts.collections(record.adopted_from), policy, position, request)
        else:
            again = look(policy, position, request)
    except (TextWrong, LookupError, ValueError, DecimalException) as error:
        return Verdict(where, "step", DIFFERS, (f"it cannot be taken again: {error}",))
    return compared(where, "step", record, again, record.semantics)


def assessment_again(effect: Effect, texts: Texts, where: str) -> Verdict:
    """Take an assessment again, from the facts that it read."""
    asked, record = effect.request, effect.result
    assert isinstance(asked, AssessmentRequest)
    assert isinstance(record, AssessmentRecord)
    named = (asked.request, asked.customer, asked.account, asked.policy, asked.as_of)
    decided = record.decision
    if named != (record.request, record.customer, record.account, decided.digest, decided.as_of):
        return Verdict(where, "assessment", DIFFERS, ("it is of another request",))
    return record_again(record, texts, where, asked.facts)


def record_again(
    record: AssessmentRecord, texts: Texts, where: str, given: Mapping[str, Fact] | None = None
) -> Verdict:
    """Take a recorded decision again; a record without a trace was taken by the fast machine.

    Facts that the caller had given are taken from there: they must come out as they stand in the record.
    """
    facts = {**record.decision.facts, **(given or {})}
    traced = bool(record.trace_digest)
    try:
        policy = texts.credit(record.decision.digest)
        again = decide(policy, facts, record.decision.as_of, trace=traced)
    except (TextWrong, CreditError, LookupError, ValueError, DecimalException) as error:
        return Verdict(where, "assessment", DIFFERS, (f"it cannot be taken again: {error}",))
    recomputed = record.model_copy(
        update={
            "decision": without_misses(again),
            "facts_digest": recorded_digest(again.facts),
            "trace_digest": trace_digest(again) if traced else "",
        }
    )
    short = record.model_copy(update={"decision": without_misses(record.decision)})
    return compared(where, "assessment", short, recomputed, record.decision.semantics)


def acted_as_decided(made: list[Effect]) -> Iterator[tuple[int, str]]:
    """Yield what was carried out without having been decided, or with another state than the decision's."""
    last: StepRecord | None = None
    before: Any = None
    for effect in made:
        if effect.name == effects.STEP and effect.result is not None:
            last, before = effect.result, effect.request.taken
        elif effect.name == effects.ACT and effect.request is not None:
            asked = effect.request
            if last is None:
                yield effect.event, "something is carried out before anything was decided"
                continue
            for name, value, decided in (
                ("actions", asked.actions, last.actions),
                ("taken", asked.taken, last.taken),
                ("taken_before", asked.taken_before, before),
                ("at", asked.at, last.at),
                ("policy", asked.policy, last.policy),
            ):
                if value != decided:
                    yield effect.event, f"`{name}` of what is carried out is not what was decided"


def compared(where: str, kind: Any, recorded: Any, again: Any, semantics: int) -> Verdict:
    """Return the verdict on a record that was taken again: it agrees, differs by an erratum, or differs."""
    left, right = _bare(recorded), _bare(again)
    if canonical(left) == canonical(right):
        return Verdict(where, kind, AGREES)
    erratum = erratum_between(semantics)
    said = tuple(json_differences(left, right))
    return Verdict(where, kind, f"differs by erratum {erratum.number}" if erratum else DIFFERS, said)


def _bare(record: Any) -> dict[str, Any]:
    bare: dict[str, Any] = plain(record)
    for part in (bare, bare.get("decision", {})):
        for name in OWN_VERSION:
            part.pop(name, None)
    return bare
