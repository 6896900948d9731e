"""What was found a moment ago from the same things: it is taken, and never where anything differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.storage import acting
from api.storage.accounts import lock_account
from api.storage.asking import row_of
from api.storage.looks import Derived, Looks, Noted
from api.storage.tables import AccountRow, ActionRow, CaseRow, table_of
from api.wiring import Wiring
from engine.ladder import Position
from engine.ladder.due import still_due
from engine.ladder.stepping import step
from tests.api.scenes import Driver, account, in_arrears, local, pay, post
from workflows.messages import ActRequest, StepRecord

CUT = "2026-04-18 09:00"


class Counted:
    """A pure function that says how often it was asked."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.times = function, 0

    def __call__(self, *args: Any, **more: Any) -> Any:
        self.times += 1
        return self.function(*args, **more)


def until_cut(driver: Driver) -> StepRecord:
    driver.run(local("2026-03-19 09:00"), local("2026-04-17 00:00"))
    record = driver.look(local(CUT))
    assert [a.do for a in record.actions] == ["service"], record.trace
    return record


def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[Counted, Counted]:
    steps, again = Counted(step), Counted(still_due)
    monkeypatch.setattr(acting, "step", steps)
    monkeypatch.setattr(acting, "still_due", again)
    return steps, again


def test_an_act_on_what_nothing_has_changed_takes_no_second_step(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = in_arrears(wiring)
    record = until_cut(driver)
    steps, again = counted(monkeypatch)
    assert wiring.cases.act(driver.request(record)).requested == (record.actions[0].key,)
    wiring.courier.deliver("A1", local(CUT))
    assert (steps.times, again.times) == (0, 0)


@pytest.mark.parametrize("seconds", [0, 1])
def test_an_act_after_news_is_derived_again(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    driver = in_arrears(wiring)
    record = until_cut(driver)
    pay(wiring, "A1", local(CUT) + timedelta(seconds=seconds), "P1", "205.42")
    steps, _ = counted(monkeypatch)
    assert wiring.cases.act(driver.request(record)).requested == ()
    assert steps.times == 1


def test_a_message_that_waits_is_derived_again_after_news(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = in_arrears(wiring)
    record = until_cut(driver)
    wiring.cases.act(driver.request(record))
    pay(wiring, "A1", local(CUT), "P1", "205.42")
    _, again = counted(monkeypatch)
    with wiring.database.write() as work:
        row = lock_account(work.session, "A1")
        action = row_of(work.session, ActionRow, record.actions[0].key)
        assert action is not None
        assert wiring.cases._acting.ground_gone(work.session, row, action, local(CUT))
    assert again.times == 1


def test_what_was_found_is_what_would_be_found(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a whole case, with what customers and receivers say in between."""
    found, hits = Looks.asked, []

    def compared(self: Looks, request: ActRequest, position: Position, at: datetime) -> dict[str, Any] | None:
        due = found(self, request, position, at)
        with wiring.database.read() as session:
            policy = wiring.library.collections(session, request.policy)
        if due is not None and request.taken_before is not None:
            assert list(due.values()) == list(step(policy, request.taken_before, position, at).actions)
            hits.append(at)
        return due

    monkeypatch.setattr(Looks, "asked", compared)
    driver = in_arrears(wiring)
    at = driver.run(local("2026-03-19 09:00"), local("2026-04-12 00:00"))
    post(wiring, "A1", at, kind="promise", id="PR1", by="2026-04-19", amount="205.42")
    at = driver.run(at + timedelta(seconds=1), local("2026-05-20 00:00"))
    pay(wiring, "A1", at, "P1", "180.00")
    driver.run(at + timedelta(seconds=1), local("2026-08-20 00:00"))
    assert len(hits) > 2


def test_each_difference_is_seen(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    record = until_cut(driver)
    request, looks = driver.request(record), Looks()
    looks.note(Noted(record.model_dump_json(), record.taken.model_dump_json(), record))
    with wiring.database.read() as session:
        policy = wiring.library.collections(session, driver.policy)
    position = wiring.ledger.position("A1", record.at, policy.regulation, policy.calendar)
    assert looks.asked(request, position, record.at) == {a.key: a for a in record.actions}
    newer = replace(position, account=position.account.model_copy(update={"version": 99}))
    others: list[tuple[ActRequest, Position, datetime]] = [
        (request.model_copy(update={"case": "case/A1/2"}), position, record.at),
        (request.model_copy(update={"policy": "sha256:0"}), position, record.at),
        (request.model_copy(update={"taken_before": record.taken}), position, record.at),
        (request.model_copy(update={"taken": driver.taken}), position, record.at),
        (request.model_copy(update={"actions": ()}), position, record.at),
        (request, newer, record.at),
        (request, replace(position, law=replace(position.law, digest="sha256:0")), record.at),
        (request, replace(position, calendar=replace(position.calendar, digest="sha256:0")), record.at),
        (request, position, record.at + timedelta(seconds=1)),
    ]
    for other in others:
        assert looks.asked(*other) is None
    over = record.model_copy(update={"adopted_from": "sha256:0"})
    looks.note(Noted(over.model_dump_json(), over.taken.model_dump_json(), over))
    assert looks.asked(request, position, record.at) is None


def test_each_difference_of_what_was_derived_is_seen(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    record = until_cut(driver)
    before, key = driver.taken, record.actions[0].key
    assert before is not None
    with wiring.database.read() as session:
        policy = wiring.library.collections(session, driver.policy)
    position = wiring.ledger.position("A1", record.at, policy.regulation, policy.calendar)
    looks = Looks()
    asked = (driver.case, key, driver.policy, before, position, record.at)
    assert not looks.is_due(*asked)
    looks.derive(driver.case, Derived(driver.policy, before, position, record.at, {key}))
    assert looks.is_due(*asked)
    newer = replace(position, account=position.account.model_copy(update={"version": 99}))
    lawful = replace(position, law=replace(position.law, digest="sha256:0"))
    for place, other in enumerate(("case/A1/2", "another", "sha256:0", record.taken, newer, record.at.max)):
        changed: list[Any] = [*asked[:place], other, *asked[place + 1 :]]
        assert not looks.is_due(*changed)
    assert not looks.is_due(*asked[:4], lawful, record.at)


def test_only_the_last_cases_are_kept(wiring: Wiring) -> None:
    record = until_cut(in_arrears(wiring))
    body, looks = record.model_dump_json(), Looks(kept=2)
    for number in range(3):
        one = record.model_copy(update={"case": f"case/A{number}/1"})
        looks.note(Noted(body, "", one))
    assert [looks.stored(f"case/A{n}/1", body).case for n in range(3)] == [
        record.case, "case/A1/1", "case/A2/1"
    ]  # fmt: skip


def test_a_stored_text_that_is_another_is_read(wiring: Wiring) -> None:
    record = until_cut(in_arrears(wiring))
    looks, other = Looks(), record.model_copy(update={"engine": "another"})
    looks.note(Noted(record.model_dump_json(), record.taken.model_dump_json(), record))
    assert looks.stored(record.case, record.model_dump_json()) is record
    assert looks.stored(record.case, other.model_dump_json()) == other
    assert looks.taken(record.case, record.taken.model_dump_json()) is record.taken
    ended = record.taken.model_copy(update={"ended": "cured"})
    assert looks.taken(record.case, ended.model_dump_json()) == ended


def test_a_row_is_asked_for_by_its_key_and_held_once(wiring: Wiring) -> None:
    in_arrears(wiring)
    with wiring.database.read() as session:
        held = row_of(session, AccountRow, "A1")
        case = row_of(session, CaseRow, "A1", 1)
        assert held is session.get(AccountRow, "A1") is row_of(session, AccountRow, "A1")
        assert case is session.get(CaseRow, ("A1", 1))
        assert row_of(session, AccountRow, "A2") is None
        assert row_of(session, CaseRow, "A1", 2) is None


def test_a_position_that_is_asked_for_again_is_that_of_the_committed_entries(wiring: Wiring) -> None:
    in_arrears(wiring)
    at = local("2026-03-20 09:00")

    def owed() -> str:
        with wiring.database.read() as session:
            row = row_of(session, AccountRow, "A1")
            assert row is not None
            return str(wiring.positions.position(session, row, at).debts[0].open)

    assert [owed(), owed()] == ["205.42", "205.42"]
    pay(wiring, "A1", at, "P1", "5.42")
    assert owed() == "200.00"
    with wiring.database.write() as work:  # terms belong to what a position follows from
        terms = table_of(AccountRow).update().values(timezone="Europe/Berlin")
        work.session.connection().execute(terms)
    assert account(wiring, "A1").timezone == "Europe/Berlin"
    with wiring.database.read() as session:
        row = row_of(session, AccountRow, "A1")
        assert row is not None
        assert wiring.positions.position(session, row, at).terms.timezone == "Europe/Berlin"
