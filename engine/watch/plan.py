"""A rule as alternatives of plain tests: what a production-rule matcher needs, checked for being carried.

Conditions become alternatives (`or`) of tests joined by `and`. A test compares whole numbers of at most two
events, or codes of strings, or asks whether a property is known. `none` becomes patterns that must not match.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, product
from typing import TypeAlias

from engine.source import Span
from engine.watch.linear import NotLinear, Side, Split, check_size, split
from engine.watch.model import (
    AT,
    NOW,
    Alias,
    And,
    Compare,
    Condition,
    Constant,
    Expression,
    Operator,
    Or,
    Reference,
    Rule,
    parts,
)
from engine.watch.values import microseconds

MOST_ALTERNATIVES = 16
"""Alternatives of one rule."""
MOST_ABSENT = 8
"""Patterns of one rule that must not match."""
MOST_JOINS = 24
"""Tests between two events in one pattern."""


@dataclass(frozen=True, slots=True)
class Known:
    """A property is known, or is not."""

    alias: str
    name: str
    known: bool


@dataclass(frozen=True, slots=True)
class Coded:
    """Two strings or truth values are equal, or are not."""

    operator: Operator
    alias: str
    name: str
    other: tuple[str, str] | None
    """The alias and property on the right; None: the value."""
    value: str | bool | None


Test: TypeAlias = Split | Known | Coded
Alternative: TypeAlias = tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One event that a matcher looks for; joins speak of events of earlier patterns."""

    alias: str
    type: str
    tests: tuple[Test, ...]
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One rule for a matcher: any of the alternatives, each with all of its patterns in order."""

    rule: str
    clock: bool
    alternatives: tuple[tuple[Pattern, ...], ...]


class NotCarried(Exception):
    """A rule cannot be carried by the matchers: what, where, and what to write instead."""

    def __init__(self, code: str, message: str, span: Span, advice: str) -> None:
        super().__init__(message)
        self.code, self.message, self.span, self.advice = code, message, span, advice


def plan(rule: Rule) -> Plan:
    """Return the plan of a rule; raises NotCarried."""
    order = ranks(rule)
    alternatives = _joined(rule.span, [_alternatives(c, order) for a in rule.all for c in a.conditions])
    close = near(rule)
    absent = tuple(pattern for alias in rule.none for pattern in _absent(alias, rule, order))
    if len(absent) > MOST_ABSENT:
        advice = "split the rule, or use fewer `or` under `none`"
        raise NotCarried(
            "too-many-absent", f"`none` has more than {MOST_ABSENT} alternatives", rule.span, advice
        )
    found = tuple((*_patterns(rule, (*tests, *close), order), *absent) for tests in alternatives)
    return Plan(rule.name, rule.uses_clock, found)


def ranks(rule: Rule) -> Mapping[str, int]:
    """Return the rank of each name of a rule: the clock, then `all` in order, then `none`."""
    return {name: rank for rank, name in enumerate((NOW, *(a.name for a in (*rule.all, *rule.none))))}


def alternatives_of(condition: Condition, order: Mapping[str, int]) -> list[Alternative]:
    """Return the alternatives of plain tests that a condition comes to; raises NotCarried."""
    return _alternatives(condition, order)


def owner(test: Test, order: Mapping[str, int]) -> str:
    """Return the name of the latest event that a test speaks of."""
    match test:
        case Split(_, left, _, _):
            return left.alias  # by `split`, the later one
        case Known(alias):
            return alias
        case Coded(_, alias, _, other):
            return alias if other is None or order[alias] >= order[other[0]] else other[0]


def is_join(test: Test) -> bool:
    """Tell whether a test speaks of two events."""
    return (isinstance(test, Split) and test.right is not None) or (
        isinstance(test, Coded) and test.other is not None and test.other[0] != test.alias
    )


def _patterns(rule: Rule, tests: Iterable[Test], order: Mapping[str, int]) -> Iterable[Pattern]:
    by_owner: dict[str, list[Test]] = {}
    for test in dict.fromkeys(tests):
        by_owner.setdefault(owner(test, order), []).append(test)
    for alias in rule.all:
        yield _checked(Pattern(alias.name, alias.type.name, tuple(by_owner.get(alias.name, []))), alias.span)


def _checked(pattern: Pattern, span: Span) -> Pattern:
    if sum(map(is_join, pattern.tests)) > MOST_JOINS:
        message = f"`{pattern.alias}` is joined to other events by more than {MOST_JOINS} comparisons"
        raise NotCarried("too-many-joins", message, span, "split the rule")
    return pattern


def _absent(alias: Alias, rule: Rule, order: Mapping[str, int]) -> Iterable[Pattern]:
    for tests in _joined(alias.span, [_alternatives(c, order) for c in alias.conditions]):
        for test in tests:
            if owner(test, order) != alias.name:
                message = f"a condition of `{alias.name}` does not speak of `{alias.name}`"
                advice = f"write it under `all`, where it holds for rule `{rule.name}` as a whole"
                raise NotCarried("condition-elsewhere", message, alias.span, advice)
        yield _checked(
            Pattern(alias.name, alias.type.name, tuple(dict.fromkeys(tests)), absent=True), alias.span
        )


def _joined(span: Span, found: list[list[Alternative]]) -> list[Alternative]:
    """Return the alternatives of conditions that all hold: one for each choice."""
    size = 1
    for alternatives in found:
        size *= len(alternatives)
    if size > MOST_ALTERNATIVES:
        message = f"the `or` of this rule make {size} alternatives, more than {MOST_ALTERNATIVES}"
        raise NotCarried("too-many-alternatives", message, span, "split it into several rules")
    return [tuple(test for tests in choice for test in tests) for choice in product(*found)]


def _alternatives(condition: Condition, order: Mapping[str, int]) -> list[Alternative]:
    match condition:
        case And(items):
            return _joined(_span(condition), [_alternatives(item, order) for item in items])
        case Or(items):
            return [found for item in items for found in _alternatives(item, order)]
        case Compare():
            try:
                return _compared(condition, order)
            except NotLinear as why:
                raise NotCarried(why.code, why.message, condition.span, why.advice) from why


def _span(condition: Condition) -> Span:
    while not isinstance(condition, Compare):
        condition = condition.items[0]
    return condition.span


def _compared(compare: Compare, order: Mapping[str, int]) -> list[Alternative]:
    left, right = compare.left, compare.right
    if isinstance(right, Constant) and right.value is None:
        return [_null_test(compare)]
    if left.kind is not None and not left.kind.is_ordered:
        return [(_coded(compare),)]
    found = split(compare, order)
    check_size(compare, found)
    one, other = _unknowns(left), _unknowns(right)
    known = tuple(Known(alias, name, True) for alias, name in dict.fromkeys(one + other))
    alternatives: list[Alternative] = [(*known, found)]
    if compare.operator == "=":
        alternatives += [(_missing(a), _missing(b)) for a in one for b in other]
    if compare.operator == "!=":
        alternatives += [(_missing(a), *(Known(*b, True) for b in other)) for a in one]
        alternatives += [(_missing(b), *(Known(*a, True) for a in one)) for b in other]
    return alternatives


def _unknowns(expression: Expression) -> list[tuple[str, str]]:
    leaves = (leaf for leaf in parts(expression) if isinstance(leaf, Reference) and leaf.prop.optional)
    return list(dict.fromkeys((leaf.alias, leaf.prop.name) for leaf in leaves))


def _missing(factor: tuple[str, str]) -> Known:
    return Known(*factor, False)


def _null_test(compare: Compare) -> Alternative:
    assert isinstance(compare.left, Reference)  # the reader of conditions refuses null beside a sum
    alias, prop = compare.left.alias, compare.left.prop
    if not prop.optional:
        advice = f"remove it, or declare `{prop.name}` with `optional: true`"
        raise NotLinear("always-same", f"`{alias}.{prop.name}` is never null", advice)
    if prop.kind.is_ordered:
        return (Known(alias, prop.name, compare.operator == "!="),)
    return (Coded(compare.operator, alias, prop.name, None, None),)


def _coded(compare: Compare) -> Coded:
    left, right = compare.left, compare.right
    assert isinstance(
        left, Reference
    )  # strings and truth values are not computed, constants stand on the right
    if isinstance(right, Reference):
        return Coded(compare.operator, left.alias, left.prop.name, (right.alias, right.prop.name), None)
    assert isinstance(right, Constant)
    value = right.value
    assert isinstance(value, str | bool)
    return Coded(compare.operator, left.alias, left.prop.name, None, value)


def near(rule: Rule) -> list[Test]:
    """Return the tests that keep the events of one match near each other; counts are kept elsewhere."""
    if rule.within is None:
        return []
    events = [alias.name for alias in rule.all if not alias.type.is_fact]
    return [test for a, b in combinations(events, 2) for test in _near(a, b, rule.within)]


def _near(earlier: str, later: str, within: timedelta) -> list[Test]:
    here, there = Side(later, ((1, (AT,)),)), Side(earlier, ((1, (AT,)),))
    most = microseconds(within)
    return [Split("<=", here, there, most), Split(">=", here, there, -most)]
