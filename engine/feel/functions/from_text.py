"""The built-in `range`, which reads FEEL and so needs the parser (DMN 1.5, 10.3.4.1)."""

from __future__ import annotations

from engine.feel import syntax as s
from engine.feel.functions.signature import REGISTRY, function
from engine.feel.operators import compare, negate
from engine.feel.parser import parse_expression
from engine.feel.values import FeelError, Range, Value
from engine.source import Span

LITERAL_CALLS = ("date", "time", "date and time", "duration")


@function("range(from: string) -> range")
def range_of(text: str) -> Range:
    """Read a range whose bounds are literals: `[18..21)`, `[@"2026-01-01"..@"2026-12-31"]`."""
    node = parse_expression(text, Span("", 1, 1)).policy
    if not isinstance(node, s.RangeLiteral):
        raise FeelError("bad-argument", f"`{text:.60}` is not a range such as `[18..21)`")
    low, high = _literal(node.low), _literal(node.high)
    if not compare("<=", low, high):
        raise FeelError("bad-argument", f"`{text:.60}` ends before it begins")
    return Range(low, high, node.low_closed, node.high_closed)


def _literal(node: s.Node) -> Value:
    match node:
        case s.Number(value) | s.String(value):
            return value
        case s.Negation(operand):
            return negate(_literal(operand))
        case s.AtLiteral(text):
            return at_literal(text)
        case s.Call(s.Name(name), (s.String(text),)) if name in LITERAL_CALLS:
            found: Value = REGISTRY[name].overloads[0].run(text)
            return found
    raise FeelError("bad-argument", "the bounds of a range as text are literals")


def at_literal(text: str) -> Value:
    """Return the value of `@"text"`; raises FeelError if it has none."""
    for name in LITERAL_CALLS:
        try:
            found: Value = REGISTRY[name].overloads[0].run(text)
        except FeelError:
            continue
        return found
    raise FeelError("bad-literal", f'@"{text:.60}" is no date, time or duration')
