"""Which money paid which debt, as it is reported back."""

from __future__ import annotations

from decimal import Decimal

from engine.ledger import allocation_report
from tests.engine.ledger.making import TERMS, day, entry, noon

B1 = entry("bill", "01-05", id="B1", due="01-25", amount="100.00")
B2 = entry("bill", "02-05", id="B2", due="02-25", amount="100.00")


def test_each_payment_says_what_it_paid_in_which_order() -> None:
    payment = entry(
        "payment", "03-01", id="P1", amount="190.00",
        pays=[{"bill": "B2", "amount": "60.00"}, {"bill": "B7", "amount": "20.00"}],
    )  # fmt: skip
    refund = entry("refund", "03-02", id="Z1", amount="5.00", payment="P1")
    found = allocation_report(TERMS, [B1, B2, payment, refund], noon(day("03-05")))[0]
    assert found.source == "payment P1"
    # 60.00 as named, 100.00 to the oldest, 10.00 more to the next; the refund takes back what was paid last
    paid = [(part.debt, part.amount) for part in found.paid]
    assert paid == [("B2", Decimal("70.00")), ("B1", Decimal("95.00"))]
    assert (found.waiting, found.credit, found.refunded) == (Decimal("20.00"), Decimal("0"), Decimal("5.00"))


def test_a_payment_that_came_back_paid_nothing() -> None:
    history = [
        B1,
        entry("payment", "01-20", id="P1", amount="100.00"),
        entry("payment_returned", "02-01", payment="P1"),
    ]
    found = allocation_report(TERMS, history, noon(day("02-05")))[0]
    assert (found.returned, found.paid, found.credit) == (True, (), Decimal(0))


def test_deposits_and_credit_notes_without_a_bill_are_money_too() -> None:
    history = [
        B1, entry("deposit", "01-01", id="D1", amount="60.00", move="held"),
        entry("deposit", "02-01", id="D2", amount="60.00", move="applied"),
        entry("credit_note", "02-02", id="C1", amount="50.00"),
    ]  # fmt: skip
    found = {
        a.source: (sum((p.amount for p in a.paid), Decimal(0)), a.credit)
        for a in allocation_report(TERMS, history, noon(day("02-05")))
    }
    assert found == {
        "deposit D2": (Decimal("60.00"), Decimal(0)),
        "credit_note C1": (Decimal("40.00"), Decimal("10.00")),
    }
