"""How the columns of a file become customers, accounts and entries: a text that people write.

The README of this room has its grammar, with an example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from api.importer.control import Figure
from api.importer.targets import Type
from engine.source import Span

COLUMN = re.compile(r"\{([^{}]+)\}")
LINE, NTH = "#line", "#nth"
OWN = (LINE, NTH)
"""Columns that no file has: they are of the line itself."""
Negative = Literal["before", "after", "parentheses"]


class JsonNumber(str):
    """A number of an NDJSON file as it is written there, without an exponent."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Value:
    """One field: a text with columns in it, and how it is to be read."""

    template: str
    type: Type
    span: Span
    words: Mapping[str, str] = field(default_factory=dict)
    """What the file's words mean here."""
    negate: bool = False
    at: str = "12:00"
    """For an instant that the file gives as a day: the local time."""
    pad: int = 0
    """Zeros are put before a text that is shorter."""
    default: str | None = None
    """What an empty column means."""
    columns: tuple[str, ...] = field(init=False)
    """The columns it is made of."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(COLUMN.findall(self.template)))

    def fill(self, cells: Mapping[str, str]) -> str | None:
        """Return the text with the cells in place; the default, or None, when one of them is empty.

        A column that the line does not have is empty.
        """
        names = self.columns
        if len(names) == 1 and len(self.template) == len(names[0]) + 2:
            said = cells.get(names[0], "")
            text = said if isinstance(said, JsonNumber) else said.strip()
            return (text.rjust(self.pad, "0") if self.pad else text) if text else self.default
        if any(not cells.get(name, "").strip() for name in names):
            return self.default
        return COLUMN.sub(lambda found: cells[found[1]].strip().rjust(self.pad, "0"), self.template)


Tree = Value | Mapping[str, "Tree"] | tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that each line becomes: its kind, its fields, and for which lines."""

    kind: str
    fields: Mapping[str, Tree]
    when: Mapping[str, frozenset[str]]
    span: Span


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A whole mapping."""

    name: str
    format: Literal["csv", "ndjson"]
    encoding: str
    delimiter: str
    dates: tuple[str, ...]
    decimal: str
    thousands: str
    symbols: str
    timezone: str
    rows: tuple[Target, ...]
    skip: int = 0
    negative: Negative = "before"
    currency: str = ""
    control: tuple[Figure, ...] = ()

    def values(self) -> tuple[Value, ...]:
        """Return every value of every target."""
        return tuple(value for row in self.rows for tree in row.fields.values() for value in leaves(tree))

    def columns(self) -> tuple[str, ...]:
        """Return every column of the file that a value or a condition reads."""
        read = [name for value in self.values() for name in value.columns]
        return tuple(dict.fromkeys(name for name in [*read, *self._asked()] if name not in OWN))

    def _asked(self) -> list[str]:
        return [name for row in self.rows for name in row.when]

    def reads(self, column: str) -> bool:
        """Tell whether some value is made of a column."""
        return any(column in value.columns for value in self.values())


def leaves(tree: Tree) -> tuple[Value, ...]:
    """Return every value in a field."""
    if isinstance(tree, Value):
        return (tree,)
    parts = tree.values() if isinstance(tree, Mapping) else tree
    return tuple(value for part in parts for value in leaves(part))
