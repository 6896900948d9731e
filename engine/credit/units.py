"""Which numbers are amounts of money, and where amounts and plain numbers are mixed up.

A number that is written out takes the unit that it needs: in `overdue_now > 50` it is an amount, in
`avg_monthly_bill * 3` a factor. A fact that is `integer` or `decimal`, a count and a score are plain
numbers. Amount and amount have a sum, a difference, an order and a ratio, which is plain; amount and plain
number a product and a quotient, which are amounts. An amount divided by a written number may have been
meant as a ratio (`overdue_now / 100` points): beside plain numbers it is doubtful, not wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from engine.credit.model import (
    CreditPolicy,
    DecisionTable,
    Expression,
    FactKind,
    Formula,
    HitPolicy,
    Scorecard,
)
from engine.feel import syntax as s
from engine.feel.printer import to_text
from engine.source import Severity
from engine.text.currency import smallest


class Unit(Enum):
    """What a number counts, as far as a policy shows it."""

    MONEY = "an amount"
    PLAIN = "a plain number"
    WRITTEN = "a number that is written out"
    PART = "an amount divided by a written number"
    UNKNOWN = "anything"


_ALIKE = frozenset(
    ("max", "min", "sum", "mean", "median", "mode", "stddev", "modulo", "concatenate", "append", "union",
     "insert before", "list contains", "index of", "list replace")
)  # fmt: skip
"""Built-ins whose arguments are of one unit; the place that `insert before` takes is not looked at."""
_KEPT = frozenset(
    ("abs", "floor", "ceiling", "decimal", "round up", "round down", "round half up", "round half down",
     "sublist", "reverse", "sort", "remove", "distinct values", "duplicate values", "flatten")
)  # fmt: skip
"""Built-ins whose result has the unit of their first argument."""
_PLAIN = frozenset(("count", "string length", "exp", "log", "sqrt", "product", "even", "odd"))
_NO_MONEY = frozenset(("exp", "log", "sqrt", "product"))
_TRUTH = frozenset(("list contains",))
Columns = Mapping[str, Unit]
Note = Callable[[str, s.Node, str, str, Severity], None]
ADVICE = "keep amounts with amounts and plain numbers with plain numbers; only their product is an amount"


def is_amount(policy: CreditPolicy, node: s.Node) -> bool:
    """Tell whether an expression certainly is an amount: it adds, scales or picks amounts."""
    return Units(policy).of(node) in (Unit.MONEY, Unit.PART)


class Units:
    """The units of one policy; decisions that were looked at are remembered, so that a circle ends."""

    def __init__(self, policy: CreditPolicy) -> None:
        self.policy = policy
        self.columns: dict[str, Columns] = {}
        for name in policy.order:  # in this order no decision has to ask another one: a chain is not deep
            self.columns_of(name)

    def of(self, node: s.Node) -> Unit:
        """Return the unit of an expression."""
        return Pass(self, None).of(node, {})

    def named(self, name: str, entry: str = "") -> Unit:
        """Return the unit of a fact, a decision, or one column of a table."""
        if name in self.policy.facts:
            kind = self.policy.facts[name].kind
            return {
                FactKind.MONEY: Unit.MONEY, FactKind.INTEGER: Unit.PLAIN, FactKind.DECIMAL: Unit.PLAIN,
            }.get(kind, Unit.UNKNOWN)  # fmt: skip
        columns = self.columns_of(name)
        return columns.get(entry, Unit.UNKNOWN)

    def columns_of(self, name: str) -> Columns:
        """Return the unit of a decision under the empty name, and those of a table's columns."""
        if name not in self.columns:
            self.columns[name] = {}
            self.columns[name] = self._columns(name)
        return self.columns[name]

    def _columns(self, name: str) -> Columns:
        decision = self.policy.decisions.get(name)
        if isinstance(decision, Formula):
            return {"": self.of(decision.expression.node)}
        if isinstance(decision, Scorecard):
            return {"": Unit.PLAIN}
        if not isinstance(decision, DecisionTable):
            return {}
        if decision.hit is HitPolicy.COLLECT_COUNT:
            return {"": Unit.PLAIN}
        found = {
            output.name: joined(self.of(result.node) for result in results_of(decision, column))
            for column, output in enumerate(decision.outputs)
        }
        return {**found, "": found[decision.outputs[0].name]} if len(found) == 1 else found


