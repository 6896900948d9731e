"""Bills announced before they are due: each notice once, not to whoever has paid, nobody too often."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import col, select

from api.storage.actions import get_action
from api.storage.tables import OutboxRow
from api.wiring import Wiring
from tests.api.conftest import Build
from tests.api.policies import COLLECTIONS
from tests.api.relay.test_courier import with_receiver
from tests.api.scenes import account, add_parties, bill, local, pay, post

TABLE = b"""before_due: |
  | days | do                       |
  | 7    | notify(email, announced) |
  | 3    | notify(sms, announced)   |
"""
FIRST = "before_due/A1/B1/before_due/1/notify.email.announced/do"
SECOND = "before_due/A1/B1/before_due/2/notify.sms.announced/do"


def publish(wiring: Wiring) -> Wiring:
    wiring.publisher.publish({"policy.yaml": COLLECTIONS + TABLE}, local("2026-03-01 00:00"))
    return wiring


@pytest.fixture
def announcing(wiring: Wiring) -> Wiring:
    """A world whose policy announces bills seven and three days before they are due."""
    return publish(wiring)


def sent(wiring: Wiring) -> list[tuple[str, str]]:
    with wiring.database.read() as session:
        query = select(OutboxRow).where(OutboxRow.channel == "webhook").order_by(col(OutboxRow.id))
        return [(row.subject, row.state) for row in session.exec(query)]


def test_a_bill_is_announced_once_by_a_sweep_that_finds_its_account(announcing: Wiring) -> None:
    add_parties(announcing, "A1")
    bill(announcing, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
    row = account(announcing, "A1")
    assert row.remind_on == local("2026-03-11 09:00")
    cases = announcing.cases
    assert cases.due_accounts(local("2026-03-11 08:59"), "", 10) == []
    assert cases.due_accounts(local("2026-03-11 09:00"), "", 10) == ["A1"]
    assert cases.open_cases(["A1"], local("2026-03-11 09:00")) == 0
    (record,) = cases.remind(["A1"], local("2026-03-11 09:00"))
    assert [action.key for action in record.actions] == [FIRST]
    assert cases.remind(["A1"], local("2026-03-11 09:00")) == []
    row = account(announcing, "A1")
    assert (row.remind_on, row.watch_on) == (local("2026-03-15 09:00"), local("2026-03-19 09:00"))
    assert row.open_case is None
    cases.remind(["A1"], local("2026-03-15 09:00"))
    assert sent(announcing) == [(FIRST, "pending"), (SECOND, "pending")]
    with announcing.database.read() as session:
        action = get_action(session, FIRST)
    assert (action.number, action.account, action.severe, action.step) == (0, "A1", True, "before_due")
    assert account(announcing, "A1").remind_on is None


def test_it_states_the_bill_and_is_void_when_the_due_date_begins(announcing: Wiring) -> None:
    add_parties(announcing, "A1")
    bill(announcing, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
    bill(announcing, "A1", local("2026-03-01 02:00"), "B2", "2026-03-28", "11.00")
    (record,) = announcing.cases.remind(["A1"], local("2026-03-11 09:00"))
    (action,) = record.actions
    assert (action.amount, action.debts) == (Decimal("205.42"), ("B1",))
    assert action.not_after == local("2026-03-18 00:00")
    assert action.figures["next_due"] == "2026-03-18"
    assert action.figures["next_due_amount"] == "205.42"


def test_who_has_paid_before_it_went_out_is_not_told(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        add_parties(publish(wiring), "A1")
        bill(wiring, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
        wiring.cases.remind(["A1"], local("2026-03-11 09:00"))
        pay(wiring, "A1", local("2026-03-11 09:01"), "P1", "205.42")
        wiring.courier.deliver("A1", local("2026-03-11 09:02"))
        assert (heard.keys, sent(wiring)) == ([], [(FIRST, "withdrawn")])
        with wiring.database.read() as session:
            assert get_action(session, FIRST).detail == "The bill is settled."


def test_what_is_sent_is_sent_once_and_its_receipt_counts(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        add_parties(publish(wiring), "A1")
        bill(wiring, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
        wiring.cases.remind(["A1"], local("2026-03-11 09:00"))
        wiring.courier.deliver("A1", local("2026-03-11 09:02"))
        wiring.courier.deliver("A1", local("2026-03-11 09:03"))
        assert heard.keys == [FIRST]


def test_a_message_that_nobody_took_until_the_due_date_expires(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        add_parties(publish(wiring), "A1")
        bill(wiring, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
        wiring.cases.remind(["A1"], local("2026-03-15 09:00"))
        wiring.courier.deliver("A1", local("2026-03-18 00:00") + timedelta(seconds=1))
        assert (heard.keys, sent(wiring)) == ([], [(SECOND, "expired")])


def test_a_later_bill_is_announced_beside_an_open_case(announcing: Wiring) -> None:
    add_parties(announcing, "A1")
    bill(announcing, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
    assert announcing.cases.open_case("A1", local("2026-03-19 09:00"))
    bill(announcing, "A1", local("2026-03-20 02:00"), "B2", "2026-04-10", "80.00")
    row = account(announcing, "A1")
    assert (row.open_case, row.watch_on, row.remind_on) == (1, None, local("2026-04-03 09:00"))
    (record,) = announcing.cases.remind(["A1"], local("2026-04-03 09:00"))
    assert [action.debts for action in record.actions] == [("B2",)]


def test_a_late_sweep_sends_the_last_notice_only(announcing: Wiring) -> None:
    add_parties(announcing, "A1")
    bill(announcing, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
    (record,) = announcing.cases.remind(["A1"], local("2026-03-16 11:00"))
    assert [action.key for action in record.actions] == [SECOND]
    assert announcing.cases.remind(["A1"], local("2026-03-17 11:00")) == []


def test_a_hold_keeps_a_bill_from_being_announced_until_it_ends(announcing: Wiring) -> None:
    add_parties(announcing, "A1")
    bill(announcing, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
    at = local("2026-03-02 08:00")
    post(announcing, "A1", at, kind="hold", id="H1", hold="hardship", until="2026-03-12")
    assert account(announcing, "A1").remind_on == local("2026-03-11 09:00")
    assert announcing.cases.remind(["A1"], local("2026-03-11 09:00")) == []
    assert account(announcing, "A1").remind_on == local("2026-03-13 09:00")
    assert len(announcing.cases.remind(["A1"], local("2026-03-13 09:00"))) == 1
