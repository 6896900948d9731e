"""What an expression of a table's heading can be, as far as that is known before there are facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from engine.credit.model import (
    CreditPolicy,
    DecisionTable,
    Expression,
    FactDefinition,
    FactKind,
    HitPolicy,
    Scorecard,
)
from engine.feel import kinds
from engine.feel.kinds import FeelType
from engine.feel.syntax import Boolean, Call, Name, Node, Null, Number, Path, String
from engine.text.currency import smallest


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers between two bounds, both included; None: no bound."""

    low: Decimal | None = None
    high: Decimal | None = None
    whole: bool = False
    cents: Decimal | None = None
    """Of amounts of money: the smallest one of the currency, 0.01 or, of yen, 1."""
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Dates:
    """Days between two bounds, both included."""

    low: date | None = None
    high: date | None = None
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Values:
    """Known values only; `open` when others are possible too (texts without `one_of`)."""

    values: tuple[Decimal | str | bool, ...] = ()
    open: bool = False
    nullable: bool = False


Domain: TypeAlias = Numbers | Dates | Values | None
"""None: nothing is known that could be analysed."""

_BOTH: tuple[Decimal | str | bool, ...] = (True, False)


def domain_of(
    policy: CreditPolicy, expression: Expression, kind: FeelType, *, nullable: bool = False
) -> Domain:
    """Return what a heading can be; unknown kinds of values have no domain.

    Whether a formula can be null is not known; `nullable` says that the table reckons with it.
    """
    known = _known(policy, expression.node)
    if known is not None:
        return known
    if kind == kinds.NUMBER:
        return Numbers(nullable=nullable)
    if kind == kinds.BOOLEAN:
        return Values(_BOTH, nullable=nullable)
    if kind == kinds.STRING:
        return Values(open=True, nullable=nullable)
    return Dates(nullable=nullable) if kind == kinds.DATE else None


def _known(policy: CreditPolicy, node: Node) -> Domain:
    match node:
        case Name(name) if name in policy.facts:
            return of_fact(policy.facts[name], policy.currency)
        case Name(name) if name in policy.decisions:
            decision = policy.decisions[name]
            if isinstance(decision, Scorecard):
                return _of_scorecard(decision)
            if isinstance(decision, DecisionTable) and decision.hit is HitPolicy.COLLECT_COUNT:
                return _count_of(decision)
            if isinstance(decision, DecisionTable) and len(decision.outputs) == 1:
                return _of_column(decision, 0)
        case Path(Name(name), entry) if isinstance(table := policy.decisions.get(name), DecisionTable):
            column = next((i for i, output in enumerate(table.outputs) if output.name == entry), None)
            return None if column is None else _of_column(table, column)
        case Call(Name("count"), (Name(name),)) if isinstance(
            table := policy.decisions.get(name), DecisionTable
        ):
            if table.hit.lists:
                return _count_of(table)
    return None


def of_fact(fact: FactDefinition, currency: str) -> Domain:
    """Return what a fact can be, by its definition; amounts are in the policy's currency."""
    if fact.kind is FactKind.BOOLEAN:
        return Values(_BOTH, nullable=fact.nullable)
    if fact.kind is FactKind.STRING:
        return Values(fact.one_of, open=not fact.one_of, nullable=fact.nullable)
    low, high = fact.minimum, fact.maximum
    if fact.kind is FactKind.DATE:
        first = low if isinstance(low, date) else None
        last = high if isinstance(high, date) else None
        return Dates(first, last, fact.nullable)
    if fact.kind in (FactKind.INTEGER, FactKind.DECIMAL, FactKind.MONEY):
        least = low if isinstance(low, Decimal) else None
        most = high if isinstance(high, Decimal) else None
        cents = smallest(currency) if fact.kind is FactKind.MONEY else None
        whole = fact.kind is FactKind.INTEGER or cents == 1
        return Numbers(least, most, whole, cents, fact.nullable)
    return None


def _of_scorecard(card: Scorecard) -> Numbers:
    low = high = card.base
    whole = card.base == card.base.to_integral_value()
    for characteristic in card.characteristics:
        points = [bin_.points for bin_ in characteristic.bins]
        low, high = low + min(points), high + max(points)
        whole = whole and all(value == value.to_integral_value() for value in points)
    return Numbers(low, high, whole)


def _count_of(table: DecisionTable) -> Numbers:
    return Numbers(Decimal(0), Decimal(len(table.rules)), whole=True)


def _of_column(table: DecisionTable, column: int) -> Domain:
    """Return the values of an output column if they are all written out and one of them is taken."""
    extremes = (HitPolicy.COLLECT_MIN, HitPolicy.COLLECT_MAX)
    if not (table.hit.single or table.hit in extremes):
        return None
    results = [rule.results[column].node for rule in table.rules]
    if table.otherwise is not None:
        results.append(table.otherwise[column].node)
    if not all(isinstance(node, Number | String | Boolean | Null) for node in results):
        return None
    values = [node.value for node in results if isinstance(node, Number | String | Boolean)]
    if len({type(value) for value in values}) > 1:
        return None
    return Values(tuple(dict.fromkeys(values)), nullable=any(isinstance(node, Null) for node in results))
