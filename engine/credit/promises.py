"""Whether a promise such as `more arrears_count_12m never raises credit_limit` holds for every customer.

Two customers who differ in one fact only are led through all decisions together. The fact is cut at every
bound it is compared with, and one step from a piece to the next is looked at: since the order of numbers is
transitive, a result that no step raises is never raised. Tables are followed exactly, as sets of pairs of
rows; formulas by the order they keep (see `two_worlds.py`). What is called proved is proved; what is not is
searched for a customer who breaks it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise, product
from typing import TypeAlias

from engine.credit.axes import Axis, Line, axis_of
from engine.credit.domains import Numbers, domain_of, of_fact
from engine.credit.interpret import passes
from engine.credit.model import (
    CreditPolicy,
    DecisionTable,
    Expression,
    FactDefinition,
    FactKind,
    HitPolicy,
    Promise,
    Scorecard,
    Tests,
)
from engine.credit.order import reads_of
from engine.credit.thresholds import cells
from engine.credit.two_worlds import INFINITE, NotDecided, Number, Value, alike, exactly, worth
from engine.feel import kinds
from engine.feel import syntax as s
from engine.feel.values import Value as FeelValue

PAIRS = 20_000
"""Pairs of values of one name, and of the names of one formula together, that are followed at most."""
MEASURED = (FactKind.INTEGER, FactKind.DECIMAL, FactKind.MONEY)

Pair: TypeAlias = tuple[FeelValue, FeelValue]
Masks: TypeAlias = frozenset[tuple[int, int]]
"""The rows that match, as bits, for the one and for the other."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of the proof of one promise."""

    proved: bool
    because: str = ""
    """What stands in the way: the expression that is not understood; empty: some step may break it."""
    steps: tuple[tuple[FeelValue, FeelValue], ...] = ()
    """Values of the subject, one after the other, between which the promise may be broken."""


def as_fact(policy: CreditPolicy, name: str) -> CreditPolicy:
    """Return the policy with a decision as if it were told: a fact of the same name."""
    if name in policy.facts:
        return policy
    decision = policy.decisions[name]
    domain = domain_of(policy, Expression(name, decision.span, s.Name(name)), kinds.NUMBER)
    low, high = (domain.low, domain.high) if isinstance(domain, Numbers) else (None, None)
    whole = isinstance(domain, Numbers) and domain.whole
    fact = FactDefinition(
        name, FactKind.INTEGER if whole else FactKind.DECIMAL, decision.span, minimum=low, maximum=high
    )
    return replace(
        policy,
        facts={**policy.facts, name: fact},
        decisions={n: d for n, d in policy.decisions.items() if n != name},
        order=tuple(n for n in policy.order if n != name),
    )


def verdict(policy: CreditPolicy, promise: Promise) -> Verdict:
    """Return whether a promise is proved; its subject is a fact of `policy` (see `as_fact`)."""
    axis = _axis(policy, promise.subject)
    if not isinstance(axis, Line):
        return Verdict(False, promise.subject)
    pieces = [piece for piece in range(axis.null) if axis.full >> piece & 1]
    suspects = []
    try:
        for one, other in [*((p, p) for p in pieces if p % 2 == 0), *pairwise(pieces)]:
            if not _holds(policy, promise, axis, one, other):
                suspects.append((axis.example(1 << one), axis.example(1 << other)))
    except NotDecided as unknown:
        return Verdict(False, _said(policy, unknown.node))
    return Verdict(not suspects, "", tuple(suspects))


def _said(policy: CreditPolicy, node: s.Node) -> str:
    """Return an expression as the author wrote it, as far as it can be found."""
    for decision in policy.decisions.values():
        for expression in decision.expressions():
            if any(part is node for part in s.walk(expression.node)):
                return expression.text[node.offset : node.offset + node.length] or expression.text
    return ""


