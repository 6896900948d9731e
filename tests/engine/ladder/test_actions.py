"""Actions as they are asked for: keys, deadlines, hours, levels, figures."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from engine.ladder import Action
from engine.ladder.simulate import Played
from tests.engine.ladder.world import before, local, played
from tests.engine.ledger.making import entry

BILL = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="300.00")
HELD = entry("deposit", "2026-01-05", id="D1", amount="50.00", move="held")


@pytest.fixture(scope="module")
def whole() -> Played:
    return played([BILL, HELD], date(2027, 1, 31))


def asked(found: Played, words: str) -> Action:
    from engine.ladder.simulate import show

    return next(a for a in before(found, words).step.actions if show(a) == words)


@pytest.mark.parametrize(
    ("words", "key", "severe"),
    [
        ("reminder notify(sms, reminder)", "reminder/1/notify.sms.reminder", False),
        ("final_notice notify(letter, final_notice)", "final_notice/1/notify.letter.final_notice", True),
        ("bar service(outgoing_barred)", "bar/1/service.outgoing_barred", True),
        ("suspend service(suspended)", "suspend/1/service.suspended", True),
        ("suspend fee(suspension)", "suspend/1/fee.suspension", True),
        ("set_off apply(deposit)", "set_off/1/apply.deposit", True),
        ("terminate billing(stop)", "terminate/1/billing.stop", True),
        ("agency place(agency)", "agency/1/place.agency", True),
        ("write_off approve(write_off)", "write_off/1/approve.write_off", False),
    ],
)
def test_each_action_has_its_key_and_weight(whole: Played, words: str, key: str, severe: bool) -> None:
    action = asked(whole, words)
    assert action.key == f"case/A1/1/account/{key}/do"
    assert action.severe is severe
    assert action.debts == ("B1",)
    assert (action.not_after is not None) is severe


def test_a_cut_is_off_when_its_window_closes_and_a_person_hears_after_two_days(whole: Played) -> None:
    bar = asked(whole, "bar service(outgoing_barred)")
    assert bar.not_after == local("02-25", "16:00")
    assert bar.confirm_by == local("02-25") + timedelta(days=2)
    assert bar.level == "outgoing_barred"


def test_a_final_notice_is_off_when_quiet_hours_begin(whole: Played) -> None:
    notice = asked(whole, "final_notice notify(letter, final_notice)")
    assert notice.not_after == local("02-14", "21:00")
    assert notice.not_before is None


def test_a_notice_states_what_is_owed_and_what_follows(whole: Played) -> None:
    notice = asked(whole, "final_notice notify(letter, final_notice)")
    assert notice.amount == Decimal("300.00")
    assert notice.figures == {
        "currency": "CNY",
        "overdue": "300.00",
        "disputed": "0",
        "late_fee": "18.00",
        "fees": "0",
        "days_past_due": "20",
        "debts": "B1",
        "next_step": "bar",
        "next_date": "2026-02-25",
        "last_day": "2026-02-24",
    }


def test_the_deposit_pays_no_more_than_it_holds(whole: Played) -> None:
    assert asked(whole, "set_off apply(deposit)").amount == Decimal("50.00")


def test_without_a_deposit_nothing_is_asked_and_the_row_counts_as_done() -> None:
    found = played([BILL], date(2026, 5, 11))
    assert not [a for look in found.looks for a in look.step.actions if a.do == "apply"]
    assert "set_off" in [row.step for row in found.looks[-1].step.taken.rows]


def test_a_restoration_is_not_severe_and_has_its_own_deadline() -> None:
    paid = entry("payment", "2026-03-14", id="P1", amount="400.00")  # a Saturday
    undo = asked(played([BILL, paid], date(2026, 3, 15)), "undo suspend service(open)")
    assert undo.key == "case/A1/1/account/suspend/1/service.suspended/undo"
    assert (undo.severe, undo.not_before, undo.not_after) == (False, None, None)
    assert undo.confirm_by == local("03-14", "08:00") + timedelta(hours=24)
    assert undo.level == "open"


def test_the_receiver_is_told_the_most_severe_level_in_force() -> None:
    fraud = entry("demand", "2026-02-20", id="L1", source="fraud", level="suspended")
    found = played([BILL, fraud], date(2026, 2, 25))
    bar = asked(found, "bar service(outgoing_barred)")
    assert bar.level == "suspended"
    assert before(found, "bar service(outgoing_barred)").step.taken.level == "outgoing_barred"


def test_a_demand_that_is_withdrawn_no_longer_counts() -> None:
    on = entry("demand", "2026-02-20", id="L1", source="fraud", level="suspended")
    off = entry("demand", "2026-02-22", id="L2", source="fraud", level="open")
    bar = asked(played([BILL, on, off], date(2026, 2, 25)), "bar service(outgoing_barred)")
    assert bar.level == "outgoing_barred"


def test_everything_of_a_case_can_be_read_back_word_for_word(whole: Played) -> None:
    for look in whole.looks:
        for value in (look.step, look.step.taken, look.position):
            assert type(value).model_validate_json(value.model_dump_json()) == value
