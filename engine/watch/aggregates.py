"""Properties that are computed from the earlier events of a window: the customer's own average.

Earlier is strictly before the event's own instant, so an event is never part of what it is compared with,
and what arrives late but happened earlier counts. Averages are rounded half even to the property's places.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
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

    def between(self, name: str, start: datetime, end: datetime) -> list[Mapping[str, Value]]:
        """Return the values of events of a type with `start <= at < end`."""
        found = self._by_type.get(name, [])
        first = bisect_left(found, start, key=lambda event: event[0])
        last = bisect_left(found, end, key=lambda event: event[0])
        return [values for _, values in found[first:last]]


def aggregate(prop: Property, earlier: Earlier, at: datetime) -> Decimal | None:
    """Return the value of a derived property for an event at an instant; None if it is not known."""
    how = prop.derived
    assert how is not None  # the caller asks only for derived properties
    events = earlier.between(how.event, at - how.over, at)
    if how.function == "count":
        return Decimal(len(events)) if len(events) >= how.at_least else None
    numbers = [value for event in events if isinstance(value := event.get(how.property), Decimal)]
    if len(numbers) < how.at_least:
        return None
    match how.function:
        case "sum":
            return _sum(numbers)
        case "lowest":
            return min(numbers)
        case "highest":
            return max(numbers)
    return _EXACT.divide(_sum(numbers), Decimal(len(numbers))).quantize(
        Decimal(1).scaleb(-prop.places), context=_EXACT
    )


def _sum(numbers: Sequence[Decimal]) -> Decimal:
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, number)
    return total
