"""The sheets of a policy as a workbook that people edit."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from engine.tables import Book, rows_of, width
from engine.tables.book import HEAD, INDEX

_TEXT = "@"
"""The format of cells that stay as they are typed: `0.30`, `1-2`, `2026-01-31`."""
WIDEST = 60
_ACTIVE = ("=", "+", "-", "@")


def to_workbook(book: Book) -> bytes:
    """Return a workbook of texts: a sheet a table, and a hidden one that says which is which."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for sheet in book.sheets:
        _fill(workbook.create_sheet(sheet.name), list(rows_of(sheet.table)))
    index = workbook.create_sheet(INDEX)
    _fill(index, [list(HEAD), *([name, table, held] for name, (table, held) in book.index.items())])
    index.sheet_state = "hidden"
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _fill(sheet: Worksheet, rows: Sequence[Sequence[str]]) -> None:
    for number, row in enumerate(rows, 1):
        for column, text in enumerate(row, 1):
            cell = sheet.cell(number, column)
            cell.number_format = _TEXT
            if text:
                cell.value = text
                cell.data_type = "s"  # also what begins with `=`
            cell.quotePrefix = text.startswith(_ACTIVE)
            cell.font = Font(bold=number == 1)
    for column, cells in enumerate(zip(*rows, strict=True), 1):
        sheet.column_dimensions[get_column_letter(column)].width = _wide_enough(cells)
    sheet.freeze_panes = "A2"


def _wide_enough(cells: Iterable[str]) -> int:
    return min(WIDEST, max(width(text) for text in cells) + 2)
