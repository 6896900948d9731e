"""The facts of one customer at the door of a policy: type, range, age, and who has verified them.

What is wrong with the facts themselves is collected and refused in one exception. What is missing,
too old or unverified is answered as the policy says: refuse, refer to a person, or a default with a
reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from engine.credit.decision import Fact, Money
from engine.credit.errors import FactProblem, FactsRefused
from engine.credit.facts_from_yaml import out_of_range
from engine.credit.model import Answer, CreditPolicy, FactDefinition, FactKind, FactValue
from engine.credit.values import amount_of, one_form
from engine.feel.values import show, to_feel
from engine.text import did_you_mean
from engine.text.currency import decimals

FROM_POLICY = "forbear:when_missing"
"""The source of a fact that was not given and has the policy's default; given again, it counts as missing."""

_TOO_LARGE: int = 10**34
_NUMBER = re.compile(r"-?\d{1,34}(?:\.\d{1,34})?")


class _Wrong(ValueError):
    """The value is not of the fact's kind; the message says how, the advice what to send."""

    def __init__(self, why: str, advice: str = "", code: str = "wrong-type") -> None:
        super().__init__(why)
        self.why, self.advice, self.code = why, advice, code


@dataclass(slots=True)
class Admitted:
    """The facts that got through: what expressions see, what is recorded, what the policy answered."""

    values: dict[str, FactValue] = field(default_factory=dict)
    recorded: dict[str, Fact] = field(default_factory=dict)
    defaulted: list[tuple[str, str]] = field(default_factory=list)
    """(reason code, fact) for each default that was used."""
    stopped: list[tuple[Answer, str]] = field(default_factory=list)
    """(answer, fact) for each fact for which the policy refuses or refers."""
    answered: list[tuple[str, str]] = field(default_factory=list)
    """(fact, why in words) for each fact that the policy answers instead of reading it."""


def admit(policy: CreditPolicy, facts: Mapping[str, Fact], as_of: date) -> Admitted:
    """Check every fact that the policy reads; raises FactsRefused with all that is wrong."""
    problems = list(_unknown(policy, facts))
    admitted = Admitted()
    for name, definition in policy.facts.items():
        try:
            admit_one(policy, definition, facts.get(name), as_of, admitted)
        except _Wrong as wrong:
            problems.append(FactProblem(f"/{name}", wrong.code, f"`{name}` {wrong.why}", wrong.advice))
    if problems:
        raise FactsRefused(policy.name, problems)
    return admitted


def _unknown(policy: CreditPolicy, facts: Mapping[str, Fact]) -> Iterator[FactProblem]:
    for name in facts:
        if name not in policy.facts:
            pointer = "/" + str(name).replace("~", "~0").replace("/", "~1")
            advice = did_you_mean(str(name), policy.facts, of="facts")
            yield FactProblem(pointer, "unknown-fact", f"the policy reads no fact `{name}`", advice)


def admit_one(
    policy: CreditPolicy, definition: FactDefinition, fact: Fact | None, as_of: date, admitted: Admitted
) -> None:
    """Check one fact and add what becomes of it; raises ValueError for what is wrong with it."""
    name = definition.name
    if fact is None or fact.value is None or fact.source == FROM_POLICY:
        _missing(definition, as_of, admitted)
        return
    value = fact_value(definition, fact.value, policy.currency)
    if wrong := out_of_range(definition, value):
        raise _Wrong(wrong, code="out-of-range")
    if fact.as_of is not None and fact.as_of > as_of:
        raise _Wrong(f"is of {fact.as_of}, after the day of the decision, {as_of}", code="from-the-future")
    admitted.recorded[name] = fact if value is fact.value else fact.model_copy(update={"value": value})
    answer, why = _quality(definition, fact, as_of)
    admitted.values[name] = value
    if answer is not None:
        _apply(answer, name, admitted, why)


def _missing(definition: FactDefinition, as_of: date, admitted: Admitted) -> None:
    name, answer = definition.name, definition.when_missing
    admitted.values[name] = None
    if answer is None:
        if not definition.optional:
            raise _Wrong("is missing", f"send `{name}` ({described(definition)})", "missing")
        return
    _apply(answer, name, admitted, "it is missing")
    if answer.action == "default":
        admitted.recorded[name] = Fact(value=answer.default, as_of=as_of, source=FROM_POLICY)


def _quality(definition: FactDefinition, fact: Fact, as_of: date) -> tuple[Answer | None, str]:
    """Return the policy's answer when a fact that was given is too old, or nobody has verified it, and why.

    A fact without a day has no age, and cannot be shown to be young enough: it counts as too old.
    """
    age = definition.max_age
    if age is not None and (fact.as_of is None or fact.as_of < age.before(as_of)):
        why = f"it is of {fact.as_of}, older than {age}"
        if fact.as_of is None:
            why = f"it has no `as_of`, so that nobody can tell whether it is older than {age}"
        return definition.when_old or definition.when_missing, why
    if definition.verified and not fact.verified_by:
        return definition.when_unverified or definition.when_missing, "nobody has verified it"
    return None, ""


