"""What people see: numbered steps with their time, and plain tables."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

Say = Callable[[str], None]


@dataclass(slots=True)
class Progress:
    """Numbered steps of a run; each says what it does, what came of it and how long it took."""

    say: Say
    steps: int
    began: float = field(default_factory=time.monotonic)
    _number: int = 0

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """Announce a step; the function it gives says what came of it."""
        self._number += 1
        self.say(f"[{self._number}/{self.steps}] {title}")
        began = time.monotonic()

        def result(sentence: str) -> None:
            self.say(f"      {sentence}  ({time.monotonic() - began:.1f} s)")

        yield result

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began


def table(header: Sequence[str], rows: Sequence[Sequence[object]], indent: str = "      ") -> str:
    """Return rows under a header, columns aligned: numbers to the right, words to the left."""
    cells = [[_cell(value) for value in row] for row in rows]
    right = [
        bool(rows) and all(isinstance(row[n], int | Decimal) or _cell(row[n]) in ("", "-") for row in rows)
        for n in range(len(header))
    ]
    widths = [max(_width(row[n]) for row in [list(header), *cells]) for n in range(len(header))]
    lines = [_line(header, widths, right), "-" * (sum(widths) + 2 * (len(widths) - 1))]
    lines += [_line(row, widths, right) for row in cells]
    return "\n".join(indent + line.rstrip() for line in lines)


def money(amount: Decimal) -> str:
    """Return an amount with two places and thousands apart: `12,345.60`."""
    return f"{amount:,.2f}"


def share(part: int, whole: int) -> str:
    """Return a share in per cent with one place; of nothing it is a dash."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _cell(value: object) -> str:
    if isinstance(value, Decimal):
        return money(value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    return "  ".join(
        _pad(cell, width, to_right) for cell, width, to_right in zip(cells, widths, right, strict=True)
    )


def _pad(text: str, width: int, to_right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if to_right else text + space


def _width(text: str) -> int:
    """Count the columns of a terminal: a wide character, as in Chinese, takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
