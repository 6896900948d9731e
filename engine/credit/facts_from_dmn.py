"""What the inputs of a DMN model are, as facts of a policy.

Modelers leave much unsaid: Camunda's writes input data without a type. So the type of an input is the one it
declares, else that of a column which tests it, else what its name is compared with; nothing is guessed that
the model does not show. A column's list of values is said with the fact (`one_of`, `min`, `max`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.credit.carried import TRUTHS
from engine.dmn import expressions as x
from engine.dmn.model import Decision, Definitions
from engine.feel import syntax as s
from engine.feel.parser import parse_expression, parse_unary_tests
from engine.source import Span

KINDS: Mapping[str, str] = {
    "string": "string", "boolean": "boolean", "number": "decimal", "integer": "integer", "long": "integer",
    "int": "integer", "double": "decimal", "float": "decimal", "date": "date",
}  # fmt: skip
"""By the name of a type, in DMN or in Camunda's engines: the type of a fact."""
LIST = "list of string"
_NOWHERE = Span("", 1, 1)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: what it looks at, and the tests in it."""

    clause: x.InputClause
    tests: tuple[x.Formula, ...]

    @property
    def heading(self) -> str:
        """What the column looks at, as it is written."""
        formula = self.clause.expression.formula if self.clause.expression else None
        return formula.value.strip() if formula else ""


def columns_of(expression: x.Boxed | None) -> Iterator[Column]:
    """Yield the columns of a table, also of those in a context."""
    if isinstance(expression, x.DecisionTable):
        for place, clause in enumerate(expression.inputs):
            yield Column(clause, tuple(r.tests[place] for r in expression.rules if place < len(r.tests)))
    elif isinstance(expression, x.Context):
        for entry in expression.entries:
            yield from columns_of(entry.value)


def formulas_of(decision: Decision) -> Iterator[x.Formula]:
    """Yield every FEEL text of a decision."""
    stack: list[object] = [decision.expression] if decision.expression else []
    while stack:
        part = stack.pop()
        if isinstance(part, x.Formula):
            yield part
        else:
            stack.extend(x.parts(part))


def columns_on(model: Definitions, name: str) -> list[Column]:
    """Return the columns of all tables that look at a name."""
    decisions = (one for one in model.elements if isinstance(one, Decision))
    return [column for one in decisions for column in columns_of(one.expression) if column.heading == name]


def types_said(model: Definitions, name: str, type_ref: str | None) -> list[str]:
    """Return the types that a model declares for an input: its own, else those of the columns on it."""
    said = [c.clause.expression.type_ref for c in columns_on(model, name) if c.clause.expression]
    return [type_ref] if type_ref else list(dict.fromkeys(ref for ref in said if ref and ref != "Any"))


def kind_of(model: Definitions, name: str, type_ref: str | None) -> str | None:
    """Return the type of the fact that an input becomes; None: it has another, or the model shows none."""
    if said := types_said(model, name, type_ref):
        kinds = {_declared(model, ref) for ref in said}
        return kinds.pop() if len(kinds) == 1 else None
    tests = (parse_unary_tests(t.value, _NOWHERE).policy for c in columns_on(model, name) for t in c.tests)
    seen = {kind for tree in tests if tree for kind in _literals(tree)}
    for formula in (f for one in model.elements if isinstance(one, Decision) for f in formulas_of(one)):
        tree = parse_expression(formula.value, _NOWHERE).policy
        seen |= set(_beside(tree, name)) if tree else set()
    return seen.pop() if len(seen) == 1 else None


def _declared(model: Definitions, type_ref: str) -> str | None:
    kind = type_ref.rpartition(":")[2]
    item = next((one for one in model.items if one.name == kind), None)
    if item is None:
        return KINDS.get(kind)
    base = (item.type_ref or "").rpartition(":")[2]
    if item.collection:
        return LIST if base == "string" else None
    return KINDS.get(base)


def _literals(node: s.Node) -> Iterator[str]:
    """Yield the types of the values that a test names; what a function returns is not looked into."""
    match node:
        case s.String():
            yield "string"
        case s.Number():
            yield "decimal"
        case s.Boolean():
            yield "boolean"
        case s.Call(s.Name("date")):
            yield "date"
        case s.AtLiteral(text) if len(text) == 10:
            yield "date"
        case s.Call() | s.AtLiteral():
            return
        case _:
            for child in s.children(node):
                yield from _literals(child)


def _beside(tree: s.Node, name: str) -> Iterator[str]:
    """Yield the types that a name has where it is reckoned with or compared."""
    for node in s.walk(tree):
        if s.Name(name) not in s.children(node):
            continue
        match node:
            case s.Arithmetic() | s.Negation():
                yield "decimal"
            case s.Comparison() | s.Between() | s.In():
                yield from _literals(node)
            case s.If(s.Name(condition)) if condition == name:
                yield "boolean"


def limits_of(formula: x.Formula, kind: str) -> str | None:
    """Return a list of values as keys of a fact in YAML; None: it says something that a fact cannot."""
    texts, numbers = _texts_in(formula), _range_in(formula)
    if texts and kind in ("string", LIST):
        return f"one_of: [{', '.join(_quoted(text) for text in texts)}]"
    if numbers and kind in ("decimal", "integer"):
        return f"min: {numbers[0]:f}, max: {numbers[1]:f}"
    return None


def _quoted(text: str) -> str:
    """Return a text as YAML in a list, in quotes unless it is a plain word."""
    plain = text.isidentifier() and text.isascii() and text.casefold() not in TRUTHS
    return text if plain else json.dumps(text, ensure_ascii=False)


def _texts_in(formula: x.Formula) -> tuple[str, ...]:
    tree = parse_unary_tests(formula.value, _NOWHERE).policy
    if tree is None or tree.negated:
        return ()
    texts = tuple(test.value for test in tree.tests if isinstance(test, s.String))
    return tuple(dict.fromkeys(texts)) if len(texts) == len(tree.tests) else ()


def _range_in(formula: x.Formula) -> tuple[Decimal, Decimal] | None:
    tree = parse_unary_tests(formula.value, _NOWHERE).policy
    match tree:
        case s.UnaryTests((s.RangeLiteral(s.Number(low), s.Number(high), True, True),), False):
            return low, high
    return None


def values_of(model: Definitions, name: str, type_ref: str | None) -> Iterator[x.Formula]:
    """Yield the lists of values that a model gives for an input: with its type and with its columns."""
    names = {ref.rpartition(":")[2] for ref in types_said(model, name, type_ref)}
    yield from (item.allowed for item in model.items if item.name in names and item.allowed is not None)
    yield from (
        column.clause.values for column in columns_on(model, name) if column.clause.values is not None
    )


def within(table: x.DecisionTable, place: int) -> bool:
    """Tell whether every result in an output column is one of the values that the column allows."""
    clause = table.outputs[place]
    if clause.values is None:
        return True
    results = [rule.outputs[place].formula for rule in table.rules if place < len(rule.outputs)]
    if isinstance(clause.default, x.LiteralExpression):
        results.append(clause.default.formula)
    texts, numbers = _texts_in(clause.values), _range_in(clause.values)
    return all(_is_one(formula, texts, numbers) for formula in results if formula and formula.value.strip())


def _is_one(formula: x.Formula, texts: tuple[str, ...], numbers: tuple[Decimal, Decimal] | None) -> bool:
    match parse_expression(formula.value, _NOWHERE).policy:
        case s.String(value):
            return value in texts
        case s.Number(number) if numbers:
            return numbers[0] <= number <= numbers[1]
        case s.Null():
            return True
    return False
