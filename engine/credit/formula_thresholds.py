"""Thresholds outside the cells of tables: `if owed > 50 then ...`, `as_of > since + duration("P30D")`.

Every comparison by order of numbers or of days is one, whether it is with something written out, with
something computed or with another fact, in a formula, a heading, an output, the status or a cell. It changes
its mind where the two sides are equal: the bound is tried by cases whose sides are equal or one step apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from engine.credit.errors import CreditError
from engine.credit.interpret import evaluated
from engine.credit.model import CreditPolicy, DecisionTable, Expression, Formula, Scorecard, Tests
from engine.credit.places import put_back
from engine.credit.shifting import shifted
from engine.credit.thresholds import Steps, literal, stepped
from engine.feel import kinds
from engine.feel import syntax as s
from engine.feel.dates import Date
from engine.feel.durations import DAY, DaysDuration
from engine.feel.functions import REGISTRY
from engine.feel.inference import infer
from engine.feel.kinds import FeelType
from engine.feel.printer import to_text
from engine.feel.values import Value

_ORDER = ("<", "<=", ">", ">=")
_OTHER: dict[str, s.ComparisonOperator] = {">=": ">", ">": ">=", "<=": "<", "<": "<="}
_DAYS = (kinds.DATE, kinds.DAYS_DURATION)


@dataclass(frozen=True, slots=True, eq=False)
class FormulaThreshold:
    """One comparison by order, outside what the cells of a table write out."""

    name: str
    """The decision in which it stands, `status`, or the name of an outcome."""
    holder: Expression | Tests
    part: s.Node
    """What is compared: a comparison, `between`, or a test of `in` or of a cell."""
    left: s.Node
    operator: str
    right: s.Node
    step: Decimal | None
    """How far apart the sides can be; None: one day."""
    dense: bool = False
    """Whether values lie between a bound and one step beside it."""
    row: int = 0
    """Of a table or scorecard: the row in which it stands; 0: none."""
    heading: str = ""
    """Of a cell: the heading above it."""

    @property
    def place(self) -> str:
        """Where it stands, in words: `status (line 13), `level >= 2``."""
        row = f" row {self.row}" if self.row else ""
        heading = f"{self.heading} " if self.heading else ""
        return f"{self.name}{row} (line {self._line}), {heading}`{self.text}`"

    @property
    def text(self) -> str:
        """The comparison as it is written."""
        text = self.holder.text[self.part.offset : self.part.offset + self.part.length]
        return " ".join((text or self.holder.text).split())

    @property
    def _line(self) -> int:
        return self.holder.span.line + self.holder.text[: self.part.offset].count("\n")

    def apart(self, scope: Mapping[str, Value]) -> Decimal | None:
        """Return by how many steps the left side is above the right one; None: that is not known here."""
        try:
            left, right = (
                evaluated(self.name, replace(self.alone, node=side), scope)
                for side in (self.left, self.right)
            )
        except CreditError:
            return None
        if isinstance(left, Decimal) and isinstance(right, Decimal) and self.step:
            return (left - right) / self.step
        if isinstance(left, Date) and isinstance(right, Date):
            return Decimal(left.ordinal - right.ordinal)
        if isinstance(left, DaysDuration) and isinstance(right, DaysDuration):
            return Decimal(left.nanoseconds - right.nanoseconds) / DAY
        return None

    def known(self, policy: CreditPolicy) -> bool:
        """Tell whether both sides have a value outside the expression: they read no name of its own."""
        own = {*policy.facts, *policy.decisions, *REGISTRY}
        parts = (part for side in (self.left, self.right) for part in s.walk(side))
        return all(part.name in own for part in parts if isinstance(part, s.Name))

    @property
    def alone(self) -> Expression:
        """The left side by itself."""
        return Expression(self.holder.text, self.holder.span, self.left)

    def near(self, scope: Mapping[str, Value], steps: int) -> bool:
        """Tell whether the sides are equal (0), or the left one is at most one step below or above."""
        apart = self.apart(scope)
        return apart is not None and (apart == 0 if steps == 0 else 0 < apart * steps <= 1)

    def holds(self, apart: Decimal) -> bool:
        """Tell whether the comparison holds with sides so far apart."""
        return {"<": apart < 0, "<=": apart <= 0, ">": apart > 0, ">=": apart >= 0}[self.operator]

    def side(self, steps: int) -> str:
        """Return what the sides are on a side of the bound, in words: `credit_limit 501000`."""
        left, right, point = to_text(self.left), to_text(self.right), literal(self.right)
        if point is not None:
            return f"{left} {stepped(point, steps, self.step)}"
        if not steps:
            return f"{left} equal to {right}"
        length = shifted(self.right, steps, None) if self.step is None else None
        if length is not None and length[0] is self.right:
            return f"{left} {to_text(length[1])}"
        if self.step is None:
            return f"{left} one day {'after' if steps > 0 else 'before'} {right}"
        return f"{left} {self.step:f} {'above' if steps > 0 else 'below'} {right}"


@dataclass(frozen=True, slots=True)
class FormulaMutant:
    """One small change of one threshold of one formula."""

    threshold: FormulaThreshold
    old: s.Node
    new: s.Node
    told: str
    """The change in words: `50.00 as 49.99`."""

    def __str__(self) -> str:
        return f"{self.threshold.place}: {self.told}"

    def policy(self, policy: CreditPolicy) -> CreditPolicy:
        """Return the policy with the change."""
        holder = self.threshold.holder
        node = with_node(holder.node, self.old, self.new)
        return put_back(policy, self.threshold.name, holder, replace(holder, node=node))


def formula_mutants(policy: CreditPolicy) -> Iterator[FormulaMutant]:
    """Yield each threshold one step to either side; where numbers lie close also with the bound turned."""
    for threshold in formula_thresholds(policy):
        for steps in (-1, 1):
            for old in (threshold.right, threshold.left):
                change = shifted(old, steps, threshold.step)
                if change is not None:
                    yield FormulaMutant(threshold, *change)
                    break
            else:
                yield FormulaMutant(threshold, *_moved(threshold, steps))
        if threshold.dense and isinstance(threshold.part, s.Comparison | s.UnaryComparison):
            new = replace(threshold.part, operator=_OTHER[threshold.operator])
            yield FormulaMutant(threshold, threshold.part, new, f"as `{to_text(new)}`")


def _moved(threshold: FormulaThreshold, steps: int) -> tuple[s.Node, s.Node, str]:
    """Return the right side one step further, where nothing is written out that could be moved."""
    amount: s.Node = s.AtLiteral("P1D") if threshold.step is None else s.Number(threshold.step)
    new = s.Arithmetic("+" if steps > 0 else "-", threshold.right, amount)
    return threshold.right, new, f"{to_text(threshold.right)} as {to_text(new)}"


def formula_thresholds(policy: CreditPolicy) -> Iterator[FormulaThreshold]:
    """Yield every comparison by order of numbers or days that no cell writes out, in the author's order."""
    steps = Steps(policy)
    for name, row, heading, holder in _holders(policy):
        nodes = holder.node.tests if isinstance(holder, Tests) else (holder.node,)
        for node in nodes:
            for part, left, operator, right in _compared(node, heading):
                kind = _kind(policy, holder, left, right)
                if kind is None:
                    continue
                dense = kind == kinds.NUMBER and steps.known(_computed(left, right)) is None
                step = steps.of(_computed(left, right), [left, right]) if kind == kinds.NUMBER else None
                shown = heading.text if heading is not None else ""
                yield FormulaThreshold(name, holder, part, left, operator, right, step, dense, row, shown)


