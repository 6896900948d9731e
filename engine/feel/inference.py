"""The type of an expression before there are any values, and what in it can never work.

Only what is certainly wrong is a problem: `Any` fits everywhere, and whether a value may be null is not
a matter of types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from engine.feel import syntax as s
from engine.feel.functions import REGISTRY, BuiltIn
from engine.feel.functions.from_text import at_literal
from engine.feel.kinds import (
    ANY,
    BOOLEAN,
    BY_NAME,
    CONTEXT,
    DATE,
    DURATIONS,
    FUNCTION,
    LIST,
    NULL,
    NUMBER,
    STRING,
    ContextOf,
    FeelType,
    FunctionOf,
    ListOf,
    Named,
    RangeOf,
    fits,
    join,
)
from engine.feel.parser import place_of
from engine.feel.result_types import ORDERED, PARTS, RESULTS, bound_result
from engine.feel.scope import CLOCKS
from engine.feel.values import FeelError, kind_of
from engine.source import Problem, Span
from engine.text.suggest import suggest

Names = Mapping[str, FeelType]
_DIGITS = str.maketrans("０１２３４５６７８９．", "0123456789.")
WIDE_SIGNS = "，（）：；。＞＜＝［］"


def infer(node: s.Node, names: Names, span: Span, text: str = "") -> tuple[FeelType, list[Problem]]:
    """Return the type of an expression, and what in it can never work.

    `span` is where the expression begins; `text` is needed only if it has several lines.
    """
    inference = Inference(span, text)
    return inference.type(node, dict(names)), inference.problems


def infer_tests(
    tests: s.UnaryTests, input_type: FeelType, names: Names, span: Span, text: str = ""
) -> list[Problem]:
    """Return what in a cell can never work against an input of a type."""
    inference = Inference(span, text)
    inner = {**names, "?": input_type}
    for test in tests.tests:
        inference.test(test, input_type, inner)
    return inference.problems


_ELSEWHERE = {
    "maximum": "max", "minimum": "min", "average": "mean", "avg": "mean", "len": "count", "length": "count",
    "size": "count", "mod": "modulo", "ceil": "ceiling", "int": "floor", "trunc": "floor",
    "concat": "string join", "contain": "contains",
}  # fmt: skip
"""What spreadsheets and other languages call the functions of FEEL."""


@dataclass
class Inference:
    """One pass over one tree."""

    span: Span
    text: str
    problems: list[Problem] = field(default_factory=list)

    def problem(self, code: str, node: s.Node, message: str, advice: str = "") -> FeelType:
        """Record a problem; of what is wrong, nothing is known."""
        place = place_of(self.span, self.text, node.offset, max(1, node.length))
        self.problems.append(Problem(code, message, place, advice))
        return ANY

    def type(self, node: s.Node, names: Names) -> FeelType:
        """Return the type of a node."""
        match node:
            case s.Number():
                return NUMBER
            case s.String():
                return STRING
            case s.Boolean():
                return BOOLEAN
            case s.Null():
                return NULL
            case s.AtLiteral(text):
                return self._at_literal(node, text)
            case s.Name(name):
                return self._name(node, name, names)
            case s.ListLiteral(items):
                return ListOf(self._joined([self.type(item, names) for item in items]))
            case s.ContextLiteral(entries):
                return self._context(entries, names)
            case s.RangeLiteral(low, high):
                return self._range(node, self.type(low, names), self.type(high, names))
            case s.UnaryComparison(_, operand):
                return RangeOf(self.type(operand, names))
            case s.FunctionDefinition(parameters, body, external):
                inner = {**names, **{p.name: p.type or ANY for p in parameters}}
                result = ANY if external else self.type(body, inner)
                return FunctionOf(tuple(p.type or ANY for p in parameters), result)
            case s.Arithmetic():
                return self._arithmetic(node, names)
            case s.Negation(operand):
                kind = self.type(operand, names)
                if kind in (NUMBER, *DURATIONS) or not known(kind):
                    return kind
                return self.problem("wrong-types", node, f"there is no `-` of a {kind}")
            case s.Comparison(operator, left, right):
                return self._comparison(node, operator, self.type(left, names), self.type(right, names))
            case s.And(items) | s.Or(items):
                for item in items:
                    self._truth(item, names)
                return BOOLEAN
            case s.Between(value, low, high):
                kind = self.type(value, names)
                for bound in (low, high):
                    self._comparison(bound, "<=", kind, self.type(bound, names))
                return BOOLEAN
            case s.In(value, tests):
                kind = self.type(value, names)
                for test in tests:
                    self.test(test, kind, names)
                return BOOLEAN
            case s.InstanceOf(value):
                self.type(value, names)
                return BOOLEAN
            case s.If(condition, then, otherwise):
                self._truth(condition, names)
                return join(self.type(then, names), self.type(otherwise, names))
            case s.For(iterators, result):
                inner = {**self._iterators(iterators, names), "partial": LIST}
                return ListOf(self.type(result, inner))
            case s.Quantified(_, iterators, condition):
                self._truth(condition, self._iterators(iterators, names))
                return BOOLEAN
            case s.Path(source, name):
                return self._path(node, self.type(source, names), name)
            case s.Filter(source, condition):
                return self._filter(self.type(source, names), condition, names)
            case s.Call():
                return self._call(node, names)
        raise TypeError(f"no type for {type(node).__name__}")

    # --- names, literals, access ------------------------------------------------------------------

    def _at_literal(self, node: s.Node, text: str) -> FeelType:
        try:
            kind = kind_of(at_literal(text))
        except FeelError as error:
            return self.problem("bad-literal", node, error.why, 'Write `@"2026-01-31"`, or `@"P30D"`.')
        return BY_NAME[kind]

    def _name(self, node: s.Node, name: str, names: Names) -> FeelType:
        if name in names:
            return names[name]
        if name in REGISTRY or name in CLOCKS:
            return FUNCTION
        near = did_you_mean(name, [*names, *REGISTRY])
        if (meant := _ELSEWHERE.get(name.casefold())) is not None:
            near = f"did you mean `{meant}`?"
        if (digits := name.translate(_DIGITS)).isdecimal():
            near = f"Write `{digits}`: digits are half-width."
        elif wide := next((letter for letter in name if letter in WIDE_SIGNS), ""):
            near = f"`{wide}` is read as a letter: write signs half-width."
        return self.problem("unknown-name", node, f"nothing is called `{name}`", near)

    def _context(self, entries: tuple[s.Entry, ...], names: Names) -> FeelType:
        inner = dict(names)
        kinds: dict[str, FeelType] = {}
        for entry in entries:
            if entry.name in kinds:
                self.problem(
                    "twice", entry, f"the entry `{entry.name}` stands there twice", "Rename one of them."
                )
            kinds[entry.name] = inner[entry.name] = self.type(entry.value, inner)
        return ContextOf(tuple(kinds.items()))

    def _range(self, node: s.Node, low: FeelType, high: FeelType) -> FeelType:
        self._comparison(node, "<=", low, high)
        return RangeOf(join(low, high))

    def _path(self, node: s.Path, source: FeelType, name: str) -> FeelType:
        match source:
            case ListOf(item):
                return ListOf(self._path(node, item, name))
            case RangeOf(item) if name in ("start", "end"):
                return item
            case RangeOf() if name in ("start included", "end included"):
                return BOOLEAN
            case ContextOf(entries):
                found, there = source.get(name), [key for key, _ in entries]
            case _ if source in PARTS:
                found, there = PARTS[source].get(name), list(PARTS[source])
            case _ if known(source) and source != CONTEXT:
                alone = f"Leave out `.{name}`."
                return self.problem("no-such-entry", node, f"a {source} has no entry `{name}`", alone)
            case _:
                return ANY
        if found is not None:
            return found
        advice = did_you_mean(name, there) or f"There are: {', '.join(there)}."
        return self.problem("no-such-entry", node, f"there is no entry `{name}` here", advice)

    def _filter(self, source: FeelType, condition: s.Node, names: Names) -> FeelType:
        item = source.item if isinstance(source, ListOf) else source
        inner = {**names, "item": item}
        if isinstance(item, ContextOf):
            inner |= dict(item.entries)
        elif not known(item) or item == CONTEXT:  # any name may be one of its entries
            inner |= {part.name: ANY for part in s.walk(condition) if _may_be_entry(part)}
        kind = self.type(condition, inner)
        if kind == NUMBER:
            return item
        if known(kind) and kind != BOOLEAN:
            self.problem("wrong-types", condition, f"a filter is a condition or a position, not a {kind}")
        return (source if isinstance(source, ListOf) else ListOf(source)) if kind == BOOLEAN else ANY

    # --- operators --------------------------------------------------------------------------------

    def _arithmetic(self, node: s.Arithmetic, names: Names) -> FeelType:
        left, right = self.type(node.left, names), self.type(node.right, names)
        table = RESULTS[node.operator]
        if (result := table.get((left, right))) is not None:
            return result
        if known(left) and known(right):
            advice = "Make a text of it with `string(...)`." if STRING in (left, right) else ""
            if advice and node.operator != "+":
                advice = "Calculate with numbers; `number(...)` makes one of a text that holds digits."
            if {left, right} == {DATE, NUMBER} and node.operator in "+-":
                advice = 'Write a number of days as a duration: `@"P30D"`, or `duration("P30D")`.'
            message = f"there is no {left} {node.operator} {right}"
            return self.problem("wrong-types", node, message, advice)
        possible = {
            kind
            for (a, b), kind in table.items()
            if (a == left or not known(left)) and (b == right or not known(right))
        }
        if not possible:
            return self.problem("wrong-types", node, f"there is no {left} {node.operator} {right}")
        return possible.pop() if len(possible) == 1 else ANY

    def _comparison(self, node: s.Node, operator: str, left: FeelType, right: FeelType) -> FeelType:
        ordered = operator not in ("=", "!=")
        for kind in (left, right):
            if ordered and known(kind) and kind not in ORDERED:
                self.problem("wrong-types", node, f"a {kind} has no order, so there is no `{operator}`")
                return BOOLEAN
        if not (fits(left, right) or fits(right, left)):
            self.problem("wrong-types", node, f"a {left} is compared with a {right}", _unlike(left, right))
        return BOOLEAN

    def _truth(self, node: s.Node, names: Names) -> None:
        kind = self.type(node, names)
        if known(kind) and kind != BOOLEAN:
            advice = 'In a cell write `"a", "b"`; elsewhere `x = "a" or x = "b"`.' if kind == STRING else ""
            self.problem("wrong-types", node, f"a condition is wanted here, not a {kind}", advice)

    def _joined(self, kinds: list[FeelType]) -> FeelType:
        result = kinds[0] if kinds else ANY
        for kind in kinds[1:]:
            result = join(result, kind)
        return result

    def _iterators(self, iterators: tuple[s.Iterator, ...], names: Names) -> dict[str, FeelType]:
        inner = dict(names)
        for iterator in iterators:
            kind = self.type(iterator.domain, inner)
            if iterator.end is not None:
                self._comparison(iterator, "<=", kind, self.type(iterator.end, inner))
            inner[iterator.name] = kind.item if isinstance(kind, ListOf | RangeOf) else kind
        return inner

    def test(self, test: s.Node, input_type: FeelType, names: Names) -> None:
        """Check one test of a cell against the type of its input."""
        if isinstance(test, s.UnaryComparison):
            self._comparison(test, test.operator, input_type, self.type(test.operand, names))
            return
        kind = self.type(test, names)
        if s.mentions_input(test):
            if known(kind) and kind != BOOLEAN:
                self.problem("wrong-types", test, f"a condition is wanted here, not a {kind}")
            return
        if isinstance(kind, ListOf | RangeOf) and not isinstance(input_type, ListOf | RangeOf):
            kind = kind.item
        if isinstance(kind, RangeOf):
            kind = kind.item
        if kind != BOOLEAN or input_type == BOOLEAN or isinstance(test, s.Boolean):
            self._comparison(test, "=", input_type, kind)

    # --- calls ------------------------------------------------------------------------------------

    def _call(self, node: s.Call, names: Names) -> FeelType:
        given = [self.type(argument, names) for argument in node.arguments]
        named = {entry.name: self.type(entry.value, names) for entry in node.named}
        if isinstance(node.function, s.Name) and node.function.name not in names:
            if node.function.name in REGISTRY:
                return self._built_in(node, REGISTRY[node.function.name], given, named)
            if node.function.name in CLOCKS:
                advice = "Declare it as a fact; it has the value that the caller gives."
                return self.problem(
                    "no-clock", node, f"the engine has no clock for `{node.function.name}`", advice
                )
        function = self.type(node.function, names)
        if isinstance(node.function, s.Name) and node.function.name in CLOCKS:
            return function
        if isinstance(function, FunctionOf):
            count = len(given) + len(named)
            if count != len(function.parameters):
                message = f"the function takes {len(function.parameters)} arguments, not {count}"
                return self.problem("bad-argument", node, message)
            return function.result
        if known(function) and function != FUNCTION:
            advice = "Remove the brackets behind it; times is written `*`."
            return self.problem("not-a-function", node.function, f"a {function} cannot be called", advice)
        return ANY

    def _built_in(
        self, node: s.Call, function: BuiltIn, given: list[FeelType], named: dict[str, FeelType]
    ) -> FeelType:
        fitting = [bound for o in function.overloads if (bound := bound_result(o, given, named)) is not None]
        if not fitting:
            lines = " or ".join(f"`{overload.line}`" for overload in function.overloads)
            told = ", ".join(map(str, given)) or ", ".join(f"{name}: {kind}" for name, kind in named.items())
            message = f"`{function.name}` does not take ({told})"
            return self.problem("bad-argument", node, message, f"It is {lines}.")
        return fitting[0] if all(kind == fitting[0] for kind in fitting) or all(map(known, given)) else ANY


def known(kind: FeelType) -> bool:
    """Tell whether anything is known of the values of a type."""
    return kind not in (ANY, NULL) and not isinstance(kind, Named)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return an advice that names what was probably meant, or nothing."""
    near = suggest(name, names)
    return f"Did you mean `{near}`?" if near else ""


def _may_be_entry(node: s.Node) -> TypeGuard[s.Name]:
    return isinstance(node, s.Name) and node.name not in REGISTRY


def _unlike(left: FeelType, right: FeelType) -> str:
    """Return what to write where two kinds are compared that have nothing in common."""
    if {left, right} == {NUMBER, STRING}:
        return "Write the number without quotes."
    if DATE in (left, right) and (NUMBER in (left, right) or STRING in (left, right)):
        return 'Write a day with a sign and quotes: `@"2026-01-31"`.'
    return ""
