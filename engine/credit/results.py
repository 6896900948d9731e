"""What the end of a policy can come to: the parts of an expression that may be its value."""

from __future__ import annotations

from collections.abc import Iterator

from engine.feel.syntax import Arithmetic, Call, If, ListLiteral, Name, Node, Number, walk

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


def divisions_by_zero(node: Node) -> Iterator[Arithmetic]:
    """Yield the divisions of an expression whose divisor is written as 0."""
    for part in walk(node):
        match part:
            case Arithmetic("/", _, Number(value)) if value == 0:
                yield part