def _apply(answer: Answer, name: str, admitted: Admitted, why: str) -> None:
    then = {"default": "the policy's default is taken", "refuse": "the policy refuses"}
    done = then.get(answer.action, "the policy refers to a person")
    admitted.answered.append((name, f"{why}: {done}, reason {answer.reason}"))
    if answer.action == "default":
        admitted.values[name] = answer.default
        admitted.defaulted.append((answer.reason, name))
    else:
        admitted.values[name] = None
        admitted.stopped.append((answer, name))


def refused(definition: FactDefinition, value: FactValue, currency: str) -> tuple[str, str] | None:
    """Return why a policy refuses a value of a fact, and what to do; None: it takes it."""
    try:
        found = fact_value(definition, value, currency)
    except _Wrong as wrong:
        return wrong.why, wrong.advice
    if why := out_of_range(definition, found):
        return why, f"write {described(definition)}"
    return None


def described(definition: FactDefinition) -> str:
    """Return what a fact must be, in words: `integer, at least 0`."""
    parts = [str(definition.kind)]
    if definition.one_of:
        parts.append(f"one of {', '.join(definition.one_of)}")
    if definition.minimum is not None:
        parts.append(f"at least {definition.minimum}")
    if definition.maximum is not None:
        parts.append(f"at most {definition.maximum}")
    return ", ".join(parts)


def fact_value(definition: FactDefinition, value: Any, currency: str) -> FactValue:
    """Return a caller's value as the fact's kind has it; raises ValueError when it is of another kind."""
    if isinstance(value, float):
        raise _Wrong(f"is the binary float {value!r}", 'send decimals as text: `"12.50"`', "float")
    match definition.kind, value:
        case (FactKind.BOOLEAN, bool()) | (FactKind.STRING, str()):
            return value  # type: ignore[no-any-return]  # the two patterns say what it is
        case (FactKind.INTEGER, int() | Decimal()) if not isinstance(value, bool):
            return _integer(value)
        case (FactKind.DECIMAL, int() | Decimal() | str()) if not isinstance(value, bool):
            return one_form(_number(value))
        case FactKind.MONEY, _:
            return _money(value, currency)
        case FactKind.DATE, _:
            return _date(value)
        case FactKind.STRINGS, list() | tuple() if all(isinstance(item, str) for item in value):
            return tuple(value)
    raise _Wrong(f"is {_shown(value)}, not {_article(definition.kind)}", f"send {described(definition)}")


def _integer(value: int | Decimal) -> int:
    if isinstance(value, Decimal) and (not value.is_finite() or value != value.to_integral_value()):
        raise _Wrong(f"is {value}, not a whole number")
    number = int(value)
    if abs(number) >= _TOO_LARGE:
        raise _Wrong("has more than 34 digits", code="out-of-range")
    return number


def _number(value: int | Decimal | str) -> Decimal:
    if isinstance(value, str) and not (_NUMBER.fullmatch(value) and value.isascii()):
        raise _Wrong(f"is {_shown(value)}, not a number", 'send digits and one point: `"1250.00"`')
    if isinstance(value, int) and abs(value) >= _TOO_LARGE:
        raise _Wrong("has more than 34 digits", code="out-of-range")
    number = Decimal(value)
    if not number.is_finite():
        raise _Wrong(f"is {number}, not a number")
    if len(number.as_tuple().digits) > 34 or abs(number.adjusted()) > 34:
        raise _Wrong("has more than 34 digits", code="out-of-range")
    return number


def _money(value: Any, currency: str) -> Decimal:
    match value:
        case Money(unit=unit, value=amount) | {"unit": unit, "value": amount}:
            if unit != currency:
                advice = "convert it before, by a rate that you can show"
                raise _Wrong(f"is in {unit}; the policy counts in {currency}", advice, "wrong-currency")
            value = amount
    if isinstance(value, float):
        raise _Wrong(f"is the binary float {value!r}", 'send decimals as text: `"12.50"`', "float")
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise _Wrong(f"is {_shown(value)}, not an amount", 'send `"12.50"` or `{"unit": ..., "value": ...}`')
    amount = amount_of(_number(value))
    _check_cents(amount, currency)
    return amount


def _check_cents(amount: Decimal, currency: str) -> None:
    """Refuse an amount that nobody can pay: with more decimals than its currency has."""
    exponent, places = amount.as_tuple().exponent, decimals(currency)
    assert isinstance(exponent, int)  # it is finite
    if exponent < -max(places, 2) or (places == 0 and amount != amount.to_integral_value()):
        told = f"{places} decimals" if places else "no decimals"
        advice = "round it where it is computed, by a rule that you can show"
        raise _Wrong(f"is {amount:f}; amounts in {currency} have {told}", advice, "too-precise")


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _Wrong(f"is {_shown(value)}; there is no such day") from None
    raise _Wrong(f"is {_shown(value)}, not a date", "send a day: `2026-01-31`")


def _shown(value: object) -> str:
    """Return what a caller sent, as expressions would write it."""
    try:
        text = f'"{value}"' if isinstance(value, str) else show(to_feel(value))
    except TypeError:  # what JSON cannot say, or what is nested too deep
        text = str(value)
    return f"`{text[:60]}{'...' if len(text) > 60 else ''}`"


def _article(kind: FactKind) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
