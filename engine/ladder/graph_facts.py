"""Which customers there can be: values of facts that stand for all others, and the ladder of each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from math import prod

from engine.credit.model import FactDefinition, FactKind
from engine.feel import syntax as s
from engine.ladder.case import fact_holds
from engine.ladder.model import CollectionsPolicy, FactTest

MOST = 20_000
"""Combinations of facts that are looked at; a policy that has more of them is named as not decided."""
SOMETHING_ELSE = "something else"
Value = bool | int | str | tuple[str, ...] | None
Customer = tuple[tuple[str, Value], ...]
"""Facts by name, as pairs in the order of names; None: nobody has told it."""


@dataclass(frozen=True, slots=True)
class Customers:
    """Who gets which ladder, as far as it can be decided from the cells."""

    by_ladder: Mapping[str, frozenset[Customer]]
    """For each ladder, what its customers can be, in the facts that its own rows read."""
    hit: frozenset[int]
    """Rows of the treatment that decide for somebody."""
    undecided: tuple[str, ...] = ()
    """Why some of it is not decided: sentences."""


def customers(policy: CollectionsPolicy) -> Customers:
    """Return which customers get which ladder: every combination of what cells can tell apart."""
    tests: dict[str, list[FactTest]] = {}
    for cell in _cells(policy):
        tests.setdefault(cell.name, []).append(cell)
    tests = {name: cells for name, cells in tests.items() if name in policy.facts}
    told = {name: _values(policy.facts[name], cells) for name, cells in sorted(tests.items())}
    unknown = [name for name, values in told.items() if values is None]
    known = {name: values for name, values in told.items() if values is not None}
    size = prod(len(values) for values in known.values())
    if unknown or size > MOST:
        return Customers({}, frozenset(), _undecided(unknown, size))
    return _decided(policy, known)


def _undecided(unknown: list[str], size: int) -> tuple[str, ...]:
    if unknown:
        return tuple(f"cells on `{name}` are more than comparisons" for name in unknown)
    return (f"there are {size:,} kinds of customers by their facts, more than {MOST:,}",)


def _decided(policy: CollectionsPolicy, known: Mapping[str, tuple[Value, ...]]) -> Customers:
    names = list(known)
    seen: dict[tuple[int, Value], bool] = {}
    hit: set[int] = set()
    by_ladder: dict[str, set[Customer]] = {name: set() for name in policy.ladders}
    reads = {
        name: sorted({cell.name for row in ladder.rows for cell in row.facts if cell.name in known})
        for name, ladder in policy.ladders.items()
    }
    for values in product(*known.values()):
        one = dict(zip(names, values, strict=True))
        for index, row in enumerate(policy.treatment):
            if all(_passes(seen, cell, one.get(cell.name)) for cell in row.cells):
                hit.add(index)
                if row.ladder in by_ladder:
                    by_ladder[row.ladder].add(tuple((name, one[name]) for name in reads[row.ladder]))
                break
    return Customers({name: frozenset(found) for name, found in by_ladder.items()}, frozenset(hit))


def _passes(seen: dict[tuple[int, Value], bool], cell: FactTest, value: Value) -> bool:
    key = (id(cell), value)
    if key not in seen:
        seen[key] = fact_holds(cell, value)
    return seen[key]


def passes(cells: Iterable[FactTest], customer: Customer) -> bool:
    """Tell whether a customer passes some cells."""
    facts = dict(customer)
    return all(fact_holds(cell, facts.get(cell.name)) for cell in cells)


def _cells(policy: CollectionsPolicy) -> Iterable[FactTest]:
    yield from (cell for row in policy.treatment for cell in row.cells)
    yield from (cell for row in policy.rows() for cell in row.facts)


# values that stand for all others


def _values(fact: FactDefinition, cells: list[FactTest]) -> tuple[Value, ...] | None:
    """Return values that the cells can tell apart, and None for a fact that nobody has told."""
    literals: list[s.Node] = []
    for test in (test for cell in cells for test in cell.tests.tests):
        found = _literals(test)
        if found is None:
            return None
        literals += found
    match fact.kind:
        case FactKind.BOOLEAN:
            return (True, False, None)
        case FactKind.STRING if all(isinstance(node, (s.String, s.Null)) for node in literals):
            named = {node.value for node in literals if isinstance(node, s.String)}
            return (*(fact.one_of or (*sorted(named), SOMETHING_ELSE)), None)
        case FactKind.INTEGER | FactKind.DECIMAL | FactKind.MONEY:
            return _numbers(fact, literals)
    return (None,) if not literals else None


def _numbers(fact: FactDefinition, literals: list[s.Node]) -> tuple[Value, ...] | None:
    bounds: set[Decimal] = set()
    for node in literals:
        number = _number(node)
        if number is None:
            return None
        bounds.add(number)
    near = {int(bound // 1) + step for bound in bounds for step in (-1, 0, 1, 2)} or {0}
    low, high = fact.minimum, fact.maximum
    kept = [n for n in sorted(near) if not isinstance(low, Decimal) or n >= low]
    return (*(n for n in kept if not isinstance(high, Decimal) or n <= high), None)


def _number(node: s.Node) -> Decimal | None:
    match node:
        case s.Number(value):
            return value
        case s.Negation(s.Number(value)):
            return -value
    return None


def _literals(test: s.Node) -> list[s.Node] | None:
    """Return what a test compares with; None where it is more than comparisons with literals."""
    match test:
        case s.UnaryComparison(_, operand):
            return _literals(operand)
        case s.ListLiteral(items):
            found = [_literals(item) for item in items]
            return None if None in found else [node for nodes in found if nodes for node in nodes]
        case s.RangeLiteral(low, high):
            return [low, high]
        case s.Null():
            return []
        case s.Number() | s.String() | s.Boolean():
            return [test]
        case s.Negation(s.Number()):
            return [test]
    return None


def told(customer: Customer) -> str:
    """Return a customer in words: `segment "key", vulnerable true`; empty: any."""
    return ", ".join(f"{name} {_shown(value)}" for name, value in customer)


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "not known" if value is None else f'"{value}"' if isinstance(value, str) else str(value)
