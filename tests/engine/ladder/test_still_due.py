"""The step taken again before something severe: it happens only if it would still be asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from engine.ladder import step, still_due
from engine.ledger import Entry
from tests.engine.ladder.world import before, changed, local, played, policy, position_of
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


# what is not severe goes out after its run, while its ground holds

REMINDER = "case/A1/1/account/reminder/1/notify.sms.reminder/do"
MILD = {
    "runs": ("runs: daily", "runs: [28]"),
    "free": ("| >= 20  | >= 50.00  | reminder     | P7D  |", "| >= 20  | >= 50.00  | -            | -    |"),
    "facts": ("  language:   {", "  opted_out:  {type: list of string, optional: true}\n  language:   {"),
}
ASKED = local("01-28", "09:00")


def told_later(at: datetime, *more: Entry, **extra: tuple[str, str]) -> tuple[bool, str]:
    """Ask whether a reminder of 28 January, on which nothing rests, is still to be sent."""
    by = changed("collections", **MILD, **extra)
    taken = before(played([BILL], ASKED.date(), by), "reminder notify(sms, reminder)").taken_before
    return still_due(by, taken, position_of([BILL, *more], at), at, REMINDER, any_hour=True)


def since(kind: str, **values: Any) -> Entry:
    return entry(kind, "2026-01-28", id="N1", **values).model_copy(update={"received_at": ASKED})


NO_SMS = since("fact", name="opted_out", value=("sms",))


@pytest.mark.parametrize(
    ("at", "more", "why"),
    [
        ("01-28 09:00", [], ""),
        ("01-29 03:00", [], ""),  # before the hour of the run, and on a day without one
        ("02-03 10:00", [], ""),
        ("01-29 09:00", [since("payment", amount="290.00")], ""),
        ("01-29 09:00", [since("payment", amount="300.00")], "The case has ended as cured."),
        ("01-29 09:00", [since("dispute", amount="300.00", bill="B1")], "`reminder` is not due any more"),
        ("01-29 09:00", [since("hold", hold="legal_stay")], "hold `N1` (legal_stay)"),
        ("01-29 09:00", [since("promise", amount="300.00", by="2026-02-05")], "promise `N1`"),
        ("01-29 09:00", [since("act", act="stop", actor="anna", reason="no")], "anna stopped the ladder"),
        ("01-29 09:00", [NO_SMS], "the customer has opted out of every channel that is left"),
    ],
)  # fmt: skip
def test_a_reminder_goes_out_after_its_run_only_while_its_ground_holds(
    at: str, more: list[Entry], why: str
) -> None:
    due, said = told_later(local(*at.split()), *more)
    assert due is (why == ""), said
    assert why in said


def test_who_wants_no_more_sms_is_told_by_the_next_channel() -> None:
    other = ("attempts: 3", "attempts: 3\n  fallback: [email]")
    due, said = told_later(local("01-28", "12:00"), NO_SMS, fallback=other)
    assert not due
    assert said == "`reminder` goes out by email now, and not by sms."


def test_what_is_severe_keeps_the_hours_and_days_of_its_run() -> None:
    by = changed(runs=("runs: daily", "runs: [14, 28]"))
    taken = before(played([BILL], local("02-14").date(), by), "final_notice notify(letter, final_notice)")
    key = "case/A1/1/account/final_notice/1/notify.letter.final_notice/do"
    at = local("02-15", "10:00")
    due, said = still_due(by, taken.taken_before, position_of([BILL], at), at, key)
    assert not due
    assert "no run on this day" in said
