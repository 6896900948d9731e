"""The tables of a policy as sheets of plain texts, ready for a spreadsheet, and what was exported when.

A sheet is the table as a CSV table of a policy is written: a heading, then rows, an empty column headed
`||` between inputs and outputs. The index remembers of each sheet which table it is and what it held, so
that a table that was changed in the policy since is not overwritten by an old sheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from engine.model import digest
from engine.policy import Loaded, Texts
from engine.source import Problem
from engine.tables.found import find_tables
from engine.text import Cell, Table, read_csv_table
from engine.text.table import DIVIDER

INDEX = "_forbear"
"""The sheet, or the CSV file, that says which sheet is which table."""
HEAD = ("sheet", "table", "content")
MAX_NAME = 31
"""Characters of a sheet's name that spreadsheets take."""
MAX_CELL = 32_767
"""Characters of a cell that spreadsheets take."""
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "'")
"""What spreadsheets may take for the begin of a formula, and the sign that keeps them from it."""
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table on its way to or from a spreadsheet."""

    name: str
    table: Table


@dataclass(frozen=True, slots=True)
class Book:
    """All sheets of one export, and the index: by sheet, its table and the digest of what it held."""

    sheets: tuple[Sheet, ...]
    index: Mapping[str, tuple[str, str]]
    notes: tuple[Problem, ...] = ()
    """What stands in the sheets and is no part of a table."""


def rows_of(table: Table) -> Iterator[list[str]]:
    """Yield the heading and the rows of a table as texts, with the empty column that divides."""
    divide = len(table.inputs)
    lines = [table.columns, *(row.cells for row in table.rows)]
    for number, cells in enumerate(lines):
        texts = [cell.text for cell in cells]
        between = [DIVIDER if number == 0 else ""] if table.outputs else []
        yield [*texts[:divide], *between, *texts[divide:]]


def content(table: Table) -> str:
    """Return the digest of what a table holds."""
    return digest(list(rows_of(table)))


def book_of(texts: Texts, root: str) -> Loaded[Book]:
    """Return all tables of a policy as sheets; a cell that no spreadsheet takes is a problem."""
    found = find_tables(texts, root)
    if found.policy is None:
        return Loaded(None, found.problems)
    sheets: list[Sheet] = []
    index: dict[str, tuple[str, str]] = {}
    problems: list[Problem] = []
    for one in found.policy:
        name = _free_name(one.name, index)
        sheets.append(Sheet(name, one.table))
        index[name] = (one.name, content(one.table))
        problems += _too_long(one.table)
    return Loaded(None if problems else Book(tuple(sheets), index), tuple(problems))


def _too_long(table: Table) -> Iterator[Problem]:
    for cell in (*table.columns, *(cell for row in table.rows for cell in row.cells)):
        if len(cell.text) > MAX_CELL:
            message = f"this cell has {len(cell.text):,} characters; spreadsheets take {MAX_CELL:,}"
            yield Problem("cell-too-long", message, cell.span, "divide it into several rows")


def _free_name(wanted: str, taken: Mapping[str, object]) -> str:
    base = _NOT_IN_NAMES.sub("_", wanted).strip("._-")[:MAX_NAME] or "table"
    folded = {name.casefold() for name in (*taken, INDEX)}
    name, number = base, 1
    while name.casefold() in folded:
        number += 1
        name = f"{base[: MAX_NAME - len(str(number)) - 1]}_{number}"
    return name


# CSV


def to_csv(rows: Iterable[list[str]]) -> bytes:
    """Return rows as a CSV file (RFC 4180, UTF-8 with its mark, which spreadsheets need)."""
    lines = [",".join(quoted(kept(cell)) for cell in row) for row in rows]
    return ("\ufeff" + "".join(f"{line}\r\n" for line in lines)).encode()


def kept(text: str) -> str:
    """Return a cell as it can be opened safely: `'` before what could be taken for a formula."""
    return f"'{text}" if text.startswith(_ACTIVE) and text != "-" else text


def given_back(text: str) -> str:
    """Return what `kept` had been given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_ACTIVE) else text


def quoted(text: str) -> str:
    """Return a cell of a CSV file, in quotes if it needs them."""
    if any(char in text for char in ',"\r\n') or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


def csv_files(book: Book) -> dict[str, bytes]:
    """Return a book as CSV files by name, with the index."""
    index = [list(HEAD), *([name, table, held] for name, (table, held) in book.index.items())]
    files = {f"{sheet.name}.csv": to_csv(rows_of(sheet.table)) for sheet in book.sheets}
    return {**files, f"{INDEX}.csv": to_csv(index)}


def read_csv_book(files: Mapping[str, bytes]) -> Loaded[Book]:
    """Read CSV files as they come back from a spreadsheet; the index may be missing."""
    sheets: list[Sheet] = []
    problems: list[Problem] = []
    index: dict[str, tuple[str, str]] = {}
    for file, data in files.items():
        loaded = read_csv_table(data, file)
        problems += loaded.problems
        if loaded.policy is None:
            continue
        name = file.removesuffix(".csv")
        if name == INDEX:
            index = index_of(loaded.policy)
        else:
            sheets.append(Sheet(name, _restored(loaded.policy)))
    return Loaded(None if problems else Book(tuple(sheets), index), tuple(problems))


def index_of(table: Table) -> dict[str, tuple[str, str]]:
    """Return an index from its table; one that was altered says nothing."""
    if tuple(cell.text for cell in table.columns) != HEAD:
        return {}
    rows = ([cell.text for cell in row.cells] for row in table.rows)
    return {name: (table_name, held) for name, table_name, held in rows}


def _restored(table: Table) -> Table:
    def cells(some: tuple[Cell, ...]) -> tuple[Cell, ...]:
        return tuple(Cell(given_back(cell.text), cell.span) for cell in some)

    rows = tuple(replace(row, inputs=cells(row.inputs), outputs=cells(row.outputs)) for row in table.rows)
    return replace(table, inputs=cells(table.inputs), outputs=cells(table.outputs), rows=rows)
