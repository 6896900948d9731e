"""What late news takes back, and what it does not: as news in time would have ended (rules 7 and 11)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from engine.ladder.simulate import Played, show
from engine.ledger import Entry
from tests.engine.ladder.world import local, played
from tests.engine.ledger.making import ZONE, entry

BILL = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="300.00")
OPEN = ["undo suspend service(open)"]
BACK = [*OPEN, "undo suspend fee(suspension)"]
TO_BAR = ["undo suspend service(outgoing_barred)", "undo suspend fee(suspension)"]
"""The bar of 25 February was due; only the suspension was not."""


def on(found: Played, day: str) -> list[str]:
    """Return what was asked for on a day."""
    looks = (k for k in found.looks if k.at.astimezone(ZONE).date() == date.fromisoformat(day))
    return [show(action) for look in looks for action in look.step.actions]


def act(day: str, what: str, step: str) -> Entry:
    found = entry("act", f"2026-{day}", act=what, step=step, actor="anna", reason="because")
    return found.model_copy(update={"received_at": local(day, "10:00")})


@pytest.mark.parametrize(
    ("kind", "value_date", "values", "back"),
    [
        # suspended on 11 March; each is told on the 16th
        ("payment", "2026-03-10", {"amount": "300.00"}, BACK),
        ("payment", "2026-03-10", {"amount": "251.00"}, TO_BAR),
        ("payment", "2026-03-10", {"amount": "250.00"}, []),  # 50.00 would have been suspended too
        ("payment", "2026-03-11", {"amount": "300.00"}, OPEN),
        ("credit_note", "2026-03-16", {"amount": "251.00", "bill": "B1"}, BACK),
        ("adjustment", "2026-03-16", {"amount": "-251.00", "bill": "B1"}, BACK),
        ("adjustment", "2026-03-16", {"amount": "251.00", "bill": "B1"}, []),
        # what is given up was owed until then, and so was what is let go out of goodwill
        ("credit_note", "2026-03-16", {"amount": "300.00", "bill": "B1", "reason": "goodwill"}, OPEN),
        ("credit_note", "2026-03-16", {"amount": "251.00", "bill": "B1", "reason": "Goodwill: flood"}, []),
        ("credit_note", "2026-03-10", {"amount": "300.00", "bill": "B1", "reason": "goodwill"}, BACK),
        ("credit_note", "2026-03-16", {"amount": "300.00"}, OPEN),
        ("adjustment", "2026-03-16", {"amount": "-300.00", "bill": "B1", "reason": "goodwill"}, OPEN),
        ("write_down", "2026-03-16", {"amount": "251.00", "bill": "B1"}, []),
        ("write_down", "2026-03-16", {"amount": "300.00", "bill": "B1"}, OPEN),
        ("write_down", "2026-03-10", {"amount": "300.00", "bill": "B1"}, BACK),
        ("dispute", "2026-03-01", {"amount": "251.00", "bill": "B1"}, TO_BAR),
        ("dispute", "2026-03-11", {"amount": "251.00", "bill": "B1"}, []),  # a dispute keeps what was taken
        ("hold", "2026-02-20", {"hold": "legal_stay"}, BACK),
        ("hold", "2026-03-12", {"hold": "legal_stay"}, []),
        ("hold", "2026-03-12", {"hold": "disaster"}, OPEN),
        ("promise", "2026-03-12", {"amount": "300.00", "by": "2026-03-20"}, []),
        ("promise", "2026-03-10", {"amount": "300.00", "by": "2026-03-20"}, TO_BAR),
        ("promise", "2026-03-10", {"amount": "300.00", "by": "2026-04-20"}, []),  # refused: too long
        ("promise", "2026-02-20", {"amount": "300.00", "by": "2026-03-01"}, []),  # broken before
        ("fact", "2026-03-10", {"name": "exempt", "value": True}, BACK),
        ("fact", "2026-03-11", {"name": "exempt", "value": True}, OPEN),
        ("fact", "2026-03-10", {"name": "vulnerable", "value": True}, BACK),
        ("fact", "2026-03-10", {"name": "segment", "value": "consumer"}, []),
        ("fact", "2026-03-10", {"name": "segment", "value": "key"}, BACK),
        ("write_off_mark", "2026-03-10", {"bill": "B1"}, BACK),
        ("write_off_mark", "2026-03-11", {"bill": "B1"}, OPEN),
    ],
)  # fmt: skip
def test_late_news_takes_back_what_would_not_have_been_done(
    kind: str, value_date: str, values: dict[str, Any], back: list[str]
) -> None:
    news = entry(kind, value_date, "2026-03-16", **values)
    found = played([BILL, news], date(2026, 3, 16))
    assert on(found, "2026-03-11") == ["suspend service(suspended)", "suspend fee(suspension)"]
    assert [line for line in on(found, "2026-03-16") if line.startswith("undo")] == back


def test_what_a_person_took_out_of_turn_is_not_judged_by_its_cells() -> None:
    late = entry("payment", "2026-02-20", "2026-03-02", amount="200.00")
    found = played([BILL, act("02-26", "force", "suspend"), late], date(2026, 3, 2))
    assert on(found, "2026-02-26") == ["suspend service(suspended)", "suspend fee(suspension)"]
    assert on(found, "2026-03-02") == []


@pytest.mark.parametrize(
    ("kind", "value_date", "values", "back"),
    [
        # forced on 26 February; each is told on 2 March
        ("payment", "2026-02-20", {"amount": "300.00"}, BACK),
        ("payment", "2026-02-20", {"amount": "280.00"}, BACK),  # of 20.00 the final notice does not warn
        ("payment", "2026-02-27", {"amount": "300.00"}, OPEN),
        ("credit_note", "2026-03-02", {"amount": "300.00", "bill": "B1"}, BACK),
        ("dispute", "2026-02-20", {"amount": "300.00", "bill": "B1"}, BACK),
        ("dispute", "2026-02-20", {"amount": "280.00", "bill": "B1"}, []),  # it keeps the notice
        ("dispute", "2026-02-27", {"amount": "300.00", "bill": "B1"}, []),
        ("hold", "2026-02-20", {"hold": "legal_stay"}, BACK),
    ],
)  # fmt: skip
def test_what_a_person_took_out_of_turn_needs_a_debt_all_the_same(
    kind: str, value_date: str, values: dict[str, Any], back: list[str]
) -> None:
    late = entry(kind, value_date, "2026-03-02", **values)
    found = played([BILL, act("02-26", "force", "suspend"), late], date(2026, 3, 2))
    assert on(found, "2026-02-26") == ["suspend service(suspended)", "suspend fee(suspension)"]
    assert [line for line in on(found, "2026-03-02") if line.startswith("undo suspend")] == back


def test_an_upheld_dispute_takes_back_what_a_person_forced() -> None:
    disputed = entry("dispute", "2026-02-27", id="D1", amount="300.00", bill="B1")
    upheld = entry("dispute_resolved", "2026-03-05", id="E1", dispute="D1", outcome="upheld")
    found = played([BILL, act("02-26", "force", "suspend"), disputed, upheld], date(2026, 3, 5))
    assert on(found, "2026-02-27") == []
    assert on(found, "2026-03-05") == BACK


def test_a_small_debt_for_which_a_person_forced_the_notice_too_stays_suspended() -> None:
    small = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="30.00")
    acts = [act("02-10", "force", "final_notice"), act("02-26", "force", "suspend")]
    other = entry("dispute", "2026-02-20", "2026-03-02", amount="5.00", bill="B1")
    found = played([small, *acts, other], date(2026, 3, 3))
    assert on(found, "2026-02-26") == ["suspend service(suspended)", "suspend fee(suspension)"]
    assert on(found, "2026-03-02") == on(found, "2026-03-03") == []


@pytest.mark.parametrize("days", [1, 91, 93, 200, 400])
def test_a_payment_in_time_is_heard_however_late_it_is_told(days: int) -> None:
    told = (date(2026, 1, 24) + timedelta(days=days)).isoformat()
    late = entry("payment", "2026-01-24", told, amount="300.00")
    found = played([BILL, late], date.fromisoformat(told))
    asked = on(found, told)
    last = found.looks[-1].step if found.looks else None
    if days >= 107:
        assert "terminate task(wrongful)" in asked
        assert "undo agency recall(agency)" in asked
        assert last
        assert last.taken.level == "terminated"
    else:
        assert last is None or last.taken.level == "open"
        assert asked == (BACK if days > 46 else [])


def test_the_fee_comes_back_though_service_was_restored_before_for_another_payment() -> None:
    other = entry("bill", "2026-02-10", id="B2", due="2026-03-01", amount="300.00")
    again = entry(
        "payment", "2026-03-13", id="P2", amount="300.00", pays=[{"bill": "B1", "amount": "300.00"}]
    )
    first = entry("payment", "2026-01-20", "2026-03-20", id="P1", amount="300.00")
    found = played([BILL, other, again, first], date(2026, 3, 20))
    assert on(found, "2026-03-13")[:1] == ["undo suspend service(open)"]
    assert "undo suspend fee(suspension)" in on(found, "2026-03-20")


@pytest.mark.parametrize(
    ("valued", "told", "back", "fee"),
    [
        ("2026-03-24", "2026-03-24", [], []),
        ("2026-03-24", "2026-03-30", ["undo suspend/2 service(open)", "undo suspend/2 fee(suspension)"], []),
        ("2026-03-30", "2026-03-30", ["undo suspend/2 service(open)"], ["5.40"]),
        ("2026-03-27", "2026-03-30", ["undo suspend/2 service(open)"], ["2.70"]),
    ],
)
def test_a_return_that_is_reversed_took_the_money_away_for_the_days_between(
    valued: str, told: str, back: list[str], fee: list[str]
) -> None:
    entries = [
        BILL,
        entry("payment", "2026-03-16", id="P1", amount="300.00"),
        entry("payment_returned", "2026-03-24", id="X1", payment="P1", reason="chargeback"),
        entry("return_reversed", valued, told, id="R1", returned="X1"),
    ]
    found = played(entries, date(2026, 4, 2))
    looks = [look for look in found.looks if look.at >= local("03-24", "00:00")]
    actions = [action for look in looks for action in look.step.actions]
    assert [show(action) for action in actions if action.undo] == back
    assert [str(action.amount) for action in actions if action.step == "late_fee"] == fee


PARTS = [{"due_date": date(2026, 1, day), "amount": "100.00"} for day in (23, 24, 25)]
IN_PARTS = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="300.00", instalments=PARTS)
PLAN = entry(
    "bill", "2026-02-01", id="PL", due="2026-04-20", amount="300.00", category="plan", replaces=["B1"],
    instalments=[{"due_date": date(2026, m, 20), "amount": "150.00"} for m in (3, 4)],
)  # fmt: skip
UNDER_PLAN = [
    BILL, PLAN, entry("dispute", "2026-02-02", id="D", bill="B1", amount="260.00"),
    entry("plan_ended", "2026-02-03", plan="PL"),
]  # fmt: skip
PAID = [
    BILL, entry("payment", "2026-01-20", id="P", amount="300.00"),
    entry("dispute", "2026-01-21", id="D", bill="B1", amount="260.00"),
    entry("payment_returned", "2026-01-22", payment="P"),
]  # fmt: skip


def test_a_dispute_on_a_bill_of_instalments_takes_out_its_part_once() -> None:
    disputed = entry("dispute", "2026-01-06", id="D", bill="B1", amount="100.00")
    found = played([IN_PARTS, disputed], date(2026, 3, 20))
    asked = [show(action) for look in found.looks for action in look.step.actions]
    assert "bar service(outgoing_barred)" in asked
    assert not [one for one in asked if one.startswith("undo") or "/2" in one], asked


@pytest.mark.parametrize("history", [UNDER_PLAN, PAID], ids=["under a plan", "paid"])
def test_a_dispute_stands_when_what_it_is_about_is_owed_again(history: list[Entry]) -> None:
    found = played(history, date(2026, 4, 20))
    assert found.looks[-1].step.trace.disputed == 260
    asked = [show(action) for look in found.looks for action in look.step.actions]
    assert not [one for one in asked if "service" in one], asked


PLAN = entry(
    "bill", "2026-01-20", id="PL", due="2026-03-20", amount="300.00", category="plan", replaces=["B1"],
    instalments=[
        {"due_date": date(2026, 1, 25), "amount": "200.00"},
        {"due_date": date(2026, 3, 20), "amount": "100.00"},
    ],
)  # fmt: skip


@pytest.mark.parametrize(
    ("since", "amount", "outcome", "back"),
    [
        ("2026-03-01", "300.00", "", TO_BAR),
        ("2026-03-01", "100.00", "", []),  # the last instalment, which was not due
        ("2026-03-12", "300.00", "", []),
        ("2026-03-12", "300.00", "upheld", BACK),
        ("2026-03-12", "100.00", "upheld", []),
    ],
)
@pytest.mark.parametrize("bill", ["B1", "PL"])
def test_a_dispute_of_a_bill_under_a_plan_is_one_of_its_instalments(
    bill: str, since: str, amount: str, outcome: str, back: list[str]
) -> None:
    news = [entry("dispute", since, "2026-03-16", id="D", bill=bill, amount=amount)]
    if outcome:
        news.append(entry("dispute_resolved", "2026-03-16", dispute="D", outcome=outcome))
    found = played([BILL, PLAN, *news], date(2026, 3, 16))
    assert on(found, "2026-03-11") == ["suspend service(suspended)", "suspend fee(suspension)"]
    assert [line for line in on(found, "2026-03-16") if line.startswith("undo")] == back


@pytest.mark.parametrize("bill", ["B1", "PL"])
def test_days_of_a_rejected_dispute_are_lost_for_the_plan_of_its_bill_too(bill: str) -> None:
    dispute = entry("dispute", "2026-02-01", id="D", bill=bill, amount="300.00")
    rejected = entry("dispute_resolved", "2026-03-01", dispute="D", outcome="rejected")
    found = played([BILL, PLAN, dispute, rejected], date(2026, 4, 8))
    assert on(found, "2026-03-11") == []
    assert on(found, "2026-04-08") == ["suspend service(suspended)", "suspend fee(suspension)"]
