"""What leads to a new grade: each cause once, in its own transaction, at most one request a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from api.storage.customers import fact_rows, latest_facts, set_facts
from api.storage.library import usable
from api.storage.regrading import (
    GradeLookRow,
    RegradeRow,
    regrading_for,
)
from api.storage.standing import latest_bodies, latest_decision, standing_of
from api.storage.tables import DecisionRow, OutboxRow, TaskRow
from api.wiring import Wiring
from engine.credit import load_credit
from engine.credit.decision import Fact
from engine.model import digest
from tests.api.conftest import START
from tests.api.policies import COLLECTIONS, CREDIT
from tests.api.scenes import Driver, account, add_parties, bill, local, pay, post
from workflows.activities.assess import Assess
from workflows.activities.texts import PolicyTexts
from workflows.messages import AssessmentRecord, AssessmentRequest

DAY = local("2026-06-01 10:00")
KEY_ACCOUNTS = (Path(__file__).parents[3] / "policies" / "key-account-credit" / "policy.yaml").read_bytes()
READ_OF_KEY_ACCOUNTS = usable(load_credit({"policy.yaml": KEY_ACCOUNTS}), {}).facts
ASKS = b"""validity: P6M
regrade: {on: [promise_broken, chargeback, profile_change, alert, expired], after: 3 good months}
"""

PROMISES = b"promise_to_pay: {max_days: 30}\n"


def policy(wiring: Wiring, more: bytes = ASKS) -> None:
    wiring.publisher.publish({"policy.yaml": CREDIT.replace(b'version: "1"', b'version: "2"') + more}, START)


def graded(
    wiring: Wiring, request: str = "r1", at: datetime = DAY, account: str = "",
    *, as_of: date | None = None, tenure: int = 24, policy: str = "plain-credit",
    facts: dict[str, Fact] | None = None,
) -> AssessmentRecord:  # fmt: skip
    """Take a decision as the activity does."""
    as_of = as_of or at.date()
    with wiring.database.read() as session:
        chosen = wiring.library.require(session, "credit", policy, as_of)
    facts = {"tenure_months": Fact(value=tenure, as_of=as_of)} if facts is None else facts
    return answered(
        wiring,
        AssessmentRequest(
            request=request, policy=chosen.digest, customer="C1", account=account, as_of=as_of, at=at,
            facts=facts,
        ),
    )  # fmt: skip


def answered(wiring: Wiring, request: AssessmentRequest) -> AssessmentRecord:
    assess = Assess(PolicyTexts(wiring.shelf), wiring.ledger, wiring.decisions)
    record, trace = assess._decide(request)
    return wiring.decisions.keep(record, trace)


def asked(wiring: Wiring) -> list[AssessmentRequest]:
    with wiring.database.read() as session:
        query = select(OutboxRow).where(OutboxRow.kind == "assess").order_by(col(OutboxRow.id))
        return [AssessmentRequest.model_validate_json(row.body) for row in session.exec(query)]


def causes(wiring: Wiring) -> list[str]:
    with wiring.database.read() as session:
        return sorted(row.cause for row in session.exec(select(RegradeRow)))


def chargeback(wiring: Wiring, at: datetime, ref: str = "X1", payment: str = "P1") -> None:
    post(
        wiring, "A1", at, kind="payment_returned", id=ref, payment=payment, reason="chargeback"
    )  # fmt: skip


def tell(wiring: Wiring, at: datetime, **facts: object) -> None:
    with wiring.database.write() as work:
        new = set_facts(work, {"C1": {name: Fact(value=value) for name, value in facts.items()}}, at)
        wiring.writer.regrading.told(work, new, at)


@pytest.fixture
def paid(wiring: Wiring) -> Wiring:
    policy(wiring)
    add_parties(wiring, "A1")
    bill(wiring, "A1", local("2026-05-01 09:00"), "B1", "2026-05-20", "50.00")
    pay(wiring, "A1", local("2026-05-10 09:00"), "P1", "50.00")
    tell(wiring, local("2026-05-10 09:00"), tenure_months=24)
    return wiring


def test_a_chargeback_asks_at_once_and_the_reason_stands_in_the_new_decision(paid: Wiring) -> None:
    graded(paid, account="A1")
    at = DAY + timedelta(hours=2)
    chargeback(paid, at)
    chargeback(paid, at)  # sent again
    (request,) = asked(paid)
    assert (request.account, request.at, request.as_of) == ("A1", at, at.date())
    assert request.regraded_for == "chargeback (A1/X1)"
    with paid.database.read() as session:
        assert regrading_for(session, "C1") == ["chargeback (A1/X1)"]
    record = answered(paid, request)
    assert record.regraded_for == "chargeback (A1/X1)"
    stored = paid.decisions.find(request.request)
    assert stored is not None
    assert stored.regraded_for == "chargeback (A1/X1)"
    with paid.database.read() as session:
        assert regrading_for(session, "C1") == []


def test_of_several_on_one_day_the_others_are_answered_together_on_the_next(paid: Wiring) -> None:
    graded(paid)
    chargeback(paid, DAY + timedelta(hours=1))
    answered(paid, asked(paid)[0])
    tell(paid, DAY + timedelta(hours=2), avg_monthly_bill="60.00")
    tell(paid, DAY + timedelta(hours=3), tenure_months=30)
    assert len(asked(paid)) == 1
    assert paid.cases.regrade(DAY + timedelta(hours=4), 10) == 0
    morning = local("2026-06-02 00:05")
    assert paid.cases.regrade(morning, 10, "A1") == 1
    assert paid.cases.regrade(morning, 10) == 0
    second = asked(paid)[1]
    assert second.regraded_for.count("profile_change") == 2
    assert second.as_of == morning.date()


def test_facts_that_the_policy_does_not_read_change_nothing(paid: Wiring) -> None:
    graded(paid)
    tell(paid, DAY, email="a@b.example")
    assert asked(paid) == []


def test_a_load_of_facts_asks_once_for_the_last_decisions_of_all(paid: Wiring) -> None:
    graded(paid)
    asked_for: list[str] = []
    new = {f"C{n}": ["email"] for n in range(1, 40)}
    with paid.database.write() as work:
        bind = work.session.get_bind()

        def hear(*said: object) -> None:
            asked_for.extend(text for text in said if isinstance(text, str) and "FROM decisions" in text)

        event.listen(bind, "before_cursor_execute", hear)
        try:
            paid.writer.regrading.told(work, new, DAY)
        finally:
            event.remove(bind, "before_cursor_execute", hear)
    assert len(asked_for) == 1
    assert asked(paid) == []


def test_who_has_no_decision_or_whose_policy_does_not_ask_is_left_alone(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    pay(wiring, "A1", local("2026-05-10 09:00"), "P1", "50.00")
    chargeback(wiring, DAY)
    graded(wiring)
    pay(wiring, "A1", DAY, "P2", "50.00")
    chargeback(wiring, DAY, "X2", "P2")
    assert asked(wiring) == []
    with wiring.database.read() as session:
        assert session.exec(select(GradeLookRow)).all() == []


def test_a_new_grade_is_by_the_policy_of_the_last_one_as_it_is_in_force_now(paid: Wiring) -> None:
    """Not by the one that the portfolio names for the segment, and by the text that asks for it now."""
    other = CREDIT.replace(b"plain-credit", b"card-credit")
    digest_1 = paid.publisher.publish({"policy.yaml": other}, START).manifest.digest
    graded(paid, policy="card-credit")
    chargeback(paid, DAY + timedelta(hours=1))
    assert asked(paid) == [], "its first text asks for no new grade"
    second = paid.publisher.publish(
        {"policy.yaml": other.replace(b'"1"', b'"2"') + ASKS}, START
    ).manifest.digest
    assert second != digest_1
    tell(paid, DAY + timedelta(hours=3), tenure_months=30)
    (request,) = asked(paid)
    assert request.policy == second


@pytest.mark.parametrize("name", sorted(READ_OF_KEY_ACCOUNTS))
def test_every_fact_that_the_policy_of_key_accounts_reads_is_heard(lite: Wiring, name: str) -> None:
    lite.publisher.publish({"policy.yaml": KEY_ACCOUNTS}, START)
    add_parties(lite, "A1")
    known = {"value": "mid", "id_verified": True, "prior_write_off": False}
    facts = {name: Fact(value=value) for name, value in known.items()}
    graded(lite, policy="key-account-credit", facts=facts)
    tell(lite, DAY + timedelta(minutes=1), **{name: known.get(name, 1)})
    (request,) = asked(lite)
    assert request.regraded_for.startswith(f"profile_change ({name} at ")


def test_good_months_and_the_end_of_validity_are_found_by_the_sweep(paid: Wiring) -> None:
    graded(paid)
    for month in (6, 7, 8):
        bill(paid, "A1", local(f"2026-{month:02}-02 09:00"), f"B{month}", f"2026-{month:02}-20", "50.00")
        pay(paid, "A1", local(f"2026-{month:02}-10 09:00"), f"P{month}", "50.00")
    assert paid.cases.regrade(local("2026-08-31 23:00"), 10) == 0
    assert paid.cases.regrade(local("2026-09-01 00:00"), 10) == 1
    (request,) = asked(paid)
    assert request.regraded_for == "3 good months (assessment/r1)"
    assert paid.cases.regrade(local("2026-09-02 00:00"), 10) == 0
    answered(paid, request)
    assert paid.cases.regrade(local("2027-03-01 00:00"), 10) == 1
    assert asked(paid)[1].regraded_for.startswith("expired (assessment/regrade-")


def test_months_that_were_not_good_are_asked_again_each_month(paid: Wiring) -> None:
    graded(paid)
    bill(paid, "A1", local("2026-06-02 09:00"), "B6", "2026-06-20", "50.00")
    pay(paid, "A1", local("2026-06-25 09:00"), "P6", "50.00")
    assert paid.cases.regrade(local("2026-09-01 00:00"), 10) == 0
    bill(paid, "A1", local("2026-09-02 09:00"), "B9", "2026-09-20", "50.00")
    pay(paid, "A1", local("2026-09-10 09:00"), "P9", "50.00")
    assert paid.cases.regrade(local("2026-09-30 00:00"), 10) == 0
    assert paid.cases.regrade(local("2026-10-01 00:00"), 10) == 1


def test_how_decisions_stand(paid: Wiring) -> None:
    graded(paid)
    graded(paid, "r2", DAY + timedelta(days=10))
    with paid.database.read() as session:
        second = latest_decision(session, "C1")
        assert second is not None
        assert standing_of(session, [second], local("2026-12-10 23:00")) == ["valid"]
        assert standing_of(session, [second], local("2026-12-11 00:00")) == ["expired"]
    first = paid.decisions.find("r1")
    assert first is not None
    with paid.database.read() as session:
        row = session.get(DecisionRow, first.id)
        assert row is not None
        assert standing_of(session, [row], DAY + timedelta(days=1)) == ["valid"]
        assert standing_of(session, [row], DAY + timedelta(days=10)) == ["superseded"]


def test_a_decision_as_of_an_earlier_day_replaces_nothing_newer(paid: Wiring) -> None:
    newer = graded(paid, "newer")
    older = graded(paid, "older", DAY + timedelta(days=2), as_of=DAY.date() - timedelta(days=30), tenure=3)
    assert (newer.decision.outcome["grade"], older.decision.outcome["grade"]) == ("A", "B")
    with paid.database.read() as session:
        last = latest_decision(session, "C1")
        assert last is not None
        assert last.id == newer.id
        assert latest_bodies(session, ["C1"])["C1"] == last.body
        rows = [session.get_one(DecisionRow, one.id) for one in (older, newer)]
        assert standing_of(session, rows, DAY + timedelta(days=3)) == ["superseded", "valid"]
        assert latest_facts(fact_rows(session, ["C1"]))["grade"].value == "A"
        looks = session.get_one(GradeLookRow, "C1").look_on
    assert looks == local("2026-09-01 00:00"), "by the newer one"
    # the grade that counts did not change, so the next one that does is news
    graded(paid, "next", DAY + timedelta(days=4), tenure=3)
    with paid.database.read() as session:
        assert latest_facts(fact_rows(session, ["C1"]))["grade"].value == "B"


def test_a_person_is_told_of_what_cannot_be_graded_anew(paid: Wiring) -> None:
    graded(paid)
    chargeback(paid, DAY + timedelta(hours=1))
    (request,) = asked(paid)
    paid.decisions.refused(request, "there is no tenure")
    paid.decisions.refused(request, "there is no tenure")
    with paid.database.read() as session:
        (task,) = session.exec(select(TaskRow)).all()
    assert task.reason == ("Customer `C1` was not graded anew for chargeback (A1/X1): there is no tenure")


def test_a_broken_promise_is_heard_at_the_look_at_the_case(paid: Wiring) -> None:
    texts = {"policy.yaml": COLLECTIONS.replace(b'version: "1"', b'version: "2"') + PROMISES}
    texts |= {"templates/reminder.en.txt": b"{overdue}", "templates/final.en.txt": b"{overdue}"}
    paid.publisher.publish(texts, START)
    bill(paid, "A1", DAY, "B2", "2026-06-05", "90.00")
    graded(paid)
    later = local("2026-06-10 09:00")
    paid.cases.open_case("A1", later)
    number = account(paid, "A1").open_case
    assert number is not None
    post(paid, "A1", later, kind="promise", id="M1", amount="90.00", by="2026-06-12")
    with paid.database.read() as session:
        case = paid.library.require(session, "collections", "plain-collections", later.date())
    driver = Driver(paid, "A1", number, case.digest)
    driver.look(local("2026-06-20 09:00"))
    driver.look(local("2026-06-21 09:00"))
    assert causes(paid).count("promise_broken") == 1
    assert asked(paid)[0].regraded_for == "promise_broken (A1/M1)"


def test_the_request_has_one_name_for_one_set_of_causes(paid: Wiring) -> None:
    graded(paid)
    chargeback(paid, DAY + timedelta(hours=1))
    (request,) = asked(paid)
    assert request.request == "regrade-" + digest([["C1", "chargeback", "A1/X1"]])[7:39]
