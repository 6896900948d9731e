"""Notices of one day to one customer as one message: who is in it, and what a lost answer leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from sqlmodel import col, select

from api.storage.outbox import LEASE
from api.storage.tables import OutboxRow
from api.wiring import Wiring
from tests.api.conftest import Build
from tests.api.relay.listening import Listener, confirms, listening, takes
from tests.api.scenes import Driver, local, pay
from tests.api.storage.test_contacts import CAPPED, arrears, open_all

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RUN, SENT = local("2026-03-21 09:00"), local("2026-03-21 09:30")
JOINED = CAPPED.replace(b"quiet_hours:", b"consolidate: true, quiet_hours:")


@pytest.fixture
def world(builder: Build, database_url: str) -> Iterator[tuple[Wiring, Listener, dict[str, Driver]]]:
    """Three accounts of one customer whose reminders were asked for and wait for each other."""
    with listening(SECRET) as heard:
        wiring = builder(database=database_url, webhook_url=heard.url, webhook_secret=SECRET)
        drivers = arrears(wiring, "A1", "A2", "A3", text=JOINED)
        open_all(wiring, drivers)
        for name in ("A1", "A2"):
            remind(drivers[name])
        yield wiring, heard, drivers


def remind(driver: Driver) -> None:
    record = driver.look(RUN)
    assert [action.do for action in record.actions] == ["notify"], record.trace
    assert record.actions[0].not_before == SENT
    assert len(driver.act(record).requested) == 1


def key(account: str) -> str:
    return f"case/{account}/1/account/reminder/1/notify.sms.reminder/do"


def rows(wiring: Wiring) -> Sequence[OutboxRow]:
    with wiring.database.read() as session:
        query = select(OutboxRow).where(OutboxRow.channel == "webhook").order_by(col(OutboxRow.id))
        return session.exec(query).all()


def states(wiring: Wiring) -> dict[str, str]:
    return {row.account: row.state for row in rows(wiring)}


World = tuple[Wiring, Listener, dict[str, Driver]]


def test_the_notices_of_two_accounts_are_one_message_under_the_cap_of_one(world: World) -> None:
    wiring, heard, _ = world
    assert wiring.courier.deliver("A1", RUN) == SENT, "they wait for all of the day's run"
    assert wiring.courier.deliver("A1", SENT) is None
    assert wiring.courier.deliver("A2", SENT) is None
    (event,) = heard.events
    assert event["id"] == key("A1")
    assert [other["key"] for other in event["data"]["together"]] == [key("A2")]
    assert [other["account"] for other in event["data"]["together"]] == ["A2"]
    assert states(wiring) == {"A1": "delivered", "A2": "delivered"}
    assert rows(wiring)[1].error == f"It went out together with {key('A1')}"


def test_a_receipt_in_the_answer_is_for_every_notice_in_it(world: World) -> None:
    wiring, heard, drivers = world
    heard.reply = confirms
    wiring.courier.deliver("A1", SENT)
    for name in ("A1", "A2"):
        found = drivers[name].look(SENT + timedelta(minutes=1)).position.receipts
        assert [(word.key, word.status) for word in found] == [(key(name), "done")]


def test_what_is_paid_before_it_goes_out_is_not_in_it(world: World) -> None:
    wiring, heard, drivers = world
    pay(wiring, "A2", local("2026-03-21 09:10"), "P1", "205.42")
    drivers["A2"].act(drivers["A2"].look(local("2026-03-21 09:11")))
    pay(wiring, "A1", local("2026-03-21 09:10"), "P1", "1.00")
    wiring.courier.deliver("A1", SENT)
    assert [event["id"] for event in heard.events] == [key("A1")]


def test_a_message_whose_answer_is_lost_goes_out_again_under_the_same_id(world: World) -> None:
    wiring, heard, _ = world
    heard.reply = lambda _: (503, None)
    again = wiring.courier.deliver("A1", SENT)
    assert again is not None
    assert [(row.attempts, row.next_at) for row in rows(wiring)] == [(1, again), (1, again)]
    heard.reply = takes
    assert wiring.courier.deliver("A2", again) is None, "whoever comes first takes both"
    assert states(wiring) == {"A1": "delivered", "A2": "delivered"}
    assert [event["id"] for event in heard.events] == [key("A1"), key("A1")]
    assert heard.events[0]["data"]["together"] == heard.events[1]["data"]["together"]


def test_who_dies_after_sending_leaves_both_to_be_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring, heard, _ = world
    with monkeypatch.context() as patched:

        def dies(*_: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(type(wiring.courier), "_note", dies)
        with pytest.raises(KeyboardInterrupt):
            wiring.courier.deliver("A1", SENT)
    assert states(wiring) == {"A1": "pending", "A2": "pending"}
    leases = {row.leased_until for row in rows(wiring)}
    assert len(leases) == 1, "they were taken as one"
    with wiring.database.write() as work:
        for row in work.session.exec(select(OutboxRow).where(OutboxRow.channel == "webhook")).all():
            assert row.leased_until is not None
            row.leased_until -= 2 * LEASE
            work.session.add(row)
    assert wiring.courier.deliver("A1", SENT + timedelta(minutes=2)) is None
    assert [event["id"] for event in heard.events] == [key("A1"), key("A1")]
    assert heard.events[0]["data"]["together"] == heard.events[1]["data"]["together"]
    assert states(wiring) == {"A1": "delivered", "A2": "delivered"}


def test_a_notice_that_comes_after_the_message_has_gone_waits_for_the_next_day(world: World) -> None:
    wiring, heard, drivers = world
    heard.reply = confirms
    wiring.courier.deliver("A1", SENT)
    late = drivers["A3"].look(SENT + timedelta(minutes=5))
    assert late.actions == ()
    assert "contact cap: 1 by message per P1D, 1 were made" in [row.note for row in late.trace.rows]
