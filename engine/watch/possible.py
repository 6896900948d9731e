"""Whether any events at all could meet conditions of a rule: what follows from the text, whatever happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations, product
from math import gcd, prod

from engine.watch.feasible import AtMost, Bounds, can_hold
from engine.watch.linear import Side, Split, range_of
from engine.watch.model import (
    AT,
    NOW,
    Alias,
    Compare,
    Condition,
    Constant,
    Kind,
    Property,
    Reference,
    Rule,
    compares,
)
from engine.watch.plan import Coded, Known, Test, alternatives_of, near, ranks
from engine.watch.values import instants, microseconds

MOST_TRIED = 64
"""Choices of alternatives and of `!=` that are tried for one question; with more nothing is excluded."""
Name = tuple[str, str]
"""An alias and a property."""


@dataclass(frozen=True, slots=True)
class Possible:
    """What holds anyway for the events of one rule, and whether conditions can hold beside it.

    Bounds and values of properties, `within`, the window's length, that nothing lies after `now`, and that
    all events of a window share what it is kept by. A no is certain.
    """

    rule: Rule
    window: timedelta

    def can_hold(self, conditions: Sequence[Condition]) -> bool:
        """Tell whether events could meet all conditions at once."""
        order = ranks(self.rule)
        choices = [alternatives_of(condition, order) for condition in conditions]
        if prod(map(len, choices)) > MOST_TRIED:
            return True
        given = self._given()
        return any(self._holds([*given, *(t for row in rows for t in row)]) for rows in product(*choices))

    def values(self, conditions: Sequence[Condition], reference: Reference) -> int | None:
        """Return how many values a property can have under conditions; None: no end is known."""
        prop = reference.prop
        domain: Iterable[bool | str] = (True, False) if prop.kind is Kind.BOOLEAN else prop.one_of
        if domain:
            asked = (Compare("=", reference, Constant(v, prop.kind), prop.span) for v in domain)
            return sum(self.can_hold([*conditions, compare]) for compare in asked)
        for compare in (found for condition in conditions for found in compares(condition)):
            if compare.operator == "=" and compare.left == reference and isinstance(compare.right, Constant):
                return None if self.can_hold([*conditions, replace(compare, operator="!=")]) else 1
        return None

    def _given(self) -> list[Test]:
        rule = self.rule
        events = [alias.name for alias in (*rule.all, *rule.none) if not alias.type.is_fact]
        found: list[Test] = list(near(rule))
        most = microseconds(self.window) - 1
        for one, other in combinations(events, 2):
            found += [Split("<=", _at(one), _at(other), most), Split("<=", _at(other), _at(one), most)]
        for alias in (*rule.all, *rule.none):
            found.append(Split("<=", _at(alias.name), _at(NOW), 0))
            if not alias.type.is_fact:
                found.append(Split("<=", _at(NOW), _at(alias.name), most))
        first, *others = (*rule.all, *rule.none)
        return [*found, *(Coded("=", a.name, rule.per, (first.name, rule.per), None) for a in others)]

    def _holds(self, tests: Sequence[Test]) -> bool:
        known = {(test.alias, test.name): test.known for test in tests if isinstance(test, Known)}
        if any(known[test.alias, test.name] is not test.known for test in tests if isinstance(test, Known)):
            return False
        properties = self._properties()
        if not _can_be_coded([test for test in tests if isinstance(test, Coded)], properties):
            return False
        return _can_be_split([test for test in tests if isinstance(test, Split)], properties)

    def _properties(self) -> Mapping[Name, Property]:
        named: tuple[Alias, ...] = (*self.rule.all, *self.rule.none)
        return {(alias.name, name): p for alias in named for name, p in alias.type.properties.items()}


# --- strings and truth values ---------------------------------------------------------------------


def _can_be_coded(tests: Sequence[Coded], properties: Mapping[Name, Property]) -> bool:
    """Tell whether strings and truth values can be equal and different as told."""
    group: dict[Name, set[Name]] = {}
    for test in tests:
        for name in filter(None, ((test.alias, test.name), test.other)):
            group.setdefault(name, {name})
    for test in tests:
        if test.operator == "=" and test.other:
            joined = group[test.alias, test.name] | group[test.other]
            for name in joined:
                group[name] = joined
    if any(
        test.operator == "!=" and test.other and test.other in group[test.alias, test.name] for test in tests
    ):
        return False
    return all(_has_value(names, tests, properties) for names in group.values())


def _has_value(names: set[Name], tests: Sequence[Coded], properties: Mapping[Name, Property]) -> bool:
    """Tell whether some value is left for properties that are equal."""
    told = [test for test in tests if not test.other and (test.alias, test.name) in names]
    barred = {test.value for test in told if test.operator == "!="}
    left: set[bool | str | None] | None = None
    for domain in (*({t.value} for t in told if t.operator == "="), *(_domain(properties[n]) for n in names)):
        if domain is not None:
            left = set(domain) if left is None else left & domain
    optional = all(properties[name].optional for name in names)
    return left is None or bool(left - barred - (set() if optional else {None}))


def _domain(prop: Property) -> set[bool | str | None] | None:
    """Return the values that a property can have; None: there is no end of them."""
    if prop.kind is Kind.BOOLEAN:
        return {True, False, None}
    return {*prop.one_of, None} if prop.one_of else None


# --- numbers and times ----------------------------------------------------------------------------


def _can_be_split(tests: Sequence[Split], properties: Mapping[Name, Property]) -> bool:
    """Tell whether numbers and times can be as told; each `!=` is one of two."""
    sums = [_sum(test) for test in tests]
    unequal = [found for found, test in zip(sums, tests, strict=True) if test.operator == "!="]
    sure = [
        limit
        for found, test in zip(sums, tests, strict=True)
        for limit in (_limits(found, test) if test.operator != "!=" else ())
    ]
    if any(_is_no_whole(found) for found, t in zip(sums, tests, strict=True) if t.operator == "="):
        return False
    if 2 ** len(unequal) > MOST_TRIED:
        return True
    bounds = _bounds(tests, properties)
    sides = ((_below(found), _above(found)) for found in unequal)
    return any(can_hold([*sure, *chosen], bounds) for chosen in product(*sides))


@dataclass(frozen=True, slots=True)
class _Sum:
    terms: tuple[tuple[int, str], ...]
    constant: int


def _sum(test: Split) -> _Sum:
    """Return a comparison as terms on the left and a constant on the right."""
    terms: dict[str, int] = {}
    for side, sign in ((test.left, 1), (test.right, -1)):
        for coefficient, names in side.terms if side else ():
            assert side is not None  # it has terms
            key = _unknown(side.alias, names)
            terms[key] = terms.get(key, 0) + sign * coefficient
    return _Sum(tuple((factor, name) for name, factor in sorted(terms.items()) if factor), test.constant)


def _limits(found: _Sum, test: Split) -> Iterator[AtMost]:
    strict = test.operator in ("<", ">")
    if test.operator in ("<", "<=", "="):
        yield AtMost(found.terms, found.constant - strict)
    if test.operator in (">", ">=", "="):
        yield AtMost(tuple((-factor, name) for factor, name in found.terms), -found.constant - strict)


def _below(found: _Sum) -> AtMost:
    return AtMost(found.terms, found.constant - 1)


def _above(found: _Sum) -> AtMost:
    return AtMost(tuple((-factor, name) for factor, name in found.terms), -found.constant - 1)


def _is_no_whole(found: _Sum) -> bool:
    """Tell whether no whole numbers make the sum: `10 x = 15`."""
    common = gcd(*(factor for factor, _ in found.terms))
    return bool(common and found.constant % common)


def _bounds(tests: Sequence[Split], properties: Mapping[Name, Property]) -> Bounds:
    found: dict[str, tuple[int, int]] = {}
    for side in (side for test in tests for side in (test.left, test.right) if side):
        for _, names in side.terms:
            low, high = 1, 1
            for name in names:
                first, last = instants() if side.alias == NOW else range_of(properties[side.alias, name])
                ends = [low * first, low * last, high * first, high * last]
                low, high = min(ends), max(ends)
            found[_unknown(side.alias, names)] = low, high
    return found


def _unknown(alias: str, names: tuple[str, ...]) -> str:
    return f"{alias}.{'*'.join(names)}"


def _at(alias: str) -> Side:
    return Side(alias, ((1, (AT,)),))
