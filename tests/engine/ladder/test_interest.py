"""Interest by the year: bases, rates of their time, caps in amount and in time; booked like late fees."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ladder import load_collections
from engine.ladder.case import Case
from engine.ladder.late_fee import fee_of
from engine.ladder.model import CollectionsPolicy
from engine.ladder.state import Taken
from engine.ledger import Entry
from engine.ledger.charges import BASES, Basis, Rate, Stretch, counted, grown, rounded
from tests.engine.ladder.world import changed, evening, played, position_of, texts_of
from tests.engine.ledger.making import day, entry

BILL = entry("bill", "01-05", id="B1", due="01-25", amount="1000.00")
ASKED = "promise_to_pay:"


def under(interest: str) -> CollectionsPolicy:
    return changed(x=(ASKED, f"interest: {{{interest}}}\n{ASKED}"))


def interest(said: str, on: str, *more: Entry, bill: Entry = BILL) -> str:
    at = evening(day(on))
    position = position_of([bill, *more], at)
    case = Case(under(said), Taken(case="c", opened_at=at, opened_on=day("01-01")), position, at)
    rules = case.policy.interest
    assert rules is not None
    return str(fee_of(case, rules, case.account.debts[0], case.today))


TEN = "rate: 0.10 per year"


@pytest.mark.parametrize(
    ("said", "on", "more", "expected"),
    [
        # 1000 x 10 % x days / 365, from the day after the due date
        (TEN, "01-25", [], "0.00"),
        (TEN, "01-26", [], "0.27"),
        (TEN, "02-09", [], "4.11"),  # 15 days
        (TEN, "2027-01-25", [], "100.00"),
        (f"{TEN}, basis: act/365", "2028-03-01", [], "209.86"),  # 766 days: the leap day counts
        (f"{TEN}, basis: act/360", "02-09", [], "4.17"),
        (f"{TEN}, basis: act/360", "2027-01-25", [], "101.39"),
        # 30/360: from the 25th to 24 February are 29 days
        (f"{TEN}, basis: 30/360", "01-30", [], "1.39"),
        (f"{TEN}, basis: 30/360", "01-31", [], "1.39"),  # the 31st is the 30th
        (f"{TEN}, basis: 30/360", "02-24", [], "8.06"),
        (f"{TEN}, basis: 30/360", "2027-01-25", [], "100.00"),
        (f"{TEN}, from: due + P30D", "02-24", [], "0.27"),
        # the rate of a half-year, as statutes say it (BGB 247, directive 2011/7/EU)
        ("rate: {2026-01-01: 0.10 per year, 2026-02-05: 0.20 per year}", "02-09", [],
         "5.48"),  # 10 and 5 days
        ("rate: {2026-02-05: 0.20 per year}", "02-09", [], "2.74"),
        # what is paid, disputed or held grows nothing
        (TEN, "02-09", [entry("payment", "02-04", amount="500.00")], "3.42"),  # 10 at 1000, 5 at 500
        (TEN, "02-09", [entry("dispute", "02-05", id="D", amount="500.00", bill="B1")], "3.42"),
        (f"{TEN}, stops_in: [disaster]", "02-09",
         [entry("hold", "02-01", hold="disaster", until="2026-02-06")], "2.74"),
        # caps: a share of the principal, an amount, a time
        (f"{TEN}, cap: 0.05 of principal", "2027-01-25", [], "50.00"),
        (f"{TEN}, cap: 12.34", "2027-01-25", [], "12.34"),
        (f"{TEN}, cap: none", "2046-01-25", [], "2001.37"),
        (f"{TEN}, cap: principal", "2046-01-25", [], "1000.00"),
        (f"{TEN}, for: P15D", "2027-01-25", [], "4.11"),
        (f"{TEN}, for: P6M", "2027-01-25", [], "49.59"),  # 181 days
        # rounded once, half up
        (f"{TEN}, rounding: 1 half_up", "02-09", [], "4"),
    ],
)  # fmt: skip
def test_interest_by_hand(said: str, on: str, more: list[Entry], expected: str) -> None:
    assert interest(said, on, *more) == expected


def test_the_case_of_the_research_a_hundred_for_fifteen_days() -> None:
    hundred = entry("bill", "01-05", id="B1", due="01-25", amount="100.00")
    assert interest(TEN, "02-09", bill=hundred) == "0.41"


@pytest.mark.parametrize("basis", list(BASES))
@given(st.lists(st.integers(0, 4000), min_size=2, max_size=6).map(sorted))
def test_the_parts_of_a_time_add_up_to_the_whole(basis: Basis, days: list[int]) -> None:
    first = date(2020, 1, 1).toordinal()
    cuts = [first + n for n in days]
    whole = counted(basis, cuts[0], cuts[-1])
    assert sum(counted(basis, a, b) for a, b in pairwise(cuts)) == whole
    rates, balance = (Rate(date.min, Decimal("0.0951")),), Decimal("123.45")
    parts = [Stretch(a, b, balance) for a, b in pairwise(cuts)]
    once = grown(basis, rates, iter([Stretch(cuts[0], cuts[-1], balance)]), None)
    assert grown(basis, rates, iter(parts), None) == once
    exact = once / BASES[basis]
    assert abs(rounded(once, basis, Decimal("0.01")) - exact) <= Decimal("0.005")


def test_late_fee_and_interest_are_each_booked_once_and_cut_no_service() -> None:
    paid = entry("payment", "2026-02-09", id="P1", amount="1000.00")
    found = played([BILL, paid], date(2026, 2, 9), under(TEN))
    asked = {a.key: str(a.amount) for look in found.looks for a in look.step.actions if a.do == "fee"}
    assert asked == {
        "case/A1/1/B1/late_fee/1/fee.late_fee/do": "45.00",
        "case/A1/1/B1/interest/1/fee.interest/do": "4.11",
    }
    assert found.looks[-1].step.taken.ended == "cured"


def test_interest_of_a_payment_that_came_back_is_charged_for_the_days_that_are_missing() -> None:
    history = [BILL, entry("payment", "02-09", id="P1", amount="1000.00"),
               entry("payment_returned", "02-14", payment="P1"),
               entry("payment", "02-24", id="P2", amount="1000.00")]  # fmt: skip
    found = played(history, date(2026, 2, 24), under(TEN))
    asked = [(a.key.rsplit("/", 4)[1:3], str(a.amount)) for look in found.looks for a in look.step.actions
             if a.args == ("interest",)]  # fmt: skip
    assert asked == [(["interest", "1"], "4.11"), (["interest", "2"], "2.74")]  # 15 days, then 10 more


def test_a_billed_interest_is_no_reason_to_act() -> None:
    only = entry("bill", "01-05", id="I1", due="01-25", amount="500.00", category="interest")
    found = played([only], date(2026, 6, 1), under(TEN))
    assert [a for look in found.looks for a in look.step.actions if a.do == "service"] == []


@pytest.mark.parametrize(
    ("said", "code", "advice"),
    [
        ("rate: 0.10 per day", "not-understood", "write `0.09 per year`"),
        ("rate: 10% per year", "not-understood", "write `0.1 per year`"),
        (f"{TEN}, basis: act/366", "unknown-choice", "did you mean `act/365`?"),
        (
            f"{TEN}, cap: half",
            "not-a-fee-cap",
            "write `principal`, `none`, a share such as `0.3 of principal`",
        ),
        (f"{TEN}, for: P0D", "span-out-of-range", ""),
        (
            "rate: {2026-07-01: 0.1 per year, 2026-01-01: 0.2 per year}",
            "rates-out-of-order",
            "earlier day first",
        ),
        ("rate: {2026-13-01: 0.1 per year}", "no-such-day", ""),
        (f"{TEN}, stops_in: [flood]", "unknown-hold", ""),
        ("basis: act/365", "missing-key", ""),
    ],
)
def test_what_is_not_understood_is_told_with_what_to_write(said: str, code: str, advice: str) -> None:
    texts = texts_of("collections")
    text = texts["policy.yaml"].decode().replace(ASKED, f"interest: {{{said}}}\n{ASKED}")
    problems = load_collections(texts | {"policy.yaml": text.encode()}).problems
    assert [problem.code for problem in problems] == [code], problems
    assert advice in problems[0].advice
