"""Facts with which an expression is worth what is wanted: found by halves, along one fact at a time.

Formulas are not turned round. A number or a day is walked along widely; between two values of which one
gives too much and the other too little, the right one is found by halves, if there is one on the grid of
cents, days and units. Where one fact does not do, a second one is set to round values before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations

from engine.credit.facts_from_yaml import out_of_range
from engine.credit.model import CreditPolicy, FactDefinition, FactKind, FactValue
from engine.text.currency import smallest

MOST_MEASURED = 1_200
"""Sets of facts that are measured at most for one thing that is wanted, from all starts together."""
Changes = Mapping[str, FactValue]
Measure = Callable[[Changes], Decimal | None]
"""How far a set of changed facts is above what is wanted; None: it has no value."""
_ROUND = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)


class Solver:
    """What is tried of one policy."""

    def __init__(self, policy: CreditPolicy) -> None:
        self.policy = policy

    def solutions(
        self, names: Sequence[str], now: Mapping[str, FactValue], known: Mapping[str, Sequence[FactValue]],
        measure: Measure, most: int = MOST_MEASURED,
    ) -> Iterator[Changes]:  # fmt: skip
        """Yield changes of one fact, then of two, with which little is missing and little too much."""
        lines = {name: line for name in names if (line := self._line(name, now.get(name), known[name]))}
        left = [most]
        for name in lines:
            yield from _along(name, {}, lines[name], measure, left)
        for name, other in permutations(lines, 2):
            line = lines[other]
            for place in line.rounds:
                yield from _along(name, {other: line.value(place)}, lines[name], measure, left)

    def _line(self, name: str, now: FactValue, known: Sequence[FactValue]) -> Line | None:
        fact = self.policy.facts[name]
        if fact.kind not in (FactKind.INTEGER, FactKind.DECIMAL, FactKind.MONEY, FactKind.DATE):
            return None
        steps = {FactKind.INTEGER: Decimal(1), FactKind.MONEY: smallest(self.policy.currency)}
        first = now if isinstance(now, date) else self.policy.effective_from
        line = Line(fact, steps.get(fact.kind, Decimal("0.01")), first)
        line.places = line.along([now, fact.minimum, fact.maximum, *known])
        return line


class Line:
    """The values of one fact by whole steps: from 0, days from a day."""

    def __init__(self, fact: FactDefinition, step: Decimal, start: date) -> None:
        self.fact, self.step, self.start = fact, step, start
        self.places: list[int] = []

    def value(self, place: int) -> FactValue:
        """Return the value at a place."""
        if self.fact.kind is FactKind.DATE:
            return self.start + timedelta(days=place)
        number = place * self.step
        return int(number) if self.fact.kind is FactKind.INTEGER else number

    def place(self, value: FactValue) -> int | None:
        """Return the place of a value."""
        if isinstance(value, date):
            return (value - self.start).days
        return int(Decimal(value) / self.step) if isinstance(value, int | Decimal) else None

    @property
    def rounds(self) -> list[int]:
        """The places of round values."""
        if self.fact.kind is FactKind.DATE:
            return []
        places = [int(number / self.step) for number in map(Decimal, _ROUND)]
        return [place for place in places if not out_of_range(self.fact, self.value(place))]

    def along(self, known: Sequence[FactValue]) -> list[int]:
        """Return places to look at: far and near ones, within the bounds of the fact, in order."""
        found = {place for value in known if value is not None and (place := self.place(value)) is not None}
        days = self.fact.kind is FactKind.DATE
        far = _ROUND[:5] if days else [int(number / self.step) for number in map(Decimal, _ROUND)]
        found |= {0, *far, *(-place for place in far)}
        return sorted(place for place in found if not out_of_range(self.fact, self.value(place)))


def _along(
    name: str, rest: Changes, line: Line, measure: Measure, left: list[int]
) -> Iterator[Changes]:  # fmt: skip
    def at(place: int) -> Decimal | None:
        left[0] -= 1
        return measure({**rest, name: line.value(place)})

    low: tuple[int, Decimal] | None = None
    for place in line.places:
        if left[0] <= 0:
            return
        much = at(place)
        if much is None:
            low = None
            continue
        if low is not None and low[1] * much < 0:
            for found in _halved(low, (place, much), at):
                yield {**rest, name: line.value(found)}
        if much == 0:
            yield {**rest, name: line.value(place)}
        low = place, much


def _halved(
    one: tuple[int, Decimal], other: tuple[int, Decimal], at: Callable[[int], Decimal | None]
) -> Sequence[int]:  # fmt: skip
    """Return the place between two where nothing is missing; without one the two that are nearest to it."""
    (low, below), high = one, other[0]
    while high - low > 1:
        middle = (low + high) // 2
        much = at(middle)
        if much is None:
            return ()
        if much == 0:
            return (middle,)
        if much * below > 0:
            low = middle
        else:
            high = middle
    return (low, high)
