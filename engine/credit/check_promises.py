"""What is wrong with the promises of a policy: broken, with the customer who breaks it, or not proved.

The proof takes longer than everything else that is checked, so it is not part of reading a policy: whoever
shows problems to an author asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from engine.credit.compile import compile_policy
from engine.credit.decision import Fact
from engine.credit.errors import CreditError
from engine.credit.facts_from_yaml import out_of_range
from engine.credit.model import CreditPolicy, Expression, FactKind, FactValue, Outcome, Promise
from engine.credit.promises import as_fact, examples_of, speaks_of, verdict
from engine.feel.dates import Date
from engine.feel.syntax import Name
from engine.feel.values import show, to_feel
from engine.source import Problem, Severity

TRIES = 6_000
"""Customers that are tried in search of one who breaks a promise."""
_AMOUNTS = tuple(Decimal(text) for text in ("0", "10", "50", "88.40", "250", "1000", "5000"))
_DAY = date(2026, 1, 1)
_TARGET = "target"


def promise_problems(policy: CreditPolicy) -> Iterator[Problem]:
    """Yield an error for each promise that a customer breaks, a note for each that is not proved."""
    for promise in policy.promises:
        changed = as_fact(policy, promise.subject)
        if promise.subject not in speaks_of(changed, promise.target):
            message = f"`{promise.target}` does not depend on `{promise.subject}`: the promise says nothing"
            advice = "name a fact or a decision that it depends on"
            yield Problem("promise-empty", message, promise.span, advice, Severity.WARNING)
            continue
        found = verdict(changed, promise)
        if found.proved:
            continue
        search = _Search(changed, promise)
        known = sorted(v for v in search.values[promise.subject] if v is not None)
        steps: Sequence[tuple[object, object]] = found.steps or tuple(pairwise(known))
        broken = search.broken(steps)
        if broken is not None:
            yield _broken(promise, broken)
        else:
            yield _not_proved(promise, found.because, search.tried)


@dataclass(frozen=True, slots=True)
class _Broken:
    """Two customers who differ in the subject only, and what they get."""

    before: object
    after: object
    result: Decimal
    result_after: Decimal
    others: Mapping[str, object]


def _broken(promise: Promise, found: _Broken) -> Problem:
    message = (
        f"the promise `{promise.text}` is broken: with {promise.subject} {_shown(found.before)} "
        f"{promise.target} is {found.result:f}, with {_shown(found.after)} it is {found.result_after:f}"
    )
    others = ", ".join(f"{name} {_shown(value)}" for name, value in found.others.items())
    advice = f"this customer breaks it: {others}" if others else "every customer breaks it"
    return Problem("promise-broken", message, promise.span, advice)


def _not_proved(promise: Promise, because: str, tried: int) -> Problem:
    message = f"the promise `{promise.text}` is neither proved nor broken: {tried:,} customers kept it"
    reason = f"because of `{' '.join(because.split())}`" if because else ""
    advice = f"it was not proved {reason}".strip() if reason else "rows that hang together were taken apart"
    return Problem("promise-not-proved", message, promise.span, advice, Severity.INFO)


class _Search:
    """Tries customers one after the other, always the same ones."""

    def __init__(self, policy: CreditPolicy, promise: Promise) -> None:
        target = policy.decisions[promise.target].span if promise.target in policy.decisions else promise.span
        told = Outcome(_TARGET, target, Expression(promise.target, target, Name(promise.target)))
        plain = replace(policy, outcome=(told,), status=None, told=None, promises=())
        self.policy, self.promise, self.compiled = plain, promise, compile_policy(plain)
        self.values = {name: self._values(name) for name in speaks_of(plain, promise.target)}
        self.tried = 0

    def _values(self, name: str) -> list[FactValue]:
        fact = self.policy.facts[name]
        found = [
            _plain(value, whole=fact.kind is FactKind.INTEGER) for value in examples_of(self.policy, name)
        ]
        if fact.kind is FactKind.MONEY:
            found += _AMOUNTS
        usable = [value for value in found if value is None or not out_of_range(fact, value)]
        return list(dict.fromkeys(usable)) or [None]

    def broken(self, steps: Sequence[tuple[object, object]]) -> _Broken | None:
        """Return a customer who breaks the promise at one of the steps, as plain as can be."""
        whole = self.policy.facts[self.promise.subject].kind is FactKind.INTEGER
        pairs = [(_plain(one, whole=whole), _plain(other, whole=whole)) for one, other in steps]
        pairs = [(one, other) for one, other in pairs if one != other]
        state = 1
        for number in range(TRIES if pairs else 0):
            customer: dict[str, FactValue] = {}
            for name, values in self.values.items():
                state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
                customer[name] = values[(state >> 33) % len(values)]
            one, other = pairs[number % len(pairs)]
            self.tried += 1
            if self._breaks(customer, one, other):
                return self._plainest(customer, one, other)
        return None

    def _breaks(
        self, customer: Mapping[str, FactValue], one: FactValue, other: FactValue
    ) -> tuple[Decimal, Decimal] | None:
        """Return what the two get, if that breaks the promise."""
        subject = self.promise.subject
        before = self._result({**customer, subject: one})
        after = self._result({**customer, subject: other})
        if before is None or after is None or before == after:
            return None
        rises = after > before
        wrong = rises == (self.promise.never == "raises")
        if self.promise.change == "less":
            wrong = not wrong
        return (before, after) if wrong else None

    def _result(self, customer: Mapping[str, FactValue]) -> Decimal | None:
        facts = {
            name: Fact(value=value, as_of=_DAY, verified_by="-")
            for name, value in customer.items()
            if value is not None
        }
        for name, fact in self.policy.facts.items():
            if name not in self.values and not fact.optional:
                facts[name] = Fact(value=_any(self.policy, name), as_of=_DAY, verified_by="-")
        try:
            value = self.compiled.decide(facts, _DAY).outcome.get(_TARGET)
        except CreditError:
            return None
        return value if isinstance(value, Decimal) else None

    def _plainest(self, customer: dict[str, FactValue], one: FactValue, other: FactValue) -> _Broken:
        """Return the customer with as many facts as possible at the first value that is tried."""
        for name, values in self.values.items():
            for value in values[:2]:
                plainer = {**customer, name: value}
                if value is not None and self._breaks(plainer, one, other):
                    customer = plainer
                    break
        found = self._breaks(customer, one, other)
        assert found is not None  # it was when it was found, and only changes that keep it were made
        if self.promise.change == "less":
            one, other, found = other, one, (found[1], found[0])
        others = {name: value for name, value in customer.items() if name != self.promise.subject}
        return _Broken(one, other, *found, others)


def _any(policy: CreditPolicy, name: str) -> FactValue:
    """Return some value of a fact on which nothing rests here."""
    fact = policy.facts[name]
    if fact.kind is FactKind.STRING:
        return fact.one_of[0] if fact.one_of else "any"
    if fact.kind is FactKind.BOOLEAN:
        return True
    if fact.kind is FactKind.STRINGS:
        return ()
    if fact.kind is FactKind.DATE:
        return fact.minimum if isinstance(fact.minimum, date) else _DAY
    low = next((bound for bound in (fact.minimum, fact.maximum) if isinstance(bound, Decimal)), Decimal(0))
    return int(low) if fact.kind is FactKind.INTEGER else low


def _plain(value: object, *, whole: bool) -> FactValue:
    if isinstance(value, Date):
        return date(value.year, value.month, value.day)
    if whole and isinstance(value, Decimal):
        return int(value)
    return value if isinstance(value, bool | str | Decimal) else None


def _shown(value: object) -> str:
    return "unknown" if value is None else show(to_feel(value))
