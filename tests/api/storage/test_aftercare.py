"""What becomes known after a case has ended is heard by a case that looks after it."""

from __future__ import annotations

from sqlmodel import col, select

from api.storage.tables import CaseRow, OutboxRow
from api.wiring import Wiring
from engine.ladder.simulate import show
from tests.api.scenes import Driver, account, in_arrears, local, pay, post
from workflows.activities.step import look
from workflows.ids import case_id
from workflows.messages import CaseStart, StepRequest


def cured(wiring: Wiring) -> Driver:
    """Return a case that was barred in April, paid on the 24th, and has ended."""
    driver = in_arrears(wiring)
    row = account(wiring, "A1")
    assert row.open_case == 1
    driver.run(local("2026-03-19 09:00"), local("2026-04-20 12:00"))
    assert driver.taken is not None
    assert driver.taken.level == "outgoing_barred"
    pay(wiring, "A1", local("2026-04-24 10:00"), "P1", "205.42")
    driver.run(local("2026-04-24 10:00"), local("2026-04-24 12:00"))
    assert driver.taken.ended == "cured"
    driver.close(local("2026-04-24 12:00"))
    return driver


def started(wiring: Wiring) -> CaseStart:
    with wiring.database.read() as session:
        query = select(OutboxRow).where(OutboxRow.kind == "start").order_by(col(OutboxRow.id).desc())
        return CaseStart.model_validate_json(session.exec(query.limit(1)).one().body)


def test_a_receiver_that_takes_its_word_back_is_asked_again_by_a_case_of_care(wiring: Wiring) -> None:
    driver = cured(wiring)
    assert driver.taken is not None
    key = next(key for row in driver.taken.left for key in row.undo_keys)
    at = local("2026-04-25 10:00")
    post(wiring, "A1", at, kind="receipt", id="late", key=key, status="failed", at=at)
    assert account(wiring, "A1").open_case == 2
    start = started(wiring)
    assert (start.care, start.number, start.policy) == (True, 2, driver.policy)
    assert start.previous is not None
    assert start.previous.text == driver.policy
    with wiring.database.read() as session:
        policy = wiring.library.collections(session, start.policy)
    position = wiring.ledger.position("A1", at, policy.regulation, policy.calendar)
    request = StepRequest(
        case=case_id("A1", 2), account="A1", policy=start.policy, taken=None, previous=start.previous, at=at,
        care=True,
    )  # fmt: skip
    record = look(policy, position, request)
    assert [show(action) for action in record.actions] == [
        "bar task(restore_failed, service.outgoing_barred)", "undo bar/2 service(open)",
    ]  # fmt: skip
    assert record.open


def test_ordinary_news_opens_no_case_of_care(wiring: Wiring) -> None:
    cured(wiring)
    pay(wiring, "A1", local("2026-04-25 10:00"), "P2", "10.00")
    assert account(wiring, "A1").open_case is None
    assert account(wiring, "A1").watch_on is None


def test_a_customer_who_is_exempt_no_longer_is_treated_again(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    driver.run(local("2026-03-19 09:00"), local("2026-03-20 12:00"))
    assert driver.taken is not None
    ended = {"ended": "stopped", "ended_on": local("2026-03-21 09:00").date()}
    stopped = driver.taken.model_copy(update=ended)
    driver.taken = stopped
    driver.close(local("2026-03-21 09:00"))
    assert wiring.cases.open_case("A1", local("2026-03-22 09:00"))
    with wiring.database.read() as session:
        assert session.get_one(CaseRow, ("A1", 2)).state == "open"
