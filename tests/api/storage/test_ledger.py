from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import col, select

from api.storage.errors import AlreadyThere, EntryRefused, ReceivedBackwards
from api.storage.session import Database
from api.storage.tables import EntryRow, OutboxRow
from api.wiring import Wiring
from engine.ledger import EntryAdapter
from tests.api.scenes import account, add_parties, bill, in_arrears, local, pay, post
from workflows.ports import AccountNotFound


def outbox(database: Database, name: str) -> list[OutboxRow]:
    with database.read() as session:
        query = select(OutboxRow).where(OutboxRow.account == name).order_by(col(OutboxRow.id))
        return list(session.exec(query).all())


def test_an_entry_raises_the_version_and_tells_when_to_look(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    before = account(wiring, "A1").version
    posted = bill(wiring, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
    row = account(wiring, "A1")
    assert posted.new
    assert row.version == before + 1 == posted.version
    assert row.last_received == local("2026-03-01 02:00")
    assert row.watch_on is not None
    assert row.watch_on.astimezone(local("2026-03-01 00:00").tzinfo).date().isoformat() == "2026-03-19"
    assert outbox(wiring.database, "A1") == []


def test_money_is_kept_to_the_last_digit(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    amount = "12345678901234567890123456789012.34"
    bill(wiring, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", amount)
    pay(wiring, "A1", local("2026-03-02 02:00"), "P1", "0.01")
    position = wiring.ledger.position("A1", local("2026-03-02 03:00"), "", "").account
    assert position.debts[0].amount == Decimal(amount)
    assert position.debts[0].open == Decimal("12345678901234567890123456789012.33")


def test_a_payment_twice_is_answered_with_the_stored_one(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    first = pay(wiring, "A1", local("2026-03-01 02:00"), "P1", "10.00")
    again = pay(wiring, "A1", local("2026-03-01 05:00"), "P1", "10.00")
    assert (first.new, again.new) == (True, False)
    assert again.entry == first.entry
    with wiring.database.read() as session:
        assert len(session.exec(select(EntryRow)).all()) == 1


def test_a_payment_twice_with_other_content_is_refused(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    pay(wiring, "A1", local("2026-03-01 02:00"), "P1", "10.00")
    with pytest.raises(AlreadyThere, match="another `amount`") as refused:
        pay(wiring, "A1", local("2026-03-01 03:00"), "P1", "10.01")
    assert refused.value.differs == ("amount",)


def test_the_same_id_may_be_used_by_another_kind_and_another_account(wiring: Wiring) -> None:
    add_parties(wiring, "A1", "A2")
    assert pay(wiring, "A1", local("2026-03-01 02:00"), "X", "10.00").new
    assert pay(wiring, "A2", local("2026-03-01 02:00"), "X", "11.00").new
    assert bill(wiring, "A1", local("2026-03-01 02:00"), "X", "2026-03-18", "12.00").new


def test_a_bill_without_an_account_is_refused(wiring: Wiring) -> None:
    with pytest.raises(AccountNotFound, match="no account `A9`"):
        bill(wiring, "A9", local("2026-03-01 02:00"), "B1", "2026-03-18", "1.00")


def test_what_the_engine_refuses_leaves_no_trace(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    before = account(wiring, "A1")
    with pytest.raises(EntryRefused, match="before its bill date"):
        bill(wiring, "A1", local("2026-03-01 02:00"), "B1", "2026-02-18", "205.42")
    assert account(wiring, "A1") == before


def test_news_cannot_be_received_backwards(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    pay(wiring, "A1", local("2026-03-02 02:00"), "P1", "10.00")
    with pytest.raises(ReceivedBackwards):
        pay(wiring, "A1", local("2026-03-02 01:59"), "P2", "10.00")


def test_a_clock_that_was_set_back_is_moved_up_to_the_last_instant(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    pay(wiring, "A1", local("2026-03-02 02:00"), "P1", "10.00")
    entry = post(
        wiring, "A1", local("2026-03-02 01:59"), clamp=True, kind="payment", id="P2", amount="1"
    ).entry
    assert entry.received_at == local("2026-03-02 02:00")


def test_a_payment_of_an_open_case_pokes_it(wiring: Wiring) -> None:
    in_arrears(wiring)
    pay(wiring, "A1", local("2026-03-20 02:00"), "P1", "5.00")
    rows = outbox(wiring.database, "A1")
    assert [(r.kind, r.subject, r.state) for r in rows] == [
        ("start", "case/A1/1", "pending"),
        ("poke", "case/A1/1", "pending"),
    ]
    assert '"payment"' in rows[1].body


def test_a_late_entry_opens_the_case_at_once(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    post(
        wiring, "A1", local("2026-03-25 12:00"), kind="bill", id="B1", value_date="2026-03-01",
        due_date="2026-03-18", amount="205.42",
    )  # fmt: skip
    row = account(wiring, "A1")
    assert (row.open_case, row.watch_on) == (1, None)
    assert [r.kind for r in outbox(wiring.database, "A1")] == ["start"]


def test_a_paid_bill_is_watched_no_more(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    bill(wiring, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
    pay(wiring, "A1", local("2026-03-10 02:00"), "P1", "205.42")
    assert account(wiring, "A1").watch_on is None


def test_threads_that_write_to_one_account_lose_nothing(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    at = local("2026-03-02 02:00")
    failed: list[BaseException] = []

    def write(worker: int) -> None:
        try:
            for n in range(12):
                post(wiring, "A1", at, clamp=True, kind="payment", id=f"P{worker}-{n}", amount="1.00")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with wiring.database.read() as session:
        rows = session.exec(select(EntryRow).order_by(col(EntryRow.seq))).all()
    assert [row.seq for row in rows] == list(range(1, 49))
    position = wiring.ledger.position("A1", at + timedelta(seconds=1), "", "").account
    assert position.credit == Decimal(48)
    assert position.version == account(wiring, "A1").version


def test_an_entry_that_fails_at_the_end_of_its_transaction_is_not_remembered(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    pay(wiring, "A1", local("2026-03-01 02:00"), "P1", "10.00")
    fields = {"kind": "payment", "id": "P2", "amount": "99.00", "value_date": "2026-03-01"}
    entry = EntryAdapter.validate_python(fields | {"received_at": local("2026-03-01 03:00")})

    def cut_off() -> None:
        with wiring.database.write() as work:
            wiring.writer.post(work, "A1", entry, clamp=False)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        cut_off()
    position = wiring.ledger.position("A1", local("2026-03-01 04:00"), "", "").account
    assert position.credit == Decimal(10)
    assert pay(wiring, "A1", local("2026-03-01 05:00"), "P2", "1.00").new


def test_a_hold_that_is_over_after_its_time_can_be_renewed(wiring: Wiring) -> None:
    in_arrears(wiring)
    post(wiring, "A1", local("2026-04-01 09:30"), kind="hold", id="H1", hold="hardship")
    with pytest.raises(EntryRefused, match="2026-04-01 to 2026-05-01"):
        post(wiring, "A1", local("2026-04-30 09:30"), kind="hold", id="H2", hold="hardship")
    assert post(wiring, "A1", local("2026-05-01 09:30"), kind="hold", id="H2", hold="hardship").new
