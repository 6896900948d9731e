"""Decision tables: which rules match, and what each hit policy makes of them (8.2.10, 10.3.2.10)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.dmn import expressions as x
from engine.feel.calls import call
from engine.feel.functions import REGISTRY
from engine.feel.interpreter import Scope
from engine.feel.operators import in_range, same
from engine.feel.values import FeelError, Range, Value, show

if TYPE_CHECKING:
    from engine.dmn.boxed import Boxes

Hit = tuple[int, tuple[Value, ...]]
"""The number of a rule from 1 and its outputs."""


def table_value(table: x.DecisionTable, boxes: Boxes, scope: Scope) -> Value:
    """Return what a decision table is worth."""
    return _Table(table, boxes, scope).value()


class _Table:
    """One evaluation of one table."""

    def __init__(self, table: x.DecisionTable, boxes: Boxes, scope: Scope) -> None:
        self.table, self.boxes, self.scope, self.run = table, boxes, scope, boxes.run

    def value(self) -> Value:
        matched = self.matched()
        if not matched:
            return self.default()
        hits = [(number, self.outputs(self.table.rules[number - 1])) for number in matched]
        return self.POLICIES[self.table.hit_policy](self, hits)

    # --- rules ------------------------------------------------------------------------------------

    def matched(self) -> list[int]:
        """Return the numbers of the rules that match."""
        inputs = [self.input(clause) for clause in self.table.inputs]
        found: list[int] = []
        for number, rule in enumerate(self.table.rules, start=1):
            self.run.spend()
            if all(self.test(t, v, ok) for t, (v, ok) in zip(rule.tests, inputs, strict=False)):
                found.append(number)
                if self.table.hit_policy == "FIRST":
                    break
        return found

    def input(self, clause: x.InputClause) -> tuple[Value, bool]:
        """Return the value that a column tests, and whether the column allows it."""
        value = self.boxes.value(clause.expression, self.scope)
        if clause.values is None or value is None or self.run.passes(clause.values, value, self.scope):
            return value, True
        message = f"the input is {show(value):.80}, which is not one of {clause.values.value.strip():.200}"
        self.run.warn("input-not-allowed", message, clause.span)
        return value, False

    def test(self, formula: x.Formula, value: Value, allowed: bool) -> bool:
        """Tell whether a value passes a cell; `-` lets pass what the column allows."""
        if formula.value.strip() in ("", "-"):
            return allowed
        return self.run.passes(formula, value, self.scope)

    def outputs(self, rule: x.Rule) -> tuple[Value, ...]:
        """Return the outputs of a rule."""
        pairs = zip(self.table.outputs, rule.outputs, strict=False)
        return tuple(self.output(clause, cell) for clause, cell in pairs)

    def output(self, clause: x.OutputClause, cell: x.Boxed) -> Value:
        """Return one output; one that is not among the values of its column is noted."""
        value = self.boxes.value(cell, self.scope)
        value = self.run.member(value, self.boxes.type_of(clause), "the output", cell.span)
        if value is not None and clause.values and not self.run.passes(clause.values, value, self.scope):
            values = clause.values.value.strip()
            message = f"the output is {show(value):.80}, which is not one of {values:.200}"
            self.run.warn("output-not-allowed", message, cell.span)
        return value

    def default(self) -> Value:
        """Return the default output, or null."""
        if all(clause.default is None for clause in self.table.outputs):
            return None
        return self.shaped(
            tuple(
                None if clause.default is None else self.output(clause, clause.default)
                for clause in self.table.outputs
            )
        )

    def shaped(self, outputs: tuple[Value, ...]) -> Value:
        """Return the outputs of a rule as one value: itself, or a context if there are several."""
        if len(self.table.outputs) == 1:
            return outputs[0] if outputs else None
        names = (c.name or c.label or f"output {n}" for n, c in enumerate(self.table.outputs, start=1))
        return dict(zip(names, outputs, strict=False))

    # --- hit policies -----------------------------------------------------------------------------

    def unique(self, hits: list[Hit]) -> Value:
        if len(hits) > 1:
            return self.several(hits, "several-rules", "match, and the hit policy is UNIQUE")
        return self.shaped(hits[0][1])

    def any_hit(self, hits: list[Hit]) -> Value:
        if not all(same(list(hits[0][1]), list(outputs)) for _, outputs in hits):
            why = "match with different outputs, and the hit policy is ANY"
            return self.several(hits, "different-outputs", why)
        return self.shaped(hits[0][1])

    def several(self, hits: list[Hit], code: str, why: str) -> Value:
        rules = ", ".join(str(number) for number, _ in hits)
        self.run.warn(code, f"rules {rules} {why}", self.table.span)
        return None

    def first(self, hits: list[Hit]) -> Value:
        return self.shaped(hits[0][1])

    def priority(self, hits: list[Hit]) -> Value:
        return self.shaped(self.ranked(hits)[0][1])

    def output_order(self, hits: list[Hit]) -> Value:
        return [self.shaped(outputs) for _, outputs in self.ranked(hits)]

    def rule_order(self, hits: list[Hit]) -> Value:
        return [self.shaped(outputs) for _, outputs in hits]

    def collect(self, hits: list[Hit]) -> Value:
        values: list[Value] = [self.shaped(outputs) for _, outputs in hits]
        match self.table.aggregation:
            case None:
                return values
            case "COUNT":
                return Decimal(len(values))
            case aggregation:
                if len(self.table.outputs) > 1:
                    raise FeelError("bad-aggregation", f"{aggregation} has no meaning for several outputs")
                return call(REGISTRY[aggregation.lower()], [values], {}, self.run.spend)

    def ranked(self, hits: list[Hit]) -> list[Hit]:
        """Return the hits by priority: the order of the output values, columns from left to right."""
        orders = [(i, values) for i, c in enumerate(self.table.outputs) if (values := self.order(c))]
        if not orders:
            message = f"the hit policy is {self.table.hit_policy}, but no output has a list of values"
            self.run.warn("no-priorities", message, self.table.span, "Give the output its values in order.")

        def rank(hit: Hit) -> tuple[int, ...]:
            return tuple(position(hit[1][i], values) if i < len(hit[1]) else 0 for i, values in orders)

        return sorted(hits, key=rank)

    def order(self, clause: x.OutputClause) -> list[Value]:
        """Return the values of an output, or those that its type allows, the most important first."""
        formula = clause.values
        kind = self.boxes.type_of(clause)
        while formula is None and kind is not None:
            formula, kind = kind.allowed, kind.base
        return [] if formula is None else self.run.values(formula, self.scope)

    POLICIES: dict[str, Callable[[_Table, list[Hit]], Value]] = {
        "UNIQUE": unique, "ANY": any_hit, "FIRST": first, "PRIORITY": priority, "OUTPUT ORDER": output_order,
        "RULE ORDER": rule_order, "COLLECT": collect,
    }  # fmt: skip


def position(value: Value, order: list[Value]) -> int:
    """Return where a value stands in an order; behind all, if it does not."""
    return next((index for index, wanted in enumerate(order) if _is(value, wanted)), len(order))


def _is(value: Value, wanted: Value) -> bool:
    if isinstance(wanted, Range) and not isinstance(value, Range):
        try:
            return in_range(value, wanted)
        except FeelError:
            return False
    return same(value, wanted)
