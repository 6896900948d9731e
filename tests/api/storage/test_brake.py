"""Too many interruptions on one day wait for a person; nothing is lost, nothing goes out twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import pytest
from sqlmodel import col, select

from api.storage import brakes
from api.storage.actions import get_action
from api.storage.audit import verify
from api.storage.brakes import BRAKED, BrakeNotOn, BrakeRow
from api.storage.tables import AuditRow, OutboxRow, TaskRow
from api.wiring import Wiring
from tests.api import policies
from tests.api.conftest import START, Build
from tests.api.relay.listening import Listener, confirms
from tests.api.relay.test_courier import with_receiver
from tests.api.scenes import Driver, account, add_parties, bill, local, pay
from tests.api.storage.test_levels import demand

AT = local("2026-04-18 09:00")
"""When the plain policy bars outgoing calls for a bill that was due on 18 March."""
TEXT = policies.COLLECTIONS.replace(
    b"currency: CNY\n", b"currency: CNY\nbrake: {interruptions: 3 x mean of 28 days, at_least: 2}\n", 1
)
NOTICES = {"templates/reminder.en.txt": b"{overdue}", "templates/final.en.txt": b"{overdue}"}


@contextmanager
def braked(builder: Build, database: str = "") -> Iterator[tuple[Wiring, Listener]]:
    with with_receiver(builder, database) as (wiring, heard):
        wiring.publisher.publish({"policy.yaml": TEXT, **NOTICES}, START)
        heard.reply = confirms
        yield wiring, heard


def days_before(wiring: Wiring, policy: str, day: date) -> list[int]:
    """What the brake of a policy's text takes the mean of."""
    with wiring.database.read() as session:
        return brakes._before(
            session,
            wiring.library.collections(session, policy),
            day,
            lambda text: wiring.library.collections(session, text).brake is not None,
        )


