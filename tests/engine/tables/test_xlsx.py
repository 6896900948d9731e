"""Workbooks as people make them, and as nobody should."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from api.cli.workbook import to_workbook
from engine.source import Severity
from engine.tables import book_of, read_xlsx_book
from tests.engine.tables.test_put import TEXTS


def workbook(*rows: list[Any], title: str = "grade") -> bytes:
    made = Workbook()
    sheet = made.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def cells(data: bytes) -> list[list[str]]:
    loaded = read_xlsx_book(data, "b.xlsx")
    assert loaded.policy is not None, loaded.problems
    return [[cell.text for cell in row.cells] for row in loaded.policy.sheets[0].table.rows]


def codes(data: bytes) -> list[tuple[str, str]]:
    return [(problem.code, problem.span.cell) for problem in read_xlsx_book(data, "b.xlsx").problems]


@pytest.mark.parametrize(
    ("typed", "text"),
    [(0.3, "0.3"), (5, "5"), (-2.50, "-2.5"), (True, "true"), (Decimal("0.1"), "0.1"), (None, ""),
     (">= 90", ">= 90"), (" x ", "x"), (1e-7, "0.0000001"), (123456789012345, "123456789012345")],
)  # fmt: skip
def test_what_was_typed_is_what_is_read(typed: object, text: str) -> None:
    assert cells(workbook(["score", "||", "grade"], [typed, None, "A"])) == [[text, "A"]]


@pytest.mark.parametrize(
    ("typed", "code"),
    [("=1+1", "cell-formula"), (date(2026, 1, 31), "cell-date"), (time(9), "cell-date"),
     (0.1234567890123456, "cell-number"), (12345678901234567, "cell-number"), ("#DIV/0!", "cell-error")],
)  # fmt: skip
def test_what_cannot_be_trusted_is_refused_with_its_cell(typed: object, code: str) -> None:
    assert codes(workbook(["score", "||", "grade"], ["-", None, "A"], [typed, None, "B"])) == [
        (code, "grade!A3")
    ]


def test_blank_rows_and_what_stands_beside_the_table() -> None:
    assert cells(workbook([], ["a", "||", "b"], [], [1, None, 2], [None, None, None, None])) == [["1", "2"]]
    beside = read_xlsx_book(
        workbook(["a", "||", "b"], [1, None, 2, "a word"], [3, None, 4, "more"]), "b.xlsx"
    )
    assert beside.policy is not None
    (note,) = beside.policy.notes
    assert (note.code, note.span.cell, note.severity) == ("beside-table", "grade!D2", Severity.INFO)
    assert [[c.text for c in row.cells] for row in beside.policy.sheets[0].table.rows] == [
        ["1", "2"],
        ["3", "4"],
    ]


def test_an_export_is_texts_only_and_safe_to_open() -> None:
    book = book_of(TEXTS, "policy.yaml").policy
    assert book is not None
    sheets = load_workbook(io.BytesIO(to_workbook(book)))
    assert sheets["_forbear"].sheet_state == "hidden"
    found = {
        str(cell.value): cell for sheet in sheets for row in sheet.iter_rows() for cell in row if cell.value
    }
    assert {cell.data_type for cell in found.values()} == {"s"}
    assert {cell.number_format for cell in found.values()} == {"@"}
    assert found["=c"].quotePrefix
    assert found["-2"].quotePrefix
    assert not found[">= 1"].quotePrefix


def parts(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, change(part.filename, old.read(part)))
    return out.getvalue()


GOOD = workbook(["a", "||", "b"], [1, None, 2])


def test_a_document_type_is_refused() -> None:
    doctype = b'<!DOCTYPE x [<!ENTITY e "1">]>'
    found = codes(parts(GOOD, lambda name, data: doctype + data if "sheet1" in name else data))
    assert found == [("xml-doctype", "")]


def test_a_part_in_another_encoding_is_refused() -> None:
    def change(name: str, data: bytes) -> bytes:
        return data.decode().encode("utf-16") if "sheet1" in name else data

    assert codes(parts(GOOD, change)) == [("not-utf8", "")]


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    huge = b"<a>" + b" " * (129 * 1024 * 1024)
    assert codes(parts(GOOD, lambda name, data: huge if "sheet1" in name else data)) == [
        ("file-too-large", "")
    ]


def test_a_far_away_cell_is_refused() -> None:
    far = parts(
        GOOD, lambda name, data: data.replace(b'r="2"', b'r="1048576"').replace(b'"A2"', b'"XFD1048576"')
    )
    assert [code for code, _ in codes(far)] == ["table-too-large"]


def test_what_is_no_workbook_is_refused() -> None:
    assert codes(b"a,b\n1,2\n") == [("not-xlsx", "")]
    assert codes(parts(GOOD, lambda name, data: b"<x/>")) == [("not-xlsx", "")]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_any_bytes_are_read_or_refused(place: int, junk: bytes) -> None:
    loaded = read_xlsx_book(GOOD[:place] + junk + GOOD[place + len(junk) :], "b.xlsx")
    assert (loaded.policy is None) == bool(loaded.problems)
