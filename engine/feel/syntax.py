"""The syntax tree of FEEL: one frozen class for each construct, and no behaviour."""

from __future__ import annotations

from collections.abc import Iterator as Iterable
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Literal

from engine.feel.kinds import FeelType


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of an expression; `offset` and `length` count characters and do not make trees differ."""

    offset: int = field(default=0, kw_only=True, compare=False, repr=False)
    length: int = field(default=0, kw_only=True, compare=False, repr=False)


# --- literals -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number(Node):
    """`42`, `-0.5`, `1e3`."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class String(Node):
    """`"text"`, with the escapes already read."""

    value: str


@dataclass(frozen=True, slots=True)
class Boolean(Node):
    """`true` and `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Null(Node):
    """`null`."""


@dataclass(frozen=True, slots=True)
class AtLiteral(Node):
    """`@"2026-01-31"`: a date, time, date and time or duration."""

    text: str


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    """`[1, 2, 3]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry(Node):
    """One `name: value` of a context, or one named argument of a call."""

    name: str
    value: Node


@dataclass(frozen=True, slots=True)
class ContextLiteral(Node):
    """`{name: value, ...}`; later entries see earlier ones."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class RangeLiteral(Node):
    """`[1..10)`."""

    low: Node
    high: Node
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """A formal parameter of a function definition."""

    name: str
    type: FeelType | None = None


@dataclass(frozen=True, slots=True)
class FunctionDefinition(Node):
    """`function(a, b: number) a + b`; an external one names code elsewhere, which is never run."""

    parameters: tuple[Parameter, ...]
    body: Node
    external: bool = False


# --- operators ------------------------------------------------------------------------------------

ComparisonOperator = Literal["=", "!=", "<", "<=", ">", ">="]
ArithmeticOperator = Literal["+", "-", "*", "/", "**"]


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name in scope, or of a built-in function; `?` is the input of a unary test."""

    name: str


@dataclass(frozen=True, slots=True)
class Negation(Node):
    """`-x`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`a + b`, `a - b`, `a * b`, `a / b`, `a ** b`."""

    operator: ArithmeticOperator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """`a = b`, `a != b`, `a < b`, `a <= b`, `a > b`, `a >= b`."""

    operator: ComparisonOperator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    """`a and b and c`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """`a or b or c`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Between(Node):
    """`a between low and high`, both bounds included."""

    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class UnaryComparison(Node):
    """`>= 720`: a comparison that waits for its left side."""

    operator: ComparisonOperator
    operand: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """`a in (test, test)`."""

    value: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    """`a instance of type`."""

    value: Node
    type: FeelType


@dataclass(frozen=True, slots=True)
class Path(Node):
    """`a.name`."""

    source: Node
    name: str


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """`a[condition]`, `a[1]`."""

    source: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`f(a, b)` or `f(name: a)`: arguments are all by position or all by name."""

    function: Node
    arguments: tuple[Node, ...] = ()
    named: tuple[Entry, ...] = ()


# --- control --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class If(Node):
    """`if condition then a else b`."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Iterator(Node):
    """`name in domain`, or `name in start..end` when there is an `end`."""

    name: str
    domain: Node
    end: Node | None = None


@dataclass(frozen=True, slots=True)
class For(Node):
    """`for x in xs, y in ys return result`."""

    iterators: tuple[Iterator, ...]
    result: Node


@dataclass(frozen=True, slots=True)
class Quantified(Node):
    """`some x in xs satisfies condition`, `every ...`."""

    kind: Literal["some", "every"]
    iterators: tuple[Iterator, ...]
    condition: Node


@dataclass(frozen=True, slots=True)
class UnaryTests(Node):
    """A cell of a decision table: any of the tests, or none of them; no tests (`-`) always hold."""

    tests: tuple[Node, ...]
    negated: bool = False


_PARTS: dict[type, tuple[str, ...]] = {}
"""What each kind of node holds, by name; asked for each node, so kept."""


def _parts(node: Node) -> tuple[str, ...]:
    found = _PARTS.get(type(node))
    if found is None:
        found = _PARTS[type(node)] = tuple(part.name for part in fields(node))
    return found


def children(node: Node) -> Iterable[Node]:
    """Yield the parts of a node, in reading order."""
    for name in _parts(node):
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Node))


def walk(node: Node) -> Iterable[Node]:
    """Yield the node and everything in it, without recursion."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(reversed(list(children(top))))


def mentions_input(node: Node) -> bool:
    """Tell whether an expression speaks of `?`, the input of its cell."""
    return any(isinstance(part, Name) and part.name == "?" for part in walk(node))
