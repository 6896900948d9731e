"""A cut that late news shows to be wrong stands where another bill is due for it by now, and only there."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.ladder.simulate import Played, show
from engine.ladder.state import TakenRow
from engine.ledger import Entry
from tests.engine.ladder.test_rules import act
from tests.engine.ladder.world import changed, played
from tests.engine.ledger.making import ZONE, entry

FIRST = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="100.00")
SECOND = entry("bill", "2026-02-01", id="B2", due="2026-02-20", amount="80.00")
"""Its final notice goes out on 12 March; alone it is barred on 23 March and suspended on 7 April."""
NOTE: dict[str, Any] = {"amount": "100.00", "bill": "B1"}
PAID: dict[str, Any] = {"amount": "100.00", "pays": [NOTE]}
OPEN = ["undo suspend service(open)", "undo suspend fee(suspension)"]
TO_BAR = ["undo suspend service(outgoing_barred)", "undo suspend fee(suspension)"]


def from_day(found: Played, day: str, *what: str) -> list[str]:
    """Return what was asked for from a day on, notices and fees of billing left out."""
    start = date.fromisoformat(f"2026-{day}")
    return [
        f"{look.at:%m-%d} {show(action)}"
        for look in found.looks
        if look.at.astimezone(ZONE).date() >= start
        for action in look.step.actions
        if action.do in ("service", "billing", *what)
    ]


def rows(found: Played) -> dict[str, TakenRow]:
    return {row.step: row for row in found.looks[-1].step.taken.rows if not row.announces}


@pytest.mark.parametrize(
    ("told", "undone", "then"),
    [
        ("03-20", OPEN, ["03-23 bar/2 service(outgoing_barred)", "04-07 suspend/2 service(suspended)"]),
        ("03-23", TO_BAR, ["04-07 suspend/2 service(suspended)"]),  # bar: B2 is noticed and 31 days old
        ("04-06", TO_BAR, ["04-07 suspend/2 service(suspended)"]),  # 45 days old, on a holiday
        ("04-07", [], []),
        ("04-10", [], []),  # the eve of a weekend: given back, it would stay open until Monday
        ("05-08", [], []),
    ],
)
@pytest.mark.parametrize(
    ("kind", "values"),
    [("credit_note", NOTE), ("payment", {"value_date": date(2026, 2, 10), **PAID})],
    ids=["a credit note", "a payment of an earlier day"],
)
def test_late_news_ends_as_if_the_other_bill_had_been_alone(
    kind: str, values: dict[str, Any], told: str, undone: list[str], then: list[str]
) -> None:
    news = entry(kind, f"2026-{told}", id="N", **{k: v for k, v in values.items() if k != "value_date"})
    if "value_date" in values:
        news = news.model_copy(update={"value_date": values["value_date"]})
    found = played([FIRST, SECOND, news], date(2026, 6, 30))
    end = [
        line for line in from_day(found, told, "fee") if "terminate" not in line and "late_fee" not in line
    ]
    lines = [f"{told} {line}" for line in undone]
    assert [line for line in end if "undo" in line] == lines
    assert [line for line in end if "undo" not in line and "fee" not in line] == then
    alone = played([SECOND], date(2026, 6, 30))
    last = "06-08 terminate service(terminated)"
    assert last in from_day(found, told)
    assert last in from_day(alone, told)


def test_a_cut_that_stands_for_another_bill_stands_since_the_day_on_which_that_was_due() -> None:
    note = entry("credit_note", "2026-04-10", id="N", **NOTE)
    found = rows(played([FIRST, SECOND, note], date(2026, 4, 11)))
    assert (found["bar"].due_from, found["suspend"].due_from) == (date(2026, 3, 23), date(2026, 4, 7))
    assert found["suspend"].done_on == date(2026, 3, 11)
    assert found["suspend"].debts == ("B1", "B2")


def test_a_payment_that_had_released_a_cut_on_an_earlier_day_does_so_until_the_next_one_was_due() -> None:
    late = entry("payment", "2026-03-15", "2026-04-10", id="P", **PAID)
    assert from_day(played([FIRST, SECOND, late], date(2026, 4, 30)), "04-10") == []
    soon = entry("payment", "2026-03-15", "2026-03-20", id="P", **PAID)
    assert from_day(played([FIRST, SECOND, soon], date(2026, 3, 31)), "03-20") == [
        "03-20 undo suspend service(open)", "03-23 bar/2 service(outgoing_barred)",
    ]  # fmt: skip


SKIPPED = act("03-11", "skip", "final_notice")
YOUNG = entry("bill", "2026-02-20", id="B2", due="2026-03-20", amount="80.00")
SMALL = entry("bill", "2026-02-01", id="B2", due="2026-02-20", amount="49.00")
DISPUTED = entry("dispute", "2026-03-15", id="D2", bill="B2", amount="80.00")


@pytest.mark.parametrize(
    "others",
    [[SECOND, SKIPPED], [YOUNG], [SMALL], [SECOND, DISPUTED], [SECOND, act("03-20", "stop")], []],
    ids=["not noticed", "too young", "too little", "disputed", "stopped", "no other bill"],
)
def test_service_is_given_back_at_once_where_no_other_bill_is_due_for_the_cut(others: list[Entry]) -> None:
    note = entry("credit_note", "2026-04-08", id="N", **NOTE)
    found = played([FIRST, *others, note], date(2026, 4, 8))
    assert from_day(found, "04-08", "fee") == [f"04-08 {line}" for line in OPEN]


def test_a_notice_of_the_other_bill_that_still_gives_time_keeps_nothing_cut() -> None:
    forced = act("04-01", "force", "final_notice")  # last day to pay: 7 April
    note = entry("credit_note", "2026-04-07", id="N", **NOTE)
    found = played([FIRST, SECOND, SKIPPED, forced, note], date(2026, 4, 30))
    assert from_day(found, "04-07") == [
        "04-07 undo suspend service(open)", "04-08 bar/2 service(outgoing_barred)",
        "04-15 suspend/2 service(suspended)",
    ]  # fmt: skip
    kept = entry("credit_note", "2026-04-08", id="N", **NOTE)  # the bar was due today, no suspension yet
    found = played([FIRST, SECOND, SKIPPED, forced, kept], date(2026, 4, 30))
    assert from_day(found, "04-08") == [
        "04-08 undo suspend service(outgoing_barred)", "04-15 suspend/2 service(suspended)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("04-13", ["04-13 undo suspend service(open)", "04-15 bar/2 service(outgoing_barred)"]),
        ("04-15", ["04-15 undo suspend service(outgoing_barred)"]),
    ],
)
def test_a_cut_stands_for_the_other_bill_from_a_run_on(told: str, asked: list[str]) -> None:
    by = changed(runs=("runs: daily", "runs: [1, 15]"))
    first = entry("bill", "2025-12-15", id="B1", due="2026-01-10", amount="100.00")
    second = entry("bill", "2026-02-15", id="B2", due="2026-03-07", amount="80.00")
    note = entry("credit_note", f"2026-{told}", id="N", **NOTE)  # B2 was noticed on 1 April
    assert from_day(played([first, second, note], date(2026, 4, 30), by), told) == asked


def test_what_was_placed_for_a_bill_that_was_never_owed_is_recalled_though_another_is_old_enough() -> None:
    late = "| agency        | >= 120 | >= 200.00 | terminate    |"
    soon = changed(agency=(late, "| agency        | >= 48  | >= 50.00  | suspend      |"))
    note = entry("credit_note", "2026-04-30", id="N", **NOTE)
    found = played([FIRST, SECOND, note], date(2026, 5, 2), soon)
    asked = [show(action) for look in found.looks for action in look.step.actions if action.step == "agency"]
    # B2 was placed as soon as its final notice had given its time; alone it had come to its age on 9 April.
    recalled = ["undo agency recall(agency)", "undo agency/2 recall(agency)"]
    assert asked == ["agency place(agency)", "agency/2 place(agency)", *recalled, "agency/3 place(agency)"]
    (placed,) = [a.debts for k in found.looks for a in k.step.actions if show(a) == "agency/2 place(agency)"]
    assert placed == ("B2",)
    assert from_day(found, "04-30") == []


def test_what_was_found_due_again_and_was_wrong_at_first_counts_from_when_it_was_right() -> None:
    dispute = entry("dispute", "2026-04-08", id="D1", bill="B1", amount="100.00")
    upheld = entry("dispute_resolved", "2026-04-20", id="E1", dispute="D1", outcome="upheld")
    found = played([FIRST, SECOND, dispute, upheld], date(2026, 6, 30))
    assert from_day(found, "04-08") == [
        "06-08 terminate service(terminated)", "06-08 terminate billing(stop)",
    ]  # fmt: skip
    assert rows(found)["suspend"].due_from == date(2026, 4, 7)


# a cut in force that comes to stand for the next bill


@pytest.mark.parametrize(("paid", "bar", "suspend"), [("04-10", "10", "11"), ("04-08", "08", "09")])
def test_a_cut_in_force_needs_no_allowed_day_to_stand_for_the_next_bill(
    paid: str, bar: str, suspend: str
) -> None:
    found = played([FIRST, SECOND, entry("payment", f"2026-{paid}", id="P", **PAID)], date(2026, 4, 20))
    stood = {row.step: row.stood_on for row in rows(found).values() if row.stood_on}
    assert stood == {"bar": date(2026, 4, int(bar)), "suspend": date(2026, 4, int(suspend))}
    assert from_day(found, paid) == []


def test_what_is_cut_anew_waits_for_an_allowed_day() -> None:
    found = played([FIRST, SECOND, entry("payment", "2026-03-28", id="P", **PAID)], date(2026, 4, 20))
    assert from_day(found, "03-28") == [
        "03-28 undo suspend service(outgoing_barred)", "04-07 suspend/2 service(suspended)",
    ]  # fmt: skip
    assert rows(found)["bar"].stood_on == date(2026, 3, 28)  # a Saturday


# a part that bounces

SOONER = changed(
    bar=("|| service(outgoing_barred)            | overdue < 5.00 |\n    | suspend",
         "|| service(outgoing_barred)            | overdue < 50.00 |\n    | suspend"),
    suspend=("fee(suspension) | overdue < 5.00 |", "fee(suspension) | overdue < 50.00 |"),
)  # fmt: skip
PART = entry("payment", "2026-03-16", id="P1", amount="60.00")


def back(on: str, of: str = "P1") -> Entry:
    return entry("payment_returned", f"2026-{on}", id=f"R-{of}", payment=of)


@pytest.mark.parametrize(
    ("news", "asked"),
    [
        ([back("03-24")], ["03-24 suspend/2 service(suspended)"]),
        ([back("04-15")], ["04-15 suspend/2 service(suspended)"]),  # the 30th day
        (
            [back("04-16")],
            ["04-16 final_notice/2 notify(letter, final_notice)", "04-23 bar/2 service(outgoing_barred)"],
        ),
        (  # it had not come when the level fell
            [
                entry("payment", "2026-03-18", id="P2", amount="20.00"),
                back("03-24", "P2"), entry("adjustment", "2026-03-25", amount="20.00", bill="B1"),
            ],
            ["03-25 final_notice/2 notify(letter, final_notice)", "04-01 bar/2 service(outgoing_barred)",
             "04-08 suspend/2 service(suspended)"],
        ),
        (
            [entry("refund", "2026-03-24", payment="P1", amount="60.00")],
            ["03-24 final_notice/2 notify(letter, final_notice)", "03-31 bar/2 service(outgoing_barred)",
             "04-07 suspend/2 service(suspended)"],
        ),
        (
            [back("03-24"), entry("return_reversed", "2026-03-26", id="V", returned="R-P1")],
            ["03-24 suspend/2 service(suspended)", "03-26 undo suspend/2 service(open)"],
        ),
    ],
    ids=["soon", "on the last day", "too late", "another payment", "a refund", "reversed"],
)  # fmt: skip
def test_a_part_that_had_ended_a_cut_and_bounces_finds_its_rows_standing(
    news: list[Entry], asked: list[str]
) -> None:
    found = played([FIRST, PART, *news], date(2026, 4, 27), SOONER)
    assert from_day(found, "03-16", "notify") == ["03-16 undo suspend service(open)", *asked]


def test_a_part_that_bounces_before_the_cut_finds_its_notice_standing() -> None:
    part = entry("payment", "2026-02-20", id="P1", amount="60.00")
    found = played([FIRST, part, back("02-24")], date(2026, 3, 20))
    assert from_day(found, "02-20", "notify") == [
        "02-25 bar service(outgoing_barred)", "03-11 suspend service(suspended)",
    ]  # fmt: skip
