"""What the activities do by themselves, with the ports in memory."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from engine.credit.decision import Fact
from engine.ladder import Taken
from tests.workflows.fakes import World, collections_world, credit_world, facts
from tests.workflows.scenarios import AS_OF
from tests.workflows.scripted import action
from workflows.activities import beating
from workflows.activities.act import Act, StaleAction
from workflows.activities.assess import Assess, RequestReused, trace_digest
from workflows.activities.grade_chunk import BATCH, GradeChunk
from workflows.activities.open_due import OpenDue
from workflows.activities.texts import PolicyTexts, PolicyUnusable
from workflows.messages import (
    ActRequest,
    ActResult,
    AssessmentRecord,
    AssessmentRequest,
    ChunkRequest,
    PageRequest,
)
from workflows.ports import PolicyNotFound
from workflows.recorded import recorded_digest

AT = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def assess(world: World, **asked: Any) -> AssessmentRecord:
    made = Assess(PolicyTexts(world), world, world)
    given = {"request": "r-1", "customer": "C1", "as_of": AS_OF, "at": AT} | asked
    found: AssessmentRecord = ActivityEnvironment().run(made.assess, AssessmentRequest(**given))
    return found


@pytest.fixture
def graded() -> tuple[World, str]:
    world, policy = credit_world()
    world.customers["C1"] = ("consumer", facts(more="than the policy reads"))
    return world, policy


def test_a_decision_is_stored_whole_and_recorded_with_the_rows_that_matched(
    graded: tuple[World, str],
) -> None:
    world, policy = graded
    record = assess(world, policy=policy)
    stored = world.decisions["r-1"]
    assert all(row.matched for part in record.decision.trace for row in part.rows)
    assert not all(row.matched for part in stored.decision.trace for row in part.rows)
    assert record.trace_digest == stored.trace_digest == trace_digest(stored.decision)
    assert recorded_digest(record.decision.outcome) == recorded_digest(stored.decision.outcome)


def test_a_request_that_was_answered_gets_the_same_answer(graded: tuple[World, str]) -> None:
    world, policy = graded
    first = assess(world, policy=policy)
    world.customers["C1"] = ("consumer", facts(prior_write_off=True))
    assert assess(world, policy=policy) == AssessmentRecord.model_validate_json(first.model_dump_json())


def test_given_facts_win_over_gathered_ones(graded: tuple[World, str]) -> None:
    world, policy = graded
    record = assess(world, policy=policy, facts={"tenure_months": Fact(value=1)})
    assert record.decision.facts["tenure_months"].value == 1


def test_the_run_of_a_decision_is_registered_with_it(graded: tuple[World, str]) -> None:
    world, policy = graded
    assess(world, policy=policy)
    assert list(world.runs.values()) == ["test"]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"policy": "sha256:none"}, PolicyNotFound),
        ({"facts": {"tenure_month": Fact(value=1)}}, ApplicationError),
    ],
)
def test_what_cannot_be_decided_is_refused(
    graded: tuple[World, str], asked: dict[str, Any], error: type[Exception]
) -> None:
    world, policy = graded
    with pytest.raises(error):
        assess(world, **({"policy": policy} | asked))
    assert not world.decisions
    assert world.refusals["r-1"]


@pytest.mark.parametrize("other", [{"customer": "C2"}, {"as_of": AS_OF.replace(day=1)}])
def test_an_id_that_was_used_for_another_question_is_refused(
    graded: tuple[World, str], other: dict[str, Any]
) -> None:
    world, policy = graded
    assess(world, policy=policy)
    with pytest.raises(RequestReused, match="an id of its own"):
        assess(world, **({"policy": policy} | other))


def book(size: int) -> tuple[World, ChunkRequest]:
    world, policy = credit_world()
    for number in range(size):
        world.customers[f"C{number:04}"] = ("consumer", facts(tenure_months=number % 70))
    request = ChunkRequest(
        run="book", policies={"consumer": policy}, as_of=AS_OF, at=AT, after="", limit=size, chain=""
    )
    return world, request


def grade(world: World, request: ChunkRequest, environment: ActivityEnvironment | None = None) -> Any:
    made = GradeChunk(PolicyTexts(world), world, world, world)
    return (environment or ActivityEnvironment()).run(made.grade_chunk, request)


def test_a_chunk_goes_on_from_its_last_heartbeat_and_ends_the_same() -> None:
    size = 3 * BATCH + 10
    world, request = book(size)
    whole = grade(world, request)

    again, request = book(size)
    beats: list[Any] = []
    record = again.record
    batches = 0

    def killed_in_the_third(records: Iterable[AssessmentRecord]) -> None:
        nonlocal batches
        batches += 1
        record(list(records))
        if batches == 3:
            raise ConnectionError("the database went away after it had committed")

    again.record = killed_in_the_third  # type: ignore[method-assign]
    first = ActivityEnvironment()
    first.on_heartbeat = lambda *details: beats.append(details)
    with pytest.raises(ConnectionError):
        grade(again, request, first)
    assert [beat[0].done for beat in beats] == [BATCH, 2 * BATCH]

    second = ActivityEnvironment()
    plain = [detail.model_dump(mode="json") for detail in beats[-1]]
    second.info = dataclasses.replace(second.info, heartbeat_details=plain)
    assert grade(again, request, second) == whole
    assert set(again.decisions) == {f"book/C{number:04}" for number in range(size)}


def test_customers_that_cannot_be_decided_hold_nobody_up() -> None:
    world, request = book(5)
    world.customers["C0001"] = ("consumer", facts(tenure_months=-1))
    world.customers["C0003"] = ("martian", facts())
    chunk = grade(world, request)
    assert (chunk.done, chunk.counts["decided"], chunk.counts["failed"]) == (5, 3, 2)
    assert [name for name, _ in chunk.failures] == ["C0001", "C0003"]
    assert "tenure_months" in chunk.failures[0][1]
    assert "martian" in chunk.failures[1][1]


def test_a_page_of_due_accounts_taken_up_again_opens_nothing_twice() -> None:
    world, _ = collections_world()
    world.due = [f"A{number:02}" for number in range(30)]
    request = PageRequest(at=AT, after="", limit=50, chain="")
    first = ActivityEnvironment().run(OpenDue(world, world).open_due, request)
    second = ActivityEnvironment().run(OpenDue(world, world).open_due, request)
    assert (first.opened, first.seen, first.last) == (30, 30, "A29")
    assert second.opened == 0


@pytest.mark.parametrize("severe", [False, True])
def test_a_severe_action_of_another_day_is_refused(severe: bool) -> None:
    world, policy = collections_world()
    world.refusal = "it is an hour later"
    taken = Taken(case="case/A1/1", opened_at=AT, opened_on=AT.date())
    request = ActRequest(
        case="case/A1/1", account="A1", policy=policy, taken_before=taken, taken=taken,
        actions=(action("case/A1/1/account/reminder/1/notify.sms/do", severe=severe),), at=AT, chain="",
    )  # fmt: skip
    made = Act(world, world)
    if severe:
        with pytest.raises(StaleAction, match="an hour later"):
            ActivityEnvironment().run(made.act, request)
        assert not world.done
    else:
        result: ActResult = ActivityEnvironment().run(made.act, request)
        assert result.withdrawn


def test_a_long_act_beats_while_it_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beating, "EVERY_SECONDS", 0.001)
    world, policy = collections_world()
    beats = threading.Semaphore(0)

    def until_three_beats(request: ActRequest) -> None:
        for _ in range(3):
            beats.acquire()

    world.before_act = until_three_beats
    taken = Taken(case="case/A1/1", opened_at=AT, opened_on=AT.date())
    request = ActRequest(
        case="case/A1/1", account="A1", policy=policy, taken_before=taken, taken=taken, actions=(), at=AT,
        chain="",
    )  # fmt: skip
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.release()
    environment.run(Act(world, world).act, request)


def test_a_text_is_read_once_and_only_if_it_is_what_its_digest_says() -> None:
    world, policy = collections_world()
    texts = PolicyTexts(world)
    assert texts.collections(policy) is texts.collections(policy)
    world.manifests["sha256:other"] = world.manifests[policy]
    with pytest.raises(PolicyUnusable, match="gave"):
        texts.collections("sha256:other")
    with pytest.raises(PolicyUnusable, match="cannot be read"):
        texts.credit(policy)
