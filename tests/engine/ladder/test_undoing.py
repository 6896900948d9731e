"""What was to be taken back and was not: asked for again, put before a person, and never forgotten."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.ladder.simulate import Event, Played, Reply, Scenario, play, show
from tests.engine.ladder.world import calendar, evening, law, local, policy, told
from tests.engine.ledger.making import TERMS, ZONE, entry

BILL = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="300.00")
PAID = entry("payment", "2026-02-26", id="P1", amount="300.00").model_copy(
    update={"received_at": local("02-26", "10:00")}
)
UP = [
    ("01-28", "09:10", "reminder notify(sms, reminder)", "done"),
    ("02-14", "09:10", "final_notice notify(letter, final_notice)", "done"),
    ("02-25", "09:10", "bar service(outgoing_barred)", "done"),
]
SUSPENDED = [
    ("03-11", "09:10", "suspend service(suspended)", "done"),
    ("03-11", "09:11", "suspend fee(suspension)", "done"),
]
OVER = [
    *UP, *SUSPENDED, ("05-11", "09:10", "terminate service(terminated)", "done"),
    ("05-11", "10:00", "terminate billing(stop)", "failed"),
]  # fmt: skip
FEE = ("02-26", "10:04", "late_fee fee(late_fee)", "done")
TASK = "bar task(restore_failed, service.outgoing_barred)"


def told_by(
    lines: list[tuple[str, str, str, str]], end: str, *entries: Any, receiver: Any = "explicit"
) -> Played:
    replies = [Event(local(d, clock), "", reply=Reply(what, status)) for d, clock, what, status in lines]  # type: ignore[arg-type]  # words of receipts
    events = (*told([BILL, *entries]), *replies)
    last = evening(date.fromisoformat(f"2026-{end}"))
    return play(policy(), law(), calendar(), Scenario(TERMS, events, last, receiver=receiver))


def said(found: Played, first: str) -> list[str]:
    return [
        f"{look.at.astimezone(ZONE):%m-%d %H:%M} {show(action)}"
        for look in found.looks
        for action in look.step.actions
        if f"{look.at.astimezone(ZONE):%m-%d}" >= first
    ]


def is_open(found: Played) -> bool:
    return found.looks[-1].step.open


@pytest.mark.parametrize("word", ["failed", "expired", "suppressed"])
def test_a_restoration_that_failed_is_told_at_once_and_asked_for_again_before_the_deadline(word: str) -> None:
    lines = [
        *UP, FEE, ("02-26", "10:05", "undo bar service(open)", word),
        ("02-26", "10:06", "undo bar/2 service(open)", word),
    ]  # fmt: skip
    found = told_by([*lines, ("02-26", "19:00", "undo bar/3 service(open)", word)], "03-31", PAID)
    assert said(found, "02-26") == [
        "02-26 10:00 undo bar service(open)", "02-26 10:00 late_fee fee(late_fee)",
        f"02-26 10:05 {TASK}", "02-26 10:05 undo bar/2 service(open)", "02-26 18:00 undo bar/3 service(open)",
    ]  # fmt: skip
    assert is_open(found)  # nobody has said that the line works again


@pytest.mark.parametrize("last", ["undo bar/2 service(open)", "undo bar service(open)", TASK])
def test_a_case_ends_once_the_line_works_again_or_a_person_has_seen_to_it(last: str) -> None:
    failed = ("02-26", "10:05", "undo bar service(open)", "failed")
    found = told_by([*UP, FEE, failed, ("02-26", "11:00", last, "done")], "03-31", PAID)
    assert not is_open(found)
    assert found.looks[-1].at == local("02-26", "11:00")


def test_a_restoration_asked_for_again_and_not_answered_is_missed() -> None:
    failed = ("02-26", "10:05", "undo bar service(open)", "failed")
    found = told_by([*UP, FEE, failed], "03-31", PAID)
    assert said(found, "02-27") == ["02-27 10:00 bar task(missing_receipt, service.outgoing_barred, undo)"]
    assert is_open(found)


def test_what_failed_to_be_restored_is_not_restored_when_it_is_cut_again() -> None:
    back = entry("payment_returned", "2026-02-26", id="R1", payment="P1").model_copy(
        update={"received_at": local("02-26", "11:00")}
    )
    lines = [
        *UP, ("02-26", "10:05", "undo bar service(open)", "failed"),
        ("02-26", "10:06", "undo bar/2 service(open)", "failed"),
    ]  # fmt: skip
    found = told_by(lines, "02-28", PAID, back)
    assert said(found, "02-26") == [
        "02-26 10:00 undo bar service(open)", "02-26 10:00 late_fee fee(late_fee)",
        f"02-26 10:05 {TASK}", "02-26 10:05 undo bar/2 service(open)",
        "02-26 11:00 bar/3 service(outgoing_barred)",
        "02-28 11:00 bar/3 task(missing_receipt, service.outgoing_barred, do)",
    ]  # fmt: skip


def test_a_fee_whose_reversal_failed_is_reversed_again() -> None:
    late = entry("payment", "2026-03-10", id="P1", amount="300.00").model_copy(
        update={"received_at": local("03-12", "10:00")}
    )
    lines = [
        *UP, *SUSPENDED, ("03-12", "10:04", "undo suspend service(open)", "done"),
        ("03-12", "10:05", "undo suspend fee(suspension)", "failed"),
        ("03-12", "10:05", "late_fee fee(late_fee)", "done"),
    ]  # fmt: skip
    found = told_by(lines, "03-12", late)
    assert [line for line in said(found, "03-12") if "suspension" in line] == [
        "03-12 10:00 undo suspend fee(suspension)",
        "03-12 10:05 suspend task(undo_failed, fee.suspension)",
        "03-12 10:05 undo suspend/2 fee(suspension)",
    ]  # fmt: skip
    assert is_open(found)
    reversed_ = ("03-12", "10:06", "undo suspend/2 fee(suspension)", "done")
    assert not is_open(told_by([*lines, reversed_], "03-12", late))


def test_a_late_fee_that_billing_does_not_reverse_is_put_before_a_person() -> None:
    entries = [
        entry("bill", "2026-01-05", id="B2", due="2026-02-20", amount="300.00"),
        entry("payment", "2026-02-24", id="P1", amount="300.00", pays=[{"bill": "B1", "amount": "300.00"}]),
        entry("credit_note", "2026-02-26", id="C1", amount="100.00", bill="B1"),
    ]
    reply = ("02-26", "10:00", "undo late_fee fee(late_fee)", "failed")
    assert said(told_by([reply], "03-01", *entries, receiver="done same day"), "02-26") == [
        "02-26 08:00 undo late_fee fee(late_fee)",
        "02-26 08:00 late_fee/2 fee(late_fee)",
        "02-26 10:00 late_fee task(undo_failed, fee.late_fee)",
    ]


# a termination


STOP = ("05-11", "10:00", "terminate billing(stop)", "failed")


def test_a_termination_whose_billing_goes_on_asks_only_to_stop_billing() -> None:
    again = [
        (d, c, f"terminate/{n} billing(stop)", "failed")
        for d, c, n in (("05-11", "11:00", 2), ("05-12", "02:00", 3))
    ]
    found = told_by([*OVER, *again], "05-24")
    assert said(found, "05-11") == [
        "05-11 09:00 terminate service(terminated)", "05-11 09:00 terminate billing(stop)",
        "05-11 10:00 terminate/2 billing(stop)", "05-12 01:00 terminate/3 billing(stop)",
        "05-12 02:00 terminate/3 task(undeliverable)",
    ]  # fmt: skip
    assert found.looks[-1].step.taken.level == "terminated"
    assert is_open(found)


def test_a_case_does_not_end_while_billing_may_still_run() -> None:
    paid = entry("payment", "2026-05-20", id="P1", amount="300.00")
    late_fee = ("05-20", "08:10", "late_fee fee(late_fee)", "done")
    assert is_open(told_by([*OVER, late_fee], "06-20", paid))
    stopped = ("05-21", "08:10", "terminate/2 billing(stop)", "done")
    found = told_by([*OVER, late_fee, stopped], "06-20", paid)
    assert (found.looks[-1].step.taken.ended, found.looks[-1].at) == ("terminated", local("05-21", "08:10"))


@pytest.mark.parametrize("clock", ["10:00", "15:00"])
def test_a_payment_restores_nothing_after_a_termination_whose_billing_went_on(clock: str) -> None:
    paid = entry("payment", "2026-05-11", id="P1", amount="300.00").model_copy(
        update={"received_at": local("05-11", clock)}
    )
    found = told_by([STOP], "05-31", paid, receiver="done same day")
    taken = found.looks[-1].step.taken
    assert (taken.ended, taken.level) == ("terminated", "terminated")
    assert not [line for line in said(found, "05-11") if "undo" in line]


def test_a_hold_begins_nothing_anew_on_a_contract_that_is_over() -> None:
    held = entry("hold", "2026-05-11", id="H1", hold="hardship", until="2026-06-20").model_copy(
        update={"received_at": local("05-11", "12:00")}
    )
    found = told_by([STOP], "08-31", held, receiver="done same day")
    assert [line[12:] for line in said(found, "05-12")] == ["agency place(agency)"]
    assert found.looks[-1].step.taken.level == "terminated"
