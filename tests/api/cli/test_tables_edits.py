"""What officers do to a workbook, and what comes of it: just the edit, or one message with sheet and cell."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, run

SMALL = Path(__file__).parents[3] / "fixtures/policies_good/credit-small"
Edit = Callable[[Workbook], None]
Book = Callable[[Edit], tuple[int, list[tuple[str, ...]]]]


def cell(place: str, value: object, form: str = "General") -> Edit:
    """Write into a cell: `limit!C2`."""
    sheet, _, at = place.partition("!")

    def edit(book: Workbook) -> None:
        book[sheet][at].value = value
        book[sheet][at].number_format = form

    return edit


def column(sheet: str, place: str, *texts: str | None) -> Edit:
    """Write down a column from its first row on."""

    def edit(book: Workbook) -> None:
        for number, text in enumerate(texts, 1):
            book[sheet][f"{place}{number}"].value = text

    return edit


def both(*edits: Edit) -> Edit:
    def edit(book: Workbook) -> None:
        for one in edits:
            one(book)

    return edit


def called(sheet: str, method: str, *arguments: object) -> Edit:
    return lambda book: getattr(book[sheet], method)(*arguments)


def renamed(sheet: str, name: str) -> Edit:
    def edit(book: Workbook) -> None:
        book[sheet].title = name

    return edit


def sheet_of_notes(book: Workbook) -> None:
    made = book.create_sheet("Notes")
    for row in (["what was agreed"], ["limit", "up by 10", "Anna"]):
        made.append(row)


def swapped(sheet: str, one: int, other: int) -> Edit:
    def edit(book: Workbook) -> None:
        rows = [[c.value for c in book[sheet][n]] for n in (one, other)]
        for n, values in zip((other, one), rows, strict=True):
            for place, value in enumerate(values, 1):
                book[sheet].cell(n, place).value = value

    return edit


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """Export, edit, import: how it ended, and the lines that went and came."""
    folder, file = tmp_path / "small", tmp_path / "b.xlsx"
    shutil.copytree(SMALL, folder)

    def done(edit: Edit) -> tuple[int, list[tuple[str, ...]]]:
        before = (folder / "policy.yaml").read_text(encoding="utf-8").splitlines()
        assert run(forbear, ["export", str(folder), str(file)]) == OK
        workbook = load_workbook(file)
        edit(workbook)
        workbook.save(file)
        ended = run(forbear, ["import-tables", str(folder), str(file)])
        after = (folder / "policy.yaml").read_text(encoding="utf-8").splitlines()
        gone = tuple(" ".join(line.split()) for line in before if line not in after)
        came = tuple(" ".join(line.split()) for line in after if line not in before)
        return ended, [gone, came]

    return done


ROW = '| "A" | "sme" || 500.00 |'
TAKEN: dict[str, tuple[Edit, list[tuple[str, ...]], str]] = {
    "a number": (cell("limit!D2", 510), [(ROW,), (ROW.replace("500.00", "510"),)], ""),
    "as it is shown": (cell("limit!D2", 510, "#,##0.00"), [(ROW,), (ROW.replace("500", "510"),)], ""),
    "the same amount": (cell("limit!D2", 500, "0.00"), [(), ()], ""),
    "percent": (cell("limit!D2", 0.05, "0%"), [(ROW,), (ROW.replace("500.00", "0.05"),)], ""),
    "a blank row": (called("limit", "insert_rows", 3), [(), ()], ""),
    "blank cells": (both(cell("limit!B30", "  "), cell("limit!A31", "")), [(), ()], ""),
    "rows in another order": (swapped("knockout", 2, 3), [(), ()], ""),
    "an inserted row": (
        both(
            called("limit", "insert_rows", 4),
            cell("limit!A4", '"B"'),
            cell("limit!B4", '"sme"'),
            cell("limit!D4", "90.00"),
        ),
        [(), ('| "B" | "sme" || 90.00 |',)],
        "",
    ),
    "a column of notes": (
        column("grade", "E", "Remark", None, "by Anna"),
        [(), ()],
        "column-left-out] grade!E1",
    ),
    "words beside it": (cell("grade!F3", "by Anna"), [(), ()], "beside-table] grade!F3"),
    "words below it": (cell("grade!A9", "by Anna"), [(), ()], "beside-table] grade!A9"),
    "a title": (
        both(
            called("grade", "insert_rows", 1),
            cell("grade!A1", "Grades"),
            called("grade", "merge_cells", "A1:D1"),
        ),
        [(), ()],
        "beside-table] grade!A1",
    ),
    "a sheet of notes": (sheet_of_notes, [(), ()], "sheet-left-out] Notes!A1"),
    "a renamed sheet": (
        both(cell("limit!D2", "520.00"), renamed("limit", "Limits")),
        [(ROW,), (ROW.replace("500", "520"),)],
        "sheet-renamed] Limits!A1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_just_the_edit_comes_back(name: str, book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    edit, lines, note = TAKEN[name]
    ended, changed = book(edit)
    said = capsys.readouterr().out
    assert ended == OK, said
    assert changed == lines
    code, _, place = note.partition("] ")
    assert said.count("info[") == (1 if note else 0)
    assert f"info[{code}]" in said or not note
    assert f"({place})" in said or not note


REFUSED: dict[str, tuple[Edit, str, str, str]] = {
    "a formula": (cell("limit!D2", "=C2+1"), "cell-formula", "limit!D2", "write its value"),
    "a day": (
        cell("limit!D2", date(2026, 1, 3), "yyyy-mm-dd"),
        "cell-date",
        "limit!D2",
        'write `@"2026-01-03"`',
    ),
    "merged cells": (called("grade", "merge_cells", "A3:A4"), "cells-merged", "grade!A3", "in each"),
    "a misspelt number": (cell("grade!B3", ">= 12O"), "feel-syntax", "grade!B3: `>= 12O`", "write"),
    "a comma": (cell("limit!D2", "500,00"), "number-with-comma", "limit!D2: `500,00`", "write `500.00`"),
    "an empty cell": (cell("limit!B2", None), "input-empty", "limit!B2", "write `-`"),
    "an empty result": (cell("limit!D2", None), "output-empty", "limit!D2", "or `null`"),
    "an unknown text": (cell("limit!B2", '"smee"'), "value-never", 'limit!B2: `"smee"`', "did you mean"),
    "rows that overlap": (cell("grade!B4", "<= 120"), "rows-overlap", "grade!A4", "narrow one of the two"),
    "a column that is gone": (called("limit", "delete_cols", 4), "divider-gone", "limit!A1", "insert it"),
    "the divider is gone": (called("limit", "delete_cols", 3), "divider-gone", "limit!C1", "before `base`"),
    "words in the divider": (cell("limit!C2", "why"), "divider-filled", "limit!C2", "move it"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_mistake_in_a_sheet_is_one_message_with_its_cell(
    name: str, book: Book, capsys: pytest.CaptureFixture[str]
) -> None:
    edit, code, place, advice = REFUSED[name]
    ended, changed = book(edit)
    said = capsys.readouterr().out
    assert ended == FINDINGS, said
    assert changed == [(), ()]
    assert said.count("error[") == 1, said
    assert f"error[{code}]" in said
    assert f"({place})" in said
    assert advice in said
    assert "+++" not in said  # nothing is shown as if it had been written
    assert said.endswith("Nothing was written.\n")
