"""Cells of any operator: signs, groups of digits, encodings, marks, names that the file does not have."""

from __future__ import annotations

import pytest

from api.importer.source import FileUnreadable
from tests.api.importer.offline import check

BASE = """mapping: x
delimiter: ";"
{more}
rows:
  - account: {{id: A1, customer: C1, currency: CNY, timezone: UTC}}
  - adjustment: {{account: A1, id: "{{id}}", bill: B1, value_date: "{{d}}", amount: "{{x}}"}}
"""


def amount(text: str, more: str) -> str:
    """Return an amount as read, or the refusal."""
    report, ledger = check(BASE.format(more=more), f"id;d;x\n1;2026-01-31;{text}\n")
    if report.rejects:
        return report.rejects[0].message
    return str(ledger.entries["A1"][0].amount)  # type: ignore[union-attr]  # an adjustment


COMMA = 'decimal: ","\nthousands: "."'


@pytest.mark.parametrize(
    ("text", "more", "read"),
    [
        ("1234.50", "", "1234.50"),
        ("-5", "", "-5"),
        ("+5", "", "5"),
        ("1.234,50", COMMA, "1234.50"),
        ("-1.234.567,5", COMMA, "-1234567.5"),
        ("1,50", 'decimal: ","', "1.50"),
        ("1.50", 'decimal: ","', "this is not an amount."),
        ("12.50", COMMA, "this is not an amount."),
        ("12,50", 'thousands: ","', "this is not an amount."),
        ("1,2,345", 'thousands: ","', "this is not an amount."),
        ("12,34,567.80", 'thousands: ","', "1234567.80"),
        ("\u00a51,205.42", 'thousands: ","\nsymbols: "\u00a5"', "1205.42"),
        ("5.00-", "negative: after", "-5.00"),
        ("5.00", "negative: after", "5.00"),
        ("5.00-", "", "this is not an amount."),
        ("(1.234,50)", f"negative: parentheses\n{COMMA}", "-1234.50"),
        ("(5", "negative: parentheses", "this is not an amount."),
        ("\uff11\uff12", "", "this is not an amount."),
        ("1e3", "", "this is not an amount."),
        ("NaN", "", "this is not an amount."),
        (".5", "", "0.5"),
        ("-,5", 'decimal: ","', "-0.5"),
        ("5.", "", "this is not an amount."),
        ("\u22125,50", 'decimal: ","', "-5.50"),
        ("1\u00a0234,50", 'decimal: ","\nthousands: " "', "1234.50"),
        ("1\u202f234,50", 'decimal: ","\nthousands: " "', "1234.50"),
        ("1 234,50", 'decimal: ","\nthousands: "\u00a0"', "1234.50"),
        ("1\u2019234.50", 'thousands: "\'"', "1234.50"),
        ("12 34,50", 'decimal: ","\nthousands: " "', "this is not an amount."),
        ("5 EUR", "symbols: EUR", "5"),
    ],
)
def test_amounts_as_operators_write_them(text: str, more: str, read: str) -> None:
    assert amount(text, more) == read


@pytest.mark.parametrize(
    ("text", "more", "advice"),
    [
        ("(5.00)", "", "Set `negative: parentheses`."),
        ("5.00-", "", "Set `negative: after`."),
        ("\u20ac5.00", "", 'Say `symbols: "\u20ac"` in the mapping: these characters are left out.'),
        ("5.00 EUR", "", 'Say `symbols: "EUR"` in the mapping: these characters are left out.'),
        (
            "1.23457E+12",
            "",
            "A spreadsheet has shortened it: save the column as a number with all its digits.",
        ),
        ("1.234,50", "", "Write `1234.50`, or set `decimal` and `thousands`."),
    ],
)
def test_what_to_do_about_an_amount(text: str, more: str, advice: str) -> None:
    report, _ = check(BASE.format(more=more), f"id;d;x\n1;2026-01-31;{text}\n")
    assert [reject.advice for reject in report.rejects] == [advice]


SIGNED = """mapping: x
negative: after
rows:
  - account: {id: A1, customer: C1, currency: CNY, timezone: UTC}
  - bill: {account: A1, id: "{id}", value_date: "{d}", due_date: "{d}", amount: "{x}"}
    when: {x: "> 0"}
  - payment: {account: A1, id: "{id}", value_date: "{d}", amount: {value: "{x}", negate: true}}
    when: {x: "< 0"}
"""


