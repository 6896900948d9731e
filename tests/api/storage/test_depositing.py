"""Deposits that the sweep reviews: asked for once, confirmed, booked by billing, else told to a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pytest
from sqlmodel import col, select
from temporalio.testing import ActivityEnvironment

from api.evidence.gathering import looks_of_page
from api.storage.accounts import lock_account
from api.storage.actions import get_action
from api.storage.audit import verify
from api.storage.depositing import is_deposit
from api.storage.tables import ActionRow, OutboxRow, PolicyRow, TaskRow, TextRow
from api.wiring import Wiring
from engine.policy import Manifest
from tests.api.conftest import Build
from tests.api.policies import COLLECTIONS
from tests.api.relay.test_courier import with_receiver
from tests.api.scenes import account, add_parties, bill, local, pay, post
from workflows.activities.open_due import OpenDue
from workflows.audit.depositing import deposits_again
from workflows.audit.texts import Texts
from workflows.audit.values import Effect
from workflows.messages import DepositRecord, PageRequest, PageResult
from workflows.recorded import recorded_digest

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


def sweep(wiring: Wiring, at: str) -> tuple[PageRequest, PageResult]:
    request = PageRequest(at=local(at), after="", limit=50, chain="")
    return request, ActivityEnvironment().run(OpenDue(wiring.cases, wiring.evidence).open_due, request)


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


def audited(
    wiring: Wiring, asked: PageRequest, page: PageResult, forged: Mapping[str, bytes] | None = None,
    said: PageResult | None = None,
) -> list[str]:  # fmt: skip
    """Return what the audit says of a page's looks, with forged records, or of a page that says otherwise."""
    with wiring.database.read() as session:
        records = {mark: [line] for mark, line in looks_of_page(session, asked, page)}
        used = {DepositRecord.model_validate_json(line).policy for (line,) in records.values()}
        shelf = Texts(
            {row.digest: row.body for row in session.exec(select(TextRow))},
            {
                row.digest: Manifest.model_validate_json(row.manifest).text
                for row in session.exec(select(PolicyRow))
            },
        )
    assert len(used) == 1
    records |= {mark: [line] for mark, line in (forged or {}).items()}
    effect = Effect(7, "open_due", asked, said or page, failed=False)
    return [f"{v.kind} {v.verdict}" for v in deposits_again(effect, shelf, records, "sweep")]


def test_the_audit_derives_what_was_asked_of_a_deposit_again(world: Wiring) -> None:
    assert sweep(world, "2026-03-03 00:00")[1].deposited == ()
    request, page = sweep(world, "2026-06-02 09:00")
    assert [account for account, _ in page.deposited] == ["A1"]
    assert audited(world, request, page) == ["deposit agrees"]
    with world.database.read() as session:
        ((mark, line),) = dict(looks_of_page(session, request, page)).items()
    forged = line.replace(b'"amount":"201.', b'"amount":"301.')
    assert forged != line
    assert audited(world, request, page, {mark: forged}) == ["deposit differs"]
    other = recorded_digest(DepositRecord.model_validate_json(forged))
    lied = page.model_copy(update={"deposited": (("A1", other), ("A2", mark))})
    told = audited(world, request, page, {other: forged}, lied)
    assert told == ["deposit differs", "deposit differs"]


def test_a_page_that_is_taken_up_after_a_crash_names_what_was_asked_before_it(world: Wiring) -> None:
    request, page = sweep(world, "2026-06-02 09:00")  # its answer is lost: the worker was killed
    taken_up = ActivityEnvironment()
    taken_up.info = replace(taken_up.info, attempt=2)
    again = taken_up.run(OpenDue(world.cases, world.evidence).open_due, request)
    assert again.deposited == page.deposited
    assert [account for account, _ in again.deposited] == ["A1"]
    assert audited(world, request, again) == ["deposit agrees"]
    assert len(asked(world)) == 2
    later = request.model_copy(update={"at": local("2026-06-02 09:01")})
    assert taken_up.run(OpenDue(world.cases, world.evidence).open_due, later).deposited == ()
    beyond = request.model_copy(update={"after": "A1"})
    assert taken_up.run(OpenDue(world.cases, world.evidence).open_due, beyond).deposited == ()


def test_what_was_withdrawn_is_asked_for_anew_and_the_audit_agrees(world: Wiring) -> None:
    sweep(world, "2026-06-02 09:00")
    with world.database.write() as work:
        row = get_action(work.session, RELEASE)
        row.state = "withdrawn"
        work.session.add(row)
        account_row = lock_account(work.session, "A1")
        account_row.deposit_on = local("2026-06-03 09:00")
        work.session.add(account_row)
    request, page = sweep(world, "2026-06-03 09:00")
    assert RELEASE.replace("/release/1/", "/release/1-2/") in [key for key, *_ in asked(world)]
    assert audited(world, request, page) == ["deposit agrees"]
