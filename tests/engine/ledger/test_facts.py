"""Facts for grading: each by its rule, with its day and its source, and left out when nobody can know it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from engine.ledger import Entry, derived_at, facts_at
from tests.engine.ledger.making import TERMS, day, entry, noon

AS_OF = date(2026, 6, 30)


PROMISE = entry("promise", "02-01", amount="50.00", by="2026-02-10")


def bill(month: int, amount: str = "100.00", **more: Any) -> Entry:
    return entry(
        "bill", f"2026-{month:02d}-05", id=f"B{month}", due=f"2026-{month:02d}-25", amount=amount, **more
    )


def pay(on: str, amount: str = "100.00", **more: Any) -> Entry:
    return entry("payment", on, id=f"P{on}", amount=amount, **more)


def value(name: str, *history: Entry, as_of: date = AS_OF, **how: object) -> object:
    found = facts_at(TERMS, history, as_of, noon(as_of, 20), **how)  # type: ignore[arg-type]  # two named options
    return found[name].value if name in found else "unknown"


@pytest.mark.parametrize(
    ("name", "history", "expected"),
    [
        ("tenure_months", [], "unknown"),
        ("tenure_months", [bill(1)], 5),
        ("tenure_months", [bill(1, draft=True)], "unknown"),
        ("avg_monthly_bill", [bill(1, "100.00"), bill(2, "50.01")], Decimal("75.00")),
        ("avg_monthly_bill", [bill(1, "100.00"), entry("credit_note", "02-01", amount="30.00", bill="B1")],
         Decimal("70.00")),
        ("max_dpd_12m", [], "unknown"),
        ("max_dpd_12m", [bill(1), pay("01-25")], 0),
        ("max_dpd_12m", [bill(1), pay("01-26")], 0),
        ("max_dpd_12m", [bill(1), pay("02-04")], 9),
        ("max_dpd_12m", [bill(6)], 5),
        ("max_dpd_12m", [bill(1), entry("write_down", "02-04", bill="B1", amount="100.00")], 9),
        ("max_dpd_12m", [bill(1), pay("01-20"), entry("payment_returned", "03-01", payment="P01-20"),
                         pay("03-06")], 39),
        # what is upheld was never owed, also before it was disputed and while its credit note is awaited
        ("max_dpd_12m", [bill(1), entry("dispute", "02-10", id="D", bill="B1", amount="100.00"),
                         entry("dispute_resolved", "02-20", dispute="D", outcome="upheld")], 0),
        # a promise that is broken stays so when it is taken back, and money is not less for a refund of none
        ("broken_promises_12m", [PROMISE, entry("promise_withdrawn", "02-11", promise=PROMISE.id)], 1),
        ("broken_promises_12m", [PROMISE, entry("promise_withdrawn", "02-10", promise=PROMISE.id)], 0),
        ("kept_promises_12m", [PROMISE, pay("02-05"),
                               entry("promise_withdrawn", "03-01", promise=PROMISE.id)], 1),
        ("contribution_12m", [bill(1), entry("refund", "02-01", amount="50.00")], "unknown"),
        ("contribution_12m", [pay("01-25"), entry("refund", "02-01", amount="30.00")], Decimal("70.00")),
        ("late_count_12m", [bill(1), pay("01-25"), bill(2), pay("02-27"), bill(3)], 2),
        ("on_time_rate_12m", [bill(1), pay("01-25"), bill(2), pay("02-27"), bill(3)], Decimal("0.3333")),
        ("on_time_rate_12m", [], "unknown"),
        ("arrears_count_12m", [bill(1), bill(2), pay("02-27", "200.00"), bill(3), pay("04-01")], 2),
        ("arrears_count_12m", [bill(1), bill(2), pay("03-27", "200.00")], 1),
        ("overdue_now", [bill(5), bill(6, "70.00"), pay("06-01", "20.00")], Decimal("150.00")),
        ("overdue_now", [bill(5), entry("dispute", "05-10", bill="B5", amount="60.00")], Decimal("40.00")),
        ("overdue_now", [bill(5), entry("write_off_mark", "05-10", bill="B5")], Decimal("0")),
        ("returned_payments_12m", [pay("01-20"), entry("payment_returned", "02-01", payment="P01-20")], 1),
        ("returned_payments_12m", [entry("payment_returned", "02-01", payment="NOPE")], 0),
        ("returned_payments_12m", [pay("01-20"), entry("payment_returned", "02-01", id="R", payment="P01-20"),
                                   entry("return_reversed", "02-02", returned="R")], 0),
        ("broken_promises_12m", [PROMISE], 1),
        ("broken_promises_12m", [PROMISE, pay("02-10", "50.00")], 0),
        ("broken_promises_12m", [PROMISE, pay("02-10", "49.99")], 1),
        ("broken_promises_12m", [entry("promise", "02-01", id="X", amount="50.00", by="2026-02-10"),
                                 entry("promise_withdrawn", "02-02", promise="X")], 0),
        ("broken_promises_12m", [entry("promise", "06-25", amount="50.00", by="2026-06-30")], 0),
    ],
)  # fmt: skip
def test_each_fact_follows_its_rule(name: str, history: list[Entry], expected: object) -> None:
    assert value(name, *history) == expected


def receipt(on: str, status: str, key: str = "case/A1/1/account/suspend/1/service.suspended/do") -> Entry:
    return entry("receipt", on, id=f"{on}{status}", key=key, status=status, at=noon(day(on), 10))


def test_suspensions_count_unless_they_were_withdrawn_as_wrongful() -> None:
    second = "case/A1/1/account/suspend/2/service.suspended/do"
    bar = "case/A1/1/account/bar/1/service.outgoing_barred/do"
    done = [receipt("03-01", "requested"), receipt("03-01", "done"), receipt("04-01", "done", second)]
    assert value("suspensions_12m", *done, receipt("02-20", "done", bar)) == 2
    assert value("suspensions_12m", *done, receipt("04-02", "withdrawn", second)) == 1
    assert value("suspensions_12m", receipt("03-01", "requested")) == 0
    assert value("suspensions_12m", receipt("03-01", "failed")) == 0


def test_tolerance_and_grace_are_those_of_the_policy_that_asks() -> None:
    promise = entry("promise", "02-01", amount="100.00", by="2026-02-10")
    late = pay("02-12", "95.00")
    assert value("broken_promises_12m", promise, late) == 1
    assert value("broken_promises_12m", promise, late, tolerance=Decimal("0.05"), grace_days=2) == 0
    assert value("broken_promises_12m", promise, late, tolerance=Decimal("0.04"), grace_days=2) == 1


def test_what_is_older_than_twelve_months_no_longer_counts() -> None:
    history = [
        bill(1),
        pay("03-01"),
        pay("01-20", "1.00"),
        entry("payment_returned", "02-01", payment="P01-20"),
    ]
    assert value("late_count_12m", *history, as_of=date(2027, 1, 24)) == 1
    assert value("late_count_12m", *history, as_of=date(2027, 1, 25)) == 0
    assert value("returned_payments_12m", *history, as_of=date(2027, 2, 1)) == 0
    assert value("max_dpd_12m", *history, as_of=date(2027, 3, 1)) == 0


def test_each_fact_says_its_day_and_its_source() -> None:
    found = facts_at(TERMS, [bill(1), pay("02-04")], AS_OF, noon(AS_OF))
    assert all(fact.as_of == AS_OF for fact in found.values())
    assert found["tenure_months"].source == "ledger of A1: months since the first bill of 2026-01-05"
    assert all(fact.source.startswith("ledger of A1: ") for fact in found.values())


def test_days_past_due_are_those_of_evenings_and_say_so() -> None:
    """Money that comes on the day after the due date is late, and no evening finds it past due."""
    history = [bill(1), pay("01-26")]
    found = derived_at(history, AS_OF, noon(AS_OF, 20))
    assert (found["max_dpd_12m"].value, found["late_count_12m"].value) == (0, 1)
    assert "evening" in found["max_dpd_12m"].rule
    assert "evening" in found["max_dpd_12m"].told
