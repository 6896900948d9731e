"""The facts of one account worked out by hand, each with its entries: money gone back, given up, let go."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.ledger import Entry, derived_at, facts_at
from tests.engine.ledger.making import TERMS, day, entry, noon
from tests.engine.ledger.test_facts import bill, pay

PROMISE = entry("promise", "03-20", id="PR", amount="80.00", by="2026-04-01")
YEAR = [
    bill(1), pay("01-25"),                                       # on its due date
    bill(2), entry("payment", "02-26", id="LATE", amount="100.00"),  # one day late
    bill(3), entry("write_down", "04-05", id="W", bill="B3", amount="20.00"),
    PROMISE, entry("payment", "03-31", id="KEPT", amount="80.00"),   # the rest of B3, 6 days late
    bill(4), entry("payment", "04-20", id="BACK", amount="100.00"),
    entry("payment_returned", "04-28", id="CB", payment="BACK", reason="chargeback"),
    entry("return_reversed", "05-02", id="REV", returned="CB"),     # away for four days
    bill(5), entry("credit_note", "05-20", id="CN", bill="B5", amount="40.00", reason="wrong tariff"),
    entry("payment", "05-25", id="OVER", amount="75.00"),
    entry("refund", "05-30", id="RF", amount="15.00", payment="OVER"),
    entry("bill", "05-05", id="F", due="05-25", amount="5.00", category="fee"),
    entry("fee_waived", "05-10", id="FW", bill="F", amount="5.00"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "sources"),
    [
        # five bills: 100, 100, 100 (a part given up, not billed less), 100, 60 after the credit note
        ("avg_monthly_bill", "92.00", "B1 B2 B3 B4 B5 CN"),
        ("tenure_months", 5, "B1"),
        # of six debts with the waived fee: B2 a day late, B3, B4 while its money was away
        ("on_time_rate_12m", "0.5000", None),
        ("late_count_12m", 3, "B2 LATE B3 KEPT B4 BACK CB REV W"),
        # B3 from 26 March, its last 20 given up on 5 April: evenings of 26 March to 4 April
        ("max_dpd_12m", 10, "B3 KEPT W"),
        ("arrears_count_12m", 2, None),
        ("dpd_now", 0, ""),
        ("overdue_now", "0", ""),
        ("returned_payments_12m", 0, ""),
        ("kept_promises_12m", 1, "PR KEPT"),
        ("broken_promises_12m", 0, ""),
        ("promises_kept_rate_12m", "1.0000", "PR KEPT"),
        # 100 + 100 + 80 + 100 + 75 - 15
        ("contribution_12m", "440.00", "P01-25 LATE KEPT BACK OVER RF"),
    ],
)
def test_a_year_by_hand(name: str, value: int | str, sources: str | None) -> None:
    on = day("06-30")
    found = derived_at(YEAR, on, noon(on, 20))[name]
    assert found.value == (Decimal(value) if isinstance(value, str) else value)
    assert facts_at(TERMS, YEAR, on, noon(on, 20))[name].value == found.value
    if sources is not None:
        assert sorted(one.id for one in found.sources) == sorted(sources.split())


@pytest.mark.parametrize(("paid", "late"), [("01-24", 0), ("01-25", 0), ("01-26", 1), ("01-27", 1)])
def test_a_bill_is_on_time_up_to_its_due_date_and_no_later(paid: str, late: int) -> None:
    on = day("06-30")
    found = facts_at(TERMS, [bill(1), pay(paid)], on, noon(on, 20))
    assert (found["late_count_12m"].value, found["on_time_rate_12m"].value) == (late, 1 - late)


@pytest.mark.parametrize(
    ("correction", "average"),
    [
        (entry("credit_note", "02-01", bill="B1", amount="30.00"), "70.00"),
        (entry("credit_note", "02-01", bill="B1", amount="30.00", reason="Goodwill"), "100.00"),
        (entry("adjustment", "02-01", bill="B1", amount="-30.00", reason="goodwill"), "100.00"),
        (entry("adjustment", "02-01", bill="B1", amount="-30.00"), "70.00"),
        (entry("adjustment", "02-01", bill="B1", amount="30.00"), "130.00"),
        (entry("write_down", "02-01", bill="B1", amount="30.00"), "100.00"),
        (entry("write_off_mark", "02-01", bill="B1"), "100.00"),
    ],
)
def test_what_is_given_up_of_a_right_bill_was_billed_all_the_same(correction: Entry, average: str) -> None:
    on = day("06-30")
    found = derived_at([bill(1), correction], on, noon(on, 20))["avg_monthly_bill"]
    assert found.value == Decimal(average)
    named = ("bill", "B1") if average == "100.00" else (correction.kind, correction.id)
    assert (found.sources[-1].kind, found.sources[-1].id) == named


def test_a_promise_whose_money_came_back_is_broken_and_stands_again_with_it() -> None:
    money = [bill(3), PROMISE, entry("payment", "03-31", id="KEPT", amount="80.00")]
    back = entry("payment_returned", "04-10", id="R", payment="KEPT")
    again = entry("return_reversed", "04-20", id="RR", returned="R")
    on = day("06-30")
    for history, kept in ((money, 1), ([*money, back], 0), ([*money, back, again], 1)):
        found = facts_at(TERMS, history, on, noon(on, 20))
        assert (found["kept_promises_12m"].value, found["broken_promises_12m"].value) == (kept, 1 - kept)


def test_a_draft_that_is_issued_after_its_due_date_was_not_late_before() -> None:
    draft = entry("bill", "01-05", id="B1", due="01-25", amount="100.00", draft=True)
    issued = entry("bill_issued", "02-10", bill="B1")
    for paid, late, worst, times in (("01-10", 0, 0, 0), ("02-10", 0, 0, 0), ("02-20", 1, 25, 1)):
        on = day("06-30")
        found = facts_at(TERMS, [draft, issued, pay(paid)], on, noon(on, 20))
        names = ("late_count_12m", "max_dpd_12m", "arrears_count_12m")
        assert tuple(found[name].value for name in names) == (late, worst, times), paid


LATE_FACTS = (
    "on_time_rate_12m",
    "late_count_12m",
    "max_dpd_12m",
    "arrears_count_12m",
    "dpd_now",
    "overdue_now",
)
CONTESTED = entry("dispute", "02-10", id="D", bill="B1", amount="100.00")  # 16 days after its due date
PART = entry("dispute", "01-20", id="D", bill="B1", amount="60.00")
EARLY = entry("dispute", "01-25", id="D", bill="B1", amount="100.00")  # on its due date


def ended(on: str, outcome: str) -> Entry:
    return entry("dispute_resolved", on, id="DR", dispute="D", outcome=outcome)


@pytest.mark.parametrize(
    ("history", "values"),
    [
        # due on 25 January and never disputed: 156 days to 30 June
        ([bill(1)], ("0", 1, 156, 1, 156, "100.00")),
        ([bill(1), EARLY], ("1", 0, 0, 0, 0, "0")),
        # a day later the evening of 26 January does not count either, but it was open when the 25th ended
        ([bill(1), entry("dispute", "01-26", id="D", bill="B1", amount="100.00")], ("0", 1, 0, 0, 0, "0")),
        # evenings of 26 January to 9 February
        ([bill(1), CONTESTED], ("0", 1, 15, 1, 0, "0")),
        # the undisputed part is late, and is not once it is paid in time
        ([bill(1), PART], ("0", 1, 156, 1, 156, "40.00")),
        (
            [bill(1), PART, pay("01-25", "40.00")],
            ("1", 0, 0, 0, 0, "0"),
        ),
        # part of what is disputed is paid while it is disputed
        ([bill(1), EARLY, pay("03-10", "70.00")], ("1", 0, 0, 0, 0, "0")),
        # disputed in vain: owed all along; paid on 10 March, the last evening is 9 March
        ([bill(1), EARLY, ended("03-01", "rejected"), pay("03-10")], ("0", 1, 43, 1, 0, "0")),
        ([bill(1), EARLY, ended("03-01", "withdrawn"), pay("03-10")], ("0", 1, 43, 1, 0, "0")),
        # disputed rightly: until its credit note has come, and after
        ([bill(1), EARLY, ended("03-01", "upheld")], ("1", 0, 0, 0, 0, "0")),
        (
            [
                bill(1), EARLY, ended("03-01", "upheld"),
                entry("credit_note", "03-05", bill="B1", amount="100.00"),
            ],
            ("1", 0, 0, 0, 0, "0"),
        ),
        # money that came back opens a bill again, what is disputed of it stays out
        (
            [
                bill(1), pay("01-20"), entry("dispute", "02-10", id="D", bill="B1", amount="100.00"),
                entry("payment_returned", "02-15", id="R", payment="P01-20"),
            ],
            ("1", 0, 0, 0, 0, "0"),
        ),
        # two disputes, the second since 10 February takes out the rest
        (
            [
                bill(1), PART,
                entry("dispute", "02-10", id="D2", bill="B1", amount="40.00"),
            ],
            ("0", 1, 15, 1, 0, "0"),
        ),
    ],
)  # fmt: skip
def test_what_is_in_dispute_is_not_late(history: list[Entry], values: tuple[object, ...]) -> None:
    on = day("06-30")
    found = facts_at(TERMS, history, on, noon(on, 20))
    wanted = [Decimal(one) if isinstance(one, str) else one for one in values]
    assert [found[name].value for name in LATE_FACTS] == wanted


def test_a_dispute_stands_among_the_sources_of_what_it_makes() -> None:
    on = day("06-30")
    history = [bill(1), EARLY, ended("03-01", "upheld")]
    found = derived_at(history, on, noon(on, 20))
    assert [one.id for one in found["on_time_rate_12m"].sources] == ["B1", "D", "DR"]
    assert [
        one.id for one in derived_at(history, day("02-01"), noon(on, 20))["on_time_rate_12m"].sources
    ] == ["B1", "D"]
