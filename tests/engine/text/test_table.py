from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy import Loaded
from engine.source import Span
from engine.text import MapNode, ScalarNode, Table, read_csv_table, read_table, read_yaml


def block(text: str) -> Loaded[Table]:
    indented = "\n".join(f"  {line}" for line in text.splitlines())
    loaded = read_yaml(f"t: |\n{indented}\n".encode(), "p.yaml")
    assert isinstance(loaded.policy, MapNode), loaded.problems
    node = loaded.policy.get("t")
    assert isinstance(node, ScalarNode)
    return read_table(node)


def table(text: str) -> Table:
    loaded = block(text)
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


def test_the_double_bar_divides_inputs_from_outputs() -> None:
    found = table("| a | b || c |\n| 1 | 2 || 3 |")
    assert [cell.text for cell in found.inputs] == ["a", "b"]
    assert [cell.text for cell in found.outputs] == ["c"]
    assert [cell.text for cell in found.rows[0].inputs] == ["1", "2"]
    assert [cell.text for cell in found.rows[0].outputs] == ["3"]


def test_without_a_double_bar_all_columns_are_inputs() -> None:
    found = table("| days | do |\n| 3 | notify(sms, upcoming) |")
    assert [cell.text for cell in found.columns] == ["days", "do"]
    assert found.outputs == ()


def test_every_cell_has_its_place_and_name() -> None:
    found = table("| a | b || c |\n# a comment\n\n|---|---||---|\n| 1 |  22 || 3 |")
    assert found.rows[0].cells[1].span == Span("p.yaml", 6, 10, 2, "row 1, column b")
    assert found.rows[0].number == 1


@pytest.mark.parametrize("cell", ['"x | y"', '"a \\" | b"', '"||"', '"a", "b|c"'])
def test_a_bar_inside_quotes_belongs_to_the_cell(cell: str) -> None:
    assert table(f"| a || b |\n| {cell} || 1 |").rows[0].inputs[0].text == cell


def test_an_empty_cell_is_kept_as_empty() -> None:
    assert table("| a | b || c |\n| 1 |  || 3 |").rows[0].inputs[1].text == ""


@pytest.mark.parametrize(
    ("text", "code", "line", "says"),
    [
        ("| a || b |\n| 1 || 2 | 3 |", "table-width", 3, "row 1 has 3 cells, the heading has 2"),
        ("| a | c || b |\n| 1 || 2 |", "table-width", 3, "row 1 has 2 cells, the heading has 3"),
        ("| a | c || b |\n| 1 | 2 | 3 |", "double-bar", 3, "row 1"),
        ("| a || b || c |\n| 1 || 2 || 3 |", "double-bar", 2, "twice"),
        ("| a || b |\n1 || 2 |", "table-line", 3, "`1 || 2 |`"),
        ("| a || b |\n| 1 || 2", "table-line", 3, "does not end with a bar"),
        ("| a || a |\n| 1 || 2 |", "duplicate-column", 2, "`a`"),
        ("| a ||   |\n| 1 || 2 |", "column-without-name", 2, "no name"),
        ('| a || b |\n| "x || 2 |', "open-quote", 3, "not closed"),
        ("# nothing", "table-empty", 1, "no heading"),
    ],
)
def test_a_wrong_line_is_named(text: str, code: str, line: int, says: str) -> None:
    loaded = block(text)
    assert loaded.policy is None
    assert (loaded.problems[0].code, loaded.problems[0].span.line) == (code, line)
    assert says in loaded.problems[0].message


def test_all_wrong_rows_are_named_at_once() -> None:
    loaded = block("| a || b |\n| 1 |\n| 1 || 2 |\n| 1 || 2 | 3 |")
    assert [problem.span.line for problem in loaded.problems] == [3, 5]


def test_a_text_that_is_no_block_is_no_table() -> None:
    assert read_table(ScalarNode("| a |", Span("p", 1, 1))).problems[0].code == "table-not-block"


def test_a_csv_file_is_the_same_table() -> None:
    csv = read_csv_table(b'a,b,||,c\r\n1,"2,3",,4\r\n', "t.csv").policy
    pipe = table("| a | b || c |\n| 1 | 2,3 || 4 |")
    assert csv is not None
    assert [[cell.text for cell in row.cells] for row in csv.rows] == [
        [cell.text for cell in row.cells] for row in pipe.rows
    ]
    assert (len(csv.inputs), len(csv.outputs)) == (2, 1)


def test_csv_cells_have_their_places() -> None:
    csv = read_csv_table(b'a,||,b\n"x\ny", ,2\n\n"q ""r""",,3\n', "t.csv").policy
    assert csv is not None
    first, second = csv.rows
    assert (first.outputs[0].span.line, first.outputs[0].span.column) == (3, 6)
    assert second.inputs[0].text == 'q "r"'
    assert second.inputs[0].span == Span("t.csv", 5, 2, 5, "row 2, column a")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'a,b\n"x,2\n', "open-quote"),
        (b"a;b\n1;2\n", "csv-semicolon"),
        (b"", "table-empty"),
        (b"a,b\n1\n", "table-width"),
        (b"a,\xff\n", "not-utf8"),
    ],
)
def test_a_wrong_csv_file_is_refused(data: bytes, code: str) -> None:
    loaded = read_csv_table(data, "t.csv")
    assert loaded.policy is None
    assert loaded.problems[0].code == code


@given(st.binary(max_size=120))
def test_any_bytes_give_a_csv_table_or_problems(data: bytes) -> None:
    loaded = read_csv_table(data, "t.csv")
    assert (loaded.policy is None) == bool(loaded.problems)


CELLS = st.text(alphabet='ab1 ,"\n', max_size=6).map(str.strip)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_csv_cells_come_back_as_they_were_written(rows: list[list[str]]) -> None:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    loaded = read_csv_table("\r\n".join(["x,y,z", *quoted]).encode(), "t.csv")
    assert loaded.policy is not None
    assert [[cell.text for cell in row.cells] for row in loaded.policy.rows] == [
        row for row in rows if any(row)
    ]
