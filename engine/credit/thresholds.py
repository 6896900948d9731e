"""The thresholds of a policy: every number and day at which a cell changes its mind, and what is next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from engine.credit.domains import Dates, Domain, Numbers, Values, domain_of
from engine.credit.grain import Grains, points_apart, shared
from engine.credit.model import (
    CreditPolicy,
    DecisionDefinition,
    DecisionTable,
    Expression,
    Scorecard,
    Tests,
)
from engine.credit.units import Unit, Units
from engine.feel import kinds
from engine.feel import syntax as s
from engine.feel.printer import to_text
from engine.text.currency import smallest

Point = Decimal | date


@dataclass(frozen=True, slots=True)
class Threshold:
    """One bound of one cell."""

    decision: str
    heading: Expression
    cell: Tests
    row: int
    """The number of the row or bin."""
    test: int
    """Which of the cell's tests."""
    end: str
    """`low` or `high` end of a range, or `only`."""
    point: Point
    step: Decimal
    """One cent, one day, one unit: to the nearest value on either side."""

    @property
    def place(self) -> str:
        """Where it stands, in words: `score row 3 (line 70), tenure_months [12..24)`."""
        cell = " ".join(self.cell.text.split())
        return f"{self.decision} row {self.row} (line {self.cell.span.line}), {self.heading.text} `{cell}`"

    def moved(self, steps: int) -> Point:
        """Return the point so many steps further."""
        return stepped(self.point, steps, self.step)


def stepped(point: Point, steps: int, step: Decimal | None) -> Point:
    """Return a number so many steps further, or a day so many days."""
    if isinstance(point, date):
        return point + timedelta(days=steps)
    return point + steps * (step or Decimal(1))


def thresholds(policy: CreditPolicy) -> Iterator[Threshold]:
    """Yield the thresholds of all cells of tables and scorecards, in the author's order."""
    steps = Steps(policy)
    for name, decision in policy.decisions.items():
        for row, heading, cell in cells(decision):
            step = step_of(policy, steps, heading, cell)
            for index, test in enumerate(cell.node.tests):
                for end, point in _points(test):
                    if isinstance(point, date) or step is not None:
                        yield Threshold(name, heading, cell, row, index, end, point, step or Decimal(1))


def cells(decision: DecisionDefinition) -> Iterator[tuple[int, Expression, Tests]]:
    """Yield every cell of a decision: the number of its row, its heading, its tests."""
    if isinstance(decision, DecisionTable):
        for rule in decision.rules:
            for heading, cell in zip(decision.inputs, rule.tests, strict=True):
                yield rule.number, heading, cell
    elif isinstance(decision, Scorecard):
        for part in decision.characteristics:
            for bin_ in part.bins:
                yield bin_.number, part.expression, bin_.tests


def step_of(policy: CreditPolicy, steps: Steps, heading: Expression, cell: Tests) -> Decimal | None:
    """Return the distance to the nearest values that a heading can have; None: it has no such distance."""
    domain = domain_of(policy, heading, kinds.NUMBER)
    if isinstance(domain, Values):  # an output column: known numbers, and nothing between them
        return None
    if isinstance(domain, Dates):
        return Decimal(1)
    if isinstance(heading.node, s.Name) and isinstance(
        card := policy.decisions.get(heading.node.name), Scorecard
    ):
        return points_apart(card)
    return steps.of([heading.node], cell.node.tests)


class Steps:
    """How far apart the numbers of a policy lie; what was found out of one policy serves all its cells."""

    def __init__(self, policy: CreditPolicy) -> None:
        self.policy, self.units, self.grains = policy, Units(policy), Grains(policy)

    def of(self, nodes: Sequence[s.Node], written: Iterable[s.Node]) -> Decimal:
        """Return the step of numbers: as far as they are computed, cents, else the last place written."""
        if apart := self.known(nodes):
            return apart
        numbers = [n.value for test in written for n in s.walk(test) if isinstance(n, s.Number)]
        places = [int(number.as_tuple().exponent) for number in numbers]
        return Decimal(1).scaleb(min([-2, *places]))

    def known(self, nodes: Sequence[s.Node]) -> Decimal | None:
        """Return the step of numbers of which the policy shows one: whole numbers, cents, thousands."""
        apart = shared([self.grains.of(node) for node in nodes])
        if any(self.units.of(node) in (Unit.MONEY, Unit.PART) for node in nodes):
            cent = smallest(self.policy.currency)
            return apart if apart and apart % cent == 0 else cent
        return apart or None


