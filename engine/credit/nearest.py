"""What would have to be otherwise: the nearest change of one or two facts that leads to another result.

Values are tried at the bounds of the tables and at the ends of what a fact can be; a number that flips the
result is then moved back, cent by cent in halves, to the nearest one that still does. Every answer was
decided again by the interpreter before it is given. Facts that the policy marks `changeable: false` stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from itertools import combinations, product
from typing import Any

from engine.credit.compile import CompiledPolicy, compile_policy
from engine.credit.decision import Decision, Fact, Money
from engine.credit.errors import CreditError
from engine.credit.facts import admit
from engine.credit.facts_from_yaml import out_of_range
from engine.credit.formula_thresholds import FormulaThreshold, formula_thresholds
from engine.credit.interpret import decide
from engine.credit.model import CreditPolicy, FactDefinition, FactKind, FactValue
from engine.credit.nearest_change import Change, NearestChange, shown
from engine.credit.thresholds import thresholds
from engine.feel import syntax as s
from engine.feel.values import Value, to_feel
from engine.text.currency import smallest

Changes = tuple[tuple[str, FactValue], ...]
Paid = Callable[[Decimal, date], Mapping[str, Fact]]
"""The facts on a day, had an amount been paid on it and nothing else happened, from the ledger itself."""

MOST = 4
"""Results that are told at most."""
MOST_VALUES = 12
"""Values of one fact that are tried together with those of another."""
MOST_PAIRS = 20_000
"""Pairs of values that are tried at most."""
AHEAD = 92
"""Days ahead on which a payment is tried; what still holds after them is told without a day."""
FAR = (1, 10, 100, 1_000, 10_000, 100_000)
"""How far from what it is now a number or a day is tried besides, in units, amounts or days."""


def nearest_changes(
    policy: CreditPolicy, facts: Mapping[str, Fact], as_of: date, compiled: CompiledPolicy | None = None,
    paid: Paid | None = None,
) -> tuple[NearestChange, ...]:  # fmt: skip
    """Return, for each other result in reach, the nearest change of one or two facts, the nearest first.

    Results with a larger amount (the policy's first: the limit) come before the others. With `paid` a
    payment is told with the last day on which it still leads there, decided again on each day up to it.
    Raises what `decide` raises for the facts as they are.
    """
    search = _Search(policy, facts, as_of, compiled or compile_policy(policy))
    found: dict[tuple[str, str], NearestChange] = {}
    for changes in search.nearest():
        one = search.proved(changes)
        if one is not None:
            found.setdefault((one.result, shown(one.value)), one)
        if len(found) == 2 * MOST:
            break
    ranked = sorted(found.values(), key=lambda one: not _more(policy, search.before, one.decision))[:MOST]
    return tuple(one if paid is None else search.dated(one, paid) for one in ranked)


def _more(policy: CreditPolicy, before: Decision, after: Decision) -> bool:
    """Tell whether the first amount that the policy tells is larger afterwards."""
    name = next((item.name for item in policy.outcome if item.money), "")
    old, new = before.outcome.get(name), after.outcome.get(name)
    return isinstance(new, Money) and (not isinstance(old, Money) or new.value > old.value)


class _Search:
    """All that is tried for one customer."""

    def __init__(
        self, policy: CreditPolicy, facts: Mapping[str, Fact], as_of: date, compiled: CompiledPolicy
    ) -> None:
        self.policy, self.facts, self.as_of, self.compiled = policy, facts, as_of, compiled
        self.before = decide(policy, facts, as_of, trace=False)
        self.now = admit(policy, facts, as_of).values
        self.bounds = [bound for bound in formula_thresholds(policy) if bound.known(policy)]
        self.scope = self._scope()
        self.values = {name: self._values(fact) for name, fact in policy.facts.items() if fact.changeable}
        self.far = {name: self._far(policy.facts[name]) for name in self.values}

    def _scope(self) -> dict[str, Value]:
        """Return what every fact and every decision is worth now."""
        scope: dict[str, Value] = {name: to_feel(value) for name, value in self.now.items()}
        trace = decide(self.policy, self.facts, self.as_of).trace if self.bounds else ()
        return scope | {one.decision: to_feel(one.value) for one in trace if one.kind != "fact"}

    def nearest(self) -> Iterator[Changes]:
        """Yield sets of changes that lead to another result, one fact before two, the smallest first."""
        now = self._result({})
        single: dict[tuple[str, object], Changes] = {}
        for name, values in self.values.items():
            for value in (*values, *self.far[name]):
                result = self._result({name: value})
                if result not in (None, now) and (name, result) not in single:
                    single[name, result] = self._moved_back(((name, value),))
        yield from sorted(single.values(), key=self._size)
        yield from sorted(self._pairs({now, *(result for _, result in single)}), key=self._size)

    def _pairs(self, reached: set[object]) -> Iterator[Changes]:
        """Yield changes of two facts that lead to results which no single fact leads to."""
        pairs = []
        for one, other in combinations(self.values, 2):
            options = (list(enumerate(self.values[name][:MOST_VALUES])) for name in (one, other))
            pairs += [(a + b, (one, x), (other, y)) for (a, x), (b, y) in product(*options)]
        pairs.sort(key=lambda pair: pair[0])
        seen: set[tuple[object, str, str]] = set()
        for _, first, second in pairs[:MOST_PAIRS]:
            result = self._result(dict((first, second)))
            key = (result, first[0], second[0])
            if result is not None and result not in reached and key not in seen:
                seen.add(key)
                yield self._moved_back((first, second))

    def _size(self, changes: Changes) -> Decimal:
        """Return how large changes are: each as a share of what the fact is now."""
        return sum((self._share(self.now[name], value) for name, value in changes), Decimal(0))

    def _share(self, now: FactValue, value: FactValue) -> Decimal:
        kind, distance = _distance(now, value)
        if kind:
            return Decimal(1)
        whole = Decimal(365) if isinstance(now, date) else max(abs(Decimal(str(now))), Decimal(1))
        return Decimal(distance) / whole

    def _values(self, fact: FactDefinition) -> list[FactValue]:
        """Return other values of a fact at which something can change, the nearest first."""
        now = self.now[fact.name]
        if fact.kind is FactKind.BOOLEAN:
            return [value for value in (True, False) if value is not now]
        if fact.kind is FactKind.STRING:
            return [value for value in fact.one_of if value != now]
        if fact.kind is FactKind.STRINGS:
            return []
        points: set[FactValue] = {p for p in (fact.minimum, fact.maximum) if p is not None}
        if fact.kind is FactKind.MONEY and isinstance(now, Decimal) and now > 0:
            points |= {Decimal(0), now * 2, now * 10}
        for threshold in thresholds(self.policy):
            if threshold.heading.node == s.Name(fact.name):
                points |= {threshold.moved(steps) for steps in (-1, 0, 1)}
        return self._usable(fact, points | set(self._in_formulas(fact.name)))

    def _usable(self, fact: FactDefinition, points: set[FactValue]) -> list[FactValue]:
        """Return those of some values that a fact can have, without the present one, the nearest first."""
        now = self.now[fact.name]
        known = {self._typed(fact, point) for point in points} - {now}
        usable = [value for value in known if not out_of_range(fact, value)]
        return sorted(usable, key=lambda value: _distance(now, value))

    def _in_formulas(self, name: str) -> Iterator[FactValue]:
        """Yield values of a fact with which the sides of a comparison in a formula are equal, or nearly."""
        now, named = self.now[name], s.Name(name)
        for bound in self.bounds:
            apart = bound.apart(self.scope) if _speaks_of(bound, named) else None
            if apart is None:
                continue
            step = bound.step or Decimal(1)
            ways = [sign * (apart + beside) * step for sign in (-1, 1) for beside in (-1, 0, 1)]
            if isinstance(now, date):
                yield from (day for way in ways if (day := _day(now, way)) is not None)
            elif isinstance(now, int | Decimal) and not isinstance(now, bool):
                own = self._step(self.policy.facts[name]) or Decimal(1)
                places = (((Decimal(now) + way) / own).to_integral_value(ROUND_FLOOR) for way in ways)
                yield from (place * own for below in places for place in (below, below + 1))

    def _far(self, fact: FactDefinition) -> list[FactValue]:
        """Return values far and near, for what lies behind formulas that cannot be turned round."""
        now = self.now[fact.name]
        ways = [sign * Decimal(far) for far in FAR for sign in (-1, 1)]
        if isinstance(now, date):
            return self._usable(fact, {day for way in ways if (day := _day(now, way)) is not None})
        if isinstance(now, bool) or not isinstance(now, int | Decimal):
            return []
        return self._usable(fact, {Decimal(now) + way for way in ways})

    def _step(self, fact: FactDefinition) -> Decimal | None:
        """Return the step of numbers: one unit, one cent of the currency, a hundredth."""
        steps = {FactKind.INTEGER: Decimal(1), FactKind.DECIMAL: Decimal("0.01")}
        return smallest(self.policy.currency) if fact.kind is FactKind.MONEY else steps.get(fact.kind)

    def _typed(self, fact: FactDefinition, value: FactValue) -> FactValue:
        return int(value) if fact.kind is FactKind.INTEGER and isinstance(value, Decimal) else value

    def _result(self, changes: Mapping[str, FactValue]) -> object:
        """Return status and first outcome with changed facts; None when there is no decision."""
        try:
            decision = self.compiled.decide(self._with(changes), self.as_of)
        except CreditError:
            return None
        return decision.status, _first(self.policy, decision)

    def _with(self, changes: Mapping[str, FactValue]) -> dict[str, Fact]:
        blank = Fact(value=None, as_of=self.as_of)
        return {**self.facts} | {
            name: self.facts.get(name, blank).model_copy(
                update={"value": value, "as_of": self.as_of, "source": ""}
            )
            for name, value in changes.items()
        }

    def _moved_back(self, changes: Changes) -> Changes:
        """Return changes with each value as near to the fact as it is as still gives the same result."""
        wanted = self._result(dict(changes))
        for name, value in changes:
            rest = {n: v for n, v in changes if n != name}
            near = self._nearest(name, value, rest, wanted)
            changes = tuple((n, near if n == name else v) for n, v in changes)
        return changes

    def _nearest(
        self, name: str, value: FactValue, rest: Mapping[str, FactValue], wanted: object
    ) -> FactValue:  # fmt: skip
        now, fact = self.now[name], self.policy.facts[name]
        step = self._step(fact)
        if isinstance(now, date) and isinstance(value, date):
            day = now
            return self._halved(name, rest, wanted, (value - now).days, lambda n: day + timedelta(days=n))
        if step is None or not isinstance(now, int | Decimal) or not isinstance(value, int | Decimal):
            return value
        start, far = Decimal(now), int((Decimal(value) - Decimal(now)) / step)
        if start + far * step != Decimal(value):
            return value
        return self._halved(name, rest, wanted, far, lambda n: self._typed(fact, start + n * step))

    def _halved(
        self,
        name: str,
        rest: Mapping[str, FactValue],
        wanted: object,
        far: int,
        at: Callable[[int], FactValue],
    ) -> FactValue:
        """Return the value of the fewest steps, found by halves, that gives the same result."""
        sign, low, high = (1 if far > 0 else -1), 0, abs(far)
        while high - low > 1:
            middle = (low + high) // 2
            if self._result({**rest, name: at(sign * middle)}) == wanted:
                high = middle
            else:
                low = middle
        return at(sign * high)

    def proved(self, changes: Changes) -> NearestChange | None:
        """Decide again by the interpreter; None if that gives the result that there is already."""
        try:
            decision = decide(self.policy, self._with(dict(changes)), self.as_of, trace=False)
        except CreditError:
            return None
        name, value = _result_of(self.policy, self.before, decision)
        if not name:
            return None
        told = tuple(Change(n, self.now[n], v, self._beyond(n, v, changes)) for n, v in changes)
        return NearestChange(name, value, told, decision)

    def dated(self, one: NearestChange, paid: Paid) -> NearestChange:
        """Return a payment with the last day on which it leads to the result, if there is one ahead."""
        amount = one.payment
        wanted = one.decision.status, _first(self.policy, one.decision)
        last: date | None = None
        for ahead in range(AHEAD + 1) if amount is not None else ():
            day = self.as_of + timedelta(days=ahead)
            try:
                then = decide(self.policy, paid(amount or Decimal(0), day), day, trace=False)
            except CreditError:
                return replace(one, by=last)
            if (then.status, _first(self.policy, then)) != wanted:
                return replace(one, by=last)
            last = day
        return one

    def _beyond(self, name: str, value: FactValue, changes: Changes) -> str:
        """Return in which direction every value that is tried gives the same as this one."""
        now = self.now[name]
        if isinstance(value, bool | str) or value is None or now is None:
            return ""
        less = _distance(now, value) > (0, 0) and value < now  # type: ignore[operator]  # of one kind: numbers or days
        tried = (*self.values[name], *self.far[name])
        further = [v for v in tried if v is not None and ((v < value) if less else (v > value))]  # type: ignore[operator]  # as above
        wanted = self._result(dict(changes))
        same = all(self._result({**dict(changes), name: v}) == wanted for v in further)
        words = ("or earlier", "or later") if isinstance(value, date) else ("or less", "or more")
        return words[0 if less else 1] if same and further else ""


def _speaks_of(bound: FormulaThreshold, named: s.Name) -> bool:
    return any(part == named for side in (bound.left, bound.right) for part in s.walk(side))


def _day(now: date, days: Decimal) -> date | None:
    """Return the day so many days on; None: there is no such day."""
    if days != days.to_integral_value():
        return None
    try:
        return now + timedelta(days=int(days))
    except OverflowError:
        return None


def _distance(now: FactValue, value: FactValue) -> tuple[int, Any]:
    if isinstance(now, bool) or isinstance(value, bool):
        return 1, 0
    if isinstance(now, date) and isinstance(value, date):
        return 0, abs((value - now).days)
    if isinstance(now, int | Decimal) and isinstance(value, int | Decimal):
        return 0, abs(Decimal(value) - Decimal(now))
    return 1, 0


def _first(policy: CreditPolicy, decision: Decision) -> str:
    return shown(decision.outcome.get(policy.outcome[0].name)) if policy.outcome else ""


def _result_of(policy: CreditPolicy, before: Decision, after: Decision) -> tuple[str, Any]:
    """Return the name and value of the result that changed; the first outcome counts before the status."""
    first = policy.outcome[0].name if policy.outcome else ""
    if after.outcome and _first(policy, before) != _first(policy, after):
        return first, after.outcome[first]
    return ("status", after.status) if before.status != after.status else ("", None)
