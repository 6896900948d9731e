"""Engines that know expressions but no tables (or none like these): each row one condition, tried in turn.

What reads a row's condition before there is a customer does so once, outside of the time; what cannot
reads it for every customer. Taking the first row, adding points and the arithmetic are Python's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import Any

from benchmarks import compare_durable
from engine.credit import CreditPolicy
from engine.credit.model import DecisionTable, Expression, Scorecard, Tests
from engine.feel import syntax

Scope = dict[str, Any]
Condition = Callable[[Scope], Any]


@dataclass(frozen=True)
class Dialect:
    """How a language writes what the rows say, and how one of its texts is made ready."""

    ready: Callable[[str], Condition]
    equals: str = "=="
    both: str = " and "
    either: str = " or "
    cents: bool = False
    """Amounts are whole cents, and null is -1: the language has no decimals, and does not compare null."""


def dialects() -> dict[str, Callable[[], Dialect]]:
    """Return the engines; asking for one that is not installed raises ImportError."""
    return {"rule-engine": _rule_engine, "cel-python": _cel, "bkflow-feel": _bkflow}


def _rule_engine() -> Dialect:
    rule_engine = import_module("rule_engine")

    return Dialect(lambda text: rule_engine.Rule(text).matches)


def _cel() -> Dialect:
    celpy = import_module("celpy")

    environment = celpy.Environment()

    def ready(text: str) -> Condition:
        program = environment.program(environment.compile(text))
        return lambda scope: program.evaluate(celpy.json_to_cel(scope))

    return Dialect(ready, both=" && ", either=" || ", cents=True)


def _bkflow() -> Dialect:
    api = import_module("bkflow_feel.api")
    return Dialect(lambda text: lambda scope: api.parse_expression(text, scope), equals="=", cents=True)


def by_rows(
    policy: CreditPolicy, dialect: Dialect
) -> Callable[[Scope], tuple[str, Decimal, Decimal, list[str]]]:
    """Return the policy as rows tried in turn."""
    tables = {
        name: [(_condition(rule.inputs, dialect), rule.outputs) for rule in _rows(d)]
        for name, d in policy.decisions.items()
        if isinstance(d, DecisionTable)
    }
    card = policy.decisions["score"]
    assert isinstance(card, Scorecard)
    bins = [
        [(dialect.ready(_test(p.expression.text, b.tests, dialect)), int(b.points)) for b in p.bins]
        for p in card.characteristics
    ]

    def first(name: str, scope: Scope) -> Any:
        return next(outputs for condition, outputs in tables[name] if condition(scope))

    def decide(customer: Scope) -> tuple[str, Decimal, Decimal, list[str]]:
        scope = compare_durable.fact(customer) if dialect.cents else dict(customer)
        scope |= {n: v for n, v in customer.items() if isinstance(v, bool)}
        codes = [outputs[0] for condition, outputs in tables["knockout"] if condition(scope)]
        scope["count_knockout"] = len(codes)
        scope["score"] = int(card.base) + sum(next(p for test, p in part if test(scope)) for part in bins)
        (scope["grade"],) = first("grade", scope)
        multiple, floor, cap = first("terms", scope)
        bill = customer["avg_monthly_bill"]
        (months,) = first("deposit_months", scope)
        codes += [outputs[0] for condition, outputs in tables["told"] if condition(scope)]
        return scope["grade"], max(floor, min(cap, bill * multiple)), bill * months, codes

    return decide


@dataclass(frozen=True)
class _Row:
    inputs: list[tuple[str, Tests]]
    outputs: tuple[Any, ...]


def _rows(table: DecisionTable) -> Iterator[_Row]:
    for rule in table.rules:
        headings = ["count_knockout" if h.text.startswith("count") else h.text for h in table.inputs]
        cells = [pair for pair in zip(headings, rule.tests, strict=True) if pair[1].node.tests]
        yield _Row(cells, tuple(_value(result) for result in rule.results))


def _value(result: Expression) -> Any:
    return getattr(result.node, "value", None)


def _condition(cells: list[tuple[str, Tests]], dialect: Dialect) -> Condition:
    return dialect.ready(dialect.both.join(_test(name, tests, dialect) for name, tests in cells))


def _test(name: str, tests: Tests, dialect: Dialect) -> str:
    parts = [_one(name, test, dialect) for test in tests.node.tests]
    if tests.node.negated:
        return f"({parts[0].replace(dialect.equals, '!=', 1)})"
    return f"({dialect.either.join(parts)})"


def _one(name: str, test: syntax.Node, dialect: Dialect) -> str:
    nullable = name in ("max_dpd_12m", "on_time_rate_12m")
    null = f"{dialect.equals} -1" if dialect.cents else f"{dialect.equals} null"
    there = f"{name} {'> -1' if dialect.cents else '!= null'}{dialect.both}" if nullable else ""
    match test:
        case syntax.Null():
            return f"{name} {null}"
        case syntax.Boolean(value):
            return f"{name} {dialect.equals} {'true' if value else 'false'}"
        case syntax.String(value):
            return f'{name} {dialect.equals} "{value}"'
        case syntax.Number():
            return f"{there}{name} {dialect.equals} {_bound(name, test, dialect)}"
        case syntax.UnaryComparison(sign, bound):
            return f"{there}{name} {sign} {_bound(name, bound, dialect)}"
        case syntax.RangeLiteral(low, high, low_closed, high_closed):
            lower = f"{name} {'>=' if low_closed else '>'} {_bound(name, low, dialect)}"
            upper = f"{name} {'<=' if high_closed else '<'} {_bound(name, high, dialect)}"
            return f"{there}{lower}{dialect.both}{upper}"
    raise ValueError(f"the benchmark has no cell like {test}")


def _bound(name: str, node: syntax.Node, dialect: Dialect) -> str:
    assert isinstance(node, syntax.Number)
    scaled = dialect.cents and name in compare_durable.CENTS
    return str(int(node.value * 100)) if scaled else str(node.value)
