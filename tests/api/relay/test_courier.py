from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from api.relay.courier import PAUSES
from api.relay.receiver import Receiver, ReceiverRefused
from api.storage.actions import get_action
from api.storage.outbox import LEASE
from api.storage.stopped import Stopped
from api.storage.tables import EntryRow, OutboxRow
from api.wiring import Wiring, build
from tests.api.conftest import Build
from tests.api.relay.listening import Listener, confirms, listening
from tests.api.scenes import Driver, account, in_arrears, local, pay

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = local("2026-03-21 09:00")


@contextmanager
def with_receiver(builder: Build, database: str = "") -> Iterator[tuple[Wiring, Listener]]:
    with listening(SECRET) as heard:
        yield builder(database=database, webhook_url=heard.url, webhook_secret=SECRET), heard


def message(wiring: Wiring) -> OutboxRow:
    with wiring.database.read() as session:
        query = select(OutboxRow).where(OutboxRow.channel == "webhook").order_by(col(OutboxRow.id).desc())
        return session.exec(query.limit(1)).one()


def reminded(wiring: Wiring) -> Driver:
    driver = in_arrears(wiring)
    driver.run(local("2026-03-19 09:00"), local("2026-03-20 00:00"))
    driver.act(driver.look(AT))
    return driver


def to_barring(wiring: Wiring) -> tuple[Driver, datetime, str]:
    """Everything is confirmed by hand up to barring, which is asked for and not yet sent."""
    driver = in_arrears(wiring)
    driver.run(local("2026-03-19 09:00"), local("2026-04-17 00:00"))
    with wiring.database.write() as work:
        for row in work.session.exec(select(OutboxRow).where(OutboxRow.state == "pending")).all():
            row.state = "delivered"
            work.session.add(row)
    at = local("2026-04-18 09:00")
    (key,) = driver.act(driver.look(at)).requested
    return driver, at, key


def test_a_message_is_signed_and_a_cloud_event(builder: Build, database_url: str) -> None:
    with with_receiver(builder, database_url) as (wiring, heard):
        reminded(wiring)
        assert wiring.courier.deliver("A1", AT) is None
    assert heard.wrong == []
    (event,), (headers,) = heard.events, heard.headers
    key = "case/A1/1/account/reminder/1/notify.sms.reminder/do"
    assert headers["webhook-id"] == event["id"] == key
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", "forbear.action.notify", "A1")
    data = event["data"]
    assert (data["amount"], data["currency"], data["args"]) == ("205.42", "CNY", ["sms", "reminder"])
    assert datetime.fromisoformat(event["time"]) == AT
    assert int(event["sequence"]) == message(wiring).id
    assert message(wiring).state == "delivered"


def test_without_a_receiver_messages_are_kept(lite: Wiring) -> None:
    reminded(lite)
    assert lite.courier.deliver("A1", AT) is None
    assert (message(lite).state, message(lite).attempts) == ("pending", 0)


def test_a_receipt_in_the_answer_is_recorded_at_once(builder: Build, database_url: str) -> None:
    with with_receiver(builder, database_url) as (wiring, heard):
        heard.reply = confirms
        driver = reminded(wiring)
        wiring.courier.deliver("A1", AT)
        with wiring.database.read() as session:
            action = get_action(session, heard.keys[0])
            assert (action.state, action.detail) == ("done", "by the network")
        after = driver.look(AT + timedelta(seconds=1))
        assert after.trace.reached == "reminder"
        assert after.actions == ()


