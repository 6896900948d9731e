"""A watch policy as a typed model: events with their properties, rules that join them, what an alert does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias

from engine.policy import Manifest
from engine.source import Span

Value: TypeAlias = "bool | Decimal | str | date | datetime | timedelta | None"
"""What a property holds: numbers are decimals, instants aware datetimes; None: it is not known."""
Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">="]
Function: TypeAlias = Literal["average", "sum", "count", "lowest", "highest"]
CUSTOMER = "customer"
"""The partition that needs no property, and the property that every event has."""
AT = "at"
"""The property that says when an event happened."""
NOW = "now"
"""The name of the instant at which a window is looked at."""


class Kind(StrEnum):
    """What kind of value a property or an expression has."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    STRING = "string"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    DURATION = "duration"

    @property
    def is_number(self) -> bool:
        """Tell whether values are numbers."""
        return self in (Kind.INTEGER, Kind.DECIMAL)

    @property
    def is_ordered(self) -> bool:
        """Tell whether values can be compared with `<`."""
        return self not in (Kind.STRING, Kind.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A property that is computed from the earlier events of the window."""

    function: Function
    event: str
    """The type of the events that are looked at."""
    property: str
    """The property that is aggregated; empty for `count`."""
    over: timedelta
    """How far back from the event itself, its own instant excluded."""
    at_least: int
    """With fewer events than this the value is not known."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an event."""

    name: str
    kind: Kind
    span: Span
    places: int = 0
    """Decimal places, for a decimal."""
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    optional: bool = False
    """An event may lack it; it is then null."""
    one_of: tuple[str, ...] = ()
    derived: Aggregate | None = None


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event, or of fact, that the policy knows."""

    name: str
    span: Span
    properties: Mapping[str, Property]
    is_fact: bool = False
    """A fact does not grow old, is not used up by an alert, and is never the last event of a match."""


# --- conditions -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reference:
    """`alias.property`."""

    alias: str
    prop: Property

    @property
    def kind(self) -> Kind:
        """The kind of the property."""
        return self.prop.kind


@dataclass(frozen=True, slots=True)
class Clock:
    """`now`: the instant at which the window is looked at."""

    kind: Kind = Kind.INSTANT


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the rule; `null` has no kind."""

    value: Value
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left + right`, `left - right`, `left * right`."""

    operator: Literal["+", "-", "*"]
    left: Expression
    right: Expression
    kind: Kind


Expression: TypeAlias = Reference | Clock | Constant | Arithmetic


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison; with null only `=` and `!=` can be true, as in FEEL."""

    operator: Operator
    left: Expression
    right: Expression
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of the items hold."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the items holds."""

    items: tuple[Condition, ...]


Condition: TypeAlias = Compare | And | Or


# --- rules ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Alias:
    """One event that a rule looks for, under a name of its own."""

    name: str
    span: Span
    type: EventType
    conditions: tuple[Condition, ...]
    """All of them hold; they may speak of the rule's other events."""
    text: str = ""
    """The condition as its author wrote it."""


@dataclass(frozen=True, slots=True)
class Action:
    """What an alert asks for: `refer(fraud_desk)`."""

    name: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})" if self.arguments else self.name


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern over the events of a window, and the alert that it raises."""

    name: str
    span: Span
    per: str
    all: tuple[Alias, ...]
    none: tuple[Alias, ...]
    within: timedelta | None
    """The longest time from the first to the last event of one alert."""
    count: int
    """How many matches make an alert."""
    same: Reference | None
    """Matches are counted apart for each value of this property."""
    distinct: Reference | None
    """Matches with the same value of this property count once."""
    alert: str
    severity: Literal["low", "medium", "high"]
    actions: tuple[Action, ...]
    reason: Mapping[str, str]
    """What is told to people, by language."""
    within_span: Span | None = None

    @property
    def uses_clock(self) -> bool:
        """Tell whether the passing of time alone can make the rule fire."""
        return any(
            isinstance(e, Clock) for a in (*self.all, *self.none) for c in a.conditions for e in leaves(c)
        )


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """One watch policy, read and checked."""

    name: str
    title: Mapping[str, str]
    version: str
    effective_from: date
    effective_to: date | None
    window: timedelta
    """How long an event counts."""
    types: Mapping[str, EventType]
    rules: tuple[Rule, ...]
    manifest: Manifest
    digest: str

    @property
    def partitions(self) -> tuple[str, ...]:
        """What windows are kept by: `customer` and the properties that rules name in `per`."""
        return tuple(dict.fromkeys(rule.per for rule in self.rules))

    def rules_of(self, per: str) -> tuple[Rule, ...]:
        """Return the rules that look at windows kept by this."""
        return tuple(rule for rule in self.rules if rule.per == per)

    @property
    def keep(self) -> timedelta:
        """How long an event has to be kept: the window, and what averages reach back beyond it."""
        derived = [p.derived for t in self.types.values() for p in t.properties.values() if p.derived]
        return self.window + max((d.over for d in derived), default=timedelta(0))


def compares(condition: Condition) -> Iterator[Compare]:
    """Yield the comparisons of a condition, in reading order."""
    if isinstance(condition, Compare):
        yield condition
    else:
        for item in condition.items:
            yield from compares(item)


def parts(expression: Expression) -> Iterator[Expression]:
    """Yield what an expression is made of, without its arithmetic."""
    if isinstance(expression, Arithmetic):
        yield from parts(expression.left)
        yield from parts(expression.right)
    else:
        yield expression


def leaves(condition: Condition) -> Iterator[Expression]:
    """Yield the references, constants and clocks of a condition."""
    for compare in compares(condition):
        yield from parts(compare.left)
        yield from parts(compare.right)


def aliases_of(condition: Condition) -> frozenset[str]:
    """Return the names of the events that a condition speaks of."""
    return frozenset(leaf.alias for leaf in leaves(condition) if isinstance(leaf, Reference))
