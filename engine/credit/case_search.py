"""The search for facts that a policy's cases lack: few changes first, each set of facts decided once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations, islice

from engine.credit.cases import Case
from engine.credit.cases_to_yaml import Base, plain
from engine.credit.coverage import (
    Bound,
    Mutant,
    Seen,
    bounds_of,
    noticed,
    see,
    turns,
)
from engine.credit.decision import Decision, Fact
from engine.credit.facts_from_yaml import out_of_range
from engine.credit.formula_thresholds import FormulaMutant, FormulaThreshold
from engine.credit.model import CreditPolicy, FactDefinition, FactKind, FactValue, Scorecard
from engine.credit.solving import MOST_MEASURED, Changes, Solver
from engine.credit.thresholds import Threshold, literal, stepped
from engine.feel import syntax as s
from engine.feel.dates import Date
from engine.feel.values import to_feel
from engine.source import Span
from engine.text import ListNode, MapNode, Node, ScalarNode

MOST_TRIED = 6_000
"""Sets of facts that are decided in the search at most."""
NOWHERE = Span("", 1, 1)
MOST_SOLVED = 4
"""Ways to come to one place beside a bound that are gone on from."""
EXAMPLE = "example"
"""A text, a name and who has verified a fact, where any will do."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A set of facts for which the policy decides."""

    base: Base
    changes: Mapping[str, FactValue]
    seen: Seen


