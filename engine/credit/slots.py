"""One look at each variable: the columns that look at the same one share a single search.

Every column of literal cells cuts its variable into slots. A `Reader` joins the cuts of all columns of one
variable, so that the generated function searches once and finds the slots of all of them together, and
where the number can only be a small whole one it does not search at all.
"""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import Any, TypeAlias

from engine.feel.decimals import CONTEXT
from engine.feel.to_python import Unit
from engine.feel.values import Value

DIRECT = 512
"""Whole numbers of at most so many values are found by index instead of search."""
BRANCHES = 8
"""Up to so many cuts are written as branches; more are searched."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The variable that a column looks at."""

    identifier: str
    whole: bool
    """It is a Python `int`, so that bounds may be whole, too."""
    nullable: bool


@dataclass(frozen=True, slots=True)
class Cuts:
    """How a column cuts a line of numbers: its slots lie between the cuts, in order."""

    points: tuple[Decimal, ...]
    """Rising; a point may stand twice, with the slot of just this number between."""
    above: tuple[bool, ...]
    """By cut: the point itself belongs below it, so that the upper slot has what is larger."""
    low: int | None = None
    """No whole number below this one occurs."""

    def slot_of(self, value: Value) -> int | None:
        """Return the slot of a number; None for anything else."""
        if not isinstance(value, Decimal):
            return None
        between = bisect_left(self.points, value)
        if between == len(self.points) or self.points[between] != value:
            return between
        return sum(point < value or (point == value and not above) for point, above in self._pairs())

    def _pairs(self) -> Iterator[tuple[Decimal, bool]]:
        return zip(self.points, self.above, strict=True)


@dataclass(frozen=True, slots=True)
class Names:
    """How a column sorts texts and truth values into slots: by value, the others together."""

    places: Mapping[Any, int]
    other: int | None
    """The slot of all other values; None: there are no others."""

    def slot_of(self, value: Value) -> int | None:
        """Return the slot of a value; None if it has none."""
        return self.places.get(value, self.other) if isinstance(value, str | bool | Decimal) else None


Division: TypeAlias = Cuts | Names


@dataclass(slots=True, eq=False)
class Slot:
    """What one column wants to know of a variable, in a variable of its own."""

    identifier: str
    division: Division
    values: Sequence[Any]
    """What the variable is set to, by slot: the number of the slot unless something better is known."""
    null: Any
    """What it is set to for null."""


@dataclass(slots=True, eq=False)
class Reader:
    """The columns of one variable, and the place in the function where it is looked at."""

    subject: Subject
    place: ast.stmt
    slots: list[Slot] = field(default_factory=list)

    def statements(self, read: AbstractSet[str], unit: Unit) -> list[ast.stmt]:
        """Return what sets the variables of those slots that are read at all."""
        wanted = [slot for slot in self.slots if slot.identifier in read]
        if not wanted:
            return []
        names: list[ast.expr] = [ast.Name(slot.identifier, ast.Store()) for slot in wanted]
        target = names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())
        return [ast.Assign([target], _found(self.subject, wanted, unit))]


def _found(subject: Subject, wanted: Sequence[Slot], unit: Unit) -> ast.expr:
    """Return code for what the slots are set to: one value, or a tuple of them."""
    name = ast.Name(subject.identifier, ast.Load())
    by_name = isinstance(wanted[0].division, Names)
    code = (_by_name if by_name else _by_search)(subject, wanted, name, unit)
    if not subject.nullable:
        return code
    null = _constant(_row([slot.null for slot in wanted]), unit)
    return ast.IfExp(ast.Compare(name, [ast.Is()], [ast.Constant(None)]), null, code)


