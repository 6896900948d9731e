"""A credit policy as a typed model: every cell with its place in the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias

from engine.credit.decision import Fact
from engine.feel import kinds
from engine.feel.kinds import FeelType
from engine.feel.syntax import Node, UnaryTests
from engine.policy import Manifest
from engine.source import Span
from engine.text import Period

FactValue: TypeAlias = "bool | int | Decimal | str | date | tuple[str, ...] | None"
"""A fact's value after it was checked against its kind; None: it is not known."""


class FactKind(StrEnum):
    """What kind of value a fact has."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    BOOLEAN = "boolean"
    DATE = "date"
    STRINGS = "list of string"

    @property
    def feel(self) -> FeelType:
        """The type that expressions see."""
        return _FEEL_TYPES[self]


_FEEL_TYPES: dict[FactKind, FeelType] = {
    FactKind.STRING: kinds.STRING,
    FactKind.INTEGER: kinds.NUMBER,
    FactKind.DECIMAL: kinds.NUMBER,
    FactKind.MONEY: kinds.NUMBER,
    FactKind.BOOLEAN: kinds.BOOLEAN,
    FactKind.DATE: kinds.DATE,
    FactKind.STRINGS: kinds.ListOf(kinds.STRING),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the policy says when something is missing, old, unverified or cannot be computed."""

    action: Literal["default", "refuse", "refer"]
    reason: str
    span: Span
    default: FactValue = None
    """For a fact: the value that is used instead."""
    reason_span: Span | None = None
    """Where the reason code itself stands."""


@dataclass(frozen=True, slots=True)
class FactDefinition:
    """One fact that the policy may read, and what is asked of its quality."""

    name: str
    kind: FactKind
    span: Span
    one_of: tuple[str, ...] = ()
    minimum: Decimal | date | None = None
    maximum: Decimal | date | None = None
    optional: bool = False
    """A caller may leave it out; expressions then see null, unless `when_missing` says otherwise."""
    max_age: Period | None = None
    verified: bool = False
    when_missing: Answer | None = None
    when_old: Answer | None = None
    when_unverified: Answer | None = None
    changeable: bool = field(default=True, compare=False)
    """Whether it makes sense to tell a customer what another value would change; no decision reads this."""
    label: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What people call it, by language: for sentences alone; no decision reads this."""

    @property
    def nullable(self) -> bool:
        """Tell whether expressions may see null."""
        return self.optional and self.when_missing is None


@dataclass(frozen=True, slots=True)
class Expression:
    """A FEEL expression: its text, the place where it begins, its tree."""

    text: str
    span: Span
    node: Node


@dataclass(frozen=True, slots=True)
class Tests:
    """An input cell: FEEL unary tests."""

    text: str
    span: Span
    node: UnaryTests


class HitPolicy(StrEnum):
    """How many rows of a table may match, and what then counts (DMN 1.5, 8.2.8)."""

    UNIQUE = "UNIQUE"
    FIRST = "FIRST"
    ANY = "ANY"
    RULE_ORDER = "RULE ORDER"
    COLLECT = "COLLECT"
    COLLECT_SUM = "COLLECT SUM"
    COLLECT_MIN = "COLLECT MIN"
    COLLECT_MAX = "COLLECT MAX"
    COLLECT_COUNT = "COLLECT COUNT"

    @property
    def lists(self) -> bool:
        """Tell whether the table's value is a list, one item a matching row."""
        return self in (HitPolicy.RULE_ORDER, HitPolicy.COLLECT)

    @property
    def single(self) -> bool:
        """Tell whether the table's value is that of one row."""
        return self in (HitPolicy.UNIQUE, HitPolicy.FIRST, HitPolicy.ANY)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a decision table."""

    number: int
    span: Span
    tests: tuple[Tests, ...]
    results: tuple[Expression, ...]

    @property
    def line(self) -> int:
        """The line of the file in which the row stands."""
        return self.span.line


@dataclass(frozen=True, slots=True)
class Output:
    """One output column of a decision table."""

    name: str
    span: Span


REASON = "reason"
"""The output column whose values are reason codes."""


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """A decision that is taken by the rows of a table."""

    name: str
    span: Span
    hit: HitPolicy
    inputs: tuple[Expression, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    otherwise: tuple[Expression, ...] | None = None
    """The outputs when no row matches."""

    @property
    def reason_column(self) -> int | None:
        """The index of the output column that holds reason codes."""
        return next((i for i, output in enumerate(self.outputs) if output.name == REASON), None)

    def expressions(self) -> Iterator[Expression | Tests]:
        """Yield every expression of the table, in reading order."""
        yield from self.inputs
        for rule in self.rules:
            yield from rule.tests
            yield from rule.results
        yield from self.otherwise or ()


@dataclass(frozen=True, slots=True)
class Bin:
    """One row of a scorecard: a part of what a characteristic can be, and its points."""

    number: int
    span: Span
    tests: Tests
    points: Decimal
    reason: str = ""
    reason_span: Span | None = None
    """Where the reason code itself stands."""

    @property
    def line(self) -> int:
        """The line of the file in which the bin stands."""
        return self.span.line


@dataclass(frozen=True, slots=True)
class Characteristic:
    """All bins of one characteristic; exactly one of them must match."""

    expression: Expression
    bins: tuple[Bin, ...]

    @property
    def best(self) -> Decimal:
        """The most points that the characteristic can give; points lost are counted from here."""
        return max(bin_.points for bin_ in self.bins)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A decision that adds points: a base and those of one bin for each characteristic."""

    name: str
    span: Span
    base: Decimal
    characteristics: tuple[Characteristic, ...]

    def expressions(self) -> Iterator[Expression | Tests]:
        """Yield every expression of the scorecard."""
        for characteristic in self.characteristics:
            yield characteristic.expression
            yield from (bin_.tests for bin_ in characteristic.bins)


