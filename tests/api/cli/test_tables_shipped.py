"""Every shipped policy goes out to sheets and comes back: as it was, or with just what was edited."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest
from openpyxl import load_workbook

from api.cli import forbear
from api.cli.frame import OK, run
from engine.tables import find_tables

POLICIES = Path(__file__).parents[3] / "policies"
FOLDERS = [
    path.parent.name
    for path in sorted(POLICIES.glob("*/policy.yaml"))
    if find_tables({"policy.yaml": path.read_bytes()}, "policy.yaml").policy
]


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    shutil.copytree(POLICIES, tmp_path / "policies")
    return tmp_path / "policies" / str(request.param)


def text_of(folder: Path) -> str:
    return (folder / "policy.yaml").read_text(encoding="utf-8")


def edited(text: object) -> str | None:
    """A cell with one digit changed, so that it is as long as before; None: it has no bound to change."""
    found = re.fullmatch(r"(>= \d*)(\d)((?:\.\d+)?)", str(text))
    return f"{found[1]}{int(found[2]) + 1}{found[3]}" if found and found[2] != "9" else None


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return [pair for pair in pairs if pair[0] != pair[1]]


def test_there_are_policies_with_tables() -> None:
    assert {"collections", "consumer-credit", "key-account-credit", "sme-credit", "uci-card-credit"} <= set(
        FOLDERS
    )


def test_a_workbook_comes_back_with_just_the_edit(folder: Path, tmp_path: Path) -> None:
    book, before = tmp_path / "book.xlsx", text_of(folder)
    assert run(forbear, ["export", str(folder), str(book)]) == OK
    assert run(forbear, ["import-tables", str(folder), str(book)]) == OK
    assert text_of(folder) == before
    workbook = load_workbook(book)
    cells = (cell for sheet in workbook for row in sheet.iter_rows(min_row=2) for cell in row)
    cell, old, new = next((c, str(c.value), text) for c in cells if (text := edited(c.value)))
    cell.value = new
    workbook.save(book)
    assert run(forbear, ["import-tables", str(folder), str(book)]) == OK
    ((was, now),) = changed_lines(before, text_of(folder))
    assert was.replace(old, new, 1) == now or was.replace(old, new) == now


def test_csv_files_come_back_with_just_the_edit(folder: Path, tmp_path: Path) -> None:
    out, before = tmp_path / "sheets", text_of(folder)
    assert run(forbear, ["export", str(folder), str(out), "--to", "csv"]) == OK
    assert run(forbear, ["import-tables", str(folder), str(out)]) == OK
    assert text_of(folder) == before
    for sheet in sorted(out.glob("[a-z]*.csv")):
        rows = list(csv.reader(sheet.read_text(encoding="utf-8-sig").splitlines()))
        places = [
            (r, c, text) for r, row in enumerate(rows) for c, cell in enumerate(row) if (text := edited(cell))
        ]
        if not places:
            continue
        r, c, new = places[0]
        rows[r][c] = new
        with sheet.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        assert run(forbear, ["import-tables", str(folder), str(sheet)]) == OK
        ((_, now),) = changed_lines(before, text_of(folder))
        assert new in now
        break
    else:
        pytest.fail("no sheet has a bound to edit")
