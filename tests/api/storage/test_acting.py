from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from sqlmodel import col, select

from api.storage.actions import actions_of_case, get_action
from api.storage.audit import verify
from api.storage.tables import ActionRow, EntryRow, OutboxRow, TaskRow
from api.wiring import Wiring
from tests.api.scenes import Driver, account, in_arrears, local, pay
from workflows.messages import ActResult, StepRecord

REMINDER = "case/A1/1/account/reminder/1/notify.sms.reminder/do"


def until_reminder(driver: Driver) -> StepRecord:
    driver.run(local("2026-03-19 09:00"), local("2026-03-20 00:00"))
    return driver.look(local("2026-03-21 09:00"))


def until_barring(driver: Driver) -> StepRecord:
    driver.run(local("2026-03-19 09:00"), local("2026-04-17 00:00"))
    record = driver.look(local("2026-04-18 09:00"))
    assert [a.do for a in record.actions] == ["service"], record.trace
    return record


def messages(wiring: Wiring) -> Sequence[OutboxRow]:
    with wiring.database.read() as session:
        query = select(OutboxRow).where(OutboxRow.channel == "webhook").order_by(col(OutboxRow.id))
        return session.exec(query).all()


def test_what_still_holds_goes_into_the_outbox_once(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    record = until_reminder(driver)
    first = wiring.cases.act(driver.request(record))
    second = wiring.cases.act(driver.request(record))
    assert first == second
    assert first.requested == (REMINDER,)
    (message,) = messages(wiring)
    assert (message.subject, message.account, message.state) == (REMINDER, "A1", "pending")
    assert '"overdue":"205.42"' in message.body
    with wiring.database.read() as session:
        action = get_action(session, REMINDER)
        assert (action.state, action.number, action.policy) == ("requested", 1, driver.policy)
        assert action.version == first.version == account(wiring, "A1").version


def test_a_payment_that_came_in_between_withdraws_the_action(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    record = until_barring(driver)
    pay(wiring, "A1", local("2026-04-18 09:01"), "P1", "205.42")
    result = driver.act(record)
    assert result.requested == ()
    ((key, why),) = result.withdrawn
    assert key == record.actions[0].key
    assert why
    assert all(message.subject != key for message in messages(wiring))
    with wiring.database.read() as session:
        assert get_action(session, key).state == "withdrawn"
        receipt = session.exec(select(EntryRow).where(EntryRow.kind == "receipt", EntryRow.seq > 3)).all()[-1]
        assert '"status":"withdrawn"' in receipt.body
    after = driver.look(local("2026-04-18 09:02"))
    assert after.taken.ended == "cured"
    assert account(wiring, "A1").level == "open"


def test_a_repeated_act_answers_what_was_withdrawn_the_same_way(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    record = until_barring(driver)
    pay(wiring, "A1", local("2026-04-18 09:01"), "P1", "205.42")
    request = driver.request(record)
    first = wiring.cases.act(request)
    again = wiring.cases.act(request)
    assert first.withdrawn == again.withdrawn
    with wiring.database.read() as session:
        withdrawn = session.exec(select(EntryRow).where(col(EntryRow.body).contains('"withdrawn"'))).all()
    assert len(withdrawn) == 1


def test_two_threads_that_act_at_once_ask_once(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    record = until_reminder(driver)
    request = driver.request(record)
    barrier = threading.Barrier(4)
    results: list[ActResult] = []

    def act() -> None:
        barrier.wait()
        results.append(wiring.cases.act(request))

    threads = [threading.Thread(target=act) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert {result.requested for result in results} == {(REMINDER,)}
    assert len(messages(wiring)) == 1


def test_acting_and_paying_at_once_ends_in_one_of_two_orders(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    record = until_barring(driver)
    request = driver.request(record)
    barrier = threading.Barrier(2)
    results: list[ActResult] = []

    def act() -> None:
        barrier.wait()
        results.append(wiring.cases.act(request))

    def paid() -> None:
        barrier.wait()
        pay(wiring, "A1", local("2026-04-18 09:01"), "P1", "205.42")

    threads = [threading.Thread(target=act), threading.Thread(target=paid)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (result,) = results
    barred = [m for m in messages(wiring) if m.subject == record.actions[0].key]
    if result.withdrawn:
        assert barred == []
    else:
        # The message is out; the payment comes after it, and the next look takes the step back.
        assert len(barred) == 1
        driver.taken = record.taken
        after = driver.look(local("2026-04-18 09:02"))
        assert after.trace.reached != "bar"


def test_a_task_is_put_on_the_list_and_closed_by_its_receipt(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    at = driver.run(local("2026-03-19 09:00"), local("2026-05-01 00:00"))
    record = driver.look(max(at, local("2026-05-02 09:00")))
    assert {a.do for a in record.actions} == {"service", "task"}
    result = driver.act(record)
    with wiring.database.read() as session:
        (task,) = session.exec(select(TaskRow)).all()
    assert (task.state, task.do, task.args, task.due_at is not None) == ("open", "task", '["call"]', True)
    driver.confirm(result.requested, record.at)
    with wiring.database.read() as session:
        (task,) = session.exec(select(TaskRow)).all()
    assert (task.state, task.outcome) == ("closed", "done")
    assert account(wiring, "A1").level == "suspended"


def test_a_cured_case_closes_and_its_account_is_watched_again(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    until_reminder(driver)
    pay(wiring, "A1", local("2026-03-22 12:00"), "P1", "205.42")
    record = driver.look(local("2026-03-22 12:01"))
    driver.taken = record.taken
    assert not record.open
    assert wiring.cases.open_case("A1", local("2026-03-22 12:01")) is False
    driver.close(local("2026-03-22 12:02"))
    driver.close(local("2026-03-22 12:03"))
    row = account(wiring, "A1")
    assert (row.open_case, row.watch_on, row.cases) == (None, None, 1)


def test_due_accounts_are_told_page_by_page(wiring: Wiring) -> None:
    from tests.api.scenes import add_parties, bill

    add_parties(wiring, "A1", "A2", "A3")
    for name in ("A1", "A2", "A3"):
        bill(wiring, name, local("2026-03-01 02:00"), "B1", "2026-03-18", "50.00")
    at = local("2026-03-19 09:00")
    assert wiring.cases.due_accounts(local("2026-03-19 08:59"), "", 10) == []
    assert wiring.cases.due_accounts(at, "", 2) == ["A1", "A2"]
    assert wiring.cases.due_accounts(at, "A2", 2) == ["A3"]
    assert wiring.cases.open_case("A2", at)
    assert wiring.cases.due_accounts(at, "", 10) == ["A1", "A3"]


def test_the_audit_chain_holds_and_shows_a_change(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    driver.act(until_reminder(driver))
    with wiring.database.read() as session:
        length, broken = verify(session)
    assert broken is None
    assert length > 5
    from api.storage.tables import AuditRow

    with wiring.database.write() as work:
        row = work.session.get(AuditRow, 3)
        assert row is not None
        row.subject = "somebody else"
        work.session.add(row)
    with wiring.database.read() as session:
        assert verify(session)[1] is not None


@pytest.mark.parametrize("late", [False, True])
def test_a_later_look_is_kept_and_an_earlier_one_changes_nothing(wiring: Wiring, late: bool) -> None:
    from api.storage.cases import get_case

    driver = in_arrears(wiring)
    first = driver.look(local("2026-03-19 09:00"))
    second = driver.look(local("2026-03-21 09:00"))
    if late:
        wiring.cases.note_step(first)
    with wiring.database.read() as session:
        row = get_case(session, "A1", 1)
    assert row.looked_at == second.at
    assert row.record == second.model_dump_json()


def test_every_action_of_a_case_is_kept(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    driver.run(local("2026-03-19 09:00"), local("2026-05-10 00:00"))
    with wiring.database.read() as session:
        rows: Sequence[ActionRow] = actions_of_case(session, "A1", 1)
    assert [row.do for row in rows] == ["notify", "notify", "service", "service", "task"]
    assert {row.state for row in rows} == {"done"}