def at_the_bar(wiring: Wiring, name: str, *, policy: str = "", brake: bool = True) -> Driver:
    """An account whose line is about to be barred: everything before is done."""
    add_parties(wiring, name, customer=f"C-{name}", policy=policy)
    bill(wiring, name, local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
    row = account(wiring, name)
    assert row.watch_on is not None
    assert wiring.cases.open_case(name, row.watch_on)
    with wiring.database.read() as session:
        found = wiring.library.collections_for(session, row, local("2026-03-19 09:00").date())
    assert found is not None
    assert (found.brake is not None) is (brake and policy != "free-collections")
    driver = Driver(wiring, name, 1, found.digest)
    driver.run(local("2026-03-19 09:00"), local("2026-04-17 00:00"))
    with wiring.database.write() as work:
        for sent in work.session.exec(
            select(OutboxRow).where(OutboxRow.state == "pending", OutboxRow.account == name)
        ).all():
            sent.state = "delivered"
            work.session.add(sent)
    return driver


def barred(driver: Driver, at: datetime = AT) -> str:
    """Ask for the bar and try to deliver it; return its key."""
    (key,) = driver.act(driver.look(at)).requested
    driver.wiring.courier.deliver(driver.account, at)
    return key


def outbox_of(wiring: Wiring, key: str) -> OutboxRow:
    with wiring.database.read() as session:
        return session.exec(
            select(OutboxRow).where(OutboxRow.subject == key, OutboxRow.channel == "webhook")
        ).one()


def day_of(wiring: Wiring) -> BrakeRow:
    with wiring.database.read() as session:
        return session.exec(
            select(BrakeRow).where(BrakeRow.day == AT.date(), BrakeRow.kind == "interruptions")
        ).one()


def test_the_one_too_many_waits_and_goes_out_when_a_person_releases_it(
    builder: Build, database_url: str
) -> None:
    with braked(builder, database_url) as (wiring, heard):
        keys = [barred(at_the_bar(wiring, f"A{n}")) for n in range(4)]
        assert heard.keys == keys[:2]
        row = day_of(wiring)
        assert (row.counted, row.most, row.on_since) == (4, 2, AT)
        for key in keys[2:]:
            held = outbox_of(wiring, key)
            assert (held.state, held.attempts) == ("pending", 0)
            assert held.error.startswith(BRAKED)
        with wiring.database.read() as session:
            (task,) = session.exec(select(TaskRow).where(col(TaskRow.key).startswith("brake/"))).all()
            assert (task.state, task.account) == ("open", "A2")
            assert "3 interruptions on 2026-04-18, more than 2" in task.reason
        with wiring.database.write() as work:
            brakes.release(work, "maria", "I have looked", AT + timedelta(hours=1))
        for name in ("A2", "A3"):
            wiring.courier.deliver(name, AT + timedelta(hours=1))
        assert heard.keys == keys
        with wiring.database.read() as session:
            assert [get_action(session, key).state for key in keys] == ["done"] * 4
            kinds = session.exec(select(AuditRow.kind).where(col(AuditRow.kind).startswith("brake"))).all()
            assert kinds == ["brake-on", "brake-released"]
            assert verify(session)[1] is None
            closed = session.exec(select(TaskRow).where(col(TaskRow.key).startswith("brake/"))).one()
            assert (closed.state, closed.outcome) == ("closed", "released")


def test_a_released_day_is_free(builder: Build) -> None:
    with braked(builder) as (wiring, heard):
        for n in range(3):
            barred(at_the_bar(wiring, f"A{n}"))
        with wiring.database.write() as work:
            brakes.release(work, "maria", "I have looked", AT)
        late = barred(at_the_bar(wiring, "A9"), AT + timedelta(hours=2))
        assert heard.keys[-1] == late
        with wiring.database.write() as work, pytest.raises(BrakeNotOn):
            brakes.release(work, "maria", "again", AT)


def test_what_waits_too_long_is_withdrawn_and_asked_for_again(builder: Build) -> None:
    with braked(builder) as (wiring, heard):
        drivers = [at_the_bar(wiring, f"A{n}") for n in range(3)]
        keys = [barred(driver) for driver in drivers]
        evening = local("2026-04-18 17:00")
        wiring.courier.deliver("A2", evening)
        with wiring.database.read() as session:
            action = get_action(session, keys[2])
        assert (action.state, action.detail.startswith(BRAKED)) == ("withdrawn", True)
        assert heard.keys == keys[:2]
        with wiring.database.write() as work:
            brakes.release(work, "maria", "a holiday came before", local("2026-04-19 08:00"))
        drivers[2].look(evening + timedelta(seconds=1))
        record = drivers[2].look(local("2026-04-19 09:00"))
        drivers[2].taken = record.taken if not record.actions else drivers[2].taken
        again = barred(drivers[2], local("2026-04-19 09:00"))
        assert again == keys[2].replace("/bar/1/", "/bar/2/")
        assert heard.keys == [*keys[:2], again]


def test_who_pays_while_it_waits_is_never_cut(builder: Build, database_url: str) -> None:
    with braked(builder, database_url) as (wiring, heard):
        drivers = [at_the_bar(wiring, f"A{n}") for n in range(3)]
        keys = [barred(driver) for driver in drivers]
        pay(wiring, "A2", AT + timedelta(minutes=5), "P1", "205.42")
        driver = drivers[2]
        driver.act(driver.look(AT + timedelta(minutes=6)))
        with wiring.database.write() as work:
            brakes.release(work, "maria", "I have looked", AT + timedelta(minutes=7))
        wiring.courier.deliver("A2", AT + timedelta(minutes=8))
        assert keys[2] not in heard.keys
        with wiring.database.read() as session:
            assert get_action(session, keys[2]).state == "withdrawn"


def test_what_comes_behind_a_cut_that_waits_does_not_wait(builder: Build, database_url: str) -> None:
    with braked(builder, database_url) as (wiring, heard):
        cut, back = "demand/A2/account/fraud_desk/1/service.suspended/do", "demand/A2/account/fraud_desk/2"
        keys = [barred(at_the_bar(wiring, f"A{n}")) for n in range(3)]
        assert heard.keys == keys[:2]
        demand(wiring, AT + timedelta(minutes=5), "suspended", name="A2")
        wiring.courier.deliver("A2", AT + timedelta(minutes=6))
        demand(wiring, AT + timedelta(minutes=7), "open", name="A2")
        until = wiring.courier.deliver("A2", AT + timedelta(minutes=8))
        assert heard.keys == [*keys[:2], cut, f"{back}/service.open/do"]
        assert until == AT + timedelta(hours=1)
        assert outbox_of(wiring, keys[2]).state == "pending"
        with wiring.database.write() as work:
            brakes.release(work, "maria", "I have looked", AT + timedelta(minutes=9))
        wiring.courier.deliver("A2", AT + timedelta(minutes=9))
        assert heard.keys[-1] == keys[2]


def test_the_days_before_are_counted_with_their_gaps(builder: Build) -> None:
    with braked(builder) as (wiring, _):
        for n in range(2):
            barred(at_the_bar(wiring, f"A{n}"))
        last = at_the_bar(wiring, "A9")
        assert days_before(wiring, last.policy, AT.date()) == []
        assert days_before(wiring, last.policy, date(2026, 4, 21)) == [2, 0, 0]


def test_only_cuts_of_ladders_with_a_brake_are_the_mean(builder: Build) -> None:
    free = policies.COLLECTIONS.replace(b"plain-collections", b"free-collections")
    with braked(builder) as (wiring, _):
        wiring.publisher.publish({"policy.yaml": free, **NOTICES}, START)
        barred(at_the_bar(wiring, "F1", policy="free-collections"))
        demand(wiring, local("2026-04-18 10:00"), "suspended", name="F1")
        demand(wiring, local("2026-04-18 11:00"), "open", name="F1")
        last = at_the_bar(wiring, "A1")
        assert days_before(wiring, last.policy, date(2026, 4, 19)) == []
        barred(last)
        assert days_before(wiring, last.policy, date(2026, 4, 20)) == [1, 0]


@pytest.mark.parametrize("strict_asks", [0, 1, 2, 3])
def test_the_strictest_policy_of_a_day_brakes_it_whoever_asks_first(builder: Build, strict_asks: int) -> None:
    """Two policies, three cuts of the looser one and one of the stricter one, which lets a day have two."""
    loose = TEXT.replace(b"at_least: 2", b"at_least: 9").replace(b"plain-collections", b"loose-collections")
    with braked(builder) as (wiring, heard):
        wiring.publisher.publish({"policy.yaml": loose, **NOTICES}, START)
        drivers = [
            at_the_bar(wiring, f"A{n}")
            if n == strict_asks
            else at_the_bar(wiring, f"A{n}", policy="loose-collections")
            for n in range(4)
        ]
        keys = [barred(driver) for driver in drivers]
        row = day_of(wiring)
        assert (row.counted, row.most, row.policy, row.on_since) == (4, 2, "plain-collections", AT)
        assert heard.keys == keys[: max(2, strict_asks)]
        with wiring.database.read() as session:
            assert [found.kind for found in brakes.page_of_brakes(session, None, 9)] == ["interruptions"]
            assert len(brakes.in_force(session)) == 1


def test_a_policy_that_gets_a_brake_brings_the_days_of_its_older_text(builder: Build) -> None:
    with with_receiver(builder) as (wiring, _):
        older = at_the_bar(wiring, "A1", brake=False)
        barred(older)
        made = wiring.publisher.publish({"policy.yaml": TEXT, **NOTICES}, START).manifest.digest
        assert made != older.policy
        assert days_before(wiring, made, date(2026, 4, 19)) == [1]


def test_at_once_from_everywhere_exactly_so_many_are_counted(builder: Build, database_url: str) -> None:
    with braked(builder, database_url) as (wiring, heard):
        drivers = [at_the_bar(wiring, f"A{n}") for n in range(8)]
        records = [driver.look(AT) for driver in drivers]
        failed: list[BaseException] = []

        def act(number: int) -> None:
            try:
                drivers[number].act(records[number])
                wiring.courier.deliver(drivers[number].account, AT)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=act, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert (day_of(wiring).counted, day_of(wiring).on_since) == (8, AT)
        assert len(heard.keys) <= 2
        with wiring.database.write() as work:
            brakes.release(work, "maria", "I have looked", AT)
        for driver in drivers:
            wiring.courier.deliver(driver.account, AT)
        assert len(set(heard.keys)) == len(heard.keys) == 8


def test_a_policy_without_a_brake_counts_nothing(builder: Build) -> None:
    with with_receiver(builder) as (wiring, _):
        add_parties(wiring, "A1")
        with wiring.database.read() as session:
            assert brakes.in_force(session) == []
            assert session.exec(select(BrakeRow)).all() == []