def _computed(left: s.Node, right: s.Node) -> list[s.Node]:
    """Return the sides that are not written out."""
    return [side for side in (left, right) if literal(side) is None] or [left]


Holder = tuple[str, int, Expression | None, Expression | Tests]


def _holders(policy: CreditPolicy) -> Iterator[Holder]:
    """Yield every expression, and every cell, with the decision, the row and the heading it stands under."""
    for name, decision in policy.decisions.items():
        if isinstance(decision, Formula):
            yield name, 0, None, decision.expression
        elif isinstance(decision, Scorecard):
            for part in decision.characteristics:
                yield name, 0, None, part.expression
                yield from ((name, bin_.number, part.expression, bin_.tests) for bin_ in part.bins)
        elif isinstance(decision, DecisionTable):
            yield from ((name, 0, None, heading) for heading in decision.inputs)
            for rule in decision.rules:
                for heading, cell in zip(decision.inputs, rule.tests, strict=True):
                    yield name, rule.number, heading, cell
                yield from ((name, rule.number, None, result) for result in rule.results)
            yield from ((name, 0, None, result) for result in decision.otherwise or ())
    if policy.status is not None:
        yield "status", 0, None, policy.status
    yield from ((item.name, 0, None, item.expression) for item in policy.outcome)


Compared = tuple[s.Node, s.Node, str, s.Node]


def _compared(node: s.Node, heading: Expression | None) -> Iterator[Compared]:
    """Yield the comparisons by order in an expression, or in a cell under a heading."""
    if heading is not None:
        yield from (
            (part, heading.node, op, side) for part, op, side in _tested(node) if literal(side) is None
        )
    for part in s.walk(node):
        match part:
            case s.Comparison(operator, left, right) if operator in _ORDER:
                yield part, _read(left, heading), operator, _read(right, heading)
            case s.Between(value, low, high):
                yield part, _read(value, heading), ">=", low
                yield part, _read(value, heading), "<=", high
            case s.In(value, tests):
                for test in tests:
                    yield from ((part, _read(value, heading), op, side) for _, op, side in _tested(test))


def _tested(test: s.Node) -> Iterator[tuple[s.Node, str, s.Node]]:
    match test:
        case s.UnaryComparison(operator, operand) if operator in _ORDER:
            yield test, operator, operand
        case s.RangeLiteral(low, high, low_closed, high_closed):
            yield test, ">=" if low_closed else ">", low
            yield test, "<=" if high_closed else "<", high


def _read(node: s.Node, heading: Expression | None) -> s.Node:
    """Return a side with what `?` stands for."""
    return heading.node if heading is not None and node == s.Name("?") else node


def _kind(
    policy: CreditPolicy, holder: Expression | Tests, left: s.Node, right: s.Node
) -> FeelType | None:  # fmt: skip
    """Return what is compared: numbers, days or durations in days; None: something else."""
    found = [infer(side, policy.kinds, holder.span, holder.text)[0] for side in (left, right)]
    if literal(left) is not None and literal(right) is not None:
        return None
    return next((kind for kind in (kinds.NUMBER, *_DAYS) if kind in found), None)


def with_node(node: s.Node, old: s.Node, new: s.Node) -> Any:
    """Return a tree with one of its nodes replaced; the node itself is meant, not one that equals it."""
    if node is old:
        return new
    changed: dict[str, Any] = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, s.Node):
            inner: object = with_node(value, old, new)
        elif isinstance(value, tuple):
            inner = tuple(with_node(item, old, new) if isinstance(item, s.Node) else item for item in value)
            inner = value if all(a is b for a, b in zip(inner, value, strict=True)) else inner
        else:
            continue
        if inner is not value:
            changed[field.name] = inner
    return replace(node, **changed) if changed else node
