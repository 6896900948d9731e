"""A deposit that was applied holds back what is severe until the ledger says so."""

from __future__ import annotations

from datetime import date

import pytest

from engine.ladder.simulate import Event, Reply
from tests.engine.ladder.test_rules import BILL, last, said
from tests.engine.ladder.world import local, played
from tests.engine.ledger.making import entry

HELD = entry("deposit", "2026-01-06", id="D1", amount="300.00", move="held")


def test_a_deposit_that_was_applied_holds_back_what_is_severe_until_the_ledger_says_so() -> None:
    found = played([BILL, HELD], date(2026, 7, 31))
    assert said(found, "2026-04-01") == [
        "04-25 set_off apply(deposit)",
        "04-27 set_off task(deposit_not_booked)",
        "05-16 reminder/2 notify(sms, reminder)",
    ]


def test_once_the_ledger_says_so_the_deposit_pays() -> None:
    applied = entry("deposit", "2026-04-26", id="D2", amount="300.00", move="applied")
    found = played([BILL, HELD, applied], date(2026, 7, 31))
    assert last(found).step.taken.ended == "cured"
    assert not [line for line in said(found) if "deposit_not_booked" in line]


def test_a_deposit_that_pays_only_a_part_does_not_hold_back_the_rest() -> None:
    small = entry("deposit", "2026-01-06", id="D1", amount="50.00", move="held")
    found = played([BILL, small], date(2026, 5, 11))
    assert said(found, "2026-05-11") == [
        "05-11 terminate service(terminated)",
        "05-11 terminate billing(stop)",
    ]


@pytest.mark.parametrize("first", ["2026-04-26", "2026-04-28"])
def test_a_deposit_that_is_topped_up_meanwhile_is_still_awaited_and_then_found(first: str) -> None:
    more = entry("deposit", first, id="D2", amount="10.00", move="topped_up")
    later = entry("deposit", "2026-05-20", id="D3", amount="300.00", move="applied")
    found = played([BILL, HELD, more, later], date(2026, 7, 31))
    assert not [line for line in said(found, "2026-04-26") if "terminate" in line]
    assert last(found).step.taken.ended == "cured"


def test_a_deposit_that_could_not_be_applied_is_not_awaited() -> None:
    for status, awaited in (("done", "300.00"), ("failed", "0")):
        reply = Event(local("04-25", "10:00"), "", reply=Reply("set_off apply(deposit)", status))  # type: ignore[arg-type]  # words of receipts
        found = played([BILL, HELD], date(2026, 4, 25), more=(reply,))
        (row,) = [row for row in last(found).step.taken.rows if row.step == "set_off"]
        assert str(row.deposit) == awaited


def test_a_deposit_holds_back_nothing_for_debts_that_it_was_not_applied_for() -> None:
    other = entry("bill", "2026-04-05", id="B2", due="2026-04-26", amount="200.00")
    paid = entry("payment", "2026-04-28", id="P1", amount="300.00", pays=[{"bill": "B1", "amount": "300.00"}])
    found = played([BILL, HELD, other, paid], date(2026, 6, 30))
    assert [line[:9] for line in said(found, "2026-05-15")] == [
        "05-16 fin",
        "05-27 bar",
        "06-10 sus",
        "06-10 sus",
    ]
