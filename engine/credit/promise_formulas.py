"""Formulas as they are worth for two customers at once: bounds, and the order of the two."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product

from engine.credit.domains import Numbers, of_fact
from engine.credit.model import DecisionTable, FactKind
from engine.credit.promise_state import PAIRS, Known, Pair, literal_of, result_of
from engine.credit.two_worlds import INFINITE, NotDecided, Number, Value, alike, exactly, worth
from engine.feel import syntax as s


def numbers(known: Known, node: s.Node) -> list[Number]:
    """Return what an expression can be: one entry for each pair of rows that it rests on."""
    tables = _tables_in(known, node)
    choices = [_choices(known, name) for name in tables]
    size = 1
    for options in choices:
        size *= len(options)
    if size > PAIRS:
        raise NotDecided(node)
    facts = dict(_facts(known))
    found: dict[Number, None] = {}
    for picked in product(*choices):
        names = dict(facts)
        for choice in picked:
            names |= choice
        value = worth(node, names)
        if not isinstance(value, Number):
            raise NotDecided(node)
        found[value] = None
    return list(found)


def _tables_in(known: Known, node: s.Node) -> list[str]:
    names = dict.fromkeys(part.name for part in s.walk(node) if isinstance(part, s.Name))
    return [name for name in names if name in known.policy.decisions]


def _choices(known: Known, name: str) -> list[dict[str, Value]]:
    """Return what a decision can be, each as the names by which formulas call it."""
    decision = known.policy.decisions[name]
    if name in known.spans:
        return [{name: number} for number in known.spans[name]]
    if name in known.pairs:
        return [{name: _value(pair)} for pair in known.pairs[name]]
    if name not in known.rows or not isinstance(decision, DecisionTable):
        if known.stays(s.Name(name)):
            return [{name: alike(-INFINITE, INFINITE)}]
        raise NotDecided(known.unknown.get(name, s.Name(name)))
    return [dict(_row(known, decision, a, b)) for a, b in known.rows[name]]


def _row(known: Known, table: DecisionTable, a: int, b: int) -> Iterator[tuple[str, Value]]:
    if not table.hit.single:
        yield f"count {table.name}", exactly(Decimal(a.bit_count()), Decimal(b.bit_count()))
        return
    for column, output in enumerate(table.outputs):
        name = table.name if len(table.outputs) == 1 else f"{table.name}.{output.name}"
        one, other = literal_of(table, a, column), literal_of(table, b, column)
        if one is not None and other is not None:
            yield name, _value((one[0], other[0]))
            continue
        rules = result_of(table, a, column), result_of(table, b, column)
        if rules[0].node == rules[1].node:  # the same formula for both
            found = numbers(known, rules[0].node)
            if len(found) == 1:
                yield name, found[0]


def _facts(known: Known) -> Iterator[tuple[str, Value]]:
    for name, fact in known.policy.facts.items():
        if fact.nullable and name != known.subject:
            continue
        domain = of_fact(fact, known.policy.currency)
        if name == known.subject:
            yield name, known.step.number
        elif isinstance(domain, Numbers):
            low = -INFINITE if domain.low is None else domain.low
            yield name, alike(low, INFINITE if domain.high is None else domain.high)
        elif fact.kind is FactKind.BOOLEAN:
            yield name, frozenset({(True, True), (False, False)})


def _value(pair: Pair) -> Value:
    one, other = pair
    if isinstance(one, bool) and isinstance(other, bool):
        return frozenset({(one, other)})
    if isinstance(one, str) and isinstance(other, str):
        return one, other
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return exactly(one, other)
    raise NotDecided(s.Null())
