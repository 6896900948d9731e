"""What DMN has no place for, as an extension element of a model: it goes out with the tables and comes back.

The element holds one JSON text: title, dates, currency, what is said of facts, outcome, status, reasons,
promises and the reason codes of scorecards. Other tools keep extension elements and do not read them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from engine.credit.model import Answer, CreditPolicy, FactDefinition, Outcome, Regrade, Scorecard
from engine.dmn.names import MODEL
from engine.dmn.xml import Element
from engine.feel.printer import to_text
from engine.source import Span

NAMESPACE = "urn:forbear:policy:1"
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*|-?\d+(?:\.\d+)?")
TRUTHS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
"""Words that YAML, in one version or another, reads as something else than a text."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What came back with a model."""

    head: Mapping[str, str] = field(default_factory=dict)
    """By key of the policy: its value, as YAML on one line."""
    facts: Mapping[str, str] = field(default_factory=dict)
    outcome: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    promises: tuple[str, ...] = ()
    points: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    """By scorecard, characteristic and bin: the reason code."""


def element_of(policy: CreditPolicy) -> Element:
    """Return the extension element of a policy."""
    said: dict[str, Any] = {
        "head": {
            "title": dict(policy.title), "version": policy.version, "currency": policy.currency,
            "effective": {"from": str(policy.effective_from)}
            | ({"to": str(policy.effective_to)} if policy.effective_to else {}),
            **({"status": policy.status.text} if policy.status else {}),
            **({"when_no_row": _answer(policy.when_no_row)} if policy.when_no_row else {}),
            **({"when_failed": _answer(policy.when_failed)} if policy.when_failed else {}),
            **({"validity": str(policy.validity.period)} if policy.validity else {}),
            **({"regrade": _regrade(policy.regrade)} if policy.regrade else {}),
        },
        "facts": {name: _fact(fact) for name, fact in policy.facts.items()},
        "outcome": {
            **{i.name: _result(i) for i in policy.outcome},
            **({"reasons": policy.told.text} if policy.told else {}),
        },
        "reasons": {code: dict(reason.text) for code, reason in policy.reasons.items()},
        "promises": [promise.text for promise in policy.promises],
        "points": [list(point) for point in _points(policy)],
    }  # fmt: skip
    text = json.dumps(said, ensure_ascii=False)
    nowhere = Span("", 1, 1)
    inner = Element(NAMESPACE, "policy", {}, nowhere, {}, texts=[text])
    return Element(MODEL, "extensionElements", {}, nowhere, {}, children=[inner])


def _regrade(regrade: Regrade) -> dict[str, Any]:
    said: dict[str, Any] = {"on": list(regrade.on)} if regrade.on else {}
    return said | ({"after": f"{regrade.good_months} good months"} if regrade.good_months else {})


def _result(item: Outcome) -> object:
    return {"money": item.expression.text} if item.money else item.expression.text


def _points(policy: CreditPolicy) -> Iterator[tuple[str, str, str, str]]:
    for decision in policy.decisions.values():
        if isinstance(decision, Scorecard):
            for part in decision.characteristics:
                for bin_ in part.bins:
                    if bin_.reason:
                        yield (
                            decision.name,
                            to_text(part.expression.node),
                            " ".join(bin_.tests.text.split()),
                            bin_.reason,
                        )


def _fact(fact: FactDefinition) -> dict[str, Any]:
    said: dict[str, Any] = {"type": str(fact.kind)}
    said |= {"one_of": list(fact.one_of)} if fact.one_of else {}
    for key, bound in (("min", fact.minimum), ("max", fact.maximum)):
        if bound is not None:
            said[key] = f"{bound:f}" if isinstance(bound, Decimal) else str(bound)
    said |= {"optional": True} if fact.optional else {}
    said |= {"max_age": str(fact.max_age)} if fact.max_age else {}
    said |= {"verified": True} if fact.verified else {}
    for key in ("when_missing", "when_old", "when_unverified"):
        answer: Answer | None = getattr(fact, key)
        said |= {key: _answer(answer)} if answer else {}
    said |= {} if fact.changeable else {"changeable": False}
    return said | ({"label": dict(fact.label)} if fact.label else {})


def _answer(answer: Answer) -> dict[str, Any]:
    if answer.action != "default":
        return {answer.action: None, "reason": answer.reason}
    value = answer.default
    plain = f"{value:f}" if isinstance(value, Decimal) else value
    return {
        "default": plain if isinstance(plain, bool | list) else list(plain) if isinstance(plain, tuple)
        else str(plain),
        "reason": answer.reason,
    }  # fmt: skip


def carried_in(elements: tuple[Element, ...]) -> Carried | None:
    """Return what a model carries of a policy; None: nothing that can be read."""
    found = next((e for one in elements for e in one.children if e.namespace == NAMESPACE), None)
    if found is None:
        return None
    try:
        said = json.loads("".join(found.texts))
        return Carried(
            {str(key): _flow(value) for key, value in said["head"].items()},
            {str(name): _flow(value) for name, value in said["facts"].items()},
            {str(name): _flow(value) for name, value in said["outcome"].items()},
            {str(code): _flow(value) for code, value in said["reasons"].items()},
            tuple(_flow(promise) for promise in said["promises"]),
            {(str(card), str(part), str(cell)): str(code) for card, part, cell, code in said["points"]},
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _flow(value: Any) -> str:
    """Return a value of JSON as YAML on one line, with quotes where they are needed only."""
    if isinstance(value, dict):
        entries = (
            f"{_flow(str(k))}: {_flow(v)}" if v is not None else _flow(str(k)) for k, v in value.items()
        )
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    text = str(value)
    if _WORD.fullmatch(text) and text.casefold() not in TRUTHS:
        return text
    return json.dumps(text, ensure_ascii=False)
