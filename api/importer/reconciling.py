"""What a file says and what was taken of it, held against the operator's own figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from api.importer.control import Figure
from engine.source import Span

Fate = Literal["taken", "refused", "twice"]
"""Stored or found stored; refused by a rule; said before by an earlier line of the same file."""
ZERO = Decimal(0)
LISTED = 10
"""Accounts that are named for one difference."""


@dataclass(slots=True)
class Total:
    """How many, and their sum."""

    count: int = 0
    sum: Decimal = ZERO

    def add(self, amount: Decimal) -> None:
        """Count one more."""
        self.count += 1
        self.sum += amount


@dataclass(frozen=True, slots=True)
class Cause:
    """An account and what it has to do with a difference."""

    account: str
    why: Literal["refused", "twice", "not in the control", "fits exactly"]
    count: int
    sum: Decimal
    lines: tuple[int, ...]

    def __str__(self) -> str:
        words = {"refused": "refused", "twice": "said twice in the file", "fits exactly": "fits exactly"}
        lines = ", ".join(map(str, self.lines[:5])) + (" ..." if len(self.lines) > 5 else "")
        what = words.get(self.why, self.why)
        return f"account `{self.account}`: {self.count} {what}, {self.sum} (line {lines})"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One figure beside what was found for it."""

    figure: Figure
    file: Total
    """What the file's lines add up to, refused ones and doubles with them."""
    taken: Total
    """What the ledger has of them."""
    causes: tuple[Cause, ...] = ()
    """The accounts that make the difference, the largest first."""

    @property
    def agrees(self) -> bool:
        """Tell whether the ledger has what the operator says."""
        said = self.figure
        return said.count in (None, self.taken.count) and said.sum in (None, self.taken.sum)

    def __str__(self) -> str:
        said = self.figure
        pairs: list[tuple[str, Decimal | int | None, Decimal | int]] = [
            ("count", said.count, self.taken.count), ("sum", said.sum, self.taken.sum),
        ]  # fmt: skip
        shown = [f"{name} {got} of {wanted}" for name, wanted, got in pairs if wanted is not None]
        if self.agrees:
            return f"{said}: {', '.join(shown)}: agrees"
        off = [f"{name} {got - wanted:+}" for name, wanted, got in pairs if wanted is not None]
        lines = [f"{said}: {', '.join(shown)}: differs by {', '.join(off)}"]
        lines += [f"    {cause}" for cause in self.causes[:LISTED]]
        if len(self.causes) > LISTED:
            lines.append(f"    ... and {len(self.causes) - LISTED} more accounts")
        if not self.causes:
            lines.append("    no line of the file makes it: ask whether file and control are of the same run")
        return "\n".join(lines)


@dataclass(slots=True)
class _Cell:
    file: Total = field(default_factory=Total)
    taken: Total = field(default_factory=Total)
    lost: dict[tuple[str, Fate], tuple[Total, list[int]]] = field(default_factory=dict)
    by_amount: dict[Decimal, list[tuple[str, int]]] = field(default_factory=dict)


class Tally:
    """Counts the rows of an import under every figure that is about them."""

    def __init__(self, figures: Sequence[Figure], currency: str) -> None:
        self._figures = list(figures)
        self._currency = currency
        self._accounts: dict[str, str] = {}
        self._cells = [_Cell() for _ in self._figures]
        self._index: dict[tuple[str, str, str], list[int]] = {}
        for place, figure in enumerate(self._figures):
            self._index.setdefault((figure.kind, figure.currency, figure.account), []).append(place)
        self._kinds = {figure.kind for figure in figures}
        self._said: set[tuple[str, str, str]] = set()
        self._strays: dict[tuple[str, str, str], tuple[Total, dict[str, list[int]]]] = {}
        self.unread = 0
        """Lines and rows that could not be read, whose amounts nobody knows."""

    def count(self, row: Mapping[str, Any], line: int, *, refused: bool) -> None:
        """Count a row that was answered."""
        kind = row["kind"]
        if kind == "account" and not refused:
            self._accounts[row["id"]] = row["currency"]
        if kind not in self._kinds:
            return
        name = (kind, row.get("account", ""), row["id"])
        fate: Fate = "refused" if refused else "twice" if name in self._said else "taken"
        if fate == "taken":
            self._said.add(name)
        account = row.get("account") or row["id"]
        currency = row.get("currency") or self._accounts.get(account, self._currency)
        day = date.fromisoformat(row["value_date"]) if "value_date" in row else None
        amount = Decimal(row.get("amount", 0))
        places = list(self._places(kind, currency, account, day))
        for place in places:
            _note(self._cells[place], account, amount, line, fate)
        if not places and fate == "taken":
            month = f"{day:%Y-%m}" if day else ""
            total, accounts = self._strays.setdefault((kind, currency, month), (Total(), {}))
            total.add(amount)
            accounts.setdefault(account, []).append(line)

    def _places(self, kind: str, currency: str, account: str, day: date | None) -> Iterator[int]:
        for money in {currency, ""}:
            for whose in {account, ""}:
                for place in self._index.get((kind, money, whose), ()):
                    period = self._figures[place].period
                    if period is None or (day is not None and period.first <= day <= period.last):
                        yield place

    def result(self) -> tuple[Reconciled, ...]:
        """Return every figure with what was found, then what no figure speaks of."""
        found = [
            Reconciled(figure, cell.file, cell.taken, _causes(figure, cell))
            for figure, cell in zip(self._figures, self._cells, strict=True)
        ]
        return (*found, *self._beside())

    def _beside(self) -> Iterator[Reconciled]:
        for (kind, currency, month), (total, accounts) in sorted(self._strays.items()):
            period = f" {month}" if month else ""
            figure = Figure(f"{kind}{period} (no figure)", currency, None, "", 0, ZERO, Span("", 0, 0))
            causes = tuple(
                Cause(account, "not in the control", len(lines), total.sum if len(accounts) == 1 else ZERO,
                      tuple(lines))
                for account, lines in sorted(accounts.items())
            )  # fmt: skip
            yield Reconciled(figure, total, total, causes)


def _note(cell: _Cell, account: str, amount: Decimal, line: int, fate: Fate) -> None:
    cell.file.add(amount)
    if fate == "taken":
        cell.taken.add(amount)
        fitting = cell.by_amount.setdefault(amount, [])
        if len(fitting) < LISTED:
            fitting.append((account, line))
        return
    total, lines = cell.lost.setdefault((account, fate), (Total(), []))
    total.add(amount)
    lines.append(line)


def _causes(figure: Figure, cell: _Cell) -> tuple[Cause, ...]:
    """Name the accounts that make a difference: refused rows and doubles, else single rows of that amount."""
    reconciled = Reconciled(figure, cell.file, cell.taken)
    if reconciled.agrees:
        return ()
    found = [
        Cause(account, "refused" if fate == "refused" else "twice", total.count, total.sum, tuple(lines))
        for (account, fate), (total, lines) in cell.lost.items()
    ]
    off = cell.taken.sum - figure.sum if figure.sum is not None else ZERO
    if not found and off:
        found = [Cause(a, "fits exactly", 1, off, (n,)) for a, n in cell.by_amount.get(off, ())]
    return tuple(sorted(found, key=lambda cause: (-abs(cause.sum), cause.account)))
