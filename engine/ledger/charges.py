"""What grows on a late debt: days counted by a basis, rates that change on stated days, rounding once.

Late fees grow by the day; interest grows by the year on `act/365` (fixed), `act/360` or `30/360` (30E/360,
ISDA 2006 4.16(g): the 31st counts as the 30th). Both are simple: nothing grows on what has grown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Basis = Literal["day", "act/365", "act/360", "30/360"]
BASES: dict[Basis, int] = {"day": 1, "act/365": 365, "act/360": 360, "30/360": 360}
"""Days of the time for which a rate is said."""
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of what is owed, for a day or a year, from a day on until another begins."""

    since: date
    share: Decimal


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days `[start, end)` as ordinals on which one balance was owed."""

    start: int
    end: int
    balance: Decimal


def counted(basis: Basis, start: int, end: int) -> int:
    """Return how many the days `[start, end)` are as a basis counts them; parts add up to the whole.

    On 30/360 a day counts for the step from the day before to it, so that what is due on the 25th and paid on
    the 30th was late for five days.
    """
    return _thirty(end - 1) - _thirty(start - 1) if basis == "30/360" else end - start


def _thirty(ordinal: int) -> int:
    day = date.fromordinal(ordinal)
    return 360 * day.year + 30 * day.month + min(day.day, 30)


def rate_on(rates: tuple[Rate, ...], ordinal: int, most: Decimal | None) -> Decimal:
    """Return the rate of a day, never more than `most`; before the first one nothing grows."""
    begun = [rate.share for rate in rates if rate.since.toordinal() <= ordinal]
    share = begun[-1] if begun else ZERO
    return share if most is None else min(share, most)


def grown(
    basis: Basis, rates: tuple[Rate, ...], stretches: Iterator[Stretch], most: Decimal | None
) -> Decimal:
    """Return what has grown, times the days of the basis, so that it is exact. `most` is a limit of the rate.

    A stretch must not reach over a day on which the rate changes.
    """
    parts = (
        rate_on(rates, one.start, most) * max(ZERO, one.balance) * counted(basis, one.start, one.end)
        for one in stretches
    )
    return sum(parts, ZERO)


def rounded(total: Decimal, basis: Basis, unit: Decimal) -> Decimal:
    """Return an amount from one that is times the days of its basis, half up to `unit`, without a rest."""
    whole = BASES[basis] * unit
    return ((2 * total + whole) // (2 * whole)) * unit
