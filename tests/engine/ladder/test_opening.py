"""When a case opens: told beforehand, at the customer's hour, and for nobody who is exempt."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ladder import open_case, opens, watch_on
from engine.ledger import Entry
from tests.engine.ladder.world import changed, local, policy, position_of
from tests.engine.ledger.making import LATE, ZONE, entries, entry

BILL = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="300.00")
SMALL = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="19.99")
NEXT = entry("bill", "2026-02-05", id="B2", due="2026-02-25", amount="0.01")


@pytest.mark.parametrize(
    ("history", "at", "found"),
    [
        ([BILL], local("01-06"), local("01-26")),
        ([BILL], local("01-26", "08:59"), local("01-26")),
        ([BILL], local("01-26", "09:00"), local("01-26", "09:00")),
        ([BILL], local("03-01", "23:15"), local("03-01", "23:15")),
        ([BILL], local("03-01", "00:15"), local("03-01", "09:00")),
        ([SMALL], local("03-01"), None),
        ([SMALL, NEXT], local("02-06"), local("02-26")),
        ([], local("02-06"), None),
        ([BILL, entry("fact", "01-05", id="F", name="exempt", value=True)], local("02-06"), None),
        ([BILL, entry("hold", "01-05", id="H", hold="legal_stay", bill="B1", until="2026-02-10")],
         local("01-06"), local("02-11")),
        ([BILL, entry("hold", "01-05", id="H", hold="disaster", until="2026-02-10")],
         local("01-06"), local("02-11")),
        ([BILL, entry("dispute", "01-20", id="D", bill="B1", amount="290.00")], local("01-21"), None),
        ([BILL, entry("payment", "02-20", received="01-21", id="P", amount="290.00")],
         local("01-22"), local("01-26")),
        ([SMALL, entry("bill", "02-20", received="01-21", id="B9", due="2026-03-01", amount="50.00")],
         local("01-22"), local("02-20")),
    ],
)  # fmt: skip
def test_the_first_instant_at_which_a_case_can_open(
    history: list[Entry], at: datetime, found: datetime | None
) -> None:
    assert watch_on(policy(), position_of(history, at), at) == found


def test_a_case_opens_at_the_hour_and_not_before() -> None:
    for at, expected in ((local("01-26", "08:59"), False), (local("01-26", "09:00"), True)):
        assert opens(policy(), position_of([BILL], at), at) is expected


@pytest.mark.parametrize(("amount", "found"), [("4.99", None), ("5.00", local("01-26"))])
def test_no_case_opens_where_it_would_close_at_once(amount: str, found: datetime | None) -> None:
    any_amount = changed(opens=("opens: overdue >= 20.00 and age >= 1", "opens: age >= 1"))
    bill = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount=amount)
    at = local("01-06")
    assert watch_on(any_amount, position_of([bill], at), at) == found
    assert opens(any_amount, position_of([bill], local("02-01")), local("02-01")) is (found is not None)


def test_the_hour_is_that_of_the_policy() -> None:
    early = changed(hour=('hour: "09:00"', 'hour: "06:30"'))
    assert watch_on(early, position_of([BILL], local("01-06")), local("01-06")) == local("01-26", "06:30")


@given(st.lists(entries(), max_size=10), st.integers(0, 400))
@settings(max_examples=150, deadline=None)
def test_a_case_opens_when_it_was_told_and_never_earlier(history: list[Entry], hours: int) -> None:
    at = LATE.astimezone(ZONE) - timedelta(days=400)
    known = [entry for entry in history if entry.received_at <= at]
    found = watch_on(policy(), position_of(known, at), at)
    if found is not None and found > at:
        between = at + (found - at) * hours / 401
        assert not opens(policy(), position_of(known, between), between)
    later = at + timedelta(hours=hours)
    if found is None or later < found:
        assert not opens(policy(), position_of(known, later), later)


@pytest.mark.parametrize(
    ("anchor", "day"),
    [
        ("oldest_due_date", date(2026, 1, 25)),
        ("invoice_date", date(2026, 1, 5)),
        ("latest_due_date_at_entry", date(2026, 2, 25)),
        ("entry_date", date(2026, 2, 27)),
    ],
)
def test_what_a_case_keeps_of_the_day_of_its_entry(anchor: str, day: date) -> None:
    other = changed(anchor=("anchor: oldest_due_date", f"anchor: {anchor}"))
    second = entry("bill", "2026-02-05", id="B2", due="2026-02-25", amount="100.00")
    at = local("02-27", "10:00")
    taken = open_case(other, "case/A1/1", position_of([BILL, second], at), at)
    assert taken.opened_anchor == day
    assert (taken.case, taken.ladder, taken.opened_on) == ("case/A1/1", "standard", date(2026, 2, 27))
