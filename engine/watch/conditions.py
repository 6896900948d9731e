"""FEEL to typed conditions: the part of the language that every matcher carries, the rest refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.feel import syntax as s
from engine.feel.parser import parse_expression
from engine.source import Span
from engine.text import Reader, ScalarNode, did_you_mean
from engine.watch.expressions import MIRRORED, NEGATED, Expressions, Refused
from engine.watch.model import (
    NOW,
    And,
    Compare,
    Condition,
    Constant,
    EventType,
    Expression,
    Kind,
    Operator,
    Or,
    Reference,
)

TYPE = "type"


@dataclass(frozen=True, slots=True)
class Text:
    """One condition as the author wrote it, its tree, and the alias it belongs to."""

    alias: str
    node: ScalarNode
    tree: s.Node

    @property
    def text(self) -> str:
        """The condition as it is read: lines that YAML joins are joined."""
        return self.node.text

    @property
    def span(self) -> Span:
        """Where the condition begins."""
        return self.node.runs[0][1] if self.node.runs else self.node.inner

    def place(self, node: s.Node) -> Span:
        """Return where a part of the condition stands."""
        return self.node.place(node.offset, node.length)


def parse_condition(reader: Reader, alias: str, node: ScalarNode, names: frozenset[str]) -> Text | None:
    """Return a condition's tree; what is not FEEL is noted."""
    # Read as if it began its file: where a problem stands says then which character of the text it is about.
    loaded = parse_expression(node.text, Span(node.span.file, 1, 1), names | {TYPE, NOW})
    before = [0]
    for line in node.text.split("\n"):
        before.append(before[-1] + len(line) + 1)
    reader.take(
        replace(p, span=node.place(before[p.span.line - 1] + p.span.column - 1, p.span.length))
        for p in loaded.problems
    )
    return Text(alias, node, loaded.policy) if loaded.policy is not None else None


def find_type(reader: Reader, text: Text, types: Mapping[str, EventType]) -> EventType | None:
    """Return the event type that a condition names by `type = "..."`; anything else is noted."""
    named = [found for item in _conjuncts(text.tree) if (found := _type_test(item, text.alias))]
    if len(named) != 1:
        what = "no type" if not named else "two types"
        advice = 'write exactly one `type = "..."`, joined to the rest by `and`; put an `or` in brackets'
        reader.error("no-event-type", f"`{text.alias}` names {what}", text.span, advice)
        return None
    right = named[0]
    if right.value not in types:
        advice = did_you_mean(right.value, types, of="types of this policy")
        reader.error("unknown-event", f"there is no event `{right.value}`", text.place(right), advice)
        return None
    return types[right.value]


def read_conditions(
    reader: Reader, text: Text, scope: Mapping[str, EventType], unread: frozenset[str] = frozenset()
) -> tuple[Condition, ...]:
    """Return the typed conditions of an alias without its type; what cannot be carried is noted by name.

    `unread` are names whose own conditions could not be read, which is already noted.
    """
    translator = _Translator(text, scope)
    found: list[Condition] = []
    for item in _conjuncts(text.tree):
        if _type_test(item, text.alias):
            continue
        try:
            found.append(translator.condition(item, negated=False))
        except Refused as why:
            if isinstance(why.node, s.Path) and why.node.source in {s.Name(name) for name in unread}:
                continue
            reader.error(why.code, why.message, text.place(why.node), why.advice)
    return tuple(found)


def _conjuncts(tree: s.Node) -> tuple[s.Node, ...]:
    if not isinstance(tree, s.And):
        return (tree,)
    return tuple(inner for item in tree.items for inner in _conjuncts(item))


def _type_test(node: s.Node, alias: str) -> s.String | None:
    """Return the type that `type = "..."` or `alias.type = "..."` names."""
    match node:
        case s.Comparison("=", s.Name("type"), s.String() as named):
            return named
        case s.Comparison("=", s.Path(s.Name(name), "type"), s.String() as named) if name == alias:
            return named
    return None


