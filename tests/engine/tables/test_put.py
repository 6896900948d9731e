"""Out to a spreadsheet and back: nothing is lost, and just the edit changes."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.cli.policy_files import PolicyFiles, find_policies
from api.cli.workbook import to_workbook
from engine.policy import Loaded
from engine.tables import Book, PutBack, book_of, csv_files, put_back, read_csv_book, read_xlsx_book
from engine.tables.book import given_back, kept

POLICIES = Path(__file__).parents[3] / "policies"
WITH_TABLES = [one for one in find_policies([POLICIES]) if one.what in ("credit", "collections")]
FORMS = ("xlsx", "csv")

POLICY = """# heading
a:
  # before
  table: |
    # first
    | x    | y   || out |
    | ---- | --- || --- |
    | >= 1 | "b" || A   |
    # between
    | < 1  | -   || B   |
    # last
b: {file: limits.csv}
c:
  scorecard:
    table: |
      | n || p |
      | 1 || -2 |
z: end
"""
LIMITS = b'x,||,out\r\n>= 1,,"a, b"\r\n\r\n"< 1",,=c\r\n'
TEXTS = {"policy.yaml": POLICY.encode(), "limits.csv": LIMITS}


def exported(texts: dict[str, bytes], root: str = "policy.yaml", form: str = "csv") -> dict[str, bytes]:
    book = book_of(texts, root).policy
    assert book is not None
    return csv_files(book) if form == "csv" else {"book.xlsx": to_workbook(book)}


def read(files: dict[str, bytes]) -> Book:
    loaded = read_xlsx_book(files["book.xlsx"], "book.xlsx") if "book.xlsx" in files else read_csv_book(files)
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


def after(files: dict[str, bytes], texts: dict[str, bytes] = TEXTS) -> Loaded[PutBack]:
    return put_back(texts, "policy.yaml", read(files))


def edited(file: str, old: str, new: str) -> dict[str, bytes]:
    files = exported(TEXTS)
    text = files[file].decode()
    assert old in text
    return {**files, file: text.replace(old, new, 1).encode()}


def difference(found: Loaded[PutBack], file: str = "policy.yaml") -> list[str]:
    assert found.policy is not None, found.problems
    old, new = (data.decode().splitlines() for data in (TEXTS[file], found.policy.texts[file]))
    return [line for line in difflib.ndiff(old, new) if line[0] in "+-"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("one", WITH_TABLES, ids=lambda one: one.folder.name)
def test_every_shipped_policy_comes_back_as_it_was(one: PolicyFiles, form: str) -> None:
    book = read(exported(one.texts, one.root, form))
    assert book.sheets
    found = put_back(one.texts, one.root, Book(book.sheets, {}))  # without the index: by content alone
    assert found.policy is not None
    assert not found.policy.texts
    assert len(found.policy.same) == len(book.sheets)
    assert found.policy.missing == ()


def test_a_changed_cell_changes_one_line() -> None:
    assert difference(after(edited("a.csv", "A", "C"))) == [
        "-     | >= 1 | \"b\" || A   |", "+     | >= 1 | \"b\" || C   |",
    ]  # fmt: skip


def test_a_row_that_goes_and_one_that_comes_leave_comments_alone() -> None:
    assert difference(after(edited("a.csv", '>= 1,"""b""",,A\r\n', ""))) == ['-     | >= 1 | "b" || A   |']
    assert difference(after(edited("a.csv", "< 1,", "< 0,-,,Z\r\n< 1,"))) == ["+     | < 0  | -   || Z   |"]


def test_a_longer_cell_moves_the_bars_of_its_table_only() -> None:
    found = difference(after(edited("a.csv", "A", "VERY_LONG")))
    assert len([line for line in found if line.startswith("+")]) == 3
    assert '+     | >= 1 | "b" || VERY_LONG |' in found


def test_a_new_column_is_taken_in() -> None:
    found = after(edited("c.csv", "n,||,p\r\n1,,'-2", "n,m,||,p\r\n1,>= 3,,-2"))
    assert [line for line in difference(found) if line[0] == "+"] == [
        "+       | n | m    || p  |",
        "+       | 1 | >= 3 || -2 |",
    ]


def test_a_csv_table_keeps_its_other_lines() -> None:
    found = after(edited("b.csv", '"a, b"', "d"))
    assert difference(found, "limits.csv") == ['- >= 1,,"a, b"', "+ >= 1,,d"]
    assert found.policy is not None
    assert found.policy.texts["limits.csv"] == b'x,||,out\r\n>= 1,,d\r\n\r\n"< 1",,=c\r\n'


def test_what_could_be_a_formula_is_kept_from_being_one() -> None:
    files = exported(TEXTS)
    assert b"'=c" in files["b.csv"]
    assert b"1,,'-2" in files["c.csv"]
    assert b"< 1,-,,B" in files["a.csv"]  # a lone dash is no formula


@given(st.text(alphabet="'=+-@ab\t", max_size=6))
def test_a_kept_cell_is_given_back(text: str) -> None:
    assert given_back(kept(text)) == text
    assert kept(text)[:1] not in ("=", "+", "@", "\t")


def test_a_table_edited_on_both_sides_is_refused() -> None:
    files = edited("a.csv", "A", "C")
    moved = {**TEXTS, "policy.yaml": TEXTS["policy.yaml"].replace(b"|| B ", b"|| D ")}
    found = after(files, moved)
    assert [problem.code for problem in found.problems] == ["table-edited-twice"]
    untouched = after(exported(TEXTS), moved)
    assert untouched.policy is not None
    assert not untouched.policy.texts  # an old sheet that nobody edited does not take the change back


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("A", "x|y", "cell-with-bar"),
        ("A", '"x""y"', "open-quote"),
        ("A", '"x\ny"', "cell-of-lines"),
        ("A", "x\u2028y", "cell-of-lines"),
        ("A", "x\x07y", "table-not-kept"),
    ],
)
def test_a_cell_that_cannot_stand_is_refused(old: str, new: str, code: str) -> None:
    assert [problem.code for problem in after(edited("a.csv", old, new)).problems] == [code]


def test_a_table_that_the_policy_has_not_is_refused() -> None:
    files = {name: data for name, data in exported(TEXTS).items() if name != "_forbear.csv"}
    found = after({**files, "d.csv": files["a.csv"]})
    assert [problem.code for problem in found.problems] == ["unknown-table"]


def test_what_was_typed_into_the_dividing_column_is_not_lost() -> None:
    loaded = read_csv_book(edited("c.csv", "1,,", "1,2,"))
    assert [problem.code for problem in loaded.problems] == ["divider-filled"]


def test_a_sheet_that_is_missing_leaves_its_table_alone() -> None:
    files = exported(TEXTS)
    del files["c.csv"]
    found = after(files)
    assert found.policy is not None
    assert found.policy.missing == ("c",)


WORDS = st.sampled_from([">= 1", "-", '"a|b"', "= 3", "等级", "longer than the others", "-2", "'x", "@y"])


@settings(deadline=None)
@given(st.data())
def test_any_edit_comes_back_whole(data: st.DataObject) -> None:
    cells = st.lists(WORDS, min_size=3, max_size=3)
    rows = data.draw(st.lists(cells, min_size=1, max_size=6))
    lines = [
        "x,y,||,out",
        *(",".join(f'"{c.replace(chr(34), chr(34) * 2)}"' for c in (a, b, "", c)) for a, b, c in rows),
    ]
    found = after({**exported(TEXTS), "a.csv": "\r\n".join(lines).encode()})
    assert found.policy is not None, found.problems
    texts = {**TEXTS, **found.policy.texts}
    again = book_of(texts, "policy.yaml").policy
    assert again is not None
    table = next(sheet.table for sheet in again.sheets if sheet.name == "a")
    wanted = [[given_back(cell) for cell in row] for row in rows]
    assert [[cell.text for cell in row.cells] for row in table.rows] == wanted
    kept_lines = [line for line in texts["policy.yaml"].decode().splitlines() if "#" in line]
    assert kept_lines == [line for line in POLICY.splitlines() if "#" in line]
