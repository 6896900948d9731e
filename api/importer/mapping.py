"""How the columns of a file become customers, accounts and entries: a text that people write.

    mapping: erp-invoices
    format: csv                      # or ndjson
    encoding: utf-8                  # latin-1, cp1252, gb18030, utf-16 ...; a byte-order mark is left out
    delimiter: ","                   # or tab
    skip: 0                          # lines before the heading
    dates: ["%d/%m/%Y"]              # how days are written; the first form that fits counts
    decimal: "."                     # and `thousands: ","`, if amounts have them; `symbols: "¥"`
    negative: before                 # -5 | after: 5- | parentheses: (5)
    timezone: Asia/Shanghai          # for instants that are given as days
    currency: CNY                    # of accounts that the file does not make: refused if they are in another
    rows:                            # what each line of the file becomes, in this order
      - customer: {id: "C{customer}", segment: sme}
      - account:  {id: "A{customer}", customer: "C{customer}", currency: CNY, timezone: Asia/Shanghai}
      - bill:
          {account: "A{customer}", id: "{invoice}", value_date: "{issued}", due_date: "{due}",
           amount: "{total}"}
        when:     {total: "> 0"}
      - payment:  {account: "A{customer}", id: "P{invoice}", value_date: "{paid}", amount: "{total}"}
        when:     {paid: "*"}        # only lines whose column is not empty; or a value, or a list of values
    control:                         # the operator's own figures; or in a file of their own (`--control`)
      - {kind: bill, currency: CNY, period: 2026-01, count: 1200, sum: 96540.20}

A value is a constant or a text with `{column}` in it; its type is that of the field. What needs more is a
map: `{value: "{LIMIT_BAL}", type: integer}`, `{value: "{x}", words: {"1": low, "2": high}}`,
`negate: true`, `pad: 10` (zeros on the left that a spreadsheet took away), `default: "0"` for empty columns,
`at: "02:30"` for an instant that the file gives as a day. A field whose columns are empty is left out.

Two columns are of the line itself: `{#line}` is its number in the file; `{#nth}` tells lines that say the
very same apart (1, 2 ...), so that `"P{customer}-{day}-{amount}-{#nth}"` names a payment of a file that has
no ids, whatever the order of its lines. A constant day is written as 2026-01-31.
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
        """Return the text with the cells in place; the default, or None, when one of them is empty."""
        names = self.columns
        if len(names) == 1 and len(self.template) == len(names[0]) + 2:
            text = cells[names[0]].strip()
            return text.rjust(self.pad, "0") if text else self.default
        if any(not cells[name].strip() for name in names):
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

    def reads(self, column: str) -> bool:
        """Tell whether some value is made of a column."""
        return any(column in value.columns for value in self.values())


def leaves(tree: Tree) -> tuple[Value, ...]:
    """Return every value in a field."""
    if isinstance(tree, Value):
        return (tree,)
    parts = tree.values() if isinstance(tree, Mapping) else tree
    return tuple(value for part in parts for value in leaves(part))
