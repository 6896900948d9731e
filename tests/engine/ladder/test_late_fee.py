"""Late fees: by the day, on what is owed and undisputed, rounded once, capped, and never counted twice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from engine.ladder.case import Case
from engine.ladder.late_fee import fee_of
from engine.ladder.simulate import Event, Reply, Scenario, play
from engine.ladder.state import Taken
from engine.ledger import Entry
from tests.engine.ladder.world import (
    calendar,
    changed,
    evening,
    law,
    local,
    played,
    policy,
    position_of,
    told,
)
from tests.engine.ledger.making import TERMS, day, entry

BILL = entry("bill", "01-05", id="B1", due="01-25", amount="100.00")


def fee(on: str, *more: Entry, bill: Entry = BILL) -> Decimal:
    at = evening(day(on))
    case = Case(
        policy(), Taken(case="c", opened_at=at, opened_on=day("01-01")), position_of([bill, *more], at), at
    )  # fmt: skip
    rules = policy().late_fee
    assert rules is not None
    return fee_of(case, rules, case.account.debts[0], case.today)


@pytest.mark.parametrize(
    ("on", "more", "expected"),
    [
        ("01-25", [], "0.00"),
        ("01-26", [], "0.30"),
        ("02-24", [], "9.00"),  # thirty days
        # the day of a payment counts at the balance before it
        ("02-24", [entry("payment", "02-04", amount="50.00")], "6.00"),
        ("02-24", [entry("payment", "02-04", amount="100.00")], "3.00"),
        # a payment that came back counts as if it had not been there from then on
        ("02-24", [entry("payment", "02-04", id="P", amount="100.00"),
                   entry("payment_returned", "02-14", payment="P")], "6.00"),
        # a correction downwards counts from the beginning, one upwards from its own day
        ("02-24", [entry("credit_note", "02-14", amount="40.00", bill="B1")], "5.40"),
        ("02-24", [entry("adjustment", "02-14", amount="40.00", bill="B1")], "10.20"),
        ("02-24", [entry("adjustment", "02-14", amount="40.00", bill="B1"),
                   entry("credit_note", "02-19", amount="40.00", bill="B1")], "9.00"),
        ("02-24", [entry("adjustment", "02-14", amount="40.00", bill="B1"),
                   entry("credit_note", "02-19", amount="60.00", bill="B1")], "7.20"),
        ("02-24", [entry("payment", "02-04", amount="100.00"),
                   entry("adjustment", "02-14", amount="40.00", bill="B1")], "4.20"),
        ("02-24", [entry("payment", "02-04", amount="100.00"),
                   entry("adjustment", "02-14", amount="40.00", bill="B1"),
                   entry("payment", "02-19", id="P2", amount="40.00"),
                   entry("credit_note", "02-20", amount="40.00", bill="B1")], "3.00"),
        # what is given up was owed until then, also when nothing is left
        ("02-24", [entry("write_down", "02-14", amount="40.00", bill="B1")], "7.80"),
        ("02-24", [entry("write_down", "02-14", amount="100.00", bill="B1")], "6.00"),
        ("02-24", [entry("write_down", "02-14", amount="40.00", bill="B1"),
                   entry("payment", "02-19", amount="60.00")], "6.90"),
        # what is disputed grows nothing while it is, and what is upheld never did
        ("02-24", [entry("dispute", "02-04", id="D", amount="40.00", bill="B1")], "6.48"),
        ("02-24", [entry("dispute", "02-04", id="D", amount="40.00", bill="B1"),
                   entry("dispute_resolved", "02-14", dispute="D", outcome="rejected")], "7.80"),
        ("02-24", [entry("dispute", "02-04", id="D", amount="40.00", bill="B1"),
                   entry("dispute_resolved", "02-14", dispute="D", outcome="upheld")], "5.40"),
        ("02-24", [entry("dispute", "02-04", id="D", amount="40.00", bill="B1"),
                   entry("dispute_resolved", "02-14", id="E", dispute="D", outcome="upheld"),
                   entry("credit_note", "02-20", amount="40.00", bill="B1")], "5.40"),
        # the policy stops it in a disaster and in hardship, not in a legal stay
        ("02-24", [entry("hold", "02-04", hold="disaster", until="2026-02-14")], "6.00"),
        ("02-24", [entry("hold", "02-04", id="1", hold="disaster", until="2026-02-14"),
                   entry("hold", "02-09", id="2", hold="hardship", until="2026-02-19")], "4.50"),
        ("02-24", [entry("hold", "02-04", hold="legal_stay", until="2026-02-14")], "9.00"),
    ],
)  # fmt: skip
def test_a_late_fee_grows_by_the_day(on: str, more: list[Entry], expected: str) -> None:
    assert fee(on, *more) == Decimal(expected)


def test_a_draft_grows_nothing_before_it_was_issued() -> None:
    draft = BILL.model_copy(update={"draft": True})
    assert fee("02-24", entry("bill_issued", "02-14", bill="B1"), bill=draft) == Decimal("3.00")


def test_it_is_rounded_half_up_to_the_cent_and_once() -> None:
    odd = entry("bill", "01-05", id="B1", due="01-25", amount="33.33")
    assert fee("01-26", bill=odd) == Decimal("0.10")  # 0.09999
    assert fee("01-30", bill=odd) == Decimal("0.50")  # 0.49995
    half = entry("bill", "01-05", id="B1", due="01-25", amount="5.00")
    assert fee("01-26", bill=half) == Decimal("0.02")  # 0.015


def test_it_is_never_more_than_the_bill() -> None:
    assert fee("2027-03-01", bill=BILL) == Decimal("100.00")


def test_a_fee_that_does_not_come_out_even_stops_no_case() -> None:
    odd = entry("bill", "01-05", id="B1", due="01-25", amount="33.33")
    paid = entry("payment", "02-03", id="P1", amount="33.33")
    found = played([odd, paid], date(2026, 2, 3))
    asked = [a for look in found.looks for a in look.step.actions if a.do == "fee"]
    assert [str(action.amount) for action in asked] == ["0.90"]
    assert found.looks[-1].step.taken.ended == "cured"


def test_a_fee_that_is_not_booked_in_two_days_holds_nothing_up() -> None:
    paid = entry("payment", "2026-02-24", id="P1", amount="100.00")
    silent = changed(confirm=("confirm: {within: P2D, restored_within: PT24H}", "confirm: {within: P2D}"))

    yes = [
        Event(local("01-28", "09:00"), "", reply=Reply("reminder notify(sms, reminder)", "done")),
        Event(local("02-14", "09:00"), "", reply=Reply("final_notice notify(letter, final_notice)", "done")),
    ]
    scenario = Scenario(TERMS, (*told([BILL, paid]), *yes), evening(date(2026, 2, 27)), receiver="explicit")
    found = play(silent, law(), calendar(), scenario)
    first, then = (look for look in found.looks if look.at == local("02-24", "08:00"))
    assert [action.key for action in first.step.actions] == ["case/A1/1/B1/late_fee/1/fee.late_fee/do"]
    assert then.step.open
    assert then.step.wake_at == local("02-27")
    assert found.looks[-1].step.taken.ended == "cured"
    assert found.looks[-1].at == local("02-27")


PARTS = [{"due_date": "2026-01-25", "amount": "60.00"}, {"due_date": "2026-02-25", "amount": "40.00"}]


@pytest.mark.parametrize(
    ("bill", "amount", "dispute"),
    [
        # of 60.00 for ten days at 0.3 % a day; a dispute takes its part out once, of a plan from its end
        ("IN", "0", "1.80"),
        ("IN", "30.00", "0.90"),
        ("IN", "60.00", "0.00"),
        ("PL", "40.00", "1.80"),
        ("PL", "70.00", "0.90"),
        ("B1", "40.00", "1.80"),
        ("B1", "70.00", "0.90"),
        ("B1", "100.00", "0.00"),
    ],
)
def test_nothing_grows_on_the_disputed_part_of_an_instalment(bill: str, amount: str, dispute: str) -> None:
    plan = bill in ("PL", "B1")
    values: dict[str, Any] = {"category": "plan", "replaces": ["B1"]} if plan else {}
    values |= {"id": "PL" if plan else "IN", "amount": "100.00", "instalments": PARTS}
    debt = entry("bill", "01-20", due="02-25", **values)
    said = [entry("dispute", "01-22", id="D", bill=bill, amount=amount)] if amount != "0" else []
    at = evening(day("02-04"))
    known = position_of([*([BILL] if plan else []), debt, *said], at)
    case = Case(policy(), Taken(case="c", opened_at=at, opened_on=day("01-01")), known, at)
    rules = policy().late_fee
    assert rules is not None
    (first,) = (one for one in case.account.debts if one.id.endswith("/1"))
    assert fee_of(case, rules, first, case.today) == Decimal(dispute)