def _row(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else tuple(values)


def _constant(value: Any, unit: Unit) -> ast.expr:
    return ast.Constant(value) if type(value) is int else unit.constant(value)


# texts and truth values


def _by_name(subject: Subject, wanted: Sequence[Slot], name: ast.expr, unit: Unit) -> ast.expr:
    divisions = [slot.division for slot in wanted if isinstance(slot.division, Names)]
    table = {
        value: _row([slot.values[_place(d, value)] for slot, d in zip(wanted, divisions, strict=True)])
        for value in dict.fromkeys(value for division in divisions for value in division.places)
    }
    if table.keys() == {True, False}:
        return ast.IfExp(name, _constant(table[True], unit), _constant(table[False], unit))
    if any(division.other is None for division in divisions):
        return ast.Subscript(unit.constant(table), name, ast.Load())
    others = _row([slot.values[_place(d, None)] for slot, d in zip(wanted, divisions, strict=True)])
    get = ast.Attribute(unit.constant(table), "get", ast.Load())
    return ast.Call(get, [name, _constant(others, unit)], [])


def _place(division: Names, value: Any) -> int:
    found = division.places.get(value, division.other)
    assert found is not None, "columns of one variable know the same values, or all know of others"
    return found


# numbers


def _by_search(subject: Subject, wanted: Sequence[Slot], name: ast.expr, unit: Unit) -> ast.expr:
    cuts = [slot.division for slot in wanted if isinstance(slot.division, Cuts)]
    own = [sorted(zip(each.points, each.above, strict=True)) for each in cuts]
    joined = sorted({cut for mine in own for cut in mine})
    places = [[bisect_right(mine, cut) for mine in own] for cut in joined]
    rows = [
        _row([slot.values[at] for slot, at in zip(wanted, passed, strict=True)])
        for passed in [[0] * len(own), *places]
    ]
    if subject.whole:
        return _whole(rows, joined, cuts[0].low, name, unit)
    if len(joined) <= BRANCHES:
        return _branches(rows, joined, name, unit)
    search, bounds = _one_sided(joined)
    return _at(rows, unit.call(search, unit.constant(bounds), name), unit)


def _at(rows: Sequence[Any], index: ast.expr, unit: Unit) -> ast.expr:
    if list(rows) == list(range(len(rows))):
        return index  # the number of the slot is all that is wanted
    return ast.Subscript(unit.constant(tuple(rows)), index, ast.Load())


def _branches(
    rows: Sequence[Any], joined: Sequence[tuple[Decimal, bool]], name: ast.expr, unit: Unit
) -> ast.expr:
    """Return `upper half if name > middle cut else lower half`, down to one row."""
    if not joined:
        return _constant(rows[0], unit)
    half = len(joined) // 2
    point, above = joined[half]
    sign: ast.cmpop = ast.Gt() if above else ast.GtE()
    upper = _branches(rows[half + 1 :], joined[half + 1 :], name, unit)
    lower = _branches(rows[: half + 1], joined[:half], name, unit)
    return ast.IfExp(ast.Compare(name, [sign], [unit.constant(point)]), upper, lower)


def _one_sided(joined: Sequence[tuple[Decimal, bool]]) -> tuple[Any, tuple[Decimal, ...]]:
    """Return all cuts as of one kind: a number of 34 digits is at least x if it is above what precedes x."""
    if 2 * sum(above for _, above in joined) >= len(joined):
        return bisect_left, tuple(p if above else CONTEXT.next_minus(p) for p, above in joined)
    return bisect_right, tuple(CONTEXT.next_plus(p) if above else p for p, above in joined)


def _whole(
    rows: list[Any], joined: Sequence[tuple[Decimal, bool]], low: int | None, name: ast.expr, unit: Unit
) -> ast.expr:
    """Whole numbers have whole bounds; few of them are their own index, up to the last bound."""
    bounds = [first_from(point, above=above) for point, above in joined]
    if not bounds:
        return _constant(rows[0], unit)
    if len(bounds) == 1:
        test = ast.Compare(name, [ast.GtE()], [ast.Constant(bounds[0])])
        return ast.IfExp(test, _constant(rows[1], unit), _constant(rows[0], unit))
    if low is None or bounds[-1] - low > DIRECT:
        return _at(rows, unit.call(bisect_right, unit.constant(tuple(bounds)), name), unit)
    last = max(bounds[-1], low)
    index = name if not low else ast.BinOp(name, ast.Sub(), ast.Constant(low))
    capped = ast.Compare(name, [ast.Lt()], [ast.Constant(last)])
    by_number = [rows[bisect_right(bounds, number)] for number in range(low, last + 1)]
    return _at(by_number, ast.IfExp(capped, index, ast.Constant(last - low)), unit)


def first_from(point: Decimal, *, above: bool) -> int:
    """Return the first whole number that is at least, or above, a point."""
    floor = int(point.to_integral_value(ROUND_FLOOR))
    return floor if floor == point and not above else floor + 1