def test_a_process_that_dies_before_it_has_kept_the_receipt_sends_again(
    builder: Build, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with with_receiver(builder, database_url) as (wiring, heard):
        heard.reply = confirms
        reminded(wiring)
        with monkeypatch.context() as patch:
            patch.setattr(wiring.writer, "post", dies)
            with pytest.raises(KeyboardInterrupt):
                wiring.courier.deliver("A1", AT)
        assert message(wiring).state == "pending"
        monkeypatch.setattr(wiring.courier, "_now", lambda: datetime.now(UTC) + LEASE)
        wiring.courier.deliver("A1", AT)
        assert heard.keys == [heard.keys[0]] * 2
        assert message(wiring).state == "delivered"
        with wiring.database.read() as session:
            assert get_action(session, heard.keys[0]).state == "done"


def test_an_answer_that_cannot_be_read_is_taken_as_taken(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        heard.reply = lambda event: (200, {"receipt": {"status": "perhaps"}})
        reminded(wiring)
        assert wiring.courier.deliver("A1", AT) is None
        assert message(wiring).state == "delivered"


def test_a_receipt_of_before_the_request_confirms_nothing(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        early = (AT - timedelta(hours=1)).isoformat()
        heard.reply = lambda event: (200, {"receipt": {"status": "done", "at": early}})
        reminded(wiring)
        wiring.courier.deliver("A1", AT)
        assert message(wiring).state == "delivered"
        with wiring.database.read() as session:
            assert get_action(session, heard.keys[0]).state == "requested"


def test_a_failure_is_tried_again_later(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        heard.reply = lambda event: (503, None)
        reminded(wiring)
        again = wiring.courier.deliver("A1", AT)
        assert again is not None
        assert timedelta(seconds=3) < again - AT < timedelta(seconds=7)
        assert wiring.courier.deliver("A1", AT) == again
        assert len(heard.events) == 1
        heard.reply = confirms
        assert wiring.courier.deliver("A1", again) is None
        assert [event["id"] for event in heard.events] == [heard.keys[0]] * 2
        assert message(wiring).attempts == 2


def test_a_message_nobody_takes_for_days_is_dead_and_the_ladder_hears_of_it(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        heard.reply = lambda event: (500, None)
        driver = reminded(wiring)
        at: datetime | None = AT
        while at is not None:  # at night it is not tried
            last, at = at, wiring.courier.deliver("A1", at)
        assert len(heard.events) == len(PAUSES) + 1
        row = message(wiring)
        assert row.state == "dead"
        assert "HTTP 500" in row.error
        with wiring.database.read() as session:
            assert get_action(session, row.subject).state == "failed"
        after = driver.look(last + timedelta(minutes=1))
        assert after.trace.reached == ""


def test_gone_means_stop_and_nothing_is_lost(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        heard.reply = lambda event: (410, None)
        reminded(wiring)
        wiring.courier.deliver("A1", AT)
        assert wiring.courier.gone
        assert wiring.courier.deliver("A1", AT + timedelta(days=1)) is None
        assert len(heard.events) == 1
        assert message(wiring).state == "pending"
        again = build(wiring.settings, make=False)  # another process, or the next start
        try:
            assert again.stopped.since() is not None
            assert not again.courier.sends
            assert not again.relay._alerts.sends
            assert again.stopped.resume()
        finally:
            again.close()
        assert not wiring.stopped.resume()
        assert (wiring.courier.sends, wiring.relay._alerts.sends) == (True, True)


def test_another_receiver_in_its_place_is_told(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        Stopped(wiring.database, "https://old.example/in").stop(AT)
        assert wiring.stopped.since() is None
        assert wiring.courier.sends
        assert heard.events == []


def test_a_severe_message_is_derived_again_before_it_goes(builder: Build, database_url: str) -> None:
    with with_receiver(builder, database_url) as (wiring, heard):
        _, at, key = to_barring(wiring)
        pay(wiring, "A1", at + timedelta(minutes=5), "P1", "205.42")
        assert wiring.courier.deliver("A1", at + timedelta(minutes=6)) is None
        assert heard.events == []
        assert message(wiring).state == "withdrawn"
        with wiring.database.read() as session:
            action = get_action(session, key)
            assert action.state == "withdrawn"
            assert action.detail
            words = session.exec(select(EntryRow).where(EntryRow.kind == "receipt")).all()
            assert '"withdrawn"' in words[-1].body


def test_a_severe_message_is_derived_again_before_every_attempt(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        heard.reply = lambda event: (502, None)
        _, at, key = to_barring(wiring)
        again = wiring.courier.deliver("A1", at)
        assert again is not None
        assert heard.keys == [key]
        pay(wiring, "A1", at + timedelta(seconds=1), "P1", "205.42")
        assert wiring.courier.deliver("A1", again) is None
        assert heard.keys == [key]
        assert message(wiring).state == "withdrawn"


def test_a_severe_message_expires_after_its_last_hour(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        driver, at, key = to_barring(wiring)
        late = local("2026-04-18 16:30")
        assert wiring.courier.deliver("A1", late) is None
        assert heard.events == []
        with wiring.database.read() as session:
            assert get_action(session, key).state == "expired"
        assert driver.look(late + timedelta(minutes=1)).trace.reached == "final"
        assert at < late


def test_a_message_waits_for_the_allowed_hours(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        driver = in_arrears(wiring)
        driver.run(local("2026-03-19 09:00"), local("2026-03-20 00:00"))
        night = local("2026-03-21 22:00")
        record = driver.look(night)
        assert record.actions[0].not_before == local("2026-03-22 08:00")
        driver.act(record)
        assert wiring.courier.deliver("A1", night) == local("2026-03-22 08:00")
        assert heard.events == []
        assert wiring.courier.deliver("A1", local("2026-03-22 08:00")) is None
        assert len(heard.events) == 1


def test_messages_of_one_account_keep_their_order(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        driver = in_arrears(wiring)
        driver.run(local("2026-03-19 09:00"), local("2026-05-10 00:00"))
        with wiring.database.write() as work:
            for row in work.session.exec(select(OutboxRow).where(OutboxRow.channel == "webhook")).all():
                work.update(OutboxRow, {"id": row.id}, {"not_after": None})
                severe = get_action(work.session, row.subject)
                severe.severe, severe.state, severe.taken_before = False, "requested", None
                work.session.add(severe)
        wiring.courier.deliver("A1", local("2026-05-10 10:00"))
        assert [event["data"]["step"] for event in heard.events] == [
            "reminder",
            "final",
            "bar",
            "suspend",
            "suspend",
        ]
        assert [int(e["sequence"]) for e in heard.events] == sorted(int(e["sequence"]) for e in heard.events)


def test_a_background_delivery_pokes_the_case_and_the_activitys_own_does_not(builder: Build) -> None:
    def pokes(wiring: Wiring) -> int:
        with wiring.database.read() as session:
            return len(session.exec(select(OutboxRow).where(OutboxRow.kind == "poke")).all())

    with with_receiver(builder) as (wiring, heard):
        heard.reply = confirms
        driver = reminded(wiring)
        wiring.courier.deliver("A1", AT)
        assert pokes(wiring) == 0
        driver.taken = driver.look(AT + timedelta(seconds=1)).taken
        driver.act(driver.look(local("2026-03-28 09:00")))
        wiring.courier.deliver("A1", local("2026-03-28 09:00"), pokes=True)
        assert len(heard.events) == 2
        assert pokes(wiring) == 1
        assert account(wiring, "A1").open_case == 1


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com/x", "no http or https"),
        ("/relative", "no http or https"),
        ("https://user:secret@example.com/", "must not hold a password"),
    ],
)
def test_a_url_that_cannot_be_a_receiver_is_refused(url: str, why: str) -> None:
    with pytest.raises(ReceiverRefused, match=why):
        Receiver(url, SECRET, inside=False)


def test_in_real_time_a_receiver_inside_needs_leave(builder: Build) -> None:
    with listening(SECRET) as heard:
        receiver = Receiver(heard.url, SECRET, inside=False)
        answer = receiver.send("m1", b"{}", datetime.now().astimezone())
        receiver.close()
    assert (heard.events, heard.wrong) == ([], [])
    assert "not on the public internet" in answer.error


def test_a_notice_that_could_not_be_sent_by_day_waits_through_the_night(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        heard.reply = lambda _: (503, None)
        reminded(wiring)
        assert wiring.courier.deliver("A1", local("2026-03-21 20:59")) is not None
        heard.reply = confirms
        assert wiring.courier.deliver("A1", local("2026-03-21 21:30")) == local("2026-03-22 08:00")
        assert len(heard.events) == 1
        assert wiring.courier.deliver("A1", local("2026-03-22 08:00")) is None
        assert message(wiring).state == "delivered"


def test_what_comes_behind_a_notice_in_quiet_hours_does_not_wait_for_it(builder: Build) -> None:
    with with_receiver(builder) as (wiring, heard):
        driver = in_arrears(wiring)
        driver.run(local("2026-03-19 09:00"), local("2026-04-17 00:00"))
        at, first = local("2026-04-18 09:00"), True
        with wiring.database.write() as work:
            told = select(OutboxRow).where(OutboxRow.channel == "webhook").order_by(col(OutboxRow.id))
            for row in work.session.exec(told).all():
                row.state, row.not_before = "pending" if first else "delivered", at + timedelta(days=1)
                first = False
                work.session.add(row)
        (key,) = driver.act(driver.look(at)).requested
        heard.reply = confirms
        assert wiring.courier.deliver("A1", at) == at + timedelta(days=1)
        assert heard.keys == [key]
