"""What the end of a policy can come to: the parts of an expression that may be its value."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from engine.feel.syntax import (
    Arithmetic,
    Call,
    Comparison,
    Filter,
    If,
    In,
    ListLiteral,
    Name,
    Node,
    Number,
    String,
    walk,
)

_JOINING = frozenset(("concatenate", "append", "union", "distinct values", "reverse", "sublist", "remove"))


def ends(node: Node) -> Iterator[Node]:
    """Yield the parts that may be the value of an expression: both branches of an `if`, not its condition."""
    if isinstance(node, If):
        yield from ends(node.then)
        yield from ends(node.otherwise)
    else:
        yield node


def items(node: Node) -> Iterator[Node]:
    """Yield the parts that may be items of a list: of list literals, and of calls that join lists."""
    for end in ends(node):
        match end:
            case ListLiteral(members):
                for member in members:
                    yield from ends(member)
            case Call(Name(function), arguments, ()) if function in _JOINING:
                for argument in arguments:
                    yield from items(argument)


def codes_asked_for(node: Node, lists: Collection[str]) -> Iterator[String]:
    """Yield the texts that an expression looks for among reasons: `lists` are the names that hold reasons."""
    for part in walk(node):
        match part:
            case Call(Name("list contains"), (source, String() as code), ()) if _speaks_of(source, lists):
                yield code
            case Comparison("=" | "!=", String() as code, other) if _speaks_of(other, lists):
                yield code
            case Comparison("=" | "!=", other, String() as code) if _speaks_of(other, lists):
                yield code
            case In(String() as code, (source,)) if _speaks_of(source, lists):
                yield code
            case Filter(source, Comparison("=" | "!=", Name("item"), String() as code)):
                if _speaks_of(source, lists):
                    yield code


def _speaks_of(node: Node, lists: Collection[str]) -> bool:
    match node:
        case Name(name):
            return name in lists
        case Filter(source, _):
            return _speaks_of(source, lists)
        case Call(Name(function), arguments, ()) if function in _JOINING:
            return any(_speaks_of(argument, lists) for argument in arguments)
    return False


def divisions_by_zero(node: Node) -> Iterator[Arithmetic]:
    """Yield the divisions of an expression whose divisor is written as 0."""
    for part in walk(node):
        match part:
            case Arithmetic("/", _, Number(value)) if value == 0:
                yield part