def test_one_column_of_both_signs_becomes_bills_and_payments() -> None:
    text = (
        "id,d,x\n1,2026-01-01,10.00\n2,2026-01-02,4.00-\n3,2026-01-03,0.00\n4,2026-01-04,x\n5,2026-01-05,\n"
    )
    report, ledger = check(SIGNED, text)
    assert [(e.kind, e.id) for e in ledger.entries["A1"]] == [("bill", "1"), ("payment", "2")]
    assert {(r.line, r.value) for r in report.rejects} == {(5, "x")}


NAMED = 'mapping: x\n{more}\nrows:\n  - customer: {{id: "{{id}}", name: "{{\u540d}}"}}\n'
CHINESE = "id,\u540d\nC1,\u674e\u4e2d\n"


@pytest.mark.parametrize(
    ("encoding", "saved"),
    [
        ("utf-8", "utf-8"), ("utf-8", "utf-8-sig"), ("gb18030", "gb18030"), ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"), ("big5", "big5"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_heading_in_any_encoding_with_and_without_a_mark(encoding: str, saved: str, mark: str) -> None:
    if mark and (saved in ("utf-8-sig", "utf-16", "big5")):
        return  # they write their own, or have none
    report, ledger = check(NAMED.format(more=f"encoding: {encoding}"), (mark + CHINESE).encode(saved))
    assert report.rejects == []
    assert report.by_kind == {"customer": 1}
    assert ledger.entries == {}


def test_a_file_of_another_encoding_is_refused_with_what_to_do() -> None:
    with pytest.raises(FileUnreadable, match=r"the heading has characters that are not utf-8.*`encoding`"):
        check(NAMED.format(more=""), CHINESE.encode("gb18030"))


def test_lines_before_the_heading_are_skipped_and_counted() -> None:
    using = 'mapping: x\nskip: 2\nrows:\n  - customer: {id: "{id}", since: "{since}"}\n'
    report, _ = check(using, "Report of June\n\nid,since\nC1,2020-01-01\nC2,never\n")
    assert (report.stored, [r.line for r in report.rejects]) == (1, [5])


PAYMENTS = """mapping: x
rows:
  - payment:
      {account: "{a}", id: "P{d}-{x}-{#nth}", value_date: "{d}", amount: "{x}", method: "line {#line}"}
"""


def test_payments_without_ids_are_named_by_what_they_say() -> None:
    lines = ["A1,2026-01-01,5.00\n", "A1,2026-01-01,5.00\n", "A1,2026-01-02,7.00\n"]
    _, ledger = check(PAYMENTS, "a,d,x\n" + "".join(lines))
    names = [e.id for e in ledger.entries["A1"]]
    assert names == ["P2026-01-01-5.00-1", "P2026-01-01-5.00-2", "P2026-01-02-7.00-1"]
    _, other = check(PAYMENTS, "a,d,x\n" + "".join(reversed(lines)))
    assert {e.id for e in other.entries["A1"]} == set(names)
    assert ledger.entries["A1"][2].method == "line 4"  # type: ignore[union-attr]  # a payment


def test_zeros_a_spreadsheet_took_away_and_columns_that_are_empty() -> None:
    using = """mapping: x
rows:
  - bill: {account: A1, id: {value: "{n}", pad: 5}, value_date: 2026-01-31, due_date: 2026-02-20,
           amount: {value: "{x}", default: "1.00"}}
"""
    _, ledger = check(using, "n,x\n42,\n")
    (bill,) = ledger.entries["A1"]
    assert (bill.id, str(bill.amount), str(bill.value_date)) == ("00042", "1.00", "2026-01-31")  # type: ignore[union-attr]  # a bill


def test_a_word_that_the_mapping_does_not_know_is_refused() -> None:
    using = 'mapping: x\nrows:\n  - customer: {id: "{id}", segment: {value: "{s}", words: {P: consumer}}}\n'
    report, _ = check(using, "id,s\nC1,P\nC2,Q\n")
    assert [str(r) for r in report.rejects] == [
        "line 3, column `s` (customer): `Q`: the mapping says nothing of this word; it knows `P`. "
        "Add it to `words`."
    ]
