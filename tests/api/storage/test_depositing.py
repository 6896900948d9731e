"""Deposits that the sweep reviews: asked for once, confirmed, booked by billing, else told to a person."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlmodel import col, select
from temporalio.testing import ActivityEnvironment

from api.storage.actions import get_action
from api.storage.audit import verify
from api.storage.depositing import is_deposit
from api.storage.tables import ActionRow, OutboxRow, TaskRow
from api.wiring import Wiring
from tests.api.conftest import Build
from tests.api.policies import COLLECTIONS
from tests.api.relay.test_courier import with_receiver
from tests.api.scenes import account, add_parties, bill, local, pay, post
from workflows.activities.open_due import OpenDue
from workflows.messages import PageRequest

RULES = b"""deposits:
  release: 3 good months
  interest: {rate: 0.02 per year, basis: act/365}
  top_up: after_application
  at_closing: refund
"""
INTEREST = "deposit/A1/account/interest/1/deposit.interest/do"
RELEASE = "deposit/A1/account/release/1/deposit.release/do"
TOP_UP = "deposit/A1/account/top_up/1/deposit.top_up/do"


def publish(wiring: Wiring) -> Wiring:
    wiring.publisher.publish({"policy.yaml": COLLECTIONS + RULES}, local("2026-03-01 00:00"))
    return wiring


@pytest.fixture
def world(wiring: Wiring) -> Wiring:
    """An account that holds a deposit of 200 since 2 March, under a policy that gives it back."""
    publish(wiring)
    add_parties(wiring, "A1")
    move(wiring, "2026-03-02 10:00", "requested", "200.00")
    move(wiring, "2026-03-02 11:00", "held", "200.00")
    return wiring


def move(wiring: Wiring, at: str, what: str, amount: str) -> None:
    post(wiring, "A1", local(at), kind="deposit", id=f"{what} {at}", move=what, amount=amount)


def sweep(wiring: Wiring, at: str) -> None:
    request = PageRequest(at=local(at), after="", limit=50, chain="")
    ActivityEnvironment().run(OpenDue(wiring.cases, wiring.evidence).open_due, request)


def asked(wiring: Wiring) -> list[tuple[str, str, str]]:
    with wiring.database.read() as session:
        rows = session.exec(select(ActionRow).order_by(col(ActionRow.requested_at), ActionRow.key)).all()
        found = [(row.key, row.state, row.body.partition('"amount":"')[2].partition('"')[0]) for row in rows]
        return [one for one in found if is_deposit(one[0])]


def tasks(wiring: Wiring) -> list[str]:
    with wiring.database.read() as session:
        return [row.key for row in session.exec(select(TaskRow).order_by(col(TaskRow.seq)))]


def confirm(wiring: Wiring, key: str, at: str, status: str = "done") -> None:
    when = local(at)
    post(wiring, "A1", when, kind="receipt", id=f"{key} {status}", key=key, status=status, at=when)


def due_on(wiring: Wiring) -> datetime | None:
    return account(wiring, "A1").deposit_on


def test_a_deposit_goes_back_after_its_good_months_with_its_interest_once(world: Wiring) -> None:
    sweep(world, "2026-03-03 00:00")
    assert (asked(world), due_on(world)) == ([], local("2026-06-02 09:00"))
    sweep(world, "2026-06-02 08:59")
    assert asked(world) == []
    sweep(world, "2026-06-02 09:00")
    assert asked(world) == [(INTEREST, "requested", "1.01"), (RELEASE, "requested", "201.01")]  # 92 days
    sweep(world, "2026-06-02 09:30")
    sweep(world, "2026-06-03 09:00")
    with world.database.read() as session:
        told = [row.subject for row in session.exec(select(OutboxRow).order_by(col(OutboxRow.id)))]
    assert told == [INTEREST, RELEASE]
    confirm(world, INTEREST, "2026-06-03 10:00")
    confirm(world, RELEASE, "2026-06-03 10:01")
    move(world, "2026-06-03 11:00", "interest", "1.01")
    move(world, "2026-06-03 11:01", "released", "201.01")
    sweep(world, "2026-06-10 09:00")
    sweep(world, "2026-12-10 09:00")
    assert [(key, state) for key, state, _ in asked(world)] == [(INTEREST, "done"), (RELEASE, "done")]
    assert tasks(world) == []
    with world.database.read() as session:
        assert verify(session)[1] is None


def test_the_months_begin_again_after_a_bill_that_was_unpaid_late(world: Wiring) -> None:
    bill(world, "A1", local("2026-04-01 02:00"), "B1", "2026-04-18", "80.00")
    pay(world, "A1", local("2026-04-25 10:00"), "P1", "80.00")
    sweep(world, "2026-06-02 09:00")
    assert (asked(world), due_on(world)) == ([], local("2026-07-25 09:00"))
    sweep(world, "2026-07-25 09:00")
    assert [key for key, _, _ in asked(world)] == [INTEREST, RELEASE]


def test_what_is_missing_after_an_application_is_asked_for(world: Wiring) -> None:
    bill(world, "A1", local("2026-04-01 02:00"), "B1", "2026-04-18", "80.00")
    move(world, "2026-04-10 10:00", "applied", "80.00")
    sweep(world, "2026-04-10 11:00")
    assert asked(world) == [(TOP_UP, "requested", "80.00")]
    confirm(world, TOP_UP, "2026-04-10 12:00")
    move(world, "2026-04-11 10:00", "topped_up", "80.00")
    sweep(world, "2026-04-20 09:00")
    assert len(asked(world)) == 1


def test_a_person_is_asked_when_nobody_confirms_or_books(world: Wiring) -> None:
    sweep(world, "2026-06-02 09:00")
    within = "2026-06-04 09:00"
    sweep(world, "2026-06-04 08:59")
    assert tasks(world) == []
    sweep(world, within)
    sweep(world, "2026-06-05 09:00")
    assert tasks(world) == [
        "deposit/A1/account/interest/1/task.missing_receipt/do",
        "deposit/A1/account/release/1/task.missing_receipt/do",
    ]
    confirm(world, INTEREST, "2026-06-05 10:00")
    confirm(world, RELEASE, "2026-06-05 10:00", "failed")
    sweep(world, "2026-06-08 09:00")
    assert tasks(world)[2:] == [
        "deposit/A1/account/interest/1/task.deposit_not_booked/do",
        "deposit/A1/account/release/1/task.undone/do",
    ]


def test_at_the_end_it_pays_what_is_owed_and_the_rest_goes_back(world: Wiring) -> None:
    bill(world, "A1", local("2026-03-20 02:00"), "B1", "2026-04-18", "80.00")
    post(world, "A1", local("2026-04-01 10:00"), kind="demand", id="X", source="customer", level="terminated")
    sweep(world, "2026-04-01 11:00")
    key = "deposit/A1/account/apply/1/apply.deposit/do"
    assert asked(world) == [(key, "requested", "80.00")]
    confirm(world, key, "2026-04-01 12:00")
    move(world, "2026-04-02 10:00", "applied", "80.00")
    sweep(world, "2026-04-02 11:00")
    assert asked(world)[1:] == [
        (INTEREST, "requested", "0.34"),  # 31 days
        ("deposit/A1/account/refund/1/deposit.refund/do", "requested", "120.34"),
    ]


def test_a_release_is_derived_again_before_it_is_sent(builder: Build) -> None:
    with with_receiver(builder) as (world, _):
        publish(world)
        add_parties(world, "A1")
        move(world, "2026-03-02 11:00", "held", "200.00")
        sweep(world, "2026-06-02 09:00")
        bill(world, "A1", local("2026-06-02 09:10"), "B1", "2026-06-02", "80.00")
        late = post(world, "A1", local("2026-06-02 09:11"), kind="bill", id="B0", value_date="2026-05-01",
                    due_date="2026-05-20", amount="5.00")  # fmt: skip
        assert late.new
        world.courier.deliver("A1", local("2026-06-02 09:12"))
        with world.database.read() as session:
            found = get_action(session, RELEASE)
        assert (found.state, found.detail) == ("withdrawn", "The ledger does not ask for it any more.")
        pay(world, "A1", local("2026-06-03 09:12"), "P1", "85.00")
        sweep(world, "2026-09-03 09:00")
        assert [key for key, state, _ in asked(world) if state == "requested"] == [
            INTEREST.replace("/1/", "/1-2/"), RELEASE.replace("/1/", "/1-2/"),
        ]  # fmt: skip
