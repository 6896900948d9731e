"""When a look may have been asked for, as the events tell it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from workflows.audit.structure import task_starts

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
