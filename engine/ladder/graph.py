"""A ladder as a graph: which debts, ages and customers each step can meet, in intervals.

Nothing is searched here. What a cell leaves open is open; so a step that is said to be out of reach is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor

from engine.ladder.model import CollectionsPolicy, Ladder, LadderRow
from engine.ladder.threshold import Bounds, NumberTest

CENT = Decimal("0.01")
Days = tuple[int, int | None]
"""Whole days from the first to the last, both meant; None: for ever."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Amounts that no cell of a ladder tells apart, and one of them."""

    low: Decimal
    low_closed: bool
    high: Decimal | None
    high_closed: bool
    amount: Decimal

    def within(self, other: Piece) -> bool:
        """Tell whether all of it lies in another piece."""
        high = other.high is None or (self.high is not None and self.high <= other.high)
        return other.low <= self.low and high

    def __str__(self) -> str:
        if self.high is None:
            return f"{'>=' if self.low_closed else '>'} {self.low}"
        if self.low == self.high:
            return f"{self.low}"
        return f"{'[' if self.low_closed else '('}{self.low}..{self.high}{']' if self.high_closed else ')'}"


def pieces(policy: CollectionsPolicy, ladder: Ladder) -> list[Piece]:
    """Return the amounts of money from 0 on, cut where a cell, an exit or `closes` can change its answer."""
    tests = list(_amount_bounds(policy, ladder))
    cuts = sorted({b for bounds in tests for b in (bounds.low, bounds.high) if b is not None and b >= 0})
    found: list[tuple[Piece, tuple[bool, ...]]] = []
    for piece in _cut(cuts):
        answers = tuple(bounds.hold(piece.amount) for bounds in tests)
        if found and found[-1][1] == answers:
            found[-1] = (_joined(found[-1][0], piece), answers)
        else:
            found.append((piece, answers))
    return [piece for piece, _ in found]


def _amount_bounds(policy: CollectionsPolicy, ladder: Ladder) -> Iterator[Bounds]:
    for row in ladder.rows:
        yield from row.overdue.any_of
    conditions = [policy.case.closes, *(r.release.condition for r in ladder.rows if r.release.condition)]
    for condition in conditions:
        yield from (t.bounds for clause in condition.any_of for t in clause if t.name == "overdue")


def _cut(cuts: list[Decimal]) -> Iterator[Piece]:
    before = Decimal(0)
    for cut in cuts:
        if cut - before > CENT or (before == 0 and cut > CENT):
            middle = ((before + cut) / 2).quantize(CENT)
            yield Piece(before, False, cut, False, middle)
        if cut > 0:
            yield Piece(cut, True, cut, True, cut)
        before = cut
    yield Piece(before, False, None, False, before + max(before, Decimal(100)))


def _joined(one: Piece, other: Piece) -> Piece:
    """Return two pieces that touch as one; money below the first cut counts from the first cent."""
    return Piece(one.low, one.low_closed, other.high, other.high_closed, max(one.amount, other.amount))


def together(found: list[Piece]) -> list[Piece]:
    """Return pieces joined where they touch, in order."""
    joined: list[Piece] = []
    for piece in found:
        last = joined[-1] if joined else None
        if last and last.high == piece.low and (last.high_closed or piece.low_closed):
            joined[-1] = _joined(last, piece)
        else:
            joined.append(piece)
    return joined


# days


def whole_days(test: NumberTest) -> list[Days]:
    """Return the whole numbers from 1 on that pass a cell; a debt is looked at once it is past due."""
    if test.always:
        return [(1, None)]
    found: list[Days] = []
    for bounds in test.any_of:
        low = 1 if bounds.low is None else _first(bounds.low, bounds.low_closed)
        high = None if bounds.high is None else _last(bounds.high, bounds.high_closed)
        if high is None or high >= max(low, 1):
            found.append((max(low, 1), high))
    return merged_days(found)


def _first(bound: Decimal, closed: bool) -> int:
    whole = ceil(bound)
    return whole if closed or whole > bound else whole + 1


def _last(bound: Decimal, closed: bool) -> int:
    whole = floor(bound)
    return whole if closed or whole < bound else whole - 1


def merged_days(days: list[Days]) -> list[Days]:
    """Return days joined where they overlap or follow each other."""
    found: list[Days] = []
    for low, high in sorted(days, key=lambda span: span[0]):
        if found and (found[-1][1] is None or low <= found[-1][1] + 1):
            last = found[-1][1]
            found[-1] = (found[-1][0], None if last is None or high is None else max(last, high))
        else:
            found.append((low, high))
    return found


def ages(policy: CollectionsPolicy, row: LadderRow) -> list[Days]:
    """Return the ages at which a row can be taken for a debt whose clock never stood still."""
    by_age = whole_days(row.age)
    if policy.case.anchor == "invoice_date" or row.days_past_due.always:
        return by_age
    return crossed(by_age, whole_days(row.days_past_due))


def crossed(one: list[Days], other: list[Days]) -> list[Days]:
    """Return the days that are in both."""
    found = []
    for low_a, high_a in one:
        for low_b, high_b in other:
            low = max(low_a, low_b)
            highs = [high for high in (high_a, high_b) if high is not None]
            if not highs or min(highs) >= low:
                found.append((low, min(highs) if highs else None))
    return merged_days(found)


def last_day(days: list[Days]) -> int | None:
    """Return the last of some days; None: they go on for ever."""
    highs = [high for _, high in days]
    return None if None in highs else max((high for high in highs if high is not None), default=0)


def first_day(days: list[Days]) -> int:
    """Return the first of some days."""
    return min((low for low, _ in days), default=1)


def stretch_from(days: list[Days], start: list[Days]) -> list[Days]:
    """Return the parts of `days` that can be come to from `start` without leaving them."""
    return [span for span in merged_days(days) if crossed([span], start)]


def amounts_meet(one: NumberTest, other: NumberTest) -> bool:
    """Tell whether some amount passes both cells."""
    if one.always or other.always:
        return True
    return any(bounds_meet(a, b) for a in one.any_of for b in other.any_of)


def bounds_meet(a: Bounds, b: Bounds) -> bool:
    """Tell whether some number lies in both intervals."""
    return _not_past(a, b) and _not_past(b, a)


def _not_past(a: Bounds, b: Bounds) -> bool:
    if a.low is None or b.high is None or a.low < b.high:
        return True
    return a.low == b.high and a.low_closed and b.high_closed


def lies_above(row: NumberTest, before: NumberTest) -> bool:
    """Tell whether every amount of a cell is larger than every amount of another."""
    lows = [bounds.low for bounds in row.any_of]
    highs = [bounds.high for bounds in before.any_of]
    if not lows or not highs or None in lows or None in highs:
        return False
    return min(low for low in lows if low is not None) >= max(high for high in highs if high is not None)
