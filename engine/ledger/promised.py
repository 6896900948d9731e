"""Which money keeps which promise: what came in counts for one promise only, the one that is due first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a promise asks for: in parts with days of their own, in their order."""

    id: str
    made_on: date
    parts: tuple[tuple[date, Decimal], ...]
    withdrawn_on: date | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """Money that counts for a promise: the place of the payment in what was given, its day, and how much."""

    place: int
    day: date
    amount: Decimal


class _Kept:
    """A promise while money comes in."""

    def __init__(self, asked: Asked, last_of: Callable[[date], date], tolerance: Decimal) -> None:
        self.asked, self.last_of, self.tolerance = asked, last_of, tolerance
        self.paid = ZERO
        self.counted: list[Counted] = []

    def due(self, day: date) -> tuple[date, Decimal] | None:
        """Return the part that is asked for next on a day, with what is missing of it; None: nothing is."""
        asked = self.asked
        if day < asked.made_on or (asked.withdrawn_on and asked.withdrawn_on <= day):
            return None
        wanted = ZERO
        for due, amount in asked.parts:
            wanted += amount
            if self.paid < wanted * (1 - self.tolerance):
                return (due, wanted - self.paid) if day <= self.last_of(due) else None
        return None


def shared(
    promises: Sequence[Asked], money: Sequence[tuple[date, Decimal]], last_of: Callable[[date], date],
    tolerance: Decimal,
) -> dict[str, tuple[Counted, ...]]:  # fmt: skip
    """Return for each promise, by id, the money that counts for it.

    Money pays the part that is due first of all that can still be kept on its day, then the next; what is
    left counts for none. `last_of`: the last day on which what is due on a day is on time, with the grace.
    """
    kept = [_Kept(one, last_of, tolerance) for one in sorted(promises, key=lambda one: (one.made_on, one.id))]
    places = sorted(range(len(money)), key=lambda place: (money[place][0], place))
    for place in places:
        day, left = money[place]
        while left > 0:
            asked = [(found[0], one.asked.id, found[1], one) for one in kept if (found := one.due(day))]
            if not asked:
                break
            _, _, missing, first = min(asked, key=lambda row: row[:2])
            part = min(left, missing)
            first.paid += part
            first.counted.append(Counted(place, day, part))
            left -= part
    return {one.asked.id: tuple(one.counted) for one in kept}
