"""One column of a table, cut into the pieces on which no cell of the column changes its mind.

The pieces of a column of numbers are its bounds and what lies between them. A set of pieces is the
bits of an integer, so that "do these two rows have a customer in common" is one `&` a column.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol

from engine.credit.domains import Dates, Domain, Numbers, Values
from engine.feel import syntax as s
from engine.feel.dates import civil_from_days, parse_date
from engine.feel.values import Value, show, to_feel

_EPOCH = date(1970, 1, 1)


class Axis(Protocol):
    """A column: all its pieces, the pieces that a cell covers, and an example of each piece."""

    full: int

    def covered(self, tests: s.UnaryTests) -> int | None:
        """Return the pieces that a cell matches; None if that cannot be told."""
        ...

    def example(self, pieces: int) -> Value:
        """Return a value of the first of some pieces."""
        ...

    def cell(self, pieces: int) -> str:
        """Return a cell that covers just these pieces, as authors write it."""
        ...


def axis_of(domain: Domain, cells: Iterable[s.UnaryTests]) -> Axis | None:
    """Return the axis of a column, or None if its values cannot be cut into pieces."""
    tests = list(cells)
    if isinstance(domain, Values) and not all(isinstance(value, Decimal) for value in domain.values):
        return Choices(domain, tests)
    if isinstance(domain, Values) and not domain.open:
        return Line([value for value in domain.values if isinstance(value, Decimal)], domain, tests)
    if isinstance(domain, Values):
        return Choices(domain, tests)
    return None if domain is None else Line([], domain, tests)


def literals(tests: s.UnaryTests) -> Iterable[s.Node]:
    """Yield the parts of a cell that could be literal values."""
    return (part for test in tests.tests for part in s.walk(test))


class Choices:
    """Texts and truth values: one piece each, one for all other texts, one for null."""

    def __init__(self, domain: Values, cells: list[s.UnaryTests]) -> None:
        named = [part.value for cell in cells for part in literals(cell) if isinstance(part, s.String)]
        self.values: list[Value] = list(dict.fromkeys([*domain.values, *(named if domain.open else [])]))
        self.other = len(self.values)
        self.null = self.other + 1
        self.full = (1 << self.other) - 1
        self.full |= (1 << self.other if domain.open else 0) | (1 << self.null if domain.nullable else 0)

    def covered(self, tests: s.UnaryTests) -> int | None:
        """Return the pieces that a cell matches; None if that cannot be told."""
        if not tests.tests:
            return self.full
        pieces = 0
        for test in tests.tests:
            match test:
                case s.String(value) | s.Boolean(value):
                    pieces |= 1 << self.values.index(value) if value in self.values else 0
                case s.Null():
                    pieces |= 1 << self.null
                case _:
                    return None
        return (self.full & ~pieces if tests.negated else pieces) & self.full

    def example(self, pieces: int) -> Value:
        """Return a value of the first of some pieces."""
        first = _lowest(pieces)
        if first < self.other:
            return self.values[first]
        return None if first == self.null else "anything else"

    def cell(self, pieces: int) -> str:
        """Return a cell that covers just these pieces, as authors write it."""
        if pieces == self.full:
            return "-"
        if pieces >> self.other & 1:  # other texts cannot be named: what is left out can
            rest = self.full & ~pieces
            return f"not({', '.join(self._named(rest))})"
        return ", ".join(self._named(pieces))

    def _named(self, pieces: int) -> list[str]:
        values = [*(show(to_feel(value)) for value in self.values), "", "null"]
        return [values[piece] for piece in _pieces(pieces, len(values))]


class Line:
    """Numbers and days: at 2i what lies below bound i, at 2i+1 the bound itself; the last piece is null."""

    def __init__(
        self, only: list[Decimal], domain: Numbers | Dates | Values, cells: list[s.UnaryTests]
    ) -> None:
        self.domain = domain
        self.only = set(only)
        found = {point for cell in cells for part in literals(cell) if (point := _point(part)) is not None}
        if isinstance(domain, Numbers | Dates):
            found |= {_ordinal(bound) for bound in (domain.low, domain.high) if bound is not None}
        self.points = sorted(found | self.only)
        self.null = 2 * len(self.points) + 1
        self.full = self._possible() | (1 << self.null if domain.nullable else 0)

    def _possible(self) -> int:
        """Return the pieces that the domain leaves: within its bounds, and with a whole number in them."""
        if isinstance(self.domain, Values):
            return sum(1 << 2 * bisect_left(self.points, value) + 1 for value in self.only)
        possible = (1 << self.null) - 1
        if self.domain.low is not None:
            possible &= ~self._below(_ordinal(self.domain.low))
        if self.domain.high is not None:
            possible &= self._below(_ordinal(self.domain.high)) | self._at(_ordinal(self.domain.high))
        if isinstance(self.domain, Dates) or self.domain.whole:
            for index, point in enumerate(self.points):
                if point != point.to_integral_value():
                    possible &= ~(1 << 2 * index + 1)
                if index and _first_whole_above(self.points[index - 1]) >= point:
                    possible &= ~(1 << 2 * index)
        return possible

    def covered(self, tests: s.UnaryTests) -> int | None:
        """Return the pieces that a cell matches; None if that cannot be told."""
        if not tests.tests:
            return self.full
        pieces, unknown = 0, 0
        for test in tests.tests:
            found = self._covered_by(test)
            if found is None:
                return None
            pieces |= found
            unknown |= 1 << self.null if _ordered(test) else 0
        if tests.negated:  # null against an order is unknown, and so is its negation
            pieces = self.full & ~pieces & ~unknown
        return pieces & self.full

    def _covered_by(self, test: s.Node) -> int | None:
        if isinstance(test, s.Null):
            return 1 << self.null
        if isinstance(test, s.UnaryComparison):
            point = _point(test.operand)
            return None if point is None else self._compared(test.operator, point)
        if isinstance(test, s.RangeLiteral):
            low, high = _point(test.low), _point(test.high)
            if low is None or high is None:
                return None
            above = self._compared(">=" if test.low_closed else ">", low)
            return above & self._compared("<=" if test.high_closed else "<", high)
        point = _point(test)
        return None if point is None else self._at(point)

    def _compared(self, operator: str, point: Decimal) -> int:
        below, at = self._below(point), self._at(point)
        line = (1 << self.null) - 1
        return {
            "<": below, "<=": below | at, "=": at, "!=": line & ~at | 1 << self.null,
            ">=": line & ~below, ">": line & ~below & ~at,
        }[operator]  # fmt: skip

    def _below(self, point: Decimal) -> int:
        return (1 << 2 * bisect_left(self.points, point) + 1) - 1

    def _at(self, point: Decimal) -> int:
        return 1 << 2 * bisect_left(self.points, point) + 1

    def example(self, pieces: int) -> Value:
        """Return a value of the first of some pieces."""
        first = _lowest(pieces)
        if first == self.null:
            return None
        numbers = [self._number(piece) for piece in _pieces(pieces & (1 << self.null) - 1, 8)]
        number = next((n for n in numbers if n == round(n, 2)), numbers[0])  # 100.01 rather than 100.005
        return civil_from_days(int(number)) if isinstance(self.domain, Dates) else number

    def cell(self, pieces: int) -> str:
        """Return a cell that covers just these pieces, as authors write it."""
        if pieces == self.full:
            return "-"
        line = (1 << self.null) - 1
        if pieces == self.full & line:
            return "not(null)"
        said = ["null"] if pieces >> self.null & 1 else []
        return ", ".join(said + [self._span(*run) for run in self._runs(pieces & line)])

    def _runs(self, pieces: int) -> Iterable[tuple[int, int]]:
        """Yield the first and last piece of each run; pieces that no value has do not end a run."""
        first = last = None
        for piece in range(self.null):
            if pieces >> piece & 1:
                first, last = piece if first is None else first, piece
            elif self.full >> piece & 1 and first is not None and last is not None:
                yield first, piece - 1
                first = None
        if first is not None:
            yield first, self.null - 1

    def _span(self, first: int, last: int) -> str:
        """Return the pieces from one to another as a test."""
        possible = self.full & (1 << self.null) - 1
        within = possible & (1 << last + 1) - (1 << first)
        if within.bit_count() == 1 and _lowest(within) % 2 and (first < 2 or last == self.null - 1):
            return self._point(_lowest(within) // 2)  # the bound of the fact itself
        if not possible & (1 << first) - 1:
            first = 0
        if first == 0:
            return f"{'<=' if last % 2 else '<'} {self._point(last // 2)}"
        if last == self.null - 1:
            return f"{'>=' if first % 2 else '>'} {self._point(first // 2 - (0 if first % 2 else 1))}"
        if first == last and first % 2:  # in brackets, or it would look like a forgotten `>=`
            point = self._point(first // 2)
            return f"[{point}..{point}]" if isinstance(self.domain, Numbers) else point
        low = self._point(first // 2) if first % 2 else self._point(first // 2 - 1)
        return f"{'[' if first % 2 else '('}{low}..{self._point(last // 2)}{']' if last % 2 else ')'}"

    def _point(self, index: int) -> str:
        point = self.points[index]
        if isinstance(self.domain, Dates):
            return f'@"{civil_from_days(int(point))}"'
        return f"{point:f}"

    def _number(self, piece: int) -> Decimal:
        index, at = divmod(piece, 2)
        return self.points[index] if at else self._between(index)

    def _between(self, index: int) -> Decimal:
        below = self.points[index - 1] if index else None
        above = self.points[index] if index < len(self.points) else None
        if below is None:
            return Decimal(0) if above is None else above - 1
        if isinstance(self.domain, Dates) or (isinstance(self.domain, Numbers) and self.domain.whole):
            return _first_whole_above(below)
        cents = self.domain.cents if isinstance(self.domain, Numbers) else None
        step = cents or Decimal(1)
        if above is None or below + step < above:
            return below + step
        return (below + above) / 2


def _ordered(test: s.Node) -> bool:
    """Tell whether a test compares by order, which null does not take part in."""
    return isinstance(test, s.RangeLiteral) or (
        isinstance(test, s.UnaryComparison) and test.operator not in ("=", "!=")
    )


def _pieces(pieces: int, most: int) -> Iterable[int]:
    for _ in range(most):
        if not pieces:
            return
        yield _lowest(pieces)
        pieces &= pieces - 1


def _lowest(pieces: int) -> int:
    return (pieces & -pieces).bit_length() - 1


def _first_whole_above(point: Decimal) -> Decimal:
    return Decimal(int(point.to_integral_value(rounding="ROUND_FLOOR"))) + 1


def _ordinal(bound: Decimal | date) -> Decimal:
    return Decimal((bound - _EPOCH) // timedelta(days=1)) if isinstance(bound, date) else bound


def _point(node: s.Node) -> Decimal | None:
    """Return a literal number, or a literal day as its number."""
    match node:
        case s.Number(value):
            return value
        case s.Negation(s.Number(value)):
            return -value
        case s.AtLiteral(text) | s.Call(s.Name("date"), (s.String(text),)):
            day = parse_date(text)
            return None if day is None else Decimal(day.ordinal)
    return None