@dataclass(frozen=True, slots=True)
class Formula:
    """A decision that is one expression."""

    name: str
    span: Span
    expression: Expression

    def expressions(self) -> Iterator[Expression | Tests]:
        """Yield the expression."""
        yield self.expression


DecisionDefinition: TypeAlias = DecisionTable | Scorecard | Formula


@dataclass(frozen=True, slots=True)
class Outcome:
    """One name under which the policy gives a result."""

    name: str
    span: Span
    expression: Expression
    money: bool = False
    """The result is an amount in the policy's currency."""


@dataclass(frozen=True, slots=True)
class ReasonText:
    """A reason code and what it says to people, by language."""

    code: str
    span: Span
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Promise:
    """What the officer states of the whole policy: `more arrears never raises credit_limit`."""

    text: str
    span: Span
    change: Literal["more", "less"]
    """How the first name changes while everything else stays."""
    subject: str
    never: Literal["raises", "lowers"]
    target: str


REGRADES = ("promise_broken", "chargeback", "profile_change", "alert", "expired")
"""What can lead to a new grade, as `regrade: {on: [...]}` names it."""


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a decision holds, and where the policy says so."""

    period: Period
    span: Span


@dataclass(frozen=True, slots=True)
class Regrade:
    """What leads to a new grade of a customer who has one by this policy."""

    on: tuple[str, ...]
    """Of `REGRADES`."""
    good_months: int | None
    """After so many months in which every bill was paid on time; None: never for that."""
    span: Span


@dataclass(frozen=True, slots=True)
class CreditPolicy:
    """One credit policy, read and checked; `decide` and `compile_policy` take it."""

    name: str
    title: Mapping[str, str]
    version: str
    effective_from: date
    effective_to: date | None
    currency: str
    facts: Mapping[str, FactDefinition]
    decisions: Mapping[str, DecisionDefinition]
    """In the author's order, in which reasons are told."""
    order: tuple[str, ...]
    """The same names, each after those that it reads."""
    outcome: tuple[Outcome, ...]
    reasons: Mapping[str, ReasonText]
    """In the author's order."""
    told: Expression | None
    """Which of the reasons are told, and in which order; None: all."""
    status: Expression | None
    """`decided`, `refused` or `referred`; None: always decided."""
    promises: tuple[Promise, ...]
    when_no_row: Answer | None
    when_failed: Answer | None
    manifest: Manifest
    digest: str
    validity: Validity | None = None
    """How long a decision holds from its day on; None: until the next one."""
    regrade: Regrade | None = None
    kinds: Mapping[str, FeelType] = field(default_factory=dict, compare=False)
    """The type of every fact and decision."""
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    """By decision: the names that it reads."""

    def valid_until(self, as_of: date) -> date | None:
        """Return the last day on which a decision of a day holds; None: until the next decision."""
        return self.validity.period.after(as_of) - timedelta(days=1) if self.validity else None

    def select(self, facts: Mapping[str, Fact]) -> dict[str, Fact]:
        """Return those of the given facts that this policy reads."""
        return {name: facts[name] for name in self.facts if name in facts}
