"""Where everything stands in the facts of a production-rule matcher: slots, columns and codes.

A matcher bounds how many patterns may meet one fact, so the patterns of one event type are spread over slots
and an event becomes one fact for each slot of its type. A fact's columns are whole numbers, computed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from engine.watch.linear import Side
from engine.watch.model import NOW, Value, WatchPolicy
from engine.watch.plan import Coded, Known, Pattern, Plan, Test, plan

MOST_RULES = 60
"""Alternatives of all rules that look at windows kept by the same thing."""
MOST_PATTERNS = 40
"""Patterns of one slot."""
MOST_COLUMNS = 180
"""Columns of one slot."""
MOST_SLOTS = 8
"""Slots of one event type."""

Terms: TypeAlias = tuple[tuple[int, tuple[str, ...]], ...]


class LayoutTooLarge(Exception):
    """The rules of one partition are too many for a matcher."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code, self.message = "too-many-rules", message
        self.advice = "move some rules to a policy of their own, or write fewer `or`"


@dataclass(frozen=True, slots=True)
class Sum:
    """A column: a sum over an event's properties, in whole numbers."""

    terms: Terms


@dataclass(frozen=True, slots=True)
class IsKnown:
    """A column: 1 if a property is known, otherwise 0."""

    name: str


@dataclass(frozen=True, slots=True)
class Code:
    """A column: the code of a string or truth value."""

    name: str


@dataclass(frozen=True, slots=True)
class AreSame:
    """A column: 1 if two strings or truth values of one event are equal, otherwise 0."""

    first: str
    second: str


Column: TypeAlias = Sum | IsKnown | Code | AreSame


@dataclass(slots=True)
class Slot:
    """The facts of one event type that a group of patterns looks at."""

    number: int
    type: str
    absent: bool
    """Whether its patterns must not match."""
    columns: dict[Column, str] = field(default_factory=dict)
    patterns: int = 0

    def takes(self, pattern: Pattern, columns: set[Column]) -> bool:
        """Tell whether another pattern with these columns finds room."""
        if self.type != pattern.type or self.absent is not pattern.absent:
            return False  # facts that bar a match are asserted before all others
        return self.patterns < MOST_PATTERNS and len(columns | self.columns.keys()) <= MOST_COLUMNS

    def add(self, columns: set[Column]) -> None:
        """Make room for a pattern."""
        self.patterns += 1
        for column in sorted(columns, key=repr):
            self.columns.setdefault(column, f"c{len(self.columns)}")


PatternKey: TypeAlias = tuple[int, int, int]
"""A pattern by its rule, alternative and place."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Plans of the rules of one partition, and where each of their patterns stands."""

    plans: tuple[Plan, ...]
    slots: Mapping[str, tuple[Slot, ...]]
    """By event type."""
    slot_of: Mapping[PatternKey, Slot]
    strings: Mapping[str, int]
    """Codes of the strings that stand in rules; a window's own follow."""


FIRST_STRING = 3
"""Codes below are null, false and true."""


def lay_out(policy: WatchPolicy, per: str) -> Layout:
    """Return the layout of the rules that look at windows kept by `per`; raises LayoutTooLarge."""
    plans = tuple(plan(rule) for rule in policy.rules_of(per))
    alternatives = sum(len(p.alternatives) for p in plans)
    if alternatives > MOST_RULES:
        raise LayoutTooLarge(
            f"the rules per `{per}` have {alternatives} alternatives; a matcher takes {MOST_RULES}"
        )
    slot_of = _placed(plans)
    slots: dict[str, dict[int, Slot]] = {}
    for slot in slot_of.values():
        slots.setdefault(slot.type, {})[slot.number] = slot
    for name, found in slots.items():
        if len(found) > MOST_SLOTS:
            most = MOST_SLOTS * MOST_PATTERNS
            raise LayoutTooLarge(f"too many patterns look at `{name}`: more than {most}")
    strings = {text: code for code, text in enumerate(_strings(plans), FIRST_STRING)}
    return Layout(plans, {name: tuple(found.values()) for name, found in slots.items()}, slot_of, strings)


def _placed(plans: tuple[Plan, ...]) -> dict[PatternKey, Slot]:
    """Return a slot for each pattern: the first of its type that has room."""
    slots: list[Slot] = []
    placed: dict[PatternKey, Slot] = {}
    columns = _columns(plans)
    for key, pattern in patterns(plans):
        slot = next((s for s in slots if s.takes(pattern, columns[key])), None)
        if slot is None:
            slot = Slot(len(slots) + 1, pattern.type, pattern.absent)
            slots.append(slot)
        slot.add(columns[key])
        placed[key] = slot
    return placed


def _strings(plans: tuple[Plan, ...]) -> list[str]:
    """Return the strings that stand in the tests, sorted."""
    coded = (test for _, pattern in patterns(plans) for test in pattern.tests if isinstance(test, Coded))
    return sorted({test.value for test in coded if isinstance(test.value, str)})


def patterns(plans: tuple[Plan, ...]) -> Iterator[tuple[PatternKey, Pattern]]:
    """Yield every pattern of the plans, the clock first where a rule reads it."""
    for rule, found in enumerate(plans):
        for alternative, row in enumerate(found.alternatives):
            clock = (Pattern(NOW, NOW, ()),) if found.clock else ()
            for place, pattern in enumerate((*clock, *row)):
                yield (rule, alternative, place), pattern


def column_of(test: Test, alias: str) -> Column | None:
    """Return the column that a test needs in the facts of an event, or None if it needs none."""
    match test:
        case Known():
            return IsKnown(test.name) if test.alias == alias else None
        case Coded(_, first, name, (second, other), _) if first == second:
            return AreSame(name, other) if first == alias else None
        case Coded():
            if test.alias == alias:
                return Code(test.name)
            return Code(test.other[1]) if test.other and test.other[0] == alias else None
    if test.left.alias == alias:
        return Sum(with_constant(test.left, -test.constant) if test.right else test.left.terms)
    return Sum(test.right.terms) if test.right and test.right.alias == alias else None


def with_constant(side: Side, constant: int) -> Terms:
    """Return the terms of a side with a constant added."""
    return (*side.terms, (constant, ())) if constant else side.terms


def _columns(plans: tuple[Plan, ...]) -> dict[PatternKey, set[Column]]:
    """Return the columns that each pattern's facts need: for its own tests and those of later patterns."""
    found: dict[PatternKey, set[Column]] = {}
    rows: dict[tuple[int, int], list[tuple[PatternKey, Pattern]]] = {}
    for key, pattern in patterns(plans):
        rows.setdefault(key[:2], []).append((key, pattern))
    for row in rows.values():
        tests = [test for _, pattern in row for test in pattern.tests]
        for key, pattern in row:
            needed = pattern.tests if pattern.absent else tests
            found[key] = {c for test in needed if (c := column_of(test, pattern.alias)) is not None}
    return found


def value_in(
    column: Column, codes: Mapping[str, int], values: Mapping[str, Value], strings: Mapping[str, int]
) -> int:
    """Return what stands in a column of an event's fact."""
    match column:
        case Sum(terms):
            return Side("", terms).of(codes)
        case IsKnown(name):
            return 0 if values.get(name) is None else 1
        case Code(name):
            return _code(values.get(name), strings)
        case AreSame(first, second):
            return int(values.get(first) == values.get(second))


def _code(value: Value, strings: Mapping[str, int]) -> int:
    if value is None:
        return 0
    if isinstance(value, bool):
        return 2 if value else 1
    assert isinstance(value, str)  # codes stand for strings and truth values only
    return strings[value]