def _holds(policy: CreditPolicy, promise: Promise, axis: Line, one: int, other: int) -> bool:
    """Tell whether one step of the subject keeps the promise, whatever else is known of the customer."""
    follow = _Follow(policy, promise.subject, _step(axis, one, other))
    for name in policy.order:
        follow.take(name)
    falls = (promise.change == "more") == (promise.never == "raises")
    return all(
        found.never_rises if falls else found.never_falls for found in follow.numbers(s.Name(promise.target))
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """The subject of the one and of the other: an example of each, and the bounds between which they lie."""

    examples: Pair
    number: Number


def _step(axis: Line, one: int, other: int) -> _Step:
    low, high = _bounds(axis, one)
    low2, high2 = _bounds(axis, other)
    number = Number(low, high, low2, high2, rises=True)
    return _Step((axis.example(1 << one), axis.example(1 << other)), number)


def _bounds(axis: Line, piece: int) -> tuple[Decimal, Decimal]:
    index, at = divmod(piece, 2)
    if at:
        return axis.points[index], axis.points[index]
    low = axis.points[index - 1] if index else -INFINITE
    return low, axis.points[index] if index < len(axis.points) else INFINITE


def _axis(policy: CreditPolicy, name: str) -> Axis | None:
    """Return a fact cut at every bound that a cell or a comparison holds it against."""
    tests = [
        cell.node
        for decision in policy.decisions.values()
        for _, heading, cell in cells(decision)
        if heading.node == s.Name(name)
    ]
    points = [
        part
        for decision in policy.decisions.values()
        for expression in decision.expressions()
        for node in s.walk(expression.node)
        if isinstance(node, s.Comparison | s.Between) and s.Name(name) in s.children(node)
        for part in s.children(node)
        if isinstance(part, s.Number | s.Negation)
    ]
    tests.append(s.UnaryTests(tuple(s.UnaryComparison(">=", point) for point in points)))
    return axis_of(of_fact(policy.facts[name]), tests)


class _Follow:
    """What every name can be for the two, decision by decision."""

    def __init__(self, policy: CreditPolicy, subject: str, step: _Step) -> None:
        self.policy, self.subject, self.step = policy, subject, step
        self.pairs: dict[str, frozenset[Pair]] = {}
        """Names that are known as pairs of values."""
        self.spans: dict[str, list[Number]] = {}
        """Numbers of which bounds and order are known."""
        self.rows: dict[str, Masks] = {}
        """By table: the rows that count."""
        self.unknown: dict[str, s.Node] = {}
        """Formulas that are not understood, with the part that is not."""
        self.moved = {subject}
        """The names that can differ between the two."""

    def take(self, name: str) -> None:
        """Work out what a decision can be."""
        decision = self.policy.decisions[name]
        if not self.moved.isdisjoint(reads_of(decision)):
            self.moved.add(name)
        if isinstance(decision, DecisionTable):
            self.rows[name] = self._rows(decision)
        elif isinstance(decision, Scorecard):
            self.pairs[name] = self._points(decision)
        else:
            try:
                self.spans[name] = self.numbers(decision.expression.node)
            except NotDecided as unknown:  # whoever asks for it is told
                self.unknown[name] = unknown.node
        if isinstance(decision, DecisionTable) and decision.hit is HitPolicy.COLLECT_COUNT:
            counts = ((Decimal(a.bit_count()), Decimal(b.bit_count())) for a, b in self.rows[name])
            self.pairs[name] = frozenset(counts)

    # tables

    def _rows(self, table: DecisionTable) -> Masks:
        everyone = (1 << len(table.rules)) - 1
        found: Masks = frozenset({(everyone, everyone)})
        for column, heading in enumerate(table.inputs):
            masks = self._masks(table.name, heading, [rule.tests[column] for rule in table.rules])
            found = frozenset((a & x, b & y) for a, b in found for x, y in masks)
            if len(found) > PAIRS:
                raise NotDecided(heading.node)
        if not table.hit.single:
            return found
        first = {(a & -a, b & -b) for a, b in found}
        if table.otherwise is None:  # who has no row has no result that could be compared
            first = {(a, b) for a, b in first if a and b}
        return frozenset(first)

    def _masks(self, decision: str, heading: Expression, column: list[Tests]) -> Masks:
        """Return which cells of a column the two pass, for every pair of values that there can be."""
        known: dict[int, int] = {}

        def passed(value: FeelValue) -> int:
            key = hash((type(value), value if not isinstance(value, list | dict) else repr(value)))
            if key not in known:
                known[key] = sum(1 << n for n, cell in enumerate(column) if passes(decision, cell, value, {}))
            return known[key]

        if any(isinstance(part, s.Name) for cell in column for part in s.walk(cell.node)):
            raise NotDecided(heading.node)
        return frozenset((passed(a), passed(b)) for a, b in self._values(heading, column))

    def _values(self, heading: Expression, column: list[Tests]) -> Iterator[Pair]:
        """Yield pairs of values of a heading that stand for all that there are."""
        node = heading.node
        if isinstance(node, s.Name) and node.name == self.subject:
            yield self.step.examples
            return
        found = self._finite(node)
        if found is not None:
            yield from found
            return
        nullable = any(isinstance(test, s.Null) for cell in column for test in cell.node.tests)
        kind = self.policy.kinds.get(heading.text, kinds.NUMBER)
        domain = domain_of(self.policy, heading, kind, nullable=nullable)
        axis = axis_of(domain, [cell.node for cell in column])
        if axis is None or any(axis.covered(cell.node) is None for cell in column):
            raise NotDecided(node)
        pieces = [piece for piece in range(axis.full.bit_length()) if axis.full >> piece & 1]
        examples = [axis.example(1 << piece) for piece in pieces]
        if self._stays(node):
            yield from zip(examples, examples, strict=True)
            return
        if not isinstance(axis, Line) or len(pieces) ** 2 > PAIRS:
            raise NotDecided(node)
        spans = self.numbers(node)
        for (n, one), (m, other) in product(enumerate(examples), repeat=2):
            bounds = (*_bounds(axis, pieces[n]), *_bounds(axis, pieces[m]))
            if any(_meets(span, bounds, m - n) for span in spans):
                yield one, other

    def _stays(self, node: s.Node) -> bool:
        """Tell whether an expression is the same for both, whatever it is worth."""
        return self.moved.isdisjoint(part.name for part in s.walk(node) if isinstance(part, s.Name))

    def _finite(self, node: s.Node) -> frozenset[Pair] | None:
        """Return the pairs of values of a heading that is the result of tables; None: it is not that."""
        match node:
            case s.Name(name) if name in self.pairs:
                return self.pairs[name]
            case s.Name(name) if name in self.rows:
                return self._column(name, 0)
            case s.Path(s.Name(name), entry) if name in self.rows:
                table = self.policy.decisions[name]
                assert isinstance(table, DecisionTable)
                outputs = [output.name for output in table.outputs]
                return self._column(name, outputs.index(entry)) if entry in outputs else None
            case s.Call(s.Name("count"), (s.Name(name),)) if name in self.rows:
                return frozenset((Decimal(a.bit_count()), Decimal(b.bit_count())) for a, b in self.rows[name])
        return None

    def _column(self, name: str, column: int) -> frozenset[Pair] | None:
        table = self.policy.decisions[name]
        assert isinstance(table, DecisionTable)
        if not table.hit.single:
            return None
        found = set()
        for a, b in self.rows[name]:
            one, other = _literal(table, a, column), _literal(table, b, column)
            if one is None or other is None:
                return None
            found.add((one[0], other[0]))
        return frozenset(found)

    # scorecards

    def _points(self, card: Scorecard) -> frozenset[Pair]:
        sums: set[tuple[Decimal, Decimal]] = {(card.base, card.base)}
        for part in card.characteristics:
            masks = self._masks(card.name, part.expression, [bin_.tests for bin_ in part.bins])
            points = {
                (part.bins[a.bit_length() - 1].points, part.bins[b.bit_length() - 1].points)
                for a, b in masks
                if a and b
            }
            sums = {(x + p, y + q) for x, y in sums for p, q in points}
            if len(sums) > PAIRS:
                raise NotDecided(part.expression.node)
        return frozenset(sums)

    # formulas

    def numbers(self, node: s.Node) -> list[Number]:
        """Return what an expression can be: one entry for each pair of rows that it rests on."""
        tables = self._tables_in(node)
        choices = [self._choices(name) for name in tables]
        size = 1
        for options in choices:
            size *= len(options)
        if size > PAIRS:
            raise NotDecided(node)
        facts = dict(self._facts())
        found: dict[Number, None] = {}
        for picked in product(*choices):
            names = dict(facts)
            for choice in picked:
                names |= choice
            value = worth(node, names)
            if not isinstance(value, Number):
                raise NotDecided(node)
            found[value] = None
        return list(found)

    def _tables_in(self, node: s.Node) -> list[str]:
        names = dict.fromkeys(part.name for part in s.walk(node) if isinstance(part, s.Name))
        return [name for name in names if name in self.policy.decisions]

    def _choices(self, name: str) -> list[dict[str, Value]]:
        """Return what a decision can be, each as the names by which formulas call it."""
        decision = self.policy.decisions[name]
        if name in self.spans:
            return [{name: number} for number in self.spans[name]]
        if name in self.pairs:
            return [{name: _value(pair)} for pair in self.pairs[name]]
        if name not in self.rows or not isinstance(decision, DecisionTable):
            if self._stays(s.Name(name)):
                return [{name: alike(-INFINITE, INFINITE)}]
            raise NotDecided(self.unknown.get(name, s.Name(name)))
        return [dict(self._row(decision, a, b)) for a, b in self.rows[name]]

    def _row(self, table: DecisionTable, a: int, b: int) -> Iterator[tuple[str, Value]]:
        if not table.hit.single:
            yield f"count {table.name}", exactly(Decimal(a.bit_count()), Decimal(b.bit_count()))
            return
        for column, output in enumerate(table.outputs):
            name = table.name if len(table.outputs) == 1 else f"{table.name}.{output.name}"
            one, other = _literal(table, a, column), _literal(table, b, column)
            if one is not None and other is not None:
                yield name, _value((one[0], other[0]))
                continue
            rules = _result(table, a, column), _result(table, b, column)
            if rules[0].node == rules[1].node:  # the same formula for both
                found = self.numbers(rules[0].node)
                if len(found) == 1:
                    yield name, found[0]

    def _facts(self) -> Iterator[tuple[str, Value]]:
        for name, fact in self.policy.facts.items():
            if fact.nullable and name != self.subject:
                continue
            domain = of_fact(fact)
            if name == self.subject:
                yield name, self.step.number
            elif isinstance(domain, Numbers):
                low = -INFINITE if domain.low is None else domain.low
                yield name, alike(low, INFINITE if domain.high is None else domain.high)
            elif fact.kind is FactKind.BOOLEAN:
                yield name, frozenset({(True, True), (False, False)})


def _meets(span: Number, bounds: tuple[Decimal, Decimal, Decimal, Decimal], order: int) -> bool:
    """Tell whether numbers of a span can lie in a piece each; `order`: how far the second one is up."""
    low, high, low2, high2 = bounds
    if (span.never_falls and order < 0) or (span.never_rises and order > 0):
        return False
    return span.low <= high and low <= span.high and span.low2 <= high2 and low2 <= span.high2


def _result(table: DecisionTable, mask: int, column: int) -> Expression:
    if mask:
        return table.rules[mask.bit_length() - 1].results[column]
    assert table.otherwise is not None
    return table.otherwise[column]


def _literal(table: DecisionTable, mask: int, column: int) -> tuple[FeelValue] | None:
    match _result(table, mask, column).node:
        case s.Number(value) | s.String(value) | s.Boolean(value):
            return (value,)
        case s.Negation(s.Number(value)):
            return (-value,)
        case s.Null():
            return (None,)
    return None


def _value(pair: Pair) -> Value:
    one, other = pair
    if isinstance(one, bool) and isinstance(other, bool):
        return frozenset({(one, other)})
    if isinstance(one, str) and isinstance(other, str):
        return one, other
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return exactly(one, other)
    raise NotDecided(s.Null())


def speaks_of(policy: CreditPolicy, target: str) -> list[str]:
    """Return the facts on which a decision rests, in the author's order."""
    found, ahead = set[str](), [target]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += reads_of(policy.decisions[name]) if name in policy.decisions else ()
    return [name for name in policy.facts if name in found]


def examples_of(policy: CreditPolicy, name: str) -> list[FeelValue]:
    """Return values of a fact, one of each piece in which nothing changes."""
    axis = _axis(policy, name)
    if axis is None:
        return []
    return [axis.example(1 << p) for p in range(axis.full.bit_length()) if axis.full >> p & 1]
