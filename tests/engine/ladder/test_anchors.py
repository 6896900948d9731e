"""The four anchors, each with a table of days; two currencies are two ladders."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from engine.ladder.simulate import Scenario, play
from engine.ledger import Terms
from tests.engine.ladder.world import calendar, changed, evening, law, played, told
from tests.engine.ledger.making import entry

FIRST = entry("bill", "2026-01-05", id="B1", due_date="2026-01-25", amount="300.00")
SECOND = entry("bill", "2026-01-10", id="B2", due_date="2026-02-04", amount="200.00")
THIRD = entry("bill", "2026-02-08", id="B3", due_date="2026-03-01", amount="100.00")
PAID = entry("payment", "2026-02-20", id="P1", amount="300.00", pays=[{"bill": "B1", "amount": "300.00"}])
ANCHORS = ["oldest_due_date", "invoice_date", "entry_date", "latest_due_date_at_entry"]


def ages(anchor: str, day: str, *, opens: int = 1) -> tuple[int, int]:
    """Return age and days past due on an evening, when the case opens at so many days."""
    policy = changed(
        anchor=("anchor: oldest_due_date", f"anchor: {anchor}"),
        opens=("20.00 and age >= 1", f"20.00 and days_past_due >= {opens}"),
    )
    on = date.fromisoformat(day)
    found = played([FIRST, SECOND, THIRD, PAID], on, policy, probes=(evening(on),))
    trace = found.probed[evening(on)].step.trace
    return trace.age, trace.days_past_due


@pytest.mark.parametrize(
    ("anchor", "opens", "day", "age", "past_due"),
    [
        # from the oldest due date; paying that bill moves it to the next one
        ("oldest_due_date", 1, "2026-02-10", 16, 16),
        ("oldest_due_date", 1, "2026-02-20", 16, 16),
        ("oldest_due_date", 1, "2026-03-05", 29, 29),
        # from the date of the oldest bill; what is past due counts from the due date all the same
        ("invoice_date", 1, "2026-02-10", 36, 16),
        ("invoice_date", 1, "2026-02-20", 41, 16),
        ("invoice_date", 1, "2026-03-05", 54, 29),
        # from the day on which the case opened, for what was past due then; later bills from their own
        ("entry_date", 1, "2026-02-10", 15, 16),
        ("entry_date", 1, "2026-02-20", 16, 16),
        ("entry_date", 15, "2026-02-20", 11, 16),
        # from the latest due date that had passed at entry: the first bill when it opens at once ...
        ("latest_due_date_at_entry", 1, "2026-02-10", 16, 16),
        ("latest_due_date_at_entry", 1, "2026-03-05", 29, 29),
        # ... and the second one when it opens on 9 February, also for the first
        ("latest_due_date_at_entry", 15, "2026-02-10", 6, 16),
        ("latest_due_date_at_entry", 15, "2026-02-20", 16, 16),
        ("latest_due_date_at_entry", 15, "2026-03-05", 29, 29),
    ],
)
def test_the_age_by_each_anchor(anchor: str, opens: int, day: str, age: int, past_due: int) -> None:
    assert ages(anchor, day, opens=opens) == (age, past_due)


@pytest.mark.parametrize("anchor", ANCHORS)
def test_no_anchor_cuts_before_the_notice_and_its_wait(anchor: str) -> None:
    policy = changed(anchor=("anchor: oldest_due_date", f"anchor: {anchor}"))
    found = played([FIRST, SECOND], date(2026, 6, 30), policy)
    asked = [(look.at.date(), action) for look in found.looks for action in look.step.actions]
    noticed = next(on for on, action in asked if action.step == "final_notice")
    cut = next(on for on, action in asked if action.step == "bar")
    assert cut - noticed >= timedelta(days=7)
    assert cut - date(2026, 1, 25) > timedelta(days=30), "the law counts from the due date"


def test_two_currencies_are_two_ladders_with_amounts_of_their_own() -> None:
    euro = changed(
        currency=("currency: CNY", "currency: EUR"),
        opens=("opens: overdue >= 20.00", "opens: overdue >= 3.00"),
        closes=("closes: overdue < 5.00", "closes: overdue < 1.00"),
        ignore=("ignore_below: 1.00", "ignore_below: 0.20"),
    )
    small = entry("bill", "2026-01-05", id="B1", due_date="2026-01-25", amount="4.00")
    asked = {}
    for policy in (changed(x=("currency: CNY", "currency: CNY")), euro):
        terms = Terms(account="A1", customer="C1", currency=policy.currency, timezone="Asia/Shanghai")
        found = play(policy, law(), calendar(), Scenario(terms, told([small]), evening(date(2026, 2, 10))))
        asked[policy.currency] = [a.amount for look in found.looks for a in look.step.actions]
    assert asked == {"CNY": [], "EUR": [Decimal("4.00")]}
