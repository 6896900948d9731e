"""Does the list of events hang together: every event known, in its place, none missing, none added."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from workflows import ids
from workflows.audit.expected import COMMAND_EVENTS, PATCH
from workflows.audit.shapes import CLOSING, FIELDS, NEWS, SHARED, SIMULATED

E = EventType
_RESTS = (
    E.EVENT_TYPE_TIMER_STARTED, E.EVENT_TYPE_TIMER_FIRED, E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, E.EVENT_TYPE_ACTIVITY_TASK_FAILED,
    E.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
)  # fmt: skip
_TIMERS = {
    E.EVENT_TYPE_TIMER_STARTED: 1, E.EVENT_TYPE_TIMER_FIRED: -1, E.EVENT_TYPE_TIMER_CANCELED: -1,
}  # fmt: skip
_SCHEDULED_BY, _SCHEDULED_AT = "TemporalScheduledById", "TemporalScheduledStartTime"
Said = tuple[int, str]
"""Event id and a sentence."""


def check_structure(events: Sequence[HistoryEvent], workflow: str, run: str) -> list[Said]:
    """Return everything that is wrong with the shape of a history."""
    if not events:
        return [(0, "there are no events")]
    walk = _Walk(workflow, run)
    for place, event in enumerate(events, 1):
        walk.said += [(place, why) for why in _shape(event, place)]
        walk.take(event)
    return walk.said


def is_closed(events: Sequence[HistoryEvent]) -> bool:
    """Tell whether the run has ended."""
    return bool(events) and events[-1].event_type in CLOSING


def task_starts(events: Sequence[HistoryEvent]) -> dict[int, datetime]:
    """Return for each marker when the workflow task began in which it was asked for.

    A task that is extended while a local activity runs is a chain of tasks; what the first of them
    commanded (a cancelled timer) and signals can stand between them. A new chain begins only after
    something for which the workflow had waited: an activity's answer, a timer, a signal to a waiting run.
    """
    found: dict[int, datetime] = {}
    began: datetime | None = None
    fresh, timers = True, 0
    for event in events:
        kind = event.event_type
        if kind == E.EVENT_TYPE_WORKFLOW_TASK_STARTED and fresh:
            began, fresh = event.event_time.ToDatetime(UTC), False
        elif kind == E.EVENT_TYPE_MARKER_RECORDED and began:
            found[event.event_id] = began
        timers += _TIMERS.get(kind, 0)
        waited = kind == E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED and timers > 0
        fresh = fresh or waited or kind in _RESTS
    return found


def name_of(event: HistoryEvent) -> str:
    """Return the event's type as people write it."""
    try:
        return E.Name(event.event_type).removeprefix("EVENT_TYPE_")
    except ValueError:
        return f"type {event.event_type}"


def attributes_of(event: HistoryEvent) -> Any:
    """Return the event's attributes."""
    return getattr(event, str(event.WhichOneof("attributes")))


def _attributes_name(event: HistoryEvent) -> str:
    return f"{name_of(event).lower()}_event_attributes"


def _shape(event: HistoryEvent, place: int) -> Iterator[str]:
    """Check an event by itself: its number, its kind, and that it says nothing it has no business to say."""
    if event.event_id != place:
        yield f"it has the number {event.event_id}: an event is missing, added or moved"
    allowed = FIELDS.get(event.event_type)
    if allowed is None:
        yield f"{name_of(event)} is no event of our workflows"
        return
    expected = _attributes_name(event)
    if event.WhichOneof("attributes") != expected:
        yield f"{name_of(event)} has the attributes of another kind"
        return
    for field, _ in attributes_of(event).ListFields():
        if field.name not in allowed:
            yield f"`{field.name}` is set, which our workflows never do"
    shared = {*SHARED, expected}
    shared |= {"user_metadata"} if event.event_type in COMMAND_EVENTS else set()
    shared |= {"worker_may_ignore"} if event.event_type in SIMULATED else set()
    for field, _ in event.ListFields():
        if field.name not in shared:
            yield f"`{field.name}` is set, which our workflows never do"


def _by_schedule(attributes: Any) -> bool:
    """Tell whether a start has nothing of a schedule, or what our schedule gives to the sweeps it starts.

    What came of the sweep before stands in the start, too; no sweep reads it.
    """
    told = {name: value.data.decode() for name, value in attributes.search_attributes.indexed_fields.items()}
    if not told:
        return not any(attributes.HasField(name) for name in ("last_completion_result", "continued_failure"))
    at = attributes.workflow_id.removeprefix(f"{ids.sweep_id()}-")
    ours = {_SCHEDULED_BY: f'"{ids.SWEEP_SCHEDULE}"', _SCHEDULED_AT: f'"{at}"'}
    return attributes.workflow_type.name == ids.SWEEP and told == ours


