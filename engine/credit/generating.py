"""Cases that a policy lacks: found at its bounds, decided by the policy as it stands, written as YAML.

Each starts from a set of facts of the file and changes as little as it takes to try a row that no case
matches, to notice a threshold change that no case notices, or to try a bound on both sides. What it expects
is what the policy says today; whoever keeps it has read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations

from engine.credit.cases import Case
from engine.credit.coverage import Mutant, Seen, coverage, noticed, see, turns, untried_sides
from engine.credit.decision import Decision, Fact, Money
from engine.credit.facts_from_yaml import out_of_range
from engine.credit.model import CreditPolicy, FactKind, FactValue, Scorecard
from engine.credit.thresholds import Point, Threshold, cells, thresholds
from engine.feel import syntax as s
from engine.feel.values import to_feel
from engine.source import Span
from engine.text import ListNode, MapNode, Node, ScalarNode

MOST_TRIED = 6_000
"""Sets of facts that are decided in the search at most."""
NOWHERE = Span("", 1, 1)


@dataclass(frozen=True, slots=True)
class Base:
    """A set of facts to start from, under the name that the file gives it; without a name, a case's own."""

    name: str
    as_of: date
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Generated:
    """One case that was found."""

    name: str
    base: Base
    changes: Mapping[str, FactValue]
    decision: Decision


def generate(policy: CreditPolicy, cases: Sequence[Case], bases: Sequence[Base]) -> tuple[Generated, ...]:
    """Return cases that try what no case tries yet, fewest changes first; deterministic."""
    search = _Search(policy, bases)
    found: list[Generated] = []
    seen = [one for case in cases if (one := see(policy, case)) is not None]
    names = {case.name for case in cases}
    lacking = coverage(policy, cases)
    matched = {(t.decision, r.row) for one in seen for t in one.decision.trace for r in t.rows if r.matched}

    def take(tried: _Tried, name: str) -> None:
        unique = name if name not in names else f"{name} ({len(found) + 1})"
        names.add(unique)
        case = Generated(unique, tried.base, tried.changes, tried.seen.decision)
        found.append(case)
        seen.append(tried.seen)
        matched.update((t.decision, r.row) for t in case.decision.trace for r in t.rows if r.matched)

    for mutant in (one for one in lacking.unnoticed if isinstance(one, Mutant)):
        if not noticed(policy, mutant, seen) and (tried := search.noticing(mutant)) is not None:
            take(tried, _sentence(mutant.threshold, tried))
    for decision, row in ((d, r) for d in policy.decisions for r in _row_numbers(policy, d)):
        if (decision, row) not in matched and (tried := search.matching(decision, row)) is not None:
            take(tried, f"Row {row} of {decision} matches {_changes(tried.changes) or tried.base.name}")
    for bound in thresholds(policy):
        for point in untried_sides(policy, bound, seen):
            if point in untried_sides(policy, bound, seen) and (tried := search.at(bound, point)) is not None:
                take(tried, _sentence(bound, tried))
    return tuple(found)


def _row_numbers(policy: CreditPolicy, decision: str) -> list[int]:
    return list(dict.fromkeys(row for row, _, _ in cells(policy.decisions[decision])))


def _sentence(threshold: Threshold, tried: _Tried) -> str:
    cell = " ".join(threshold.cell.text.split())
    there, value = tried.seen.value(threshold.decision, threshold.heading)
    shown = f"{threshold.heading.text} {_plain(value)}" if there else threshold.heading.text
    return f"At the bound `{cell}` of {threshold.decision} row {threshold.row}: {shown}"


@dataclass(frozen=True, slots=True)
class _Tried:
    base: Base
    changes: Mapping[str, FactValue]
    seen: Seen


