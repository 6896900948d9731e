"""The step taken again before something severe: it happens only if it would still be asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from engine.ladder import step, still_due
from engine.ledger import Entry
from tests.engine.ladder.world import before, local, played, policy, position_of
from tests.engine.ledger.making import entry

BILL = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="300.00")
BAR = "case/A1/1/account/bar/1/service.outgoing_barred/do"
NEWS = local("02-25", "09:00")


def news(kind: str, **values: Any) -> Entry:
    found = entry(kind, "2026-02-25", id="N1", **values)
    return found.model_copy(update={"received_at": NEWS})


@pytest.mark.parametrize(
    ("more", "at", "why"),
    [
        (None, local("02-25", "09:00"), ""),
        (None, local("02-25", "15:59"), ""),
        (news("payment", amount="240.00"), local("02-25", "09:01"), ""),
        (news("fact", name="value", value="low"), local("02-25", "09:01"), ""),
        (news("payment", amount="260.00"), local("02-25", "09:01"), "overdue 40.00 is not >= 50.00"),
        (news("payment", amount="400.00"), local("02-25", "09:01"), "The case has ended as cured."),
        (news("credit_note", amount="251.00", bill="B1"), local("02-25", "09:01"), "overdue 49.00 is not"),
        (news("dispute", amount="260.00", bill="B1"), local("02-25", "09:01"), "overdue 40.00 is not"),
        (news("hold", hold="disaster"), local("02-25", "09:01"), "hold `N1` (disaster)"),
        (news("promise", amount="300.00", by="2026-03-01"), local("02-25", "09:01"), "promise `N1`"),
        (news("fact", name="exempt", value=True), local("02-25", "09:01"), "The case has ended as stopped."),
        (news("fact", name="vulnerable", value=True), local("02-25", "09:01"), "age 31 is not >= 90"),
        (news("write_off_mark"), local("02-25", "09:01"), "The case has ended as cured."),
        (news("act", act="stop", actor="anna", reason="complaint"), local("02-25", "09:01"),
         "anna stopped the ladder"),
        (None, local("02-25", "16:00"), "interruptions only until 16:00"),
        (None, local("02-26", "08:59"), "the day's run is at 09:00"),
        (None, local("02-26", "09:00"), ""),
        (None, local("02-28", "10:00"), "2026-02-28 is the eve of a weekend"),
    ],
)  # fmt: skip
def test_a_bar_is_due_only_while_its_reasons_are(more: Entry | None, at: datetime, why: str) -> None:
    taken = before(played([BILL], local("02-25").date()), "bar service(outgoing_barred)").taken_before
    position = position_of([BILL, *([more] if more else [])], at)
    due, said = still_due(policy(), taken, position, at, BAR)
    assert due is (why == "")
    assert why in said
    assert said == "" or said.endswith(".")


def test_stale_news_of_payments_takes_the_reason_away() -> None:
    taken = before(played([BILL], local("02-25").date()), "bar service(outgoing_barred)").taken_before
    at = local("02-25", "10:00")
    due, said = still_due(policy(), taken, position_of([BILL], at, fresh=False), at, BAR)
    assert not due
    assert "the payment feed has never said" in said


def test_a_restoration_is_not_due_when_the_payment_has_come_back() -> None:
    paid = entry("payment", "2026-03-14", id="P1", amount="400.00")
    found = before(played([BILL, paid], local("03-14").date()), "undo suspend service(open)")
    back = entry("payment_returned", "2026-03-14", id="R1", payment="P1")
    at = local("03-14", "12:00")
    key = "case/A1/1/account/suspend/1/service.suspended/undo"
    assert still_due(policy(), found.taken_before, position_of([BILL, paid], at), at, key) == (True, "")
    due, said = still_due(policy(), found.taken_before, position_of([BILL, paid, back], at), at, key)
    assert not due
    assert "300.00" in said


def test_the_same_arguments_give_the_same_step_for_ever() -> None:
    look = before(played([BILL], local("02-25").date()), "bar service(outgoing_barred)")
    position = position_of([BILL], look.at)
    account = type(position.account).model_validate_json(position.account.model_dump_json())
    again = type(position)(account, position.law, position.calendar)
    taken = type(look.taken_before).model_validate_json(look.taken_before.model_dump_json())
    first = step(policy(), look.taken_before, position, look.at)
    second = step(policy(), taken, again, look.at)
    assert first == second
    assert first.trace_digest == second.trace_digest
    assert first.model_dump_json() == second.model_dump_json()
