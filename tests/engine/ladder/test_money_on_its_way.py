"""Money that is there and has paid nothing yet: for a bill that nobody knows."""

from __future__ import annotations

from datetime import date

import pytest

from engine.ledger import Entry
from tests.engine.ladder.test_rules import BILL, said
from tests.engine.ladder.world import played
from tests.engine.ledger.making import entry


def unknown(on: str, amount: str, reference: str = "P1", bill: str = "B9") -> Entry:
    share = {"bill": bill, "amount": amount}
    return entry("payment", on, id=reference, amount=amount, pays=[share])


TOLD = "suspend task(unallocated_payment)"


@pytest.mark.parametrize(
    ("amount", "asked"), [("341.40", [f"03-12 {TOLD}"]), ("295.01", [f"03-12 {TOLD}"]), ("295.00", [])]
)
def test_money_that_would_release_service_reaches_a_person_at_once(amount: str, asked: list[str]) -> None:
    found = played([BILL, unknown("2026-03-12", amount)], date(2026, 4, 20))
    assert said(found, "2026-03-12") == asked


def test_before_anything_is_cut_only_what_is_severe_asks_for_a_person() -> None:
    found = played([BILL, unknown("2026-02-10", "300.00")], date(2026, 2, 28))
    assert said(found, "2026-02-10") == ["02-14 final_notice task(unallocated_payment)"]


def test_money_for_another_unknown_bill_is_told_apart() -> None:
    second = unknown("2026-03-16", "60.00", "P2", "B8")
    found = played([BILL, unknown("2026-03-12", "300.00"), second], date(2026, 4, 20))
    assert said(found, "2026-03-12") == [f"03-12 {TOLD}", f"03-16 {TOLD}"]
