"""Plain facts decided without ceremony: what `CompiledPolicy.decide` gives, as bare values.

A billing system asks all day with plain values of the day. For each fact of a policy a door is made once,
which lets the common forms through; every other form goes to `facts`, and whatever is not plain (a mistake,
a fact for which the policy refuses or refers, a result without a form) raises NotPlain: then
`CompiledPolicy.decide` is to be asked, where each of these has its words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from engine.credit.compile import CompiledPolicy
from engine.credit.decision import Fact
from engine.credit.errors import EvaluationFailed
from engine.credit.facts import FROM_POLICY, Admitted, admit_one, fact_value
from engine.credit.facts_from_yaml import out_of_range
from engine.credit.finish import Results, Status, collected, told
from engine.credit.model import FactDefinition, FactKind, FactValue
from engine.feel.to_python import FAILURES
from engine.feel.values import to_feel
from engine.text.currency import decimals

Check: TypeAlias = Callable[[Any], FactValue]
"""From a value as JSON gives it to the admitted one; raises ValueError where it is none."""
_CENTS = re.compile(r"(?:0|[1-9][0-9]{0,20})\.[0-9]{2}")
_SHORT = re.compile(r"0|[1-9][0-9]{0,20}|(?:0|[1-9][0-9]{0,20})\.[0-9]{0,5}[1-9]")
"""Numbers that stand in their one form already, and are written as they are read."""
_LARGE = 10**18


class NotPlain(Exception):
    """The facts, or what comes of them, are not plain; `CompiledPolicy.decide` has the answer."""


@dataclass(frozen=True, slots=True)
class Plainly:
    """A decision as bare values."""

    status: Status
    outcome: list[Any]
    """In the order of the policy's outcome names; an amount is a Decimal."""
    reasons: Mapping[str, str]
    """Codes in the order in which they are told, each with the decision that gave it."""
    facts: Mapping[str, Any]
    """What was read, as `Decision.facts` has it: a plain value of the day, or a `Fact` with its quality."""


@dataclass(frozen=True, slots=True)
class _Door:
    name: str
    definition: FactDefinition
    check: Check | None
    """None: somebody has to have verified it, so it is looked at as a whole fact."""
    converted: bool
    """Expressions see another form of it than the record does."""
    absent: tuple[FactValue, str | None] | None
    """What stands for it when it was not given, and the reason of a default; None: then nothing is plain."""


class QuickPolicy:
    """A compiled policy with its doors."""

    def __init__(self, compiled: CompiledPolicy) -> None:
        self.compiled = compiled
        policy = compiled.policy
        self._doors = [_door(fact, policy.currency) for fact in policy.facts.values()]

    def decide(self, facts: Mapping[str, Any], as_of: date) -> Plainly:
        """Decide on facts that are plain values of the day `as_of`, or `Fact`s; raises NotPlain."""
        compiled, policy = self.compiled, self.compiled.policy
        try:
            values, recorded, defaulted = self._admitted(facts, as_of)
            outcome, status, chosen, codes = compiled.run(*values, [code for code, _ in defaulted])
            found = collected(policy, dict(zip(compiled.giving, codes, strict=True)), defaulted)
            return Plainly(*told(policy, Results(found, outcome, status, chosen)), recorded)
        except (ValueError, LookupError, EvaluationFailed, *FAILURES) as error:
            raise NotPlain from error

    def _admitted(
        self, facts: Mapping[str, Any], as_of: date
    ) -> tuple[list[Any], dict[str, Any], list[tuple[str, str]]]:
        values: list[Any] = []
        recorded: dict[str, Any] = {}
        defaulted: list[tuple[str, str]] = []
        left = len(facts)
        for door in self._doors:
            name = door.name
            said = facts.get(name)
            if said is None:
                left -= name in facts
                if door.absent is None:
                    raise NotPlain
                value, code = door.absent
                if code is not None:
                    recorded[name] = Fact(value=value, as_of=as_of, source=FROM_POLICY)
                    defaulted.append((code, name))
            else:
                left -= 1
                if type(said) is not Fact and door.check is not None:
                    recorded[name] = value = door.check(said)
                else:
                    fact = said if type(said) is Fact else Fact(value=said, as_of=as_of)
                    value = self._with_quality(door.definition, fact, as_of, recorded, defaulted)
            values.append(to_feel(value) if door.converted else value)
        if left:
            raise NotPlain  # the policy does not read all of them
        return values, recorded, defaulted

    def _with_quality(
        self, definition: FactDefinition, fact: Fact, as_of: date, recorded: dict[str, Any],
        defaulted: list[tuple[str, str]],
    ) -> FactValue:  # fmt: skip
        admitted = Admitted()
        admit_one(self.compiled.policy, definition, fact, as_of, admitted)
        if admitted.stopped:
            raise NotPlain
        recorded.update(admitted.recorded)
        defaulted += admitted.defaulted
        return admitted.values[definition.name]


def _door(fact: FactDefinition, currency: str) -> _Door:
    absent: tuple[FactValue, str | None] | None = None
    answer = fact.when_missing
    if answer is not None:
        absent = (answer.default, answer.reason) if answer.action == "default" else None
    elif fact.optional:
        absent = (None, None)
    converted = fact.kind in (FactKind.DATE, FactKind.STRINGS)
    check = None if fact.verified else _check(fact, currency)
    return _Door(fact.name, fact, check, converted, absent)


def _check(fact: FactDefinition, currency: str) -> Check:
    def any_form(said: Any) -> FactValue:
        value = fact_value(fact, said, currency)
        if out_of_range(fact, value):
            raise NotPlain
        return value

    match fact.kind:
        case FactKind.BOOLEAN:
            return lambda said: said if said is True or said is False else any_form(said)
        case FactKind.STRING if fact.one_of:
            known = frozenset(fact.one_of)
            return lambda said: said if type(said) is str and said in known else any_form(said)
        case FactKind.INTEGER:
            return _within(fact, int, lambda said: said if -_LARGE < said < _LARGE else None, any_form)
        case FactKind.MONEY if decimals(currency) >= 2:
            return _within(
                fact, str, lambda said: Decimal(said) if _CENTS.fullmatch(said) else None, any_form
            )
        case FactKind.DECIMAL:
            return _within(
                fact, str, lambda said: Decimal(said) if _SHORT.fullmatch(said) else None, any_form
            )
    return any_form


def _within(fact: FactDefinition, kind: type, read: Callable[[Any], Any], any_form: Check) -> Check:
    """Return the door of a number: of one type, in a common form, within its bounds."""
    least = Decimal("-Infinity") if fact.minimum is None else fact.minimum
    most = Decimal("Infinity") if fact.maximum is None else fact.maximum

    def check(said: Any) -> FactValue:
        value = read(said) if type(said) is kind else None
        if value is None or not least <= value <= most:
            return any_form(said)
        return value  # type: ignore[no-any-return]  # `read` gives an int or a Decimal

    return check