class _Walk:
    """Follows tasks, activities and timers through a history."""

    def __init__(self, workflow: str, run: str) -> None:
        self.said: list[Said] = []
        self._workflow, self._run = workflow, run
        self._place = 0
        self._scheduled = self._started = self._completed = 0
        self._activities: dict[int, int] = {}
        """Scheduled event to started event; 0 while it waits."""
        self._timers: dict[int, str] = {}
        self._closed = False
        self._times: list[datetime] = []
        self._task_id = 0
        self._patched = False
        self._time, self._task_time = datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)

    def take(self, event: HistoryEvent) -> None:
        """Take the next event."""
        self._place += 1
        self._goes_forward(event)
        if self._closed:
            self._say("it comes after the run has ended")
        if (self._place == 1) != (event.event_type == E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED):
            self._say("a history begins with WORKFLOW_EXECUTION_STARTED, once")
        if event.event_type in FIELDS and event.WhichOneof("attributes") == _attributes_name(event):
            self._follow(event, attributes_of(event))
        self._closed = event.event_type in CLOSING

    def _goes_forward(self, event: HistoryEvent) -> None:
        """Check times; news that comes while a workflow task is under way is written after it."""
        try:
            at = event.event_time.ToDatetime(UTC)
        except (ValueError, OverflowError):
            self._say("its time is no time")
            at = self._time
        if event.task_id <= self._task_id:
            self._say("the server wrote it before the one that stands before it")
        self._task_id = event.task_id
        if at < self._earliest(event):
            self._say("it is earlier than what came before it")
        self._times.append(at)
        if event.event_type == E.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            self._task_time = at
        if event.event_type not in NEWS:
            self._time = max(self._time, at)

    def _earliest(self, event: HistoryEvent) -> datetime:
        if event.event_type == E.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            # Written when the activity ends, with the time at which it began.
            scheduled = event.activity_task_started_event_attributes.scheduled_event_id
            return self._times[scheduled - 1] if 0 < scheduled <= len(self._times) else self._time
        return self._task_time if event.event_type in NEWS else self._time

    def _follow(self, event: HistoryEvent, attributes: Any) -> None:
        kind = event.event_type
        if kind in COMMAND_EVENTS or kind == E.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
            self._refers(attributes, "workflow_task_completed_event_id", self._completed)
        self._patches(event)
        if kind == E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            self._start(attributes)
        elif kind == E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
            self._task_scheduled()
        elif kind == E.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            self._refers(attributes, "scheduled_event_id", self._scheduled)
            if self._started:
                self._say("the workflow task was started before")
            self._started = self._place
        elif name_of(event).startswith("WORKFLOW_TASK_"):
            self._task_ended(kind, attributes)
        elif name_of(event).startswith("ACTIVITY_"):
            self._activity(kind, attributes)
        elif name_of(event).startswith("TIMER_"):
            self._timer(kind, attributes)

    def _patches(self, event: HistoryEvent) -> None:
        """Check that search attributes are written only by the SDK itself, after the marker of a patch."""
        told = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        if event.event_type == E.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES and (
            not self._patched or set(told) != {"TemporalChangeVersion"}
        ):
            self._say("it has what a schedule gives, and is no sweep that our schedule has started")
        self._patched = event.marker_recorded_event_attributes.marker_name == PATCH

    def _start(self, attributes: Any) -> None:
        for name, told in (("workflow_id", self._workflow), ("original_execution_run_id", self._run)):
            if getattr(attributes, name) != told:
                self._say(f"`{name}` is `{getattr(attributes, name)}`, the evidence is of `{told}`")
        if attributes.task_queue.name not in (ids.TASK_QUEUE, ids.REVIEW_QUEUE):
            self._say(f"`task_queue` is `{attributes.task_queue.name}`, which is none of ours")
        if not _by_schedule(attributes):
            self._say("it has what a schedule gives, and is no sweep that our schedule has started")
        if bool(attributes.continued_execution_run_id) != (attributes.first_execution_run_id != self._run):
            self._say("`continued_execution_run_id` and `first_execution_run_id` do not fit each other")

    def _task_scheduled(self) -> None:
        if self._scheduled:
            self._say("a workflow task is scheduled while another one is under way")
        self._scheduled = self._place

    def _task_ended(self, kind: int, attributes: Any) -> None:
        self._refers(attributes, "scheduled_event_id", self._scheduled)
        self._refers(attributes, "started_event_id", self._started)
        if kind == E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            self._completed = self._place
        elif kind == E.EVENT_TYPE_WORKFLOW_TASK_FAILED and attributes.cause == (
            WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
        ):
            self._say("the run was reset: what came after was taken back by hand")
        self._scheduled = self._started = 0

    def _activity(self, kind: int, attributes: Any) -> None:
        if kind == E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            self._activities[self._place] = 0
            return
        scheduled = attributes.scheduled_event_id
        if scheduled not in self._activities:
            self._say(f"`scheduled_event_id` {scheduled} is no activity under way")
        elif kind == E.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            if self._activities[scheduled]:
                self._say("the activity was started before")
            self._activities[scheduled] = self._place
        elif kind != E.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
            self._refers(attributes, "started_event_id", self._activities.pop(scheduled))

    def _timer(self, kind: int, attributes: Any) -> None:
        if kind == E.EVENT_TYPE_TIMER_STARTED:
            self._timers[self._place] = attributes.timer_id
        elif self._timers.pop(attributes.started_event_id, None) != attributes.timer_id:
            self._say(f"it ends timer `{attributes.timer_id}`, which is not running")

    def _refers(self, attributes: Any, name: str, to: int) -> None:
        if getattr(attributes, name) != to or not (to or name == "started_event_id"):
            self._say(f"`{name}` is {getattr(attributes, name)}; it follows {to or 'nothing'}")

    def _say(self, why: str) -> None:
        self.said.append((self._place, why))
