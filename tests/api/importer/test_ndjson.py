"""NDJSON: numbers are those of JSON, keys may be left out, objects within have keys with a dot."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.importer.ndjson import MAX_DIGITS, cells_of
from api.importer.source import MAX_LINE
from tests.api.importer.offline import check

USING = """mapping: x
format: ndjson
{more}
rows:
  - account: {{id: A1, customer: C1, currency: EUR, timezone: UTC}}
  - adjustment:
      {{account: A1, id: "{{id}}", bill: "B1", value_date: "{{d}}", amount: "{{x}}", reason: "{{why}}"}}
"""


def amount(number: str, more: str = "") -> str:
    """Return an amount as read, or the refusal."""
    report, ledger = check(USING.format(more=more), f'{{"id": 1, "d": "2026-01-31", "x": {number}}}\n')
    return report.rejects[0].message if report.rejects else str(ledger.entries["A1"][0].amount)  # type: ignore[union-attr]  # an adjustment


NO = "this is not an amount."


@pytest.mark.parametrize(
    ("number", "more", "read"),
    [
        ("0.1e2", "", "10"),
        ("1.50E1", "", "15.0"),
        ("125e-2", "", "1.25"),
        ("-2e+1", "", "-20"),
        ("12.50", "", "12.50"),
        ("1E400", "", NO),
        ("1e-400", "", NO),
        ("1e999999999999999999999", "", NO),
        ('"0.1e2"', "", NO),
        ('"12,50"', 'decimal: ","', "12.50"),
        ("12.50", 'decimal: ","', "12.50"),
        ("1.23", 'decimal: ","\\nthousands: "."', "1.23"),
        ("1234.5", 'decimal: ","\\nthousands: "."', "1234.5"),
        ('"1.234,50"', 'decimal: ","\\nthousands: "."', "1234.50"),
        ("12.50", "symbols: '.'", "12.50"),
        ("true", "", NO),
        ("[1]", "", NO),
    ],
)
def test_a_number_is_that_of_json_whatever_texts_look_like(number: str, more: str, read: str) -> None:
    assert amount(number, more.replace("\\n", "\n")) == read


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1.", ".5", "01", "+1", "0x1"])
def test_what_is_no_number_of_json_refuses_the_line(number: str) -> None:
    report, ledger = check(USING.format(more=""), f'{{"id": 1, "d": "2026-01-31", "x": {number}}}\n')
    assert [reject.line for reject in report.rejects] == [1]
    assert report.rejects[0].message.startswith("it is not JSON: ")
    assert ledger.entries == {}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None))
def test_a_number_is_exact_or_left_as_it_is_written(value: Decimal) -> None:
    cells = cells_of(f'{{"x": {value}}}')
    assert cells is not None
    assert Decimal(cells["x"]) == value
    if len(value.as_tuple().digits) + abs(int(value.as_tuple().exponent)) <= MAX_DIGITS:
        assert "e" not in cells["x"].lower()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_any_json_is_read_or_is_no_object(value: object) -> None:
    cells = cells_of(json.dumps(value))
    assert (cells is None) is not isinstance(value, dict)


FACTS = """mapping: x
format: ndjson
rows:
  - customer:
      id: "{id}"
      name: "{name}"
      facts: {limit: {value: "{credit.limit}", type: integer}, city: "{home.city}"}
"""


def test_a_key_that_a_line_lacks_is_left_out_as_an_empty_cell_is() -> None:
    lines = [
        {"id": "C1", "name": "Li", "credit": {"limit": 500}, "home": {"city": "Ulm"}},
        {"id": "C2", "name": None, "credit": {}},
        {"id": "C3", "credit": {"limit": 5.0}},
        {"name": "nobody"},
    ]
    report, _ = check(FACTS, "".join(json.dumps(line) + "\n" for line in lines))
    assert report.by_kind == {"customer": 3}
    assert [str(reject) for reject in report.rejects] == [
        "line 4, column `id` (customer): this field is needed."
    ]
    assert report.absent == []


def test_a_key_that_no_line_has_is_named() -> None:
    report, _ = check(FACTS, '{"id": "C1", "nmae": "Li", "credit": {"limit": 1}}\n')
    assert report.rejects == []
    assert report.absent == [
        "`name` (did you mean `nmae`?)", "`home.city` (keys: `credit`, `credit.limit`, `id`, `nmae`)",
    ]  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_empty_lines(end: str) -> None:
    text = end.join(['\ufeff{"id":"C1"}', "", '{"id":"C2"}', "x"])
    report, _ = check('mapping: x\nformat: ndjson\nrows:\n  - customer: {id: "{id}"}\n', text)
    assert report.by_kind == {"customer": 2}
    assert [reject.line for reject in report.rejects] == [4]


def test_a_line_without_end_is_refused_and_the_next_one_read() -> None:
    text = '{"id":"C1","x":"' + "a" * (3 * MAX_LINE) + '"}\n{"id":"C2"}\n'
    report, _ = check('mapping: x\nformat: ndjson\nrows:\n  - customer: {id: "{id}"}\n', text)
    assert [(r.line, r.message) for r in report.rejects] == [(1, "it is longer than 1,000,000 characters.")]
    assert report.by_kind == {"customer": 1}


def test_half_a_character_refuses_its_line() -> None:
    text = '{"id":"\\ud800"}\n{"id":"C2"}\n{"id":"a\\u0000b"}\n'
    report, _ = check('mapping: x\nformat: ndjson\nrows:\n  - customer: {id: "{id}"}\n', text)
    assert [reject.line for reject in report.rejects] == [1, 3]
