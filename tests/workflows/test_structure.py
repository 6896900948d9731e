"""When a look may have been asked for, as the events tell it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from workflows import ids
from workflows.audit.structure import check_structure, task_starts

NOON = datetime(2026, 12, 17, 12, tzinfo=UTC)
CHAINS = [
    ("asked and answered in one task", "TASK MARKER", 0),
    ("extended: the chain began with its first task", "TASK TASK MARKER", 0),
    ("extended, with the timer that the news cancelled between", "TASK MARKER TIMER_STARTED "
     "WORKFLOW_EXECUTION_SIGNALED TASK TIMER_CANCELED TASK MARKER", 4),
    ("extended, with more news between", "TASK MARKER TIMER_STARTED WORKFLOW_EXECUTION_SIGNALED TASK "
     "TIMER_CANCELED WORKFLOW_EXECUTION_SIGNALED TASK MARKER", 4),
    ("after a timer a new chain", "TASK MARKER TIMER_STARTED TIMER_FIRED TASK MARKER", 4),
    ("after an activity a new chain", "TASK MARKER ACTIVITY_TASK_SCHEDULED ACTIVITY_TASK_COMPLETED "
     "TASK MARKER", 4),
]  # fmt: skip


def events_of(words: str) -> list[HistoryEvent]:
    """Return one event a word, a second apart; `TASK` is a task's start and its completion."""
    kinds = []
    for word in words.split():
        if word == "TASK":
            kinds += ["WORKFLOW_TASK_STARTED", "WORKFLOW_TASK_COMPLETED"]
        else:
            kinds.append("MARKER_RECORDED" if word == "MARKER" else word)
    events = []
    for place, kind in enumerate(kinds):
        event = HistoryEvent(event_id=place + 1, event_type=EventType.Value(f"EVENT_TYPE_{kind}"))
        event.event_time.FromDatetime(NOON + timedelta(seconds=place))
        events.append(event)
    return events


@pytest.mark.parametrize(("name", "words", "place"), CHAINS, ids=[c[0] for c in CHAINS])
def test_a_look_is_asked_when_its_chain_of_tasks_began(name: str, words: str, place: int) -> None:
    events = events_of(words)
    wanted = words.split()[:place]
    seconds = sum(2 if word == "TASK" else 1 for word in wanted)
    assert task_starts(events)[events[-1].event_id] == NOON + timedelta(seconds=seconds), name


def started(kind: str, workflow: str, **told: str) -> list[HistoryEvent]:
    """Return a history of a start alone, with the search attributes that are told."""
    event = HistoryEvent(event_id=1, task_id=1, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
    event.event_time.FromDatetime(NOON)
    start = event.workflow_execution_started_event_attributes
    start.workflow_type.name, start.workflow_id, start.task_queue.name = kind, workflow, ids.TASK_QUEUE
    start.original_execution_run_id = start.first_execution_run_id = "r1"
    for name, value in told.items():
        start.search_attributes.indexed_fields[name].data = f'"{value}"'.encode()
    return [event]


NO_SWEEP = "it has what a schedule gives, and is no sweep that our schedule has started"
SWEEP_AT = "2026-11-22T02:15:00Z"
BY_SCHEDULE = {"TemporalScheduledById": ids.SWEEP_SCHEDULE, "TemporalScheduledStartTime": SWEEP_AT}
SWEEP_ID = f"{ids.sweep_id()}-{SWEEP_AT}"


def test_a_sweep_that_the_schedule_started_is_in_order() -> None:
    assert check_structure(started(ids.SWEEP, SWEEP_ID, **BY_SCHEDULE), SWEEP_ID, "r1") == []


@pytest.mark.parametrize(
    ("kind", "workflow", "told"),
    [
        (ids.CASE, "case/A1/1", BY_SCHEDULE),
        (ids.SWEEP, SWEEP_ID, BY_SCHEDULE | {"TemporalScheduledById": "another"}),
        (ids.SWEEP, SWEEP_ID, BY_SCHEDULE | {"TemporalScheduledStartTime": "2026-11-22T02:30:00Z"}),
        (ids.SWEEP, SWEEP_ID, BY_SCHEDULE | {"Segment": "key"}),
        (ids.SWEEP, SWEEP_ID, {"TemporalScheduledById": ids.SWEEP_SCHEDULE}),
    ],
)
def test_other_search_attributes_of_a_start_are_named(kind: str, workflow: str, told: dict[str, str]) -> None:
    said = check_structure(started(kind, workflow, **told), workflow, "r1")
    assert said == [(1, NO_SWEEP)]


@pytest.mark.parametrize(("told", "said"), [(BY_SCHEDULE, []), ({}, [(1, NO_SWEEP)])])
@pytest.mark.parametrize("field", ["last_completion_result", "continued_failure"])
def test_only_a_sweep_of_the_schedule_knows_the_one_before(
    field: str, told: dict[str, str], said: list[tuple[int, str]]
) -> None:
    (event,) = started(ids.SWEEP, SWEEP_ID, **told)
    getattr(event.workflow_execution_started_event_attributes, field).SetInParent()
    assert check_structure([event], SWEEP_ID, "r1") == said
