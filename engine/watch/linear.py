"""Comparisons in whole numbers: each side is a sum over the properties of one event, scaled to integers.

`spike.amount > 3 * spike.average` becomes `100 spike.amount - 300 spike.average > 0`; every event gives its
side as one integer below 2**62, so whoever matches has integers to compare and nothing to compute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, prod

from engine.watch.model import (
    AT,
    NOW,
    Arithmetic,
    Clock,
    Compare,
    Constant,
    Expression,
    Kind,
    Operator,
    Property,
    Reference,
    parts,
)
from engine.watch.model import Value as PropertyValue
from engine.watch.values import FIRST, LAST, MICROSECONDS_A_DAY, bounds, instants, microseconds

MOST = 2**62
"""No integer that a machine sees reaches this."""
_LATEST = max(abs(microseconds(FIRST)), microseconds(LAST))
MOST_TERMS = 40
MOST_FACTORS = 4

Factor = tuple[str, str]
"""An alias and a property; `now` has none."""
Monomial = tuple[Factor, ...]


class NotLinear(ValueError):
    """A comparison cannot be split into one side for each of two events."""

    def __init__(self, code: str, message: str, advice: str) -> None:
        super().__init__(message)
        self.code, self.message, self.advice = code, message, advice


@dataclass(frozen=True, slots=True)
class Side:
    """`sum(coefficient * product of properties)` of one event, in whole numbers."""

    alias: str
    terms: tuple[tuple[int, tuple[str, ...]], ...]

    def of(self, values: Mapping[str, int]) -> int:
        """Return the side's value from the whole numbers of an event's properties."""
        total = 0
        for coefficient, names in self.terms:
            for name in names:
                coefficient *= values[name]
            total += coefficient
        return total

    @property
    def names(self) -> tuple[str, ...]:
        """The properties that the side reads."""
        return tuple(sorted({name for _, names in self.terms for name in names}))


@dataclass(frozen=True, slots=True)
class Split:
    """`left operator right + constant`; without a right side only the constant stands there."""

    operator: Operator
    left: Side
    right: Side | None
    constant: int


def split(compare: Compare, order: Mapping[str, int]) -> Split:
    """Return a comparison of numbers or times with the later event on the left; raises NotLinear.

    `order` gives the rank of each alias, `now` among them.
    """
    if len([*parts(compare.left), *parts(compare.right)]) > MOST_TERMS:
        advice = "split it into several comparisons"
        raise NotLinear("too-many-terms", f"the comparison has more than {MOST_TERMS} parts", advice)
    terms = _terms(compare)
    aliases = sorted({f[0] for m in terms for f in m}, key=lambda a: order[a], reverse=True)
    if not aliases or aliases == [NOW]:
        raise NotLinear(
            "always-same", "the comparison does not depend on any event", "remove it, or compare a property"
        )
    if len(aliases) > 2:
        told = ", ".join(f"`{alias}`" for alias in aliases)
        advice = "compare two events at a time, joined by `and`"
        raise NotLinear("three-events", f"one comparison speaks of {told}", advice)
    whole = _scaled(terms, _places(compare))
    left = Side(aliases[0], _of(whole, aliases[0], 1))
    right = Side(aliases[1], _of(whole, aliases[1], -1)) if len(aliases) == 2 else None
    return Split(compare.operator, left, right, -whole.get((), 0))


def code_of(value: PropertyValue, prop: Property) -> int:
    """Return a number, date, instant or truth value as a whole number; null is 0."""
    if isinstance(value, bool):
        return 2 if value else 1
    if isinstance(value, Decimal):
        return int(value.scaleb(prop.places))
    if isinstance(value, datetime | timedelta):
        return microseconds(value)
    if isinstance(value, date):
        return value.toordinal()
    return 0


def check_size(compare: Compare, found: Split) -> None:
    """Raise NotLinear if a side can reach a number that a machine does not carry."""
    most = {f: _most(p) for f, p in _properties(compare).items()} | {(NOW, AT): _LATEST}
    for side in (found.left, found.right):
        size = (
            sum(abs(c) * prod(most[side.alias, n] for n in names) for c, names in side.terms) if side else 0
        )
        if size + abs(found.constant) >= MOST:
            advice = "give the properties a smaller `max` (and `min`), or use fewer decimal places"
            raise NotLinear("too-large", "the numbers compared here can exceed 18 digits", advice)


def _terms(compare: Compare) -> dict[Monomial, Fraction]:
    terms = dict(_polynomial(compare.left))
    for monomial, coefficient in _polynomial(compare.right).items():
        terms[monomial] = terms.get(monomial, Fraction(0)) - coefficient
    return {monomial: coefficient for monomial, coefficient in terms.items() if coefficient or not monomial}


def _polynomial(expression: Expression) -> dict[Monomial, Fraction]:
    match expression:
        case Reference(alias, prop):
            return {((alias, prop.name),): Fraction(1)}
        case Clock():
            return {((NOW, AT),): Fraction(1)}
        case Constant(value):
            return {(): _constant(value)}
        case Arithmetic("*", left, right):
            return _multiplied(_polynomial(left), _polynomial(right))
        case Arithmetic(sign, left, right):
            return _added(expression, _polynomial(left), _polynomial(right), -1 if sign == "-" else 1)


def _constant(value: PropertyValue) -> Fraction:
    if isinstance(value, Decimal):
        return Fraction(value)
    if isinstance(value, datetime | timedelta):
        return Fraction(microseconds(value))
    assert isinstance(value, date)  # strings and truth values are not compared here
    return Fraction(value.toordinal())


def _added(
    whole: Arithmetic, left: dict[Monomial, Fraction], right: dict[Monomial, Fraction], sign: int
) -> dict[Monomial, Fraction]:
    """Add two polynomials; days become microseconds where dates make a duration, and back."""
    if whole.left.kind is Kind.DATE and whole.right.kind is Kind.DURATION:
        right = {m: c / MICROSECONDS_A_DAY for m, c in right.items()}
    total = dict(left)
    for monomial, coefficient in right.items():
        total[monomial] = total.get(monomial, Fraction(0)) + sign * coefficient
    if whole.left.kind is Kind.DATE and whole.right.kind is Kind.DATE:
        total = {m: c * MICROSECONDS_A_DAY for m, c in total.items()}
    if len(total) > MOST_TERMS:
        raise NotLinear(
            "too-many-terms", f"the sum has more than {MOST_TERMS} terms", "split it into several comparisons"
        )
    return total


def _multiplied(left: dict[Monomial, Fraction], right: dict[Monomial, Fraction]) -> dict[Monomial, Fraction]:
    product: dict[Monomial, Fraction] = {}
    for one, first in left.items():
        for other, second in right.items():
            monomial = tuple(sorted(one + other))
            if len({alias for alias, _ in monomial}) > 1:
                advice = "multiply by a constant, or multiply properties of one event"
                raise NotLinear("product-across-events", "properties of two events are multiplied", advice)
            product[monomial] = product.get(monomial, Fraction(0)) + first * second
    if len(product) > MOST_TERMS or any(len(monomial) > MOST_FACTORS for monomial in product):
        advice = "split it into several comparisons"
        raise NotLinear(
            "too-many-terms",
            f"the product has more than {MOST_TERMS} terms or {MOST_FACTORS} factors",
            advice,
        )
    return product


def _properties(compare: Compare) -> dict[Factor, Property]:
    found: dict[Factor, Property] = {}
    stack: list[Expression] = [compare.left, compare.right]
    while stack:
        match stack.pop():
            case Reference(alias, prop):
                found[alias, prop.name] = prop
            case Arithmetic(_, left, right):
                stack += [left, right]
            case _:
                pass
    return found


def _places(compare: Compare) -> dict[Factor, int]:
    return {factor: prop.places for factor, prop in _properties(compare).items()}


def _scaled(terms: Mapping[Monomial, Fraction], places: Mapping[Factor, int]) -> dict[Monomial, int]:
    own = {monomial: sum(places.get(factor, 0) for factor in monomial) for monomial in terms}
    scale = max(own[m] + _decimals(c) for m, c in terms.items())
    return {monomial: int(c * 10 ** (scale - own[monomial])) for monomial, c in terms.items()}


def _decimals(number: Fraction) -> int:
    places = 0
    while (number * 10**places).denominator != 1:  # constants are decimals of few places, so it ends
        places += 1
    return places


def _of(whole: Mapping[Monomial, int], alias: str, sign: int) -> tuple[tuple[int, tuple[str, ...]], ...]:
    mine = ((sign * c, tuple(name for _, name in m)) for m, c in whole.items() if m and m[0][0] == alias)
    return tuple(sorted(mine, key=lambda term: (term[1], term[0])))


def range_of(prop: Property) -> tuple[int, int]:
    """Return the least and the greatest whole number that stands for a number, date or instant."""
    if prop.kind.is_number:
        low, high = bounds(prop)
        return floor(low.scaleb(prop.places)), ceil(high.scaleb(prop.places))
    if prop.kind is Kind.DATE:
        return FIRST.toordinal(), LAST.toordinal()
    return instants()


def _most(prop: Property) -> int:
    if prop.kind.is_number:
        low, high = bounds(prop)
        return int(max(abs(low), abs(high)).scaleb(prop.places)) + 1
    if prop.kind is Kind.DATE:
        return LAST.toordinal()
    return _LATEST
