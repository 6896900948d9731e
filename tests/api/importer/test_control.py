"""Totals against the operator's own: every difference with the accounts that make it."""

from __future__ import annotations

import pytest

from api.importer.control import load_control, read_period
from engine.source import render_problem
from tests.api.importer.offline import check, mapping

MAPPING = """mapping: x
currency: GBP
rows:
  - account: {id: "{a}", customer: "C{a}", currency: "{c}", timezone: UTC}
    when: {c: "*"}
  - bill: {account: "{a}", id: "{b}", value_date: "{d}", due_date: 2026-12-31, amount: "{x}"}
"""
FILE = """a,c,b,d,x
A1,EUR,B1,2026-01-31,10.00
A2,CNY,B1,2026-01-31,20.00
A1,EUR,B2,2026-02-28,30.00
A3,,B1,2026-02-28,40.00
"""


def told(control: str, data: str = FILE) -> list[str]:
    """Return each figure as it is told."""
    loaded = load_control(control.encode(), "c.csv")
    assert loaded.policy is not None, loaded.problems
    report, _ = check(MAPPING, data, control=loaded.policy)
    return [str(one) for one in report.reconciled]


def test_figures_by_kind_currency_period_and_account() -> None:
    control = (
        "kind,currency,period,account,count,sum\n"
        "bill,,,,4,100.00\n"
        "bill,EUR,2026-01,,1,10.00\n"
        "bill,EUR,2026-02-28,,1,30\n"
        "bill,GBP,2026,,1,40.00\n"
        "bill,CNY,2026-01-01..2026-02-28,A2,,20.0\n"
        "account,,,,2,\n"
    )
    assert told(control) == [
        "bill: count 4 of 4, sum 100.00 of 100.00: agrees",
        "bill EUR 2026-01: count 1 of 1, sum 10.00 of 10.00: agrees",
        "bill EUR 2026-02-28: count 1 of 1, sum 30.00 of 30: agrees",
        "bill GBP 2026: count 1 of 1, sum 40.00 of 40.00: agrees",
        "bill CNY 2026-01-01..2026-02-28 A2: sum 20.00 of 20.0: agrees",
        "account: count 2 of 2: agrees",
    ]


def test_refused_and_doubled_rows_are_named_with_their_accounts() -> None:
    more = FILE + "A1,EUR,B1,2026-01-31,10.00\nA2,CNY,B9,2027-01-31,7.00\nA2,CNY,B1,2026-01-31,21.00\n"
    first, second = told("kind,currency,count,sum\nbill,EUR,3,50.00\nbill,CNY,3,48.00\n", more)[:2]
    assert first == (
        "bill EUR: count 2 of 3, sum 40.00 of 50.00: differs by count -1, sum -10.00\n"
        "    account `A1`: 1 said twice in the file, 10.00 (line 6)"
    )
    assert second == (
        "bill CNY: count 1 of 3, sum 20.00 of 48.00: differs by count -2, sum -28.00\n"
        "    account `A2`: 2 refused, 28.00 (line 7, 8)"
    )


def test_a_row_too_many_is_found_by_its_amount() -> None:
    assert told("kind,sum\nbill,60.00\n") == [
        "bill: sum 100.00 of 60.00: differs by sum +40.00\n"
        "    account `A3`: 1 fits exactly, 40.00 (line 5)"
    ]  # fmt: skip


def test_what_nothing_explains_is_said() -> None:
    assert told("kind,sum\nbill,63.00\n") == [
        "bill: sum 100.00 of 63.00: differs by sum +37.00\n"
        "    no line of the file makes it: ask whether file and control are of the same run"
    ]


def test_what_the_control_does_not_speak_of_is_a_difference_too() -> None:
    found = told("kind,currency,period,count\nbill,EUR,2026-01,1\nbill,,2026-02,2\n")
    assert found[2:] == [
        "bill 2026-01 (no figure) CNY: count 1 of 0, sum 20.00 of 0: differs by count +1, sum +20.00\n"
        "    account `A2`: 1 not in the control, 20.00 (line 3)"
    ]


@pytest.mark.parametrize(
    ("control", "says"),
    [
        ("kind,count\nbil,1\n", "`bil` is nothing that a line can become"),
        ("kind,count\nbill,\n", "neither `count` nor `sum`"),
        ("kind,count\nbill,1.5\n", "`1.5` is not a whole number"),
        ("kind,sum\nbill,\"1,50\"\n", "`1,50` is not a number"),
        ("kind,sum\ncustomer,5\n", "a customer has no amount"),
        ("kind,period,count\nbill,2026-13,1\n", "`2026-13` is no period"),
        ("kind,currency,count\nbill,Euro,1\n", "`Euro` is no currency"),
        ("kind,cuont\nbill,1\n", "`cuont` is no column of a control file"),
        ("count\n1\n", "there is no column `kind`"),
        ("kind,count\nbill,1,2\n", "the line has 3 cells"),
        ("kind,count,count\nbill,1,2\n", "there are two columns `count`"),
    ],
)  # fmt: skip
def test_mistakes_of_a_control_file_are_named(control: str, says: str) -> None:
    loaded = load_control(control.encode(), "c.csv")
    assert loaded.policy is None
    shown = [render_problem(problem, {"c.csv": control}) for problem in loaded.problems]
    assert any(says in problem and "c.csv:" in problem for problem in shown), shown


def test_figures_of_a_mapping() -> None:
    using = mapping(MAPPING + "control:\n  - {kind: bill, currency: EUR, period: 2026, sum: 40.00}\n")
    assert [str(figure) for figure in using.control] == ["bill EUR 2026"]


@pytest.mark.parametrize("text", ["2026-1", "2026-02-30", "2026-03..2026-01", "..", "2026..", "x"])
def test_what_is_no_period(text: str) -> None:
    assert read_period(text) is None
