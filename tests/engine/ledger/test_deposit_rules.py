"""What a policy asks for of a deposit: by hand, from its taking in to the refund of the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ladder import load_collections
from engine.ledger import Entry
from engine.ledger.charges import Rate
from engine.ledger.deposit_rules import DepositInterest, DepositLook, DepositRules, deposit_look
from tests.engine.ladder.world import changed, texts_of
from tests.engine.ledger.making import FIRST, LATE, TERMS, day, entries, entry

TWO = DepositInterest((Rate(FIRST.replace(year=2020), Decimal("0.02")),))
YEARLY = DepositInterest(TWO.rates, "30/360", "yearly")
RULES = DepositRules(12, TWO, top_up=True)


def move(on: str, what: str, amount: str, **more: Any) -> Entry:
    return entry("deposit", on, id=f"{what}-{on}", move=what, amount=amount, **more)


HELD = [move("01-05", "requested", "200"), move("01-10", "held", "200")]
BILL = entry("bill", "03-01", id="B1", amount="80", due="03-20")
ENDS = entry("demand", "06-01", id="X", source="customer", level="terminated")


def look(on: str, *history: Entry, rules: DepositRules = RULES) -> DepositLook:
    return deposit_look(rules, TERMS, history, day(on), LATE)


def asked(on: str, *history: Entry, rules: DepositRules = RULES) -> list[str]:
    return [f"{one.what}/{one.number} {one.amount}" for one in look(on, *history, rules=rules).asks]


@pytest.mark.parametrize(
    ("history", "on", "expected"),
    [
        (HELD, "2027-01-09", []),
        (HELD, "2027-01-10", ["interest/1 4.00", "release/1 204.00"]),  # 200 x 2 % x 365/365
        (HELD[:1], "2028-01-10", []),  # asked for, never held
        # paid within its due date: good; a day late: the months begin again
        ([*HELD, BILL, entry("payment", "03-20", amount="80")], "2027-01-10",
         ["interest/1 4.00", "release/1 204.00"]),
        ([*HELD, BILL, entry("payment", "03-25", amount="80")], "2027-01-10", []),
        ([*HELD, BILL, entry("payment", "03-25", amount="80")], "2027-03-24", []),
        ([*HELD, BILL, entry("payment", "03-25", amount="80")], "2027-03-25",
         ["interest/1 4.81", "release/1 204.81"]),  # 439 days
        ([*HELD, BILL], "2027-06-01", []),  # past due to this day
        # what is disputed whole is not unpaid late
        ([*HELD, BILL, entry("dispute", "03-15", id="D", bill="B1", amount="80")], "2027-01-10",
         ["interest/1 4.00", "release/1 204.00"]),
        # booked in part: the interest is no more asked for
        ([*HELD, move("2027-01-10", "interest", "4.00")], "2027-01-10", ["release/1 204.00"]),
        ([*HELD, move("2027-01-10", "interest", "4.00"), move("2027-01-10", "released", "204.00")],
         "2027-01-11", []),
        # applied to debt: what is missing is asked for, once for each application
        ([*HELD, move("06-01", "applied", "120")], "06-01", ["top_up/1 120"]),
        ([*HELD, move("06-01", "applied", "120"), move("06-20", "topped_up", "100")], "06-20",
         ["top_up/1 20"]),
        ([*HELD, move("06-01", "applied", "120"), move("06-20", "topped_up", "120")], "06-20", []),
        ([*HELD, move("06-01", "applied", "120"), move("06-20", "topped_up", "120"),
          move("08-01", "applied", "50")], "08-01", ["top_up/2 50"]),
        ([*HELD, move("06-01", "applied", "120"),
          entry("deposit_review", "06-02", outcome="keep", amount="80")],
         "06-03", []),
        # at the end it pays what is owed, and the rest goes back
        ([*HELD, BILL, ENDS], "06-01", ["apply/1 80"]),
        ([*HELD, BILL, ENDS, move("06-02", "applied", "80")], "06-02",
         ["interest/1 1.57", "refund/1 121.57"]),
        ([*HELD, BILL, ENDS, entry("payment", "06-03", amount="80")], "06-03",
         ["interest/1 1.58", "refund/1 201.58"]),
        ([*HELD, BILL, ENDS, entry("dispute", "05-01", id="D", bill="B1", amount="80")], "06-03", []),
        ([*HELD, ENDS, entry("demand", "06-02", id="Y", source="customer", level="open")], "06-03", []),
    ],
)  # fmt: skip
def test_what_is_asked_for_on_a_day(history: list[Entry], on: str, expected: list[str]) -> None:
    assert asked(on, *history) == expected


@pytest.mark.parametrize(
    ("on", "more", "expected"),
    [
        ("2027-01-09", [], []),
        ("2027-01-10", [], ["interest/1 4.00"]),
        ("2027-06-01", [], ["interest/1 4.00"]),  # late: up to the anniversary, no further
        ("2027-06-01", [move("2027-01-10", "interest", "4.00")], []),
        ("2028-01-10", [move("2027-01-10", "interest", "4.00")], ["interest/2 4.00"]),
    ],
)
def test_interest_that_is_credited_each_year(on: str, more: list[Entry], expected: list[str]) -> None:
    assert asked(on, *HELD, *more, rules=DepositRules(None, YEARLY)) == expected


def test_a_rate_that_changes_counts_from_its_day() -> None:
    rates = (Rate(day("01-01"), Decimal("0.02")), Rate(day("07-10"), Decimal("0.04")))
    rules = DepositRules(12, DepositInterest(rates))
    # 181 days at 2 %, 184 at 4 %: 200 x (3.62 + 7.36) / 365
    assert asked("2027-01-10", *HELD, rules=rules) == ["interest/1 6.02", "release/1 206.02"]


def test_the_next_day_is_told_when_nothing_else_comes() -> None:
    assert look("06-01", *HELD).next_day == day("2027-01-10")
    assert look("06-01", *HELD, rules=DepositRules(6, YEARLY)).next_day == day("07-10")
    late = [*HELD, BILL, entry("payment", "03-25", amount="80")]
    assert look("06-01", *late).next_day == day("2027-03-25")
    assert look("06-01", *HELD, BILL).next_day is None  # only news can change it


def test_a_termination_that_was_carried_out_ends_the_account() -> None:
    done = entry("receipt", "06-01", id="R", key="case/A1/1/account/terminate/1/service.terminated/do",
                 status="done", at="2026-06-01T10:00:00+08:00")  # fmt: skip
    assert asked("06-01", *HELD, done) == ["interest/1 1.56", "refund/1 201.56"]
    assert asked("06-01", *HELD, done, rules=DepositRules(12, TWO, at_closing=False)) == []


@given(st.lists(entries(), max_size=14), st.data())
def test_what_is_asked_for_follows_from_the_ledger_alone(history: list[Entry], data: st.DataObject) -> None:
    on = data.draw(st.dates(FIRST, LATE.date()))
    found = deposit_look(RULES, TERMS, history, on, LATE)
    assert deposit_look(RULES, TERMS, data.draw(st.permutations(history)), on, LATE) == found
    assert all(one.amount > 0 for one in found.asks)
    assert found.next_day is None or found.next_day > on


TEXT = """deposits:
  release: 12 good months
  interest: {rate: 0.02 per year, basis: 30/360, credited: yearly}
  top_up: after_application
  at_closing: refund