class _Search:
    """Sets of facts in the order of few changes, each decided once."""

    def __init__(self, policy: CreditPolicy, bases: Sequence[Base]) -> None:
        self.policy, self.bases = policy, bases
        self.values = {name: list(_values(policy, name)) for name in policy.facts}
        self.tried: list[_Tried] = []
        self.rest = self._candidates()
        self.count = 0
        self.bins: dict[tuple[int, str], list[tuple[Decimal, FactValue]]] = {}
        self.starts: dict[str, _Tried | None] = {}

    def noticing(self, mutant: Mutant) -> _Tried | None:
        """Return facts of which the mutant says something else than the policy."""
        near = (self._at_points(mutant.threshold), self._all(), self._besides(mutant))
        return next((t for tries in near for t in tries if self._tells(mutant, t)), None)

    def matching(self, decision: str, row: int) -> _Tried | None:
        """Return facts that a row matches."""
        return next((t for t in self._all() if _matches(t.seen.decision, decision, row)), None)

    def at(self, bound: Threshold, point: Point) -> _Tried | None:
        """Return facts with which the heading of a bound is worth a number or a day."""
        tries = (t for near in (self._at_points(bound), self._all()) for t in near)
        return next(
            (t for t in tries if t.seen.value(bound.decision, bound.heading) == (True, to_feel(point))), None
        )

    def _tells(self, mutant: Mutant, tried: _Tried) -> bool:
        there, value = tried.seen.value(mutant.threshold.decision, mutant.threshold.heading)
        return there and turns(mutant, value) and noticed(self.policy, mutant, [tried.seen])

    def _all(self) -> Iterator[_Tried]:
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

    def _decided(self, base: Base, changes: Mapping[str, FactValue]) -> _Tried | None:
        facts = {name: fact for name, fact in base.facts.items() if name not in changes}
        facts |= {n: Fact(value=v, as_of=base.as_of) for n, v in changes.items() if v is not None}
        case = Case("", NOWHERE, base.as_of, facts)
        seen = see(self.policy, case)
        if seen is None:
            return None
        seen.case = Case("", NOWHERE, base.as_of, facts, _expect(seen.decision))
        return _Tried(base, changes, seen)

    # scores are sums: the bins that add up to a number of points are found, not searched for

    def _at_points(self, bound: Threshold) -> Iterator[_Tried]:
        heading = bound.heading.node
        card = self.policy.decisions.get(heading.name) if isinstance(heading, s.Name) else None
        if not isinstance(card, Scorecard):
            return
        for base in self.bases:
            start = self.starts.setdefault(base.name, self._decided(base, {}))
            if start is None:
                continue
            for steps in (0, -1, 1):
                wanted = bound.moved(steps)
                if isinstance(wanted, Decimal):
                    changes = self._adding_up(card, start.seen, wanted)
                    if changes is not None and (tried := self._decided(base, changes)) is not None:
                        yield tried

    def _besides(self, mutant: Mutant) -> Iterator[_Tried]:
        """Yield the facts that make a score, with one more fact changed."""
        for made in self._at_points(mutant.threshold):
            for name, values in self.values.items():
                for value in values if name not in made.changes else ():
                    if (tried := self._decided(made.base, {**made.changes, name: value})) is not None:
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


def _values(policy: CreditPolicy, name: str) -> Iterator[FactValue]:
    """Yield values of a fact at which something can change: bounds, their neighbours, words, null."""
    fact = policy.facts[name]
    found: dict[FactValue, None] = {}
    if fact.kind is FactKind.BOOLEAN:
        found = {True: None, False: None}
    elif fact.kind is FactKind.STRING:
        found = dict.fromkeys(fact.one_of)
    for threshold in thresholds(policy):
        if threshold.heading.node == s.Name(name):
            for steps in (0, -1, 1):
                point = threshold.moved(steps)
                value = int(point) if fact.kind is FactKind.INTEGER and isinstance(point, Decimal) else point
                found.setdefault(value)
    yield from (value for value in found if not out_of_range(fact, value))
    if fact.optional:
        yield None


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
    return ScalarNode(value if isinstance(value, str) else _plain(value), NOWHERE)


# YAML


def as_yaml(cases: Iterable[Generated], indent: str) -> str:
    """Return cases as items of the `cases:` of a file, in the manner of those written by hand."""
    return "".join(f"\n{indent}{line}" if line else "\n" for case in cases for line in _lines(case))


def _lines(case: Generated) -> Iterator[str]:
    yield ""
    yield f"- case: {in_yaml(case.name)}"
    if case.base.name:
        yield f"  facts_base: {case.base.name}"
        facts: Mapping[str, object] = case.changes
    else:
        yield f"  as_of: {case.base.as_of}"
        facts = {n: fact.value for n, fact in case.base.facts.items() if n not in case.changes} | {
            name: value for name, value in case.changes.items() if value is not None
        }
    if facts:
        yield f"  facts: {{{', '.join(f'{name}: {_plain(value)}' for name, value in facts.items())}}}"
    yield f"  expect: {{{', '.join(f'{name}: {value}' for name, value in expected(case.decision).items())}}}"


def expected(decision: Decision) -> dict[str, str]:
    """Return what a decision says as a case would expect it."""
    found = {name: _plain(value) for name, value in decision.outcome.items()}
    if decision.status != "decided":
        found["status"] = decision.status
    return found | {"reasons": f"[{', '.join(reason.code for reason in decision.reasons)}]"}


def _changes(changes: Mapping[str, FactValue]) -> str:
    return ", ".join(f"{name} {_plain(value)}" for name, value in changes.items())


def _plain(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case Money():
            return str(value.value)
        case Decimal():
            return f"{value:f}"
        case list() | tuple():
            return f"[{', '.join(map(_plain, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {_plain(item)}' for key, item in value.items())}}}"
        case str():
            return in_yaml(value)
    return str(value)


def in_yaml(text: str) -> str:
    """Return a text as YAML may hold it in a list or map on one line."""
    plain = re.fullmatch(r"[A-Za-z_][\w .()>=<-]*", text) and not re.search(r": |\s#|\s$", text)
    words = ("true", "false", "null", "yes", "no", "on", "off")
    return text if plain and text.lower() not in words else "'" + text.replace("'", "''") + "'"
