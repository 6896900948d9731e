"""A decision in words: to the officer by rows and facts, to the customer by reasons and what helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import AwareDatetime, Field

from api.rest.bodies import Body
from api.rest.errors import Refusal
from engine.credit import CompiledPolicy, CreditPolicy
from engine.credit.decision import Decision, Fact, Money
from engine.credit.errors import CreditError
from engine.credit.model import FactDefinition, FactKind
from engine.credit.nearest import Paid, nearest_changes
from engine.credit.nearest_change import NearestChange
from engine.credit.wording import (
    LANGUAGES,
    change_in_words,
    day_in_words,
    label,
    reason_in_words,
    result_in_words,
)

Audience = Literal["officer", "customer"]
Ahead = Callable[[Decimal, date], dict[str, Fact]]
"""The facts of the ledger on a day, had an amount been paid on it."""
GRADE = "grade"
SHOWN = 4
"""Reasons told to a customer at most; more are not helpful (12 CFR 1002.9, comment 9(b)(2)-1)."""
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "decided": "We have decided as of {day}.", "refused": "We cannot decide as of {day}.",
        "referred": "A person will look at this, as of {day}.", "because": "The main reasons:",
        "better": "What would change it:", "row": "row {row}", "from": "from {reads}",
        "person": "You can ask that a person looks at this decision again.",
    },
    "zh": {
        "decided": "我们已按{day}的情况作出决定。", "refused": "按{day}的情况无法作出决定。",
        "referred": "按{day}的情况，将由工作人员审核。", "because": "主要原因：",
        "better": "以下变化会改变结果：", "row": "第{row}行", "from": "依据：{reads}",
        "person": "您可以要求由工作人员重新审核。",
    },
}  # fmt: skip


class FactQuality(Body):
    """The five principles of credit information, asked of one fact."""

    fact: str
    value: object = Field(examples=[14])
    source: str
    true: bool = Field(description="Verified, or the policy does not ask for that.")
    verified_by: str
    verified_at: AwareDatetime | None
    complete: bool = Field(description="It was there; false: the policy's default or answer stands for it.")
    timely: bool = Field(description="Not older than the policy allows.")
    age_days: int | None
    max_age: str = Field(description="As the policy says it; empty: any age.")
    standard: str = Field(
        description="The kind, unit and range in which it was checked; what does not fit is refused.",
        examples=["money in CNY, from 0"],
    )
    by_rule: str = Field(description="Where the policy asks for it.", examples=["policy.yaml, line 14"])


class Explanation(Body):
    """Why a decision came out as it did."""

    decision: str
    audience: Audience
    language: str
    status: Literal["decided", "refused", "referred"]
    text: list[str] = Field(description="Sentences, in their order.")
    would_change: list[str] = Field(
        description="The nearest changes of facts that lead to another result, each decided again; not what "
        "nobody can change."
    )
    facts: list[FactQuality] = Field(description="To the officer alone.")


def explanation(
    id_: str,
    decision: Decision,
    policy: CreditPolicy,
    compiled: CompiledPolicy,
    audience: Audience,
    language: str,
    ahead: Ahead | None = None,
) -> Explanation:
    """Return an explanation in one of `LANGUAGES`; `ahead` looks into the ledger of the day after."""
    words = _WORDS[language]
    try:
        paid = _paid(decision, policy, ahead) if ahead else None
        found = nearest_changes(policy, decision.facts, decision.as_of, compiled, paid)
    except CreditError:
        found = ()  # a fact is missing or unusable, and that is what the reasons say
    text = [words[decision.status].format(day=day_in_words(decision.as_of, language))]
    if audience == "officer":
        nearest = [one.told(language, policy) for one in found]
        text += _rows(decision, words)
        text += [f"{name}: {_shown(value)}" for name, value in decision.outcome.items()]
        reasons = [_in(language, r.text) or r.code for r in decision.reasons]
    else:
        nearest = [change_in_words(one, policy, language) for one in found if _helps(decision, one, policy)]
        text += [
            result_in_words(item.name, decision.outcome[item.name], policy, language)
            for item in policy.outcome
            if item.name in decision.outcome and (item.money or item.name == GRADE)
        ]
        reasons = [
            reason_in_words(_in(language, r.text) or label(r.code.lower(), language), language)
            for r in decision.reasons[:SHOWN]
        ]
    text += [words["because"], *reasons] if reasons else []
    text += [words["better"], *nearest] if nearest else []
    text += [words["person"]] if audience == "customer" else []
    facts = [_quality(d, decision, policy) for d in policy.facts.values()] if audience == "officer" else []
    return Explanation(
        decision=id_, audience=audience, language=language, status=decision.status, text=text,
        would_change=nearest, facts=facts,
    )  # fmt: skip


def language_of(asked: str, accept: str | None) -> str:
    """Return the language of an answer: the one that is asked for, else the best that is accepted.

    `accept` is an `Accept-Language` (RFC 9110, 12.5.4); ranges are looked up by their first part (RFC 4647,
    3.4). Where none of them is there the first of `LANGUAGES` is the answer, and `Content-Language` says so.
    Raises Refusal (406) for one that is asked for by name and is not there.
    """
    if asked:
        found = asked.split("-")[0].lower()
        if found not in LANGUAGES:
            there = ", ".join(f"`{one}`" for one in LANGUAGES)
            raise Refusal("not-acceptable", f"There is no explanation in `{asked[:20]}`; there are {there}.")
        return found
    ranked: list[tuple[float, str]] = []
    for part in (accept or "").split(","):
        tag, _, quality = part.strip().partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        known = LANGUAGES[0] if tag.strip() == "*" else tag.strip().split("-")[0].lower()
        if known in LANGUAGES and weight > 0:
            ranked.append((weight, known))
    return max(ranked, key=lambda one: one[0])[1] if ranked else LANGUAGES[0]


def _helps(decision: Decision, change: NearestChange, policy: CreditPolicy) -> bool:
    """Tell whether a change does not lower the first amount that the policy tells: the limit."""
    name = next((item.name for item in policy.outcome if item.money), "")
    before, after = _amount(decision.outcome.get(name)), _amount(change.decision.outcome.get(name))
    return before is None or (after is not None and after >= before)


def _amount(value: object) -> Decimal | None:
    if isinstance(value, Money):
        return value.value
    return Decimal(str(value["value"])) if isinstance(value, dict) and "value" in value else None


def _paid(decision: Decision, policy: CreditPolicy, ahead: Ahead) -> Paid:
    """Return the decision's facts on a later day: those of the ledger move on, those that were given stay."""
    then = ahead(Decimal(0), decision.as_of)
    given = {name: f for name, f in decision.facts.items() if name in then and not _same(f, then[name])}
    absent = {name: fact for name, fact in decision.facts.items() if name not in then}

    def paid(amount: Decimal, day: date) -> dict[str, Fact]:
        moved = {name: fact for name, fact in ahead(amount, day).items() if name in policy.facts}
        return absent | moved | given

    return paid