class Search:
    """Sets of facts in the order of few changes, each decided once."""

    def __init__(self, policy: CreditPolicy, bases: Sequence[Base]) -> None:
        self.policy, self.bases = policy, bases
        self.values = {name: list(_values(policy, name)) for name in policy.facts}
        self.tried: list[Tried] = []
        self.rest = self._candidates()
        self.count = 0
        self.bins: dict[tuple[int, str], list[tuple[Decimal, FactValue]]] = {}
        self.starts: dict[str, Tried | None] = {}
        self.solver = Solver(policy)
        self.made: list[Tried] = []
        """What was found for the cases before: near it lies what no two facts of the start lead to."""

    def noticing(self, mutant: Mutant | FormulaMutant) -> Tried | None:
        """Return facts of which the mutant says something else than the policy."""
        bound = mutant.threshold
        solved = [made for steps in (0, -1, 1) for made in islice(self._solved(bound, steps), MOST_SOLVED)]
        near: list[Iterable[Tried]] = [
            iter(self.tried), self._at_points(bound), solved, self._besides(solved), self.every(),
            self._besides(self._at_points(bound)),
        ]  # fmt: skip
        return next((t for tries in near for t in tries if self._tells(mutant, t)), None)

    def matching(self, decision: str, row: int) -> Tried | None:
        """Return facts that a row matches."""
        near: list[Iterable[Tried]] = [self.every(), self._besides(self.made)]
        return next((t for tries in near for t in tries if _matches(t.seen.decision, decision, row)), None)

    def at(self, bound: Bound, steps: int) -> Tried | None:
        """Return facts that are so many steps from a bound."""
        near = (iter(list(self.tried)), self._at_points(bound), self._solved(bound, steps), self.every())
        return next((t for tries in near for t in tries if _is_at(bound, steps, t)), None)

    def _tells(self, mutant: Mutant | FormulaMutant, tried: Tried) -> bool:
        if isinstance(mutant, Mutant):
            bound = mutant.threshold
            there, value = tried.seen.value(bound.decision, bound.heading)
            if not there or not turns(mutant, value):
                return False
        return noticed(self.policy, mutant, [tried.seen])

    def _solved(self, bound: Bound, steps: int) -> Iterator[Tried]:
        """Yield facts so many steps from a bound, where that is more than one fact's own value."""
        heading = bound.heading.node if isinstance(bound, Threshold) else None
        if isinstance(heading, s.Name) and heading.name in self.policy.facts:
            return  # its values are tried as they are
        names = self._facts_behind(bound)
        most = max(200, MOST_MEASURED // max(1, len(self.bases)))
        for base in self.bases:
            made: dict[str, Tried] = {}

            def measured(
                changes: Changes, base: Base = base, made: dict[str, Tried] = made
            ) -> Decimal | None:
                found = self._decided(base, changes)
                if found is None:
                    return None
                made[repr(changes)] = found
                return _from(bound, steps, found)

            now = {name: fact.value for name, fact in base.facts.items()}
            for changes in self.solver.solutions(names, now, self.values, measured, most):
                yield made[repr(changes)]

    def _facts_behind(self, bound: Bound) -> list[str]:
        """Return the facts on which the two sides of a bound rest, the nearest first."""
        nodes = [bound.heading.node] if isinstance(bound, Threshold) else [bound.left, bound.right]
        ahead = [part.name for node in nodes for part in s.walk(node) if isinstance(part, s.Name)]
        found: dict[str, None] = {}
        for name in ahead:
            if name not in found:
                found[name] = None
                ahead.extend(self.policy.reads.get(name, ()))
        return [name for name in found if name in self.policy.facts]

    def every(self) -> Iterator[Tried]:
        """Yield every set of facts, those of few changes first; each is decided once."""
        yield from list(self.tried)
        while self.count < MOST_TRIED and (candidate := next(self.rest, None)) is not None:
            self.count += 1
            if (found := self._decided(*candidate)) is not None:
                self.tried.append(found)
                yield found

    def _candidates(self) -> Iterator[tuple[Base, Mapping[str, FactValue]]]:
        single = [(name, value) for name, values in self.values.items() for value in values]
        for size in (0, 1, 2):
            for base in self.bases:
                for chosen in combinations(single, size):
                    changes = dict(chosen)
                    if len(changes) == size and all(_other(base, n, v) for n, v in chosen):
                        yield base, changes

    def _decided(self, base: Base, changes: Mapping[str, FactValue]) -> Tried | None:
        facts = {name: fact for name, fact in base.facts.items() if name not in changes}
        facts |= {n: self._fact(base, n, v) for n, v in changes.items() if v is not None}
        case = Case("", NOWHERE, base.as_of, facts)
        seen = see(self.policy, case)
        if seen is None:
            return None
        seen.case = Case("", NOWHERE, base.as_of, facts, _expect(seen.decision))
        return Tried(base, changes, seen)

    def _fact(self, base: Base, name: str, value: FactValue) -> Fact:
        """Return a changed fact, verified where the policy asks for it."""
        given = base.facts.get(name)
        by = (given.verified_by if given else "") or EXAMPLE
        verified = by if self.policy.facts[name].verified else ""
        return Fact(value=value, as_of=base.as_of, verified_by=verified)

    # scores are sums: the bins that add up to a number of points are found, not searched for

    def _at_points(self, bound: Bound) -> Iterator[Tried]:
        heading = bound.heading.node if isinstance(bound, Threshold) else bound.left
        points = [bound.moved(n) for n in (0, -1, 1)] if isinstance(bound, Threshold) else []
        card = self.policy.decisions.get(heading.name) if isinstance(heading, s.Name) else None
        if not isinstance(card, Scorecard):
            return
        for base in self.bases:
            start = self.starts.setdefault(base.name, self._decided(base, {}))
            if start is None:
                continue
            for wanted in points:
                if isinstance(wanted, Decimal):
                    changes = self._adding_up(card, start.seen, wanted)
                    if changes is not None and (tried := self._decided(base, changes)) is not None:
                        yield tried

    def _besides(self, tries: Iterable[Tried]) -> Iterator[Tried]:
        """Yield sets of facts with one more fact changed, or one of them changed back."""
        for made in tries:
            for name, values in self.values.items():
                own = made.base.facts.get(name)
                back = own.value if own is not None else None
                for value in dict.fromkeys((*values, back)):
                    if made.changes.get(name, back) == value:
                        continue
                    changes = {
                        n: v for n, v in {**made.changes, name: value}.items() if n != name or v != back
                    }
                    if (tried := self._decided(made.base, changes)) is not None:
                        yield tried

    def _adding_up(self, card: Scorecard, start: Seen, wanted: Decimal) -> Mapping[str, FactValue] | None:
        """Return the fewest changes with which a scorecard adds up to a number of points."""
        trace = next((t for t in start.decision.trace if t.decision == card.name), None)
        if trace is None:
            return None
        sums: dict[Decimal, dict[str, FactValue]] = {card.base: {}}
        for part, (_, own) in zip(card.characteristics, trace.points, strict=True):
            options: dict[Decimal, dict[str, FactValue]] = {own: {}}
            if isinstance(part.expression.node, s.Name) and part.expression.node.name in self.policy.facts:
                name = part.expression.node.name
                for points, value in self._bins(card, part.expression.text, name, start):
                    options.setdefault(points, {name: value})
            after: dict[Decimal, dict[str, FactValue]] = {}
            for total, changes in sums.items():
                for points, change in options.items():
                    both, known = {**changes, **change}, after.get(total + points)
                    if known is None or len(both) < len(known):
                        after[total + points] = both
            sums = after
        return sums.get(wanted)

    def _bins(
        self, card: Scorecard, heading: str, fact: str, start: Seen
    ) -> list[tuple[Decimal, FactValue]]:  # fmt: skip
        """Return the points of each bin with a value of the fact that falls into it."""
        key = (id(start.case.facts), heading)
        if key not in self.bins:
            base = Base("", start.case.as_of, start.case.facts)
            tried = [(value, self._decided(base, {fact: value})) for value in self.values[fact]]
            traces = [
                (value, t)
                for value, one in tried
                if one
                for t in one.seen.decision.trace
                if t.decision == card.name
            ]
            self.bins[key] = [(dict(t.points)[heading], value) for value, t in traces]
        return self.bins[key]


def _is_at(bound: Bound, steps: int, tried: Tried) -> bool:
    if isinstance(bound, FormulaThreshold):
        return bound.near(tried.seen.scope, steps)
    return _from(bound, steps, tried) == 0


def _from(bound: Bound, steps: int, tried: Tried) -> Decimal | None:
    """Return how far facts are from a place beside a bound."""
    if isinstance(bound, FormulaThreshold):
        apart = bound.apart(tried.seen.scope)
        return None if apart is None else apart - steps
    there, value = tried.seen.value(bound.decision, bound.heading)
    point = to_feel(bound.moved(steps))
    if there and isinstance(value, Date) and isinstance(point, Date):
        return Decimal(value.ordinal - point.ordinal)
    return value - point if there and isinstance(value, Decimal) and isinstance(point, Decimal) else None


def _values(policy: CreditPolicy, name: str) -> Iterator[FactValue]:
    """Yield values of a fact at which something can change: bounds, their neighbours, words, null."""
    fact = policy.facts[name]
    found: dict[FactValue, None] = {}
    if fact.kind is FactKind.BOOLEAN:
        found = {True: None, False: None}
    elif fact.kind is FactKind.STRING:
        found = dict.fromkeys(fact.one_of)
    elif fact.kind is FactKind.STRINGS:
        found = dict.fromkeys([(), *((word,) for word in fact.one_of)])
    for point in (point for bound in bounds_of(policy) for point in _points(bound, name)):
        found.setdefault(
            int(point) if fact.kind is FactKind.INTEGER and isinstance(point, Decimal) else point
        )
    yield from (value for value in found if not out_of_range(fact, value))
    if fact.optional:
        yield None


def _points(bound: Bound, name: str) -> list[Decimal | date]:
    """Return a bound and what is beside it, if it is one of a fact itself."""
    if isinstance(bound, Threshold):
        return [bound.moved(steps) for steps in (0, -1, 1)] if bound.heading.node == s.Name(name) else []
    sides = (bound.left, bound.right), (bound.right, bound.left)
    found = [literal(other) for side, other in sides if side == s.Name(name)]
    return [stepped(point, n, bound.step) for point in found if point is not None for n in (0, -1, 1)]


def example_facts(policy: CreditPolicy, as_of: date) -> dict[str, Fact]:
    """Return an example of every fact by its type and within its bounds, to start from."""
    found = {}
    for name, fact in policy.facts.items():
        verified = EXAMPLE if fact.verified else ""
        found[name] = Fact(value=_example(fact, as_of), as_of=as_of, verified_by=verified)
    return found


def _example(fact: FactDefinition, as_of: date) -> FactValue:
    match fact.kind:
        case FactKind.BOOLEAN:
            return False
        case FactKind.STRING:
            return fact.one_of[0] if fact.one_of else EXAMPLE
        case FactKind.STRINGS:
            return fact.one_of[:1]
    usual: Decimal | date = {
        FactKind.INTEGER: Decimal(1), FactKind.DECIMAL: Decimal("0.5"), FactKind.MONEY: Decimal(100),
    }.get(fact.kind, as_of)  # fmt: skip
    bounds = [fact.minimum if fact.minimum is not None else usual, usual]
    least = max(bounds)
    value = least if fact.maximum is None else min(least, fact.maximum)
    return int(value) if fact.kind is FactKind.INTEGER and isinstance(value, Decimal) else value


def _other(base: Base, name: str, value: FactValue) -> bool:
    given = base.facts.get(name)
    return (given.value if given is not None else None) != value


def _matches(decision: Decision, name: str, row: int) -> bool:
    trace = next((t for t in decision.trace if t.decision == name), None)
    return trace is not None and any(r.row == row and r.matched for r in trace.rows)


def _expect(decision: Decision) -> dict[str, Node]:
    """Return all that a decision says as the expectation of a case."""
    codes = ListNode(tuple(ScalarNode(reason.code, NOWHERE) for reason in decision.reasons), NOWHERE)
    told = {name: _node(value) for name, value in decision.outcome.items()}
    return told | {"status": ScalarNode(decision.status, NOWHERE), "reasons": codes}


def _node(value: object) -> Node:
    if isinstance(value, list | tuple):
        return ListNode(tuple(map(_node, value)), NOWHERE)
    if isinstance(value, dict):
        entries = ((ScalarNode(str(key), NOWHERE), _node(item)) for key, item in value.items())
        return MapNode(tuple(entries), NOWHERE)
    return ScalarNode(value if isinstance(value, str) else plain(value), NOWHERE)