def results_of(table: DecisionTable, column: int) -> list[Expression]:
    """Return the cells of one output column, with that of `otherwise`."""
    results = [rule.results[column] for rule in table.rules]
    return [*results, *([table.otherwise[column]] if table.otherwise is not None else [])]


def joined(units: Iterable[Unit]) -> Unit:
    """Return the one unit of things that stand for each other; what is certain goes first."""
    found = list(units)
    for unit in (Unit.MONEY, Unit.PART, Unit.PLAIN, Unit.WRITTEN):
        if unit in found:
            return unit
    return Unit.UNKNOWN


@dataclass(slots=True)
class Pass:
    """One walk through an expression; `note` is told of what does not go together."""

    units: Units
    note: Note | None

    def of(self, node: s.Node, own: Mapping[str, Unit]) -> Unit:
        """Return the unit of an expression; `own` are the units of the names that it gives itself."""
        match node:
            case s.Number():
                return Unit.WRITTEN
            case s.Name(name):
                return own[name] if name in own else self.units.named(name)
            case s.Path(s.Name(name), entry) if name in self.units.policy.decisions and name not in own:
                return self.units.named(name, entry)
            case s.Negation(operand):
                return self.of(operand, own)
            case s.Arithmetic():
                return self._arithmetic(node, self.of(node.left, own), self.of(node.right, own))
            case s.Comparison(_, left, right):
                self._together(node, [left, right], own, "compared")
            case s.Between(value, low, high):
                self._together(node, [value, low, high], own, "compared")
            case s.RangeLiteral(low, high):
                return self._together(node, [low, high], own, "compared")
            case s.UnaryComparison(_, operand):
                return self.of(operand, own)
            case s.In(value, tests):
                self._together(node, [value, *tests], own, "compared")
            case s.If(condition, then, otherwise):
                self.of(condition, own)
                return self._together(node, [then, otherwise], own, "mixed by `if`")
            case s.ListLiteral(items):
                return self._together(node, list(items), own, "mixed in one list")
            case s.Call(s.Name(function), arguments, ()) if function not in own:
                return self._call(node, function, arguments, own)
            case _:
                return self._bound(node, own)
        return Unit.UNKNOWN

    def _bound(self, node: s.Node, own: Mapping[str, Unit]) -> Unit:
        """Return the unit of what gives names to its parts, or of what is not known here."""
        match node:
            case s.For(iterators, result):
                return self.of(result, self._iterated(iterators, own))
            case s.Quantified(_, iterators, condition):
                self.of(condition, self._iterated(iterators, own))
            case s.Filter(source, condition):
                unit = self.of(source, own)
                self.of(condition, {**own, "item": unit})
                return unit
            case s.FunctionDefinition(parameters, body):
                self.of(body, {**own, **{p.name: Unit.UNKNOWN for p in parameters}})
            case _:
                for part in s.children(node):
                    self.of(part, own)
        return Unit.UNKNOWN

    def _iterated(self, iterators: tuple[s.Iterator, ...], own: Mapping[str, Unit]) -> dict[str, Unit]:
        inner = dict(own)
        for iterator in iterators:
            inner[iterator.name] = self.of(iterator.domain, inner)
        return inner

    def _arithmetic(self, node: s.Arithmetic, left: Unit, right: Unit) -> Unit:
        both = (left, right)
        match node.operator:
            case "+" | "-":
                how = "added" if node.operator == "+" else "subtracted"
                self._mixed(node, [(node.left, left), (node.right, right)], how)
                return joined(both)
            case "*":
                if left is right is Unit.MONEY:
                    advice = "two amounts have a ratio, `/`, but no product"
                    return self._wrong(node, "an amount is multiplied by an amount", advice)
                if Unit.MONEY in both or Unit.PART in both:
                    return Unit.MONEY if Unit.MONEY in both else Unit.PART
                return left if left is right else joined(_written(both))
            case "/":
                return self._ratio(node, left, right)
        if Unit.MONEY in both:
            return self._wrong(node, "an amount has no power", "amounts are added, compared and scaled")
        return left

    def _ratio(self, node: s.Node, left: Unit, right: Unit) -> Unit:
        if right is Unit.MONEY and left is Unit.PLAIN:
            return self._wrong(
                node, "a plain number is divided by an amount", "divide the amount by the number"
            )
        if right in (Unit.MONEY, Unit.PART):
            return Unit.PLAIN if left in (Unit.MONEY, Unit.PART) else Unit.UNKNOWN
        if left is Unit.MONEY:
            return Unit.PART if right is Unit.WRITTEN else Unit.MONEY
        return left if left is right or left is Unit.PART else joined(_written((left, right)))

    def _call(
        self, node: s.Call, function: str, arguments: tuple[s.Node, ...], own: Mapping[str, Unit]
    ) -> Unit:  # fmt: skip
        if function in _ALIKE:
            shown = list(arguments) if function != "insert before" else [arguments[0], *arguments[2:]]
            unit = self._together(node, shown, own, f"mixed by `{function}`")
            return Unit.UNKNOWN if function in _TRUTH else Unit.PLAIN if function == "index of" else unit
        units = [self.of(argument, own) for argument in arguments]
        if function in _NO_MONEY and Unit.MONEY in units:
            message = f"`{function}` takes plain numbers, not amounts"
            return self._wrong(node, message, "divide by an amount first: a ratio is plain")
        if function in _KEPT:
            return units[0] if units else Unit.UNKNOWN
        return Unit.PLAIN if function in _PLAIN else Unit.UNKNOWN

    def _together(self, node: s.Node, parts: list[s.Node], own: Mapping[str, Unit], how: str) -> Unit:
        units = [self.of(part, own) for part in parts]
        self._mixed(node, list(zip(parts, units, strict=True)), how)
        if how == "compared" and Unit.MONEY in units:
            for part in parts:
                self.amounts(part)
        return joined(units)

    def amounts(self, node: s.Node) -> None:
        """Note numbers that are compared with an amount and lie between two amounts of the currency."""
        ends = {s.RangeLiteral: ("low", "high"), s.UnaryComparison: ("operand",), s.Negation: ("operand",)}
        for name in ends.get(type(node), ()):
            self.amounts(getattr(node, name))
        step = smallest(self.units.policy.currency)
        if not isinstance(node, s.Number) or node.value % step == 0 or self.note is None:
            return
        below = node.value // step * step
        message = f"`{node.value:f}` lies between two amounts in {self.units.policy.currency}"
        advice = f"write `{below:f}` or `{below + step:f}`"
        self.note("threshold-between-amounts", node, message, advice, Severity.WARNING)

    def _mixed(self, node: s.Node, parts: list[tuple[s.Node, Unit]], how: str) -> None:
        first = {unit: part for part, unit in reversed(parts)}
        other = next((unit for unit in (Unit.MONEY, Unit.PART) if unit in first), None)
        if self.note is None or other is None or Unit.PLAIN not in first:
            return
        amount, plain = _shown(first[other]), _shown(first[Unit.PLAIN])
        if other is Unit.MONEY:
            message = f"`{amount}` is an amount, `{plain}` a plain number, and they are {how}"
            self.note("units-mixed", node, message, ADVICE, Severity.ERROR)
        else:
            message = f"`{amount}` is part of an amount, `{plain}` a plain number, and they are {how}"
            advice = "if the written number is an amount as well, their ratio is plain, and this is right"
            self.note("units-doubtful", node, message, advice, Severity.WARNING)

    def _wrong(self, node: s.Node, message: str, advice: str) -> Unit:
        if self.note is not None:
            self.note("units-mixed", node, message, advice, Severity.ERROR)
        return Unit.UNKNOWN


def _shown(node: s.Node) -> str:
    text = to_text(node)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _written(units: Iterable[Unit]) -> list[Unit]:
    """Return the unit of a product or quotient with a written number in it: what it takes."""
    found = list(units)
    return [Unit.WRITTEN] if Unit.WRITTEN in found and Unit.UNKNOWN not in found else []