class _Translator:
    """Turns one tree into a typed condition; negation is pushed down to the comparisons."""

    def __init__(self, text: Text, scope: Mapping[str, EventType]) -> None:
        self.text = text
        self.expressions = Expressions(text.alias, text.text, scope)

    def condition(self, node: s.Node, *, negated: bool) -> Condition:
        match node:
            case s.And(items) | s.Or(items):
                inner = tuple(self.condition(item, negated=negated) for item in items)
                return And(inner) if isinstance(node, s.And) is not negated else Or(inner)
            case s.Call(s.Name("not"), (argument,)):
                return self.condition(argument, negated=not negated)
            case s.Comparison(sign, left, right):
                return self._compare(node, sign, self._operand(left), self._operand(right), negated)
            case s.Between(value, low, high):
                return self._both(node, value, (">=", low), ("<=", high), negated)
            case s.In(value, tests):
                return self._joined([self._test(node, value, test, negated) for test in tests], negated)
            case s.Boolean():
                raise Refused("always-same", "the condition is always the same", node, "remove it")
        return self._bare(node, negated)

    def _bare(self, node: s.Node, negated: bool) -> Condition:
        found = self.expressions.read(node)
        if not isinstance(found, Reference) or found.kind is not Kind.BOOLEAN:
            advice = "compare it with something: `spike.amount > 100`"
            raise Refused("not-a-condition", f"this is a {found.kind}, not a condition", node, advice)
        return self._compare(
            node, "=", found, Constant(not negated, Kind.BOOLEAN), False
        )  # null stays unknown

    def _operand(self, node: s.Node) -> Expression:
        if isinstance(node, s.Comparison | s.And | s.Or):
            raise Refused(
                "nested-comparison", "a comparison is compared", node, "join conditions by `and` or `or`"
            )
        return self.expressions.read(node)

    def _both(
        self,
        node: s.Node,
        value: s.Node,
        low: tuple[Operator, s.Node],
        high: tuple[Operator, s.Node],
        negated: bool,
    ) -> Condition:
        found = self._operand(value)
        inner = [
            self._compare(node, sign, found, self._operand(bound), negated) for sign, bound in (low, high)
        ]
        return Or(tuple(inner)) if negated else And(tuple(inner))

    def _joined(self, items: list[Condition], negated: bool) -> Condition:
        return And(tuple(items)) if negated else Or(tuple(items))

    def _test(self, node: s.Node, value: s.Node, test: s.Node, negated: bool) -> Condition:
        match test:
            case s.UnaryComparison(sign, operand):
                return self._compare(node, sign, self._operand(value), self._operand(operand), negated)
            case s.ListLiteral(items):
                return self._joined([self._test(node, value, item, negated) for item in items], negated)
            case s.RangeLiteral(low, high, low_closed, high_closed):
                first: Operator = ">=" if low_closed else ">"
                last: Operator = "<=" if high_closed else "<"
                return self._both(node, value, (first, low), (last, high), negated)
        return self._compare(node, "=", self._operand(value), self._operand(test), negated)

    def _compare(
        self, node: s.Node, sign: Operator, left: Expression, right: Expression, negated: bool
    ) -> Compare:
        sign = NEGATED[sign] if negated else sign
        if isinstance(left, Constant) and not isinstance(right, Constant):
            left, right, sign = right, left, MIRRORED[sign]
        if isinstance(left, Constant):
            raise Refused("always-same", "two constants are compared", node, "compare a property of an event")
        self._check_kinds(node, sign, left, right)
        return Compare(sign, left, right, self.text.place(node))

    def _check_kinds(self, node: s.Node, sign: Operator, left: Expression, right: Expression) -> None:
        ordered = sign not in ("=", "!=")
        if right.kind is None:
            if ordered:
                raise Refused(
                    "null-order", f"null is compared with `{sign}`", node, "only `=` and `!=` know null"
                )
            if not isinstance(left, Reference):
                raise Refused(
                    "null-sum", "a computed value is compared with null", node, "compare the property itself"
                )
            return
        assert left.kind is not None  # only a constant can be null, and constants stand on the right
        same = left.kind is right.kind or (left.kind.is_number and right.kind.is_number)
        if not same:
            advice = "compare values of one kind; numbers are written without quotes"
            raise Refused("mixed-kinds", f"a {left.kind} is compared with a {right.kind}", node, advice)
        if ordered and not left.kind.is_ordered:
            advice = 'write `=`, `!=` or `in ("a", "b")`; declare numbers as numbers'
            raise Refused("string-order", f"a {left.kind} is compared with `{sign}`", node, advice)
        match left, right:
            case Reference(_, prop), Constant(str() as value) if prop.one_of and value not in prop.one_of:
                advice = did_you_mean(value, prop.one_of, of="one of")
                raise Refused("unknown-value", f"`{prop.name}` is never `{value}`", node, advice)
