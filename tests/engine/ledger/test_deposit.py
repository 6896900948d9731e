"""Deposits: asked for, held, topped up, earning interest, reviewed, released after good months, applied."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ledger import Deposit, Entry, deposit_at, deposit_interest, position_at
from tests.engine.ledger.making import LATE, TERMS, day, entries, entry, opens, position


def move(on: str, what: str, amount: str, **more: Any) -> Entry:
    return entry("deposit", on, id=f"{what}-{on}", move=what, amount=amount, **more)


def held(*history: Entry, on: str) -> Deposit:
    return deposit_at(history, day(on), LATE)


ASKED = [move("01-05", "requested", "200"), move("01-10", "held", "150")]


def test_what_is_asked_for_is_not_held_yet() -> None:
    first = held(*ASKED, on="01-06")
    assert [*map(str, (first.asked, first.held, first.missing, first.since))] == ["200", "0", "200", "None"]
    then = held(*ASKED, move("02-01", "topped_up", "50"), on="02-02")
    assert [*map(str, (then.held, then.missing, then.since))] == ["200", "0", "2026-01-10"]
    assert then.sources == ("deposit requested-01-05", "deposit held-01-10", "deposit topped_up-02-01")


def test_a_review_says_what_is_asked_from_now_on() -> None:
    review = entry("deposit_review", "07-01", outcome="top_up", amount="300", reason="grade C")
    found = held(*ASKED, review, on="07-02")
    assert [*map(str, (found.asked, found.missing, found.reviewed_on))] == ["300", "150", "2026-07-01"]
    assert held(*ASKED, review, on="06-30").asked == 200
    release = entry("deposit_review", "07-01", outcome="release", amount="0")
    gone = held(*ASKED, release, move("07-03", "released", "150"), on="07-04")
    assert [*map(str, (gone.asked, gone.held, gone.released, gone.since))] == ["0", "0", "150", "None"]


BILL = entry("bill", "02-01", id="B1", amount="80", due="02-20")


@pytest.mark.parametrize(
    ("history", "on", "months"),
    [
        ([], "01-10", 0),
        ([], "02-09", 0),
        ([], "02-10", 1),
        ([], "2027-01-10", 12),
        ([BILL, entry("payment", "02-20", amount="80")], "04-10", 3),
        ([BILL, entry("payment", "02-21", amount="80")], "04-10", 3),
        ([BILL, entry("payment", "02-25", amount="80")], "04-24", 1),
        ([BILL, entry("payment", "02-25", amount="80")], "04-25", 2),
        ([BILL], "04-10", 0),
        ([BILL, entry("dispute", "02-15", id="D", bill="B1", amount="80")], "04-10", 3),
        # what was paid of it late was late, though the rest is disputed; a part disputed in time is not
        ([BILL, entry("dispute", "02-15", id="D", bill="B1", amount="30"),
          entry("payment", "03-25", amount="50")], "04-25", 1),
        ([BILL, entry("dispute", "02-15", id="D", bill="B1", amount="30"),
          entry("payment", "02-20", amount="50")], "04-10", 3),
        ([BILL, entry("write_off_mark", "02-15", bill="B1")], "04-10", 0),
        ([BILL, entry("payment", "02-20", amount="80"), move("03-01", "released", "150"),
          move("03-05", "held", "90")], "04-10", 1),
    ],
)  # fmt: skip
def test_good_months_are_those_without_arrears_while_it_is_held(
    history: list[Entry], on: str, months: int
) -> None:
    found = held(*ASKED, *history, on=on)
    assert found.good_months == months
    assert found.may_be_released(months) is True
    assert found.may_be_released(months + 1) is False


@pytest.mark.parametrize(
    ("history", "on", "interest"),
    [
        ([], "2027-01-10", "3.00"),
        ([], "01-10", "0.00"),
        ([move("01-10", "topped_up", "150")], "2027-01-10", "6.00"),
        ([move("07-11", "released", "150")], "2027-01-10", "1.50"),
        ([move("07-11", "interest", "1.50")], "2027-01-10", "1.50"),
        ([move("07-11", "interest", "9.00")], "2027-01-10", "0"),
        ([move("07-11", "interest", "1.50"), move("07-11", "released", "151.50"),
          move("2027-01-10", "held", "10")], "2027-01-10", "0.00"),
    ],
)  # fmt: skip
def test_interest_by_rule_less_what_was_credited(history: list[Entry], on: str, interest: str) -> None:
    found = deposit_interest([*ASKED, *history], day(on), LATE, rate=Decimal("0.02"))
    assert found == Decimal(interest)


def test_an_applied_deposit_pays_like_money() -> None:
    applied = position(BILL, *ASKED, move("03-01", "applied", "80"), on="03-02")
    assert opens(applied) == {}
    assert applied.deposit == 70


@given(st.lists(entries(), max_size=14), st.randoms(use_true_random=False))
def test_what_is_held_is_what_the_position_says_in_any_order(history: list[Entry], random: Any) -> None:
    found = deposit_at(history, LATE.date(), LATE)
    random.shuffle(history)
    assert found == deposit_at(history, LATE.date(), LATE)
    assert found.held == position_at(TERMS, history, LATE).deposit
