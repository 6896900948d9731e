"""Amounts that nobody can pay, and amounts mixed up with plain numbers, in all of a policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from engine.credit.model import CreditPolicy, DecisionTable, Expression, FactKind, Formula, Scorecard, Tests
from engine.credit.units import ADVICE, Pass, Unit, Units, results_of
from engine.feel import syntax as s
from engine.feel.parser import place_of
from engine.source import Problem, Severity, Span
from engine.text.currency import smallest

_CERTAIN = (Unit.MONEY, Unit.PLAIN)


def unit_problems(policy: CreditPolicy) -> Iterator[Problem]:
    """Yield every place in which amounts and plain numbers are mixed up."""
    yield from _too_precise(policy)
    units = Units(policy)
    for name in policy.order:
        yield from _Check(units, policy).decision(name)
    check = _Check(units, policy)
    for item in policy.outcome:
        unit = check.expression(item.expression)
        if item.money and unit is Unit.PLAIN:
            message = f"outcome `{item.name}` is money, but its value is a plain number"
            advice = f"write `{item.name}: {item.expression.text}`, or name the amount that it shall be"
            problem = Problem("money-of-number", message, item.expression.span, advice, Severity.WARNING)
            check.found.append(problem)
    for expression in (policy.status, policy.told):
        if expression is not None:
            check.expression(expression)
    yield from check.found


def _too_precise(policy: CreditPolicy) -> Iterator[Problem]:
    """Yield bounds and defaults of facts that are no amounts of the currency."""
    step = smallest(policy.currency)
    for fact in policy.facts.values():
        if fact.kind is not FactKind.MONEY:
            continue
        given: list[tuple[str, object, Span]] = [
            ("min", fact.minimum, fact.span), ("max", fact.maximum, fact.span),
        ]  # fmt: skip
        for answer in (fact.when_missing, fact.when_old, fact.when_unverified):
            given += [("default", answer.default, answer.span)] if answer else []
        for key, value, span in given:
            if isinstance(value, Decimal) and value % step != 0:
                below = value // step * step
                message = f"`{key}` of fact `{fact.name}` is {value:f}, no amount in {policy.currency}"
                advice = f"write `{below:f}` or `{below + step:f}`"
                yield Problem("amount-too-precise", message, span, advice)


@dataclass(slots=True)
class _Check:
    """The findings in expressions and cells of one policy."""

    units: Units
    policy: CreditPolicy
    found: list[Problem] = field(default_factory=list)

    def expression(self, expression: Expression) -> Unit:
        """Look at one expression and return its unit."""
        return self._pass(expression).of(expression.node, {})

    def _pass(self, place: Expression | Tests) -> Pass:
        def note(code: str, part: s.Node, message: str, advice: str, severity: Severity) -> None:
            span = place_of(place.span, place.text, part.offset, max(1, part.length))
            self.found.append(Problem(code, message, span, advice, severity))

        return Pass(self.units, note)

    def decision(self, name: str) -> list[Problem]:
        """Look at all of one decision."""
        decision = self.policy.decisions[name]
        if isinstance(decision, Formula):
            self.expression(decision.expression)
        elif isinstance(decision, Scorecard):
            for part in decision.characteristics:
                self._column(part.expression, [bin_.tests for bin_ in part.bins])
        else:
            for index, heading in enumerate(decision.inputs):
                self._column(heading, [rule.tests[index] for rule in decision.rules])
            for index in range(len(decision.outputs)):
                self._results(decision, index)
        return self.found

    def _column(self, heading: Expression, cells: Iterable[Tests]) -> None:
        unit, fine = self.expression(heading), set[int]()
        for cell in cells:
            if id(cell.node) in fine:  # thousands of rows have few different cells
                continue
            fine.add(id(cell.node))
            for test in cell.node.tests:
                if unit is Unit.MONEY:
                    self._pass(cell).amounts(test)
                if not isinstance(test, s.Number | s.String | s.Null | s.Boolean):
                    self._cell(cell, heading, unit, test)

    def _cell(self, cell: Tests, heading: Expression, unit: Unit, test: s.Node) -> None:
        own = self._pass(cell).of(test, {"?": unit})
        if s.mentions_input(test) or {own, unit} != set(_CERTAIN):
            return
        message = f"`{heading.text}` is {unit.value}, and it is compared with {own.value}"
        self.found.append(Problem("units-mixed", message, cell.span, ADVICE))

    def _results(self, table: DecisionTable, column: int) -> None:
        first = Unit.UNKNOWN
        for result in results_of(table, column):
            plain = isinstance(result.node, s.Number | s.String)
            unit = Unit.WRITTEN if plain else self.expression(result)
            if {first, unit} == set(_CERTAIN):
                name = table.outputs[column].name
                message = f"`{result.text}` is {unit.value}; above it in column `{name}` stands {first.value}"
                advice = "all cells of an output column are of one unit"
                self.found.append(Problem("units-mixed", message, result.span, advice))
            first = unit if unit in _CERTAIN and first not in _CERTAIN else first
