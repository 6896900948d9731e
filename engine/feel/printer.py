"""Trees back to text: `parse(to_text(tree)) == tree`, with as few brackets as that takes."""

from __future__ import annotations

from engine.feel import syntax as s
from engine.feel.parser import (
    ADD,
    AND,
    ARITHMETIC,
    COMPARE,
    INSTANCE,
    NEGATE,
    OR,
    POSTFIX,
)
from engine.feel.tokens import escape

FORM, ATOM = 0, 10


def to_text(node: s.Node) -> str:
    """Return an expression, or the tests of a cell, as FEEL."""
    if isinstance(node, s.UnaryTests):
        tests = ", ".join(map(_bare_test, node.tests)) or "-"
        return f"not({tests})" if node.negated else tests
    return _print(node)[0]


def _bare_test(test: s.Node) -> str:
    if isinstance(test, s.UnaryComparison):
        return f"{test.operator} {_at_least(test.operand, ADD)}"
    return to_text(test)


def _at_least(node: s.Node, power: int) -> str:
    """Print an operand, in brackets if it binds less tightly than its place asks for."""
    text, own = _print(node)
    return f"({text})" if own < power else text


def _list(nodes: tuple[s.Node, ...]) -> str:
    return ", ".join(map(to_text, nodes))


def _entry(entry: s.Entry) -> str:
    return f"{entry.name}: {to_text(entry.value)}"


def _key(entry: s.Entry) -> str:
    return f"{escape(entry.name)}: {to_text(entry.value)}"


def _print(node: s.Node) -> tuple[str, int]:
    """Return the text of a node and how tightly it binds."""
    match node:
        case s.Number(value):
            return str(value).lower().replace("e+", "e"), ATOM if not value.is_signed() else NEGATE
        case s.String(value):
            return escape(value), ATOM
        case s.Boolean(value):
            return "true" if value else "false", ATOM
        case s.Null():
            return "null", ATOM
        case s.AtLiteral(text):
            return f"@{escape(text)}", ATOM
        case s.Name(name):
            return name, ATOM
        case s.ListLiteral(items):
            return f"[{_list(items)}]", ATOM
        case s.ContextLiteral(entries):
            return f"{{{', '.join(map(_key, entries))}}}", ATOM
        case s.RangeLiteral(low, high, low_closed, high_closed):
            text = f"{'[' if low_closed else '('}{to_text(low)}..{to_text(high)}{']' if high_closed else ')'}"
            return text, ATOM
        case s.UnaryComparison(operator, operand):
            return f"({operator} {_at_least(operand, ADD)})", ATOM
        case s.Negation(operand):
            # a number behind the sign would read as a negative number
            bracket = isinstance(operand, s.Number) and not operand.value.is_signed()
            return f"-{f'({to_text(operand)})' if bracket else _at_least(operand, INSTANCE)}", NEGATE
        case s.Arithmetic(operator, left, right):
            power = ARITHMETIC[operator]
            return f"{_at_least(left, power)} {operator} {_at_least(right, power + 1)}", power
        case s.Comparison(operator, left, right):
            return f"{_at_least(left, COMPARE)} {operator} {_at_least(right, ADD)}", COMPARE
        case s.And(items):
            return " and ".join(_at_least(item, COMPARE) for item in items), AND
        case s.Or(items):
            return " or ".join(_at_least(item, AND) for item in items), OR
        case s.Between(value, low, high):
            bounds = f"{_at_least(low, ADD)} and {_at_least(high, ADD)}"
            return f"{_at_least(value, COMPARE)} between {bounds}", COMPARE
        case s.In(value, tests):
            return f"{_at_least(value, COMPARE)} in ({', '.join(map(_bare_test, tests))})", COMPARE
        case s.InstanceOf(value, kind):
            return f"{_at_least(value, INSTANCE)} instance of {kind}", INSTANCE
        case s.Path(source, name):
            return f"{_at_least(source, POSTFIX)}.{name}", POSTFIX
        case s.Filter(source, condition):
            return f"{_at_least(source, POSTFIX)}[{to_text(condition)}]", POSTFIX
        case s.Call(function, arguments, named):
            inside = _list(arguments) or ", ".join(map(_entry, named))
            return f"{_at_least(function, POSTFIX)}({inside})", POSTFIX
        case s.FunctionDefinition(parameters, body, external):
            head = ", ".join(p.name if p.type is None else f"{p.name}: {p.type}" for p in parameters)
            return f"function({head}) {'external ' if external else ''}{to_text(body)}", FORM
        case s.If(condition, then, otherwise):
            return f"if {to_text(condition)} then {to_text(then)} else {to_text(otherwise)}", FORM
        case s.For(iterators, result):
            return f"for {_iterators(iterators)} return {to_text(result)}", FORM
        case s.Quantified(kind, iterators, condition):
            return f"{kind} {_iterators(iterators)} satisfies {to_text(condition)}", FORM
    raise TypeError(f"no text for {type(node).__name__}")


def _iterators(iterators: tuple[s.Iterator, ...]) -> str:
    return ", ".join(
        f"{i.name} in {to_text(i.domain)}" + (f"..{to_text(i.end)}" if i.end else "") for i in iterators
    )