def _points(test: s.Node) -> Iterator[tuple[str, Point]]:
    match test:
        case s.RangeLiteral(low, high):
            for end, node in (("low", low), ("high", high)):
                if (point := literal(node)) is not None:
                    yield end, point
        case s.UnaryComparison(_, operand):
            if (point := literal(operand)) is not None:
                yield "only", point
        case _:
            if (point := literal(test)) is not None:
                yield "only", point


def literal(node: s.Node) -> Point | None:
    """Return the number or day that a node writes out."""
    match node:
        case s.Number(value):
            return value
        case s.Negation(s.Number(value)):
            return -value
        case s.AtLiteral(text) | s.Call(s.Name("date"), (s.String(text),)) if len(text) == 10:
            try:
                return date.fromisoformat(text)
            except ValueError:
                return None
    return None


def node_of(point: Point) -> s.Node:
    """Return a number or a day as a node."""
    if isinstance(point, date):
        return s.AtLiteral(point.isoformat())
    return s.Negation(s.Number(-point)) if point < 0 else s.Number(point)


def with_point(threshold: Threshold, point: Point) -> Tests | None:
    """Return the cell with another point in this place; None when its range would be turned round."""
    node = threshold.cell.node
    test = node.tests[threshold.test]
    new: s.Node
    match test:
        case s.RangeLiteral(low, high):
            ends = {"low": low, "high": high, threshold.end: node_of(point)}
            first, last = literal(ends["low"]), literal(ends["high"])
            if first is not None and last is not None and first > last:  # type: ignore[operator]  # both of one kind
                return None
            new = replace(test, low=ends["low"], high=ends["high"])
        case s.UnaryComparison():
            new = replace(test, operand=node_of(point))
        case _:
            new = node_of(point)
    return _with_test(threshold, new)


def with_other_end(threshold: Threshold) -> Tests | None:
    """Return the cell with the bound itself on the other side: `>= 0.5` as `> 0.5`."""
    other: dict[str, s.ComparisonOperator] = {">=": ">", ">": ">=", "<=": "<", "<": "<="}
    match threshold.cell.node.tests[threshold.test]:
        case s.RangeLiteral() as test:
            closed = {"low": test.low_closed, "high": test.high_closed}
            closed[threshold.end] = not closed[threshold.end]
            return _with_test(threshold, replace(test, low_closed=closed["low"], high_closed=closed["high"]))
        case s.UnaryComparison(operator) as test if operator in other:
            return _with_test(threshold, replace(test, operator=other[operator]))
    return None


def _with_test(threshold: Threshold, test: s.Node) -> Tests:
    node = threshold.cell.node
    tests = (*node.tests[: threshold.test], test, *node.tests[threshold.test + 1 :])
    changed = replace(node, tests=tests)
    return Tests(to_text(changed), threshold.cell.span, changed)


def with_cell(policy: CreditPolicy, threshold: Threshold, cell: Tests) -> CreditPolicy:
    """Return the policy with another cell in place of a threshold's."""
    decision = policy.decisions[threshold.decision]
    old = threshold.cell
    changed: DecisionDefinition = decision
    if isinstance(decision, DecisionTable):
        rules = tuple(
            replace(rule, tests=tuple(cell if test is old else test for test in rule.tests))
            for rule in decision.rules
        )
        changed = replace(decision, rules=rules)
    elif isinstance(decision, Scorecard):
        parts = tuple(
            replace(part, bins=tuple(replace(b, tests=cell) if b.tests is old else b for b in part.bins))
            for part in decision.characteristics
        )
        changed = replace(decision, characteristics=parts)
    decisions: Mapping[str, DecisionDefinition] = {**policy.decisions, threshold.decision: changed}
    return replace(policy, decisions=decisions)


def possible(domain: Domain, point: Point) -> bool:
    """Tell whether a value is within the bounds of what is known."""
    match domain, point:
        case Numbers(low, high), Decimal():
            return (low is None or point >= low) and (high is None or point <= high)
        case Dates(first, last), date():
            return (first is None or point >= first) and (last is None or point <= last)
    return True