"""
NEXT = "promise_to_pay:"


def test_a_policy_says_it_in_words() -> None:
    rules = changed(x=(NEXT, f"{TEXT}\n{NEXT}")).deposits
    assert rules is not None
    assert rules.interest is not None
    assert (rules.good_months, rules.top_up, rules.at_closing) == (12, True, True)
    assert (rules.interest.rates[0].share, rules.interest.basis, rules.interest.credited) == (
        Decimal("0.02"), "30/360", "yearly",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "code", "advice"),
    [
        ("release: 12", "not-good-months", "write `12 good months`"),
        ("release: P12M", "not-good-months", "write `12 good months`"),
        ("release: 0 good months", "not-good-months", "write `12 good months`"),
        ("interest: {rate: 2% per year}", "not-understood", "write `0.02 per year`"),
        ("interest: {basis: act/365}", "missing-key", ""),
        ("top_up: always", "unknown-choice", ""),
        ("relase: 12 good months", "unknown-key", "did you mean `release`?"),
    ],
)
def test_what_is_not_understood_is_told(said: str, code: str, advice: str) -> None:
    texts = texts_of("collections")
    text = texts["policy.yaml"].decode().replace(NEXT, f"deposits: {{{said}}}\n{NEXT}")
    problems = load_collections(texts | {"policy.yaml": text.encode()}).problems
    assert [problem.code for problem in problems] == [code], problems
    assert advice in problems[0].advice