def _same(one: Fact, other: Fact) -> bool:
    return (one.value, one.source) == (other.value, other.source)


def _rows(decision: Decision, words: Mapping[str, str]) -> list[str]:
    told = []
    for part in decision.trace:
        reads = ", ".join(f"{name} = {_shown(value)}" for name, value in part.reads.items())
        rows = ", ".join(words["row"].format(row=row.row) for row in part.rows if row.matched)
        read = words["from"].format(reads=reads) if reads else ""
        why = "; ".join(piece for piece in (part.because, rows, read) if piece)
        told.append(f"{part.decision} = {_shown(part.value)}" + (f" ({why})" if why else ""))
    return told


def _standard(definition: FactDefinition, policy: CreditPolicy) -> str:
    told = definition.kind.value + (f" in {policy.currency}" if definition.kind is FactKind.MONEY else "")
    if definition.one_of:
        told += ": " + ", ".join(definition.one_of)
    told += f", from {definition.minimum}" if definition.minimum is not None else ""
    return told + (f", to {definition.maximum}" if definition.maximum is not None else "")


def _quality(definition: FactDefinition, decision: Decision, policy: CreditPolicy) -> FactQuality:
    fact = decision.facts.get(definition.name, Fact(value=None))
    answered = {part.decision: part.because for part in decision.trace if part.kind == "fact"}
    why = answered.get(definition.name, "")
    old = _is_old(definition, fact, decision.as_of)
    verified = bool(fact.verified_by)  # an instant alone says of nobody that he has looked
    missing = fact.value is None or (bool(why) and not old and (verified or not definition.verified))
    return FactQuality(
        fact=definition.name, value=_plain(fact.value), source=fact.source,
        true=verified or not definition.verified, verified_by=fact.verified_by, verified_at=fact.verified_at,
        complete=not missing or definition.optional, timely=not old,
        age_days=(decision.as_of - fact.as_of).days if fact.as_of else None,
        max_age=str(definition.max_age) if definition.max_age else "",
        standard=_standard(definition, policy),
        by_rule=f"{definition.span.file}, line {definition.span.line}",
    )  # fmt: skip


def _is_old(definition: FactDefinition, fact: Fact, as_of: date) -> bool:
    """Tell whether a fact is older than the policy allows; one without a day counts as old."""
    if definition.max_age is None or fact.value is None:
        return False
    return fact.as_of is None or fact.as_of < definition.max_age.before(as_of)


def _in(language: str, texts: Mapping[str, str]) -> str:
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "")


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | str) or value is None else str(value)


def _shown(value: object) -> str:
    """Return a value of a decision as officers write it: as in FEEL, texts without quotes."""
    if isinstance(value, Money):
        return f"{value.value} {value.unit}"
    if isinstance(value, Mapping):
        if set(value) == {"unit", "value"}:
            return f"{value['value']} {value['unit']}"
        return "{" + ", ".join(f"{name}: {_shown(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
