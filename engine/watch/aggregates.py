"""Properties that are computed from the earlier events of a window: the customer's own average.

Earlier is strictly before the event's own instant, so an event is never part of what it is compared with,
and what arrives late but happened earlier counts. Averages are rounded half even to the property's places.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

from engine.watch.model import Property, Value

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


class Earlier:
    """Events by type in order of their instants."""

    def __init__(self, events: Sequence[tuple[datetime, str, Mapping[str, Value]]]) -> None:
        self._by_type: dict[str, list[tuple[datetime, Mapping[str, Value]]]] = {}
        for at, name, values in events:
            self._by_type.setdefault(name, []).append((at, values))

        self._sums: dict[tuple[str, str], list[tuple[Decimal, int]]] = {}

    def between(self, name: str, start: datetime, end: datetime) -> list[Mapping[str, Value]]:
        """Return the values of events of a type with `start <= at < end`."""
        first, last = self._places(name, start, end)
        return [values for _, values in self._by_type.get(name, [])[first:last]]

    def count(self, name: str, start: datetime, end: datetime) -> int:
        """Return how many events of a type there are with `start <= at < end`."""
        first, last = self._places(name, start, end)
        return last - first

    def sum(self, name: str, prop: str, start: datetime, end: datetime) -> tuple[Decimal, int]:
        """Return the sum of a property over such events, exact, and how many of them know it."""
        first, last = self._places(name, start, end)
        if (name, prop) not in self._sums:  # once for all events: a window has one answer for each of them
            self._sums[name, prop] = _running(values.get(prop) for _, values in self._by_type.get(name, []))
        (before, fewer), (total, many) = self._sums[name, prop][first], self._sums[name, prop][last]
        return _EXACT.subtract(total, before), many - fewer

    def _places(self, name: str, start: datetime, end: datetime) -> tuple[int, int]:
        found = self._by_type.get(name, [])
        first = bisect_left(found, start, key=_instant)
        return first, bisect_left(found, end, lo=first, key=_instant)


def _instant(event: tuple[datetime, Mapping[str, Value]]) -> datetime:
    return event[0]


def _running(numbers: Iterable[Value]) -> list[tuple[Decimal, int]]:
    """Return the sums of what is known up to each place, and how many numbers that are."""
    total, many = Decimal(0), 0
    found = [(total, many)]
    for number in numbers:
        if isinstance(number, Decimal):
            total, many = _EXACT.add(total, number), many + 1
        found.append((total, many))
    return found


def aggregate(prop: Property, earlier: Earlier, at: datetime) -> Decimal | None:
    """Return the value of a derived property for an event at an instant; None if it is not known."""
    how = prop.derived
    assert how is not None  # the caller asks only for derived properties
    start = at - how.over
    if how.function == "count":
        many = earlier.count(how.event, start, at)
        return Decimal(many) if many >= how.at_least else None
    if how.function in ("average", "sum"):
        total, many = earlier.sum(how.event, how.property, start, at)
        if many < how.at_least:
            return None
        return total if how.function == "sum" else _mean(total, many, prop.places)
    events = earlier.between(how.event, start, at)
    numbers = [value for event in events if isinstance(value := event.get(how.property), Decimal)]
    if len(numbers) < how.at_least:
        return None
    return min(numbers) if how.function == "lowest" else max(numbers)


def _mean(total: Decimal, many: int, places: int) -> Decimal:
    return _EXACT.divide(total, Decimal(many)).quantize(Decimal(1).scaleb(-places), context=_EXACT)
