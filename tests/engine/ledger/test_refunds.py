"""Money that goes out: a refund whose payment comes back is owed, and none goes out that never came in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from engine.ledger import Entry, allocation_report, deposit_at, entry_problems, facts_at, position_at
from engine.ledger.deposit import deposit_interest
from engine.ledger.unmatched import unmatched
from tests.engine.ledger.making import LATE, TERMS, day, entry, noon, opens, position

B1 = entry("bill", "01-05", id="B1", due="01-25", amount="100.00")
B2 = entry("bill", "02-05", id="B2", due="02-25", amount="60.00")
P1 = entry("payment", "01-20", id="P1", amount="100.00")
MORE = entry("payment", "01-20", id="P1", amount="130.00")
P2 = entry("payment", "01-22", id="P2", amount="50.00")
BACK = entry("payment_returned", "03-01", id="R1", payment="P1", reason="chargeback")
AGAIN = entry("return_reversed", "03-10", id="V1", returned="R1")


def refund(on: str, amount: str, payment: str = "P1", name: str = "Z1") -> Entry:
    return entry("refund", on, id=name, amount=amount, payment=payment)


@pytest.mark.parametrize(
    ("history", "open_", "credit"),
    [
        # refunded, then returned: the customer has the money twice
        ([B1, P1, refund("02-01", "100.00"), BACK], {"B1": "100.00", "refund:Z1": "100.00"}, "0"),
        ([B1, P1, refund("02-01", "40.00"), BACK], {"B1": "100.00", "refund:Z1": "40.00"}, "0"),
        ([B1, MORE, refund("02-01", "30.00"), BACK], {"B1": "100.00", "refund:Z1": "30.00"}, "0"),
        ([B1, MORE, refund("02-01", "30.00", ""), BACK], {"B1": "100.00", "refund:Z1": "30.00"}, "0"),
        ([B1, MORE, refund("02-01", "20.00"), refund("02-02", "15.00", name="Z2"), BACK],
         {"B1": "100.00", "refund:Z1": "20.00", "refund:Z2": "15.00"}, "0"),
        # returned, then refunded: the same
        ([B1, P1, BACK, refund("03-02", "100.00")], {"B1": "100.00", "refund:Z1": "100.00"}, "0"),
        ([B1, P1, BACK, refund("03-01", "40.00")], {"B1": "100.00", "refund:Z1": "40.00"}, "0"),
        # the return is reversed: the refund is no debt any more
        ([B1, P1, refund("02-01", "40.00"), BACK, AGAIN], {"B1": "40.00"}, "0"),
        ([B1, MORE, refund("02-01", "30.00"), BACK, AGAIN], {}, "0"),
        ([B1, P1, BACK, refund("03-02", "100.00"), AGAIN], {"B1": "100.00"}, "0"),
        # and what was paid of it in between is credit
        ([B1, MORE, refund("02-01", "30.00"), BACK,
          entry("payment", "03-05", id="P9", amount="30.00", pays=[{"bill": "refund:Z1", "amount": "30.00"}]),
          AGAIN], {}, "30.00"),
        ([B1, P1, refund("02-01", "40.00"), BACK, AGAIN,
          entry("payment_returned", "03-20", id="R2", payment="P1")],
         {"B1": "100.00", "refund:Z1": "40.00"}, "0"),
        # other credit pays it at once
        ([B1, MORE, refund("02-01", "30.00"), P2, BACK], {"B1": "50.00", "refund:Z1": "30.00"}, "0"),
        ([MORE, refund("02-01", "30.00"), P2, BACK], {}, "20.00"),
        # a refund out of another payment's credit belongs to that payment
        ([B1, P1, P2, refund("02-01", "50.00"), BACK], {"B1": "100.00"}, "0"),
        ([B1, P1, P2, refund("02-01", "50.00"), entry("payment_returned", "03-01", id="R1", payment="P2")],
         {"refund:Z1": "50.00"}, "0"),
        # a share for a bill that has not come can go back as well
        ([B1, entry("payment", "01-20", id="P1", amount="50.00", pays=[{"bill": "B9", "amount": "50.00"}]),
          refund("02-01", "50.00")], {"B1": "100.00"}, "0"),
    ],
)  # fmt: skip
def test_a_refund_is_not_forgotten_when_its_payment_comes_back(
    history: list[Entry], open_: dict[str, str], credit: str
) -> None:
    for told in (history, history[::-1], history[1:] + history[:1]):
        found = position(*told, on="06-30")
        assert opens(found) == open_
        assert found.credit == Decimal(credit)


def test_it_is_owed_from_the_return_on_and_as_old_as_the_refund() -> None:
    history = [B1, MORE, refund("02-01", "30.00"), BACK]
    assert opens(position(*history, on="02-28")) == {}
    debt = next(d for d in position(*history, on="03-02").debts if d.id == "refund:Z1")
    assert (debt.due_date, debt.invoice_date) == (date(2026, 2, 1), date(2026, 3, 1))
    assert (debt.reopened_on, debt.reopened_by) == (date(2026, 3, 1), "chargeback")
    assert debt.known_at == BACK.received_at
    # it is no bill: neither tenure nor the average of bills know of it
    facts = facts_at(TERMS, history, day("03-31"), LATE)
    assert (facts["avg_monthly_bill"].value, facts["overdue_now"].value) == (
        Decimal("100.00"),
        Decimal("130"),
    )
    assert facts["contribution_12m"].value == Decimal("-30.00")


def test_a_return_that_never_was_makes_no_debt() -> None:
    undone = entry("return_reversed", "03-01", id="V1", returned="R1")
    assert opens(position(B1, MORE, refund("02-01", "30.00"), BACK, undone, on="06-30")) == {}


@pytest.mark.parametrize(
    ("history", "waits", "open_", "credit"),
    [
        # a refund of more than there is waits, and swallows nothing
        ([B1, P1, refund("02-01", "500.00", "")], ["Z1"], {}, "0"),
        ([B1, P1, refund("02-01", "500.00", ""), P2, B2], ["Z1"], {"B2": "10.00"}, "0"),
        ([B1, P1, refund("02-01", "100.01")], ["Z1"], {}, "0"),
        ([B1, P1, BACK, refund("03-02", "100.01")], ["Z1"], {"B1": "100.00"}, "0"),
        # it counts from the day on which the money is there
        ([refund("01-10", "40.00", ""), P1, B1], [], {"B1": "40.00"}, "0"),
        ([refund("01-10", "40.00"), P1, B1], [], {"B1": "40.00"}, "0"),
        ([refund("01-10", "40.00")], ["Z1"], {}, "0"),
        ([B1, P1, refund("02-01", "100.00"), refund("02-02", "100.00", "", "Z2")], ["Z2"],
         {"B1": "100.00"}, "0"),
    ],
)  # fmt: skip
def test_no_more_goes_out_than_came_in(
    history: list[Entry], waits: list[str], open_: dict[str, str], credit: str
) -> None:
    for told in (history, history[::-1]):
        found = position(*told, on="06-30")
        assert opens(found) == open_
        assert found.credit == Decimal(credit)
        assert [wait.id for wait in unmatched(told)] == waits


@pytest.mark.parametrize(
    ("known", "new", "code"),
    [
        ([B1, P1], refund("02-01", "100.00", ""), None),
        ([B1, P1], refund("02-01", "100.01", ""), "refund-exceeds-money"),
        ([B1], refund("02-01", "1.00", ""), None),  # no money is known: it may have overtaken it
        ([B1, P1, BACK], refund("03-02", "1.00", ""), "refund-exceeds-money"),
        ([B1, P1, BACK], refund("03-02", "1.00"), "payment-came-back"),
        ([B1, P1, BACK, AGAIN], refund("03-12", "1.00"), None),
        ([B1, P1, refund("02-01", "100.00", "")], refund("03-02", "1.00", name="Z2"), "refund-exceeds-money"),
        ([B1, P1, refund("02-01", "60.00")], refund("03-02", "40.01", name="Z2"), "refund-exceeds-payment"),
        ([], refund("02-01", "1.00", "P9"), None),
        ([entry("credit_note", "02-01", amount="5.00")], refund("02-02", "5.00", ""), None),
        ([entry("recovery", "02-01", id="RC", amount="5.00")], refund("02-02", "5.00", "RC"), None),
        ([entry("recovery", "02-01", id="RC", amount="5.00")], refund("02-02", "6.00", "RC"),
         "refund-exceeds-payment"),
    ],
)  # fmt: skip
def test_a_refund_of_what_is_not_there_is_refused(known: list[Entry], new: Entry, code: str | None) -> None:
    found = entry_problems(TERMS, known, new)
    assert [problem.code for problem in found] == ([code] if code else [])
    for problem in found:
        assert problem.message.endswith(".")
        assert problem.advice


# recoveries

MARK = entry("write_off_mark", "02-10", bill="B1")
RC = entry("recovery", "03-01", id="RC1", amount="70.00", collector="agency 4")


def test_a_recovery_can_come_back_and_stand_again() -> None:
    back = entry("payment_returned", "03-20", id="R1", payment="RC1")
    told = [B1, MARK, RC, back]
    for history in permutations(told):
        (debt,) = position(*history, on="04-01").debts
        assert (debt.open, debt.written_off) == (Decimal("100.00"), True)
    again = entry("return_reversed", "04-05", returned="R1")
    (debt,) = position(*told, again, on="04-06").debts
    assert (debt.open, debt.written_off) == (Decimal("30.00"), True)
    assert unmatched([RC, back]) == ()
    assert [wait.wanted for wait in unmatched([back])] == ["RC1"]
    assert entry_problems(TERMS, [B1, MARK, RC], back) == []
    (early,) = entry_problems(TERMS, [B1, MARK, RC], back.model_copy(update={"value_date": date(2026, 2, 1)}))
    assert early.code == "before-its-cause"
    facts = facts_at(TERMS, told, day("04-01"), LATE)
    assert facts["returned_payments_12m"].value == 1
    assert "contribution_12m" not in facts


def test_a_payment_is_meant_where_a_recovery_has_the_same_name() -> None:
    payment = entry("payment", "03-02", id="RC1", amount="10.00")
    back = entry("payment_returned", "03-20", id="R1", payment="RC1")
    report = allocation_report(TERMS, [B1, MARK, RC, payment, back], noon(day("04-01")))
    assert [(one.source, one.returned) for one in report] == [("recovery RC1", False), ("payment RC1", True)]


# a bill that was written down, and was wrong

DOWN = entry("write_down", "03-01", id="W", amount="60.00", bill="B1")


def note(amount: str, on: str = "03-10", **more: Any) -> Entry:
    return entry("credit_note", on, amount=amount, bill="B1", **more)


GOODWILL = {"reason": "Goodwill"}


@pytest.mark.parametrize(
    ("history", "open_", "credit"),
    [
        ([B1, DOWN, note("30.00")], "10.00", "0"),
        ([B1, DOWN, note("40.00")], "0", "0"),
        ([B1, DOWN, note("100.00")], "0", "0"),
        ([B1, entry("payment", "02-01", id="P1", amount="40.00"), DOWN, note("60.00")], "0", "0"),
        ([B1, entry("payment", "02-01", id="P1", amount="40.00"), DOWN, note("80.00")], "0", "20.00"),
        ([B1, entry("payment", "02-01", id="P1", amount="40.00"), DOWN, note("100.00")], "0", "40.00"),
        ([B1, DOWN, note("60.00", **GOODWILL)], "0", "0"),
        ([B1, P1, note("30.00", **GOODWILL)], "0", "30.00"),
        ([B1, entry("write_down", "03-01", amount="100.00", bill="B1"), note("100.00")], "0", "0"),
        # news in another order: more than the bill asks for is nobody's money, and waits for its correction
        ([B1, note("150.00", "02-01"), entry("adjustment", "03-01", amount="50.00", bill="B1")], "0", "0"),
        ([B1, note("150.00", "02-01"), entry("adjustment", "03-01", amount="70.00", bill="B1")],
         "20.00", "0"),
    ],
)  # fmt: skip
def test_no_credit_comes_of_money_that_nobody_paid(history: list[Entry], open_: str, credit: str) -> None:
    for told in (history, history[::-1]):
        found = position(*told, on="06-30")
        assert sum((d.open for d in found.debts), Decimal(0)) == Decimal(open_)
        assert found.credit == Decimal(credit)


def test_a_correction_is_held_against_the_bill_and_not_against_what_was_given_up() -> None:
    assert entry_problems(TERMS, [B1, DOWN], note("100.00")) == []
    (over,) = entry_problems(TERMS, [B1, DOWN], note("100.01"))
    assert over.code == "credit-exceeds-bill"
    (over,) = entry_problems(TERMS, [B1, DOWN], note("40.01", **GOODWILL))
    assert over.advice == "write at most 40.00"
    wrong = [B1, DOWN, note("80.00")]
    assert facts_at(TERMS, wrong, day("04-01"), LATE)["avg_monthly_bill"].value == Decimal("20.00")


# deposits


def moved(move: str, on: str, amount: str, name: str) -> Entry:
    return entry("deposit", on, id=name, amount=amount, move=move)


HELD = moved("held", "02-01", "50.00", "D1")


@pytest.mark.parametrize(
    ("history", "by_day", "waits"),
    [
        ([HELD, moved("released", "01-20", "50.00", "D2")], {"01-20": "0", "02-01": "0"}, []),
        ([HELD, moved("applied", "01-20", "30.00", "D2"), B1], {"01-20": "0", "02-01": "20.00"}, []),
        ([moved("applied", "01-20", "30.00", "D2"), B1], {"01-20": "0", "06-30": "0"}, ["D2"]),
        ([HELD, moved("released", "02-01", "50.00", "A1")], {"02-01": "0"}, []),
        ([HELD, moved("released", "02-05", "80.00", "D2"), moved("topped_up", "02-10", "40.00", "D3")],
         {"02-05": "50.00", "02-10": "10.00"}, []),
    ],
)  # fmt: skip
def test_no_deposit_is_ever_negative(history: list[Entry], by_day: dict[str, str], waits: list[str]) -> None:
    for told in (history, history[::-1]):
        for on, held in by_day.items():
            found = position_at(TERMS, told, LATE, as_of=day(on))
            assert found.deposit == Decimal(held)
            assert deposit_at(told, day(on), LATE).held == Decimal(held)
        assert [wait.id for wait in unmatched(told)] == waits
        assert deposit_interest(told, day("06-30"), LATE, rate=Decimal("0.1")) >= 0


def test_a_deposit_that_is_applied_before_it_is_held_pays_from_the_day_on_which_it_is() -> None:
    early = moved("applied", "01-20", "30.00", "D2")
    assert opens(position_at(TERMS, [B1, HELD, early], LATE, as_of=day("01-31"))) == {"B1": "100.00"}
    assert opens(position_at(TERMS, [B1, HELD, early], LATE, as_of=day("02-01"))) == {"B1": "70.00"}


@pytest.mark.parametrize(
    ("known", "new", "code"),
    [
        ([], moved("applied", "02-01", "1.00", "D2"), None),
        ([moved("requested", "01-01", "9.00", "D0")], moved("released", "02-01", "1.00", "D2"), None),
        ([HELD], moved("applied", "02-01", "50.00", "D2"), None),
        ([HELD], moved("applied", "02-01", "50.01", "D2"), "deposit-exceeded"),
        ([HELD], moved("applied", "01-31", "50.00", "D2"), "before-its-cause"),
        ([HELD, moved("released", "03-01", "50.00", "D2")], moved("applied", "02-10", "1.00", "D3"),
         "deposit-exceeded"),
        ([HELD, moved("topped_up", "02-10", "50.00", "D2"), moved("applied", "02-20", "60.00", "D3")],
         moved("released", "02-05", "40.00", "D4"), None),
        ([HELD, moved("topped_up", "03-10", "50.00", "D2"), moved("applied", "02-20", "50.00", "D3")],
         moved("released", "02-05", "50.00", "D4"), "before-its-cause"),
        ([moved("applied", "01-20", "30.00", "D2")], HELD, None),
    ],
)  # fmt: skip
def test_what_a_deposit_may_do(known: list[Entry], new: Entry, code: str | None) -> None:
    found = entry_problems(TERMS, known, new)
    assert [problem.code for problem in found] == ([code] if code else [])
    for problem in found:
        assert problem.message.endswith(".")
        assert problem.advice
