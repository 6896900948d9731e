"""From the values of all decisions to the `Decision` that is told, stored and replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from engine.credit.decision import Decision, DecisionTrace, Money, Reason
from engine.credit.errors import EvaluationFailed, NoRowMatches
from engine.credit.facts import Admitted
from engine.credit.model import Answer, CreditPolicy, Outcome
from engine.credit.values import NotTellable, amount, plain_value
from engine.feel.values import Value, show
from engine.model import SEMANTICS

ENGINE = "0.1.0"
"""The version of the engine, as each decision records it."""

Status = Literal["decided", "refused", "referred"]
STATUSES: dict[str, Status] = {"decided": "decided", "refused": "refused", "referred": "referred"}
_AFTER: dict[str, Status] = {"refuse": "refused", "refer": "referred"}


@dataclass(frozen=True, slots=True)
class Results:
    """What the expressions at the end of a policy are worth."""

    reasons: Mapping[str, str]
    """Every reason code with the decision that gave it, as `collected` orders them."""
    outcome: Sequence[Value]
    """In the order of the policy's outcome names."""
    status: Value = "decided"
    told: Value = None
    """The chosen reason codes, if the policy chooses."""


def collected(
    policy: CreditPolicy, by_decision: Mapping[str, Sequence[str]], defaulted: Sequence[tuple[str, str]]
) -> dict[str, str]:
    """Return every reason code once, with where it comes from, the most important first.

    Decisions come in the author's order, rows in the order of the table, bins by points lost; defaults
    of facts come last.
    """
    found: dict[str, str] = {}
    for name in policy.decisions:
        for code in by_decision.get(name, ()):
            found.setdefault(code, name)
    for code, fact in defaulted:
        found.setdefault(code, fact)
    return found


def finish(
    policy: CreditPolicy, admitted: Admitted, results: Results, as_of: date,
    trace: tuple[DecisionTrace, ...] = (),
) -> Decision:  # fmt: skip
    """Return the decision once everything has its value; raises EvaluationFailed if one cannot be told."""
    status, values, codes = told(policy, results)
    outcome = {
        item.name: Money(unit=policy.currency, value=value) if item.money else value
        for item, value in zip(policy.outcome, values, strict=True)
    }
    reasons = tuple(reason(policy, code, source) for code, source in codes.items())
    return _decision(policy, admitted, as_of, status, outcome, reasons, trace)


def told(policy: CreditPolicy, results: Results) -> tuple[Status, list[Any], Mapping[str, str]]:
    """Return status, outcome (amounts without their currency) and reason codes with where they come from.

    Raises EvaluationFailed if one of them cannot be told.
    """
    values = [_told(item, value) for item, value in zip(policy.outcome, results.outcome, strict=True)]
    codes = results.reasons
    if policy.told is not None:
        codes = {code: codes.get(code, "reasons") for code in _chosen(policy, results.told)}
    return _status(policy, results.status), values, codes


def _told(item: Outcome, value: Value) -> Any:
    try:
        return amount(value) if item.money else plain_value(value)
    except NotTellable as wrong:
        raise EvaluationFailed(item.name, item.expression.span, str(wrong)) from None


def _status(policy: CreditPolicy, value: Value) -> Status:
    if policy.status is None:
        return "decided"
    if not isinstance(value, str) or value not in STATUSES:
        why = f'the status is {show(value):.80}; it can be "decided", "refused" or "referred"'
        raise EvaluationFailed("status", policy.status.span, why)
    return STATUSES[value]


def _chosen(policy: CreditPolicy, value: Value) -> list[str]:
    assert policy.told is not None
    if not isinstance(value, list) or not all(isinstance(c, str) and c in policy.reasons for c in value):
        why = f"the reasons are {show(value):.80}; they must be a list of codes that have a text"
        raise EvaluationFailed("reasons", policy.told.span, why)
    return list(dict.fromkeys(str(code) for code in value))


def reason(policy: CreditPolicy, code: str, source: str) -> Reason:
    """Return a reason with its texts."""
    return Reason(code=code, decision=source, text=dict(policy.reasons[code].text))


def blank(policy: CreditPolicy, as_of: date) -> Decision:
    """Return a decision without facts, outcome and reasons: what all of a policy on a day have in common."""
    return _decision(policy, Admitted(), as_of, "decided", {}, (), ())


def stopped(
    policy: CreditPolicy, admitted: Admitted, as_of: date, trace: tuple[DecisionTrace, ...] = ()
) -> Decision:  # fmt: skip
    """Return the decision when the quality of the facts stops it: refused if any answer refuses."""
    answers = sorted(admitted.stopped, key=lambda pair: pair[0].action != "refuse")
    status = _AFTER[answers[0][0].action]
    codes: dict[str, str] = {}
    for answer, fact in answers:
        codes.setdefault(answer.reason, fact)
    reasons = tuple(reason(policy, code, fact) for code, fact in codes.items())
    return _decision(policy, admitted, as_of, status, {}, reasons, trace)


def unanswered(
    policy: CreditPolicy, admitted: Admitted, failure: EvaluationFailed, as_of: date,
    trace: tuple[DecisionTrace, ...] = (),
) -> Decision:  # fmt: skip
    """Return what the policy says when it has no answer; raises the failure when it says nothing."""
    answer: Answer | None = policy.when_failed
    if isinstance(failure, NoRowMatches) and policy.when_no_row is not None:
        answer = policy.when_no_row
    if answer is None:
        raise failure
    reasons = (reason(policy, answer.reason, failure.decision),)
    return _decision(policy, admitted, as_of, _AFTER[answer.action], {}, reasons, trace)


def _decision(
    policy: CreditPolicy, admitted: Admitted, as_of: date, status: Status, outcome: dict[str, Any],
    reasons: tuple[Reason, ...], trace: tuple[DecisionTrace, ...],
) -> Decision:  # fmt: skip
    return Decision(
        policy=policy.name, version=policy.version, digest=policy.digest, semantics=SEMANTICS,
        engine=ENGINE, as_of=as_of, status=status, outcome=outcome, reasons=reasons, facts=admitted.recorded,
        trace=trace, valid_until=policy.valid_until(as_of),
    )  # fmt: skip
