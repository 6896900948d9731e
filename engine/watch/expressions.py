"""Sides of comparisons: properties, constants, `now`, and `+ - *` on exact numbers and on times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from engine.feel import syntax as s
from engine.feel.dates import parse_date, parse_date_time, to_python
from engine.feel.durations import DaysDuration, MonthsDuration, parse_duration
from engine.text import did_you_mean
from engine.watch.model import (
    NOW,
    Arithmetic,
    Clock,
    Constant,
    EventType,
    Expression,
    Kind,
    Operator,
    Reference,
)
from engine.watch.values import FIRST, LAST, MOST

NEGATED: Mapping[Operator, Operator] = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
MIRRORED: Mapping[Operator, Operator] = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
LONGEST = timedelta(days=3_660)
MOST_PLACES = 6
_DAY = timedelta(days=1)


class Refused(Exception):  # control flow between translator and reader
    """A part of a condition cannot be carried: what it is, where, and what to write instead."""

    def __init__(self, code: str, message: str, node: s.Node, advice: str) -> None:
        super().__init__(message)
        self.code, self.message, self.node, self.advice = code, message, node, advice


_REFUSED: Mapping[type[s.Node], tuple[str, str]] = {
    s.If: ("`if`", "write two conditions joined by `or`"),
    s.For: ("`for`", "a rule looks at its events one by one; use `count`"),
    s.Quantified: ("`some` and `every`", "name the event under `all` or `none`"),
    s.Filter: ("a filter", "name the event under `all` or `none`"),
    s.ContextLiteral: ("a context", "compare one property at a time"),
    s.ListLiteral: ("a list", 'write `x in ("a", "b")`'),
    s.RangeLiteral: ("a range", "write `x in [1..5]` or `x between 1 and 5`"),
    s.FunctionDefinition: ("a function", "write the condition out"),
    s.InstanceOf: ("`instance of`", "properties have declared types"),
    s.UnaryComparison: ("a test without a left side", "write `spike.amount > 100`"),
}


class Expressions:
    """Reads the sides of the comparisons of one condition."""

    def __init__(self, alias: str, text: str, scope: Mapping[str, EventType]) -> None:
        self.alias, self.text, self.scope = alias, text, scope

    def read(self, node: s.Node) -> Expression:
        """Return a typed expression; raises Refused."""
        match node:
            case s.Path(s.Name(alias), name):
                return self._reference(node, alias, name)
            case s.Name(name):
                return self._name(node, name)
            case s.Number(value):
                return self._number(node, value)
            case s.String(text):
                return Constant(text, Kind.STRING)
            case s.Boolean(flag):
                return Constant(flag, Kind.BOOLEAN)
            case s.Null():
                return Constant(None, None)
            case s.AtLiteral(text):
                return self._moment(node, text)
            case s.Negation(operand):
                return self._negated(node, operand)
            case s.Arithmetic(sign, left, right):
                return self._arithmetic(node, sign, left, right)
            case s.Call():
                return self._call(node)
        what, advice = _REFUSED.get(type(node), ("this", "a condition compares properties of events"))
        raise Refused("not-carried", f"{what} cannot stand in a watch rule", node, advice)

    # --- names --------------------------------------------------------------------------------------

    def _reference(self, node: s.Node, alias: str, name: str) -> Expression:
        if alias not in self.scope:
            advice = did_you_mean(alias, self.scope, of="events that can be named here")
            raise Refused("unknown-alias", f"`{alias}` is no event of this rule", node, advice)
        properties = self.scope[alias].properties
        if name == "type":
            advice = 'the type of an event stands once, as `type = "..."`, joined by `and`'
            raise Refused("type-elsewhere", "`type` can only be compared once with `=`", node, advice)
        if name not in properties:
            told = f"`{self.scope[alias].name}` has no property `{name}`"
            advice = did_you_mean(f"{alias}.{name}", [f"{alias}.{p}" for p in properties], of="properties")
            raise Refused("unknown-property", told, node, advice)
        return Reference(alias, properties[name])

    def _name(self, node: s.Node, name: str) -> Expression:
        if name == NOW:
            return Clock()
        if name == "type":
            advice = 'write exactly one `type = "..."`, joined to the rest by `and`'
            raise Refused("type-elsewhere", "`type` can only be compared once with `=`", node, advice)
        own = self.scope.get(self.alias)
        if own and name in own.properties:
            advice = f"write `{self.alias}.{name}`"
            raise Refused("bare-property", f"`{name}` does not say whose property it is", node, advice)
        advice = did_you_mean(name, [*self.scope, NOW], of="names here")
        raise Refused("unknown-name", f"there is no `{name}`", node, advice)

    # --- constants ----------------------------------------------------------------------------------

    def _number(self, node: s.Node, value: Decimal) -> Constant:
        spelled = self.text[node.offset : node.offset + node.length]
        if "e" in spelled.lower():
            raise Refused("exponent", f"`{spelled}` has an exponent", node, f"write it out: `{value:f}`")
        exponent = value.as_tuple().exponent
        if abs(value) > MOST or not isinstance(exponent, int) or -exponent > MOST_PLACES:
            advice = f"numbers go to {MOST:f} and have at most {MOST_PLACES} places"
            raise Refused("too-large", f"`{spelled}` cannot be carried exactly", node, advice)
        return Constant(value, Kind.INTEGER if exponent >= 0 else Kind.DECIMAL)

    def _negated(self, node: s.Node, operand: s.Node) -> Expression:
        found = self.read(operand)
        match found:
            case Constant(Decimal() as value, kind):
                return Constant(-value, kind)
            case Constant(timedelta() as value, kind):
                return Constant(-value, kind)
        if found.kind is None or not found.kind.is_number:
            raise Refused(
                "no-such-arithmetic", f"a {found.kind or 'null'} has no negative", node, "negate a number"
            )
        return Arithmetic("*", Constant(Decimal(-1), Kind.INTEGER), found, found.kind)

    def _moment(self, node: s.Node, text: str) -> Constant:
        length = parse_duration(text)
        if isinstance(length, MonthsDuration):
            advice = "months have no fixed length; write days: `P30D`"
            raise Refused("months", f"`{text}` counts months", node, advice)
        if isinstance(length, DaysDuration):
            return Constant(self._length(node, text, length), Kind.DURATION)
        if day := parse_date(text):
            found = to_python(day) if abs(day.year) < 9999 else None
            if isinstance(found, date) and FIRST.date() <= found < LAST.date():
                return Constant(found, Kind.DATE)
        elif (moment := parse_date_time(text)) and moment.date.year in range(FIRST.year, LAST.year):
            found = to_python(moment)
            if isinstance(found, datetime) and found.tzinfo is not None:
                return Constant(found, Kind.INSTANT)
        advice = (
            'write a date `@"2026-01-31"`, an instant `@"2026-01-31T12:00:00+08:00"` or a duration `@"P7D"`'
        )
        raise Refused(
            "not-a-moment", f"`{text}` is no date, instant or duration that can be carried", node, advice
        )

    def _length(self, node: s.Node, text: str, length: DaysDuration) -> timedelta:
        micro, rest = divmod(length.nanoseconds, 1000)
        if rest or abs(micro) > LONGEST / timedelta(microseconds=1):
            advice = f"durations go to {LONGEST.days} days and have whole microseconds"
            raise Refused("too-large", f"`{text}` cannot be carried exactly", node, advice)
        return timedelta(microseconds=micro)

    # --- arithmetic ---------------------------------------------------------------------------------

    def _arithmetic(self, node: s.Node, sign: str, first: s.Node, second: s.Node) -> Expression:
        if sign == "/":
            advice = (
                "multiply the other side: `a > b / 4` is `4 * a > b`; averages are declared as properties"
            )
            raise Refused("division", "division cannot stand in a watch rule", node, advice)
        if sign == "**":
            raise Refused("exponent", "`**` cannot stand in a watch rule", node, "write the product out")
        left, right = self.read(first), self.read(second)
        operator: Literal["+", "-", "*"] = "+" if sign == "+" else "-" if sign == "-" else "*"
        if operator == "+" and right.kind in (Kind.DATE, Kind.INSTANT):
            left, right = right, left
        kind = self._kind(left, right, operator)
        if kind is None:
            told = f"a {left.kind or 'null'} `{operator}` a {right.kind or 'null'} has no value"
            raise Refused(
                "no-such-arithmetic", told, node, "numbers take + - *; times take + - with a duration"
            )
        if left.kind is Kind.DATE and right.kind is Kind.DURATION:
            self._whole_days(node, right)
        return Arithmetic(operator, left, right, kind)

    def _kind(self, left: Expression, right: Expression, operator: str) -> Kind | None:
        match left.kind, right.kind, operator:
            case (Kind.INTEGER, Kind.INTEGER, _):
                return Kind.INTEGER
            case (Kind.INTEGER | Kind.DECIMAL, Kind.INTEGER | Kind.DECIMAL, _):
                return Kind.DECIMAL
            case (Kind.INSTANT, Kind.INSTANT, "-") | (Kind.DATE, Kind.DATE, "-"):
                return Kind.DURATION
            case (Kind.DURATION, Kind.DURATION, "+" | "-"):
                return Kind.DURATION
            case ((Kind.INSTANT | Kind.DATE) as kind, Kind.DURATION, "+" | "-"):
                return kind
        return None

    def _whole_days(self, node: s.Node, right: Expression) -> None:
        if not isinstance(right, Constant) or not isinstance(right.value, timedelta) or right.value % _DAY:
            advice = 'add whole days to a date: `@"P14D"`; or use an instant'
            raise Refused("not-whole-days", "a date takes whole days that stand in the rule", node, advice)

    def _call(self, node: s.Call) -> Expression:
        match node:
            case s.Call(s.Name("duration" | "date" | "date and time"), (s.String(text),)):
                return self._moment(node, text)
            case s.Call(s.Name(name)):
                told = f"the function `{name}` cannot stand in a watch rule"
                if name in ("matches", "replace", "split"):
                    raise Refused(
                        "regex", told, node, "give the event a property that says it, or compare with `=`"
                    )
                advice = "averages, sums and counts are declared as properties of the event"
                raise Refused("function", told, node, advice)
        raise Refused("function", "a call cannot stand in a watch rule", node, "compare properties")
