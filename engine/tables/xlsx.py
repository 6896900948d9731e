"""Sheets of a workbook (XLSX, ECMA-376) as texts: within limits, without formulas, without guessing.

Numbers that were typed into a spreadsheet are read by their shortest decimal form, which is what was typed
for up to 15 digits; with more, and for days and times, the author is asked to write a text.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import column_index_from_string, get_column_letter

from engine.policy import Loaded
from engine.source import Problem, Severity, Span
from engine.tables.book import INDEX, Book, Sheet, index_of
from engine.tables.own import left_out, table_records
from engine.text import Cell, Table, read_records
from engine.text.table import MAX_COLUMNS, MAX_ROWS

MAX_BYTES = 16 * 1024 * 1024
"""The largest workbook that is read."""
MAX_UNPACKED = 128 * 1024 * 1024
"""The most bytes that its parts may have together when they are unpacked."""
MAX_PARTS = 2_000
MAX_SHEETS = 500
MAX_CELLS = 1_000_000
"""Cells of all sheets together."""
MAX_DIGITS = 15
"""Digits of a number that a spreadsheet keeps as it was typed."""
_MERGED = re.compile(rb'<mergeCell ref="(([A-Z]+)([0-9]+):[A-Z]+[0-9]+)"')
_PLACES = re.compile(r"(?:#,##)?0\.(0{1,6})")
_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']+)")


class _Refused(Exception):  # control flow inside this file, not an error of a caller
    """The workbook cannot be read further; the problem is already noted."""


def read_xlsx_book(data: bytes, file: str) -> Loaded[Book]:
    """Read every sheet of a workbook as a table; what cannot be taken as it stands is a problem."""
    reading = _Reading(file)
    try:
        reading.safe(data)
        book = reading.book(data)
    except _Refused:
        return Loaded(None, tuple(reading.problems))
    except Exception as error:  # openpyxl meets broken files with errors of every kind
        message = f"this is no workbook that can be read: {type(error).__name__}"
        reading.note("not-xlsx", message, reading.start, "save it again as `.xlsx`")
        return Loaded(None, tuple(reading.problems))
    return Loaded(None if reading.problems else book, tuple(reading.problems))


@dataclass(slots=True)
class _Reading:
    """One reading of one workbook."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    cells: int = 0

    @property
    def start(self) -> Span:
        return Span(self.file, 1, 1)

    def note(self, code: str, message: str, span: Span, advice: str = "") -> None:
        self.problems.append(Problem(code, message, span, advice))

    def refuse(self, code: str, message: str, advice: str = "") -> None:
        """Note what makes reading on senseless, and stop."""
        self.note(code, message, self.start, advice)
        raise _Refused

    def safe(self, data: bytes) -> None:
        """Look at the parts of the file before anything unpacks or reads them."""
        if len(data) > MAX_BYTES:
            self.refuse("file-too-large", f"the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
        if not zipfile.is_zipfile(io.BytesIO(data)):
            self.refuse("not-xlsx", "this is no workbook", "save it as `.xlsx`, or give CSV files")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED:
                message = f"the workbook unpacks to {unpacked:,} bytes in {len(parts):,} parts"
                self.refuse("file-too-large", f"{message}; at most {MAX_UNPACKED:,} are read")
            for part in parts:
                if part.filename.endswith("vbaProject.bin"):
                    self.refuse("workbook-code", "the workbook holds macros", "save it as `.xlsx`")
                if part.filename.endswith((".xml", ".rels")):
                    self._plain_xml(part.filename, archive.read(part))

    def _plain_xml(self, name: str, data: bytes) -> None:
        declared = _DECLARED.search(data[:200])
        if b"\0" in data[:200] or (declared and declared[1].lower() not in (b"utf-8", b"us-ascii")):
            self.refuse("not-utf8", f"`{name}` in the workbook is not UTF-8", "save it again as `.xlsx`")
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            self.refuse("xml-doctype", f"`{name}` in the workbook has a document type; none is read")

    def book(self, data: bytes) -> Book:
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        try:
            names = workbook.sheetnames
            if len(names) > MAX_SHEETS:
                self.refuse(
                    "table-too-large", f"there are {len(names)} sheets; at most {MAX_SHEETS} are read"
                )
            sheets: list[Sheet] = []
            index: dict[str, tuple[str, str]] = {}
            ordered = sorted(
                workbook.worksheets, key=lambda sheet: sheet.title != INDEX
            )  # it says what others are
            for sheet in ordered:
                before = len(self.problems)
                table = self._table(sheet, data)
                if table is not None and sheet.title == INDEX:
                    index = index_of(table)
                elif index and sheet.title not in index and index.keys() <= {*names}:
                    del self.problems[before:]
                    self._own_sheet(sheet.title, table)
                elif table is not None:
                    sheets.append(Sheet(sheet.title, table))
            notes = tuple(note for note in self.problems if note.severity is Severity.INFO)
            self.problems = [problem for problem in self.problems if problem.severity is not Severity.INFO]
            return Book(tuple(sheets), index, notes)
        finally:
            workbook.close()

    def _own_sheet(self, title: str, table: Table | None) -> None:
        """Note a sheet of the officer's own: every exported sheet is there besides."""
        if table is not None:
            message = f"the sheet `{title}` was not exported, and is left out"
            advice = "a new table begins in the policy: write it there, and export again"
            self.problems.append(left_out("sheet-left-out", message, self._span(title, 1, 1), advice))

    def _table(self, sheet: Any, data: bytes) -> Table | None:
        """Return a sheet as a table; None for an empty one and for one with problems."""
        records, notes = table_records(list(self._records(sheet)))
        if not records:
            return None
        self.problems += notes
        self._merged(sheet, data, records[0][0].span.line)
        loaded = read_records(records, Span(self.file, 1, 1, cell=sheet.title))
        self.problems += loaded.problems
        return loaded.policy

    def _merged(self, sheet: Any, data: bytes, heading: int) -> None:
        """Note cells that were merged: only the first of them has a value."""
        part = str(getattr(sheet, "_worksheet_path", "")).lstrip(
            "/"
        )  # openpyxl does not tell when it reads only
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = archive.read(part) if part in archive.namelist() else b""
        for found in _MERGED.finditer(text):
            column, row, whole = found[2].decode(), int(found[3]), found[1].decode()
            if row >= heading:
                span = self._span(sheet.title, row, column_index_from_string(column))
                message = f"the cells {whole} are merged: only the first of them has a value"
                self.note("cells-merged", message, span, "divide them again, and write the value in each")

    def _records(self, sheet: Any) -> Iterator[tuple[Cell, ...]]:
        """Yield the rows that say something, each to its last cell that does."""
        sheet.reset_dimensions()  # what the file claims of its size is not believed
        for number, row in enumerate(sheet.iter_rows(), 1):
            self.cells += len(row)
            if number > 2 * MAX_ROWS or len(row) > 4 * MAX_COLUMNS or self.cells > MAX_CELLS:
                self.refuse("table-too-large", f"the sheet `{sheet.title}` is too large to be read")
            cells = [self._cell(sheet.title, number, place, cell) for place, cell in enumerate(row, 1)]
            while cells and not cells[-1].text:
                cells.pop()
            if cells:
                yield tuple(cells)

    def _span(self, title: str, row: int, column: int) -> Span:
        return Span(self.file, row, column, cell=f"{title}!{get_column_letter(column)}{row}")

    def _cell(self, title: str, row: int, column: int, cell: Any) -> Cell:
        span = self._span(title, row, column)
        kind, value = getattr(cell, "data_type", "n"), cell.value
        if kind == "f" or (kind != "s" and not isinstance(value, _PLAIN)):
            self.note("cell-formula", "this cell is a formula", span, "write its value")
        elif kind == "e":
            self.note("cell-error", f"this cell is the error `{value}`", span, "write a value")
        else:
            return Cell(self._text(value, span, str(getattr(cell, "number_format", ""))), span)
        return Cell("", span)

    def _text(self, value: object, span: Span, form: str) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return self._number(value, span, form)
        if isinstance(value, datetime | date | time | timedelta):
            day = f'`@"{value:%Y-%m-%d}"`' if isinstance(value, date) else "it"
            advice = f"make the cell a text and write {day}"
            self.note("cell-date", "the spreadsheet made this a day or a time", span, advice)
            return ""
        return str(value).replace("\r\n", "\n").strip()

    def _number(self, value: int | float, span: Span, form: str) -> str:
        exact = Decimal(repr(value))
        if not exact.is_finite() or len(exact.normalize().as_tuple().digits) > MAX_DIGITS:
            message = f"the spreadsheet keeps `{value!r}` as a binary number of more than {MAX_DIGITS} digits"
            self.note("cell-number", message, span, "make the cell a text and write the number")
            return ""
        places = _PLACES.fullmatch(form)  # as it is shown: 300 with two places is 300.00
        if places and exact == round(exact, len(places[1])):
            return f"{exact:.{len(places[1])}f}"
        return f"{exact.normalize():f}"


_PLAIN = (str, bool, int, float, datetime, date, time, timedelta, type(None))
