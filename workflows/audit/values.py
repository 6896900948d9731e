"""The values in a history, with their types: what was asked, what came back, at which event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType as E  # read as a table of names
from temporalio.api.history.v1 import HistoryEvent

from workflows import effects, ids
from workflows.audit.expected import LOCAL_ACTIVITY, PATCH, marker_data, marker_result
from workflows.audit.recording import Asked
from workflows.audit.structure import Said
from workflows.converter import DATA_CONVERTER
from workflows.messages import (
    ActRequest,
    ActResult,
    AssessmentRecord,
    AssessmentRequest,
    AssessmentResult,
    CaseResult,
    CaseStart,
    ChunkRequest,
    CloseRequest,
    PageRequest,
    PageResult,
    Poke,
    ReviewChunk,
    ReviewRequest,
    ReviewResult,
    StepRecord,
    StepRequest,
    SweepRequest,
    SweepResult,
    TroubleNote,
)

WORKFLOW_TYPES: dict[str, tuple[type, type]] = {
    ids.CASE: (CaseStart, CaseResult),
    ids.ASSESSMENT: (AssessmentRequest, AssessmentResult),
    ids.REVIEW: (ReviewRequest, ReviewResult),
    ids.SWEEP: (SweepRequest, SweepResult),
}
ACTIVITY_TYPES: dict[str, tuple[type, type | None]] = {
    effects.STEP: (StepRequest, StepRecord),
    effects.ACT: (ActRequest, ActResult),
    effects.CLOSE: (CloseRequest, None),
    effects.TROUBLE: (TroubleNote, None),
    effects.ASSESS: (AssessmentRequest, AssessmentRecord),
    effects.GRADE_CHUNK: (ChunkRequest, ReviewChunk),
    effects.OPEN_DUE: (PageRequest, PageResult),
}
SIGNALS: dict[str, dict[str, type]] = {ids.CASE: {ids.POKE: Poke}}


@dataclass(frozen=True, slots=True)
class Effect:
    """One activity: its question and its answer; an answer of None is a failure, or is not there yet."""

    event: int
    name: str
    request: Any
    result: Any
    failed: bool
    at: datetime | None = None
    """The workflow's time when it was asked for; known for those that the replay asked for."""


@dataclass(slots=True)
class Values:
    """Everything a run was told and answered."""

    kind: str
    start: Any
    effects: list[Effect] = field(default_factory=list)
    continued: Any = None
    """The input of the run that goes on, if one does."""
    said: list[Said] = field(default_factory=list)


def read_values(events: Sequence[HistoryEvent], asked: Sequence[Asked]) -> Values:
    """Read all payloads of a run; each must be exactly what its type is written as."""
    return _Reading(events, asked).values


class _Reading:
    def __init__(self, events: Sequence[HistoryEvent], asked: Sequence[Asked]) -> None:
        started = events[0].workflow_execution_started_event_attributes
        kind = started.workflow_type.name
        self.values = Values(kind, None)
        self._converter = DATA_CONVERTER.payload_converter
        self._scheduled: dict[int, tuple[HistoryEvent, datetime | None]] = {}
        self._local = {
            a.command.schedule_local_activity.seq: a
            for a in asked
            if a.command.HasField("schedule_local_activity")
        }
        self._at = {
            a.command.schedule_activity.activity_id: a.at
            for a in asked
            if a.command.HasField("schedule_activity")
        }
        types = WORKFLOW_TYPES.get(kind)
        if types is None:
            self._say(1, f"there is no workflow `{kind}`")
            return
        self.values.start = self._one(1, started.input.payloads, types[0], "input")
        for event in events:
            self._take(event, *types)

    def _take(self, event: HistoryEvent, start: type, result: type) -> None:
        kind, number = event.event_type, event.event_id
        if kind == E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            self._signal(event)
        elif kind == E.EVENT_TYPE_MARKER_RECORDED:
            self._marker(event)
        elif kind == E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            name = event.activity_task_scheduled_event_attributes.activity_id
            self._scheduled[number] = (event, self._at.get(name))
        elif kind in (
            E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
            E.EVENT_TYPE_ACTIVITY_TASK_FAILED,
            E.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
        ):
            self._activity(event)
        elif kind == E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            payloads = event.workflow_execution_completed_event_attributes.result.payloads
            self._one(number, payloads, result, "result")
        elif kind == E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            payloads = event.workflow_execution_continued_as_new_event_attributes.input.payloads
            self.values.continued = self._one(number, payloads, start, "input")

    def _signal(self, event: HistoryEvent) -> None:
        signal = event.workflow_execution_signaled_event_attributes
        known = SIGNALS.get(self.values.kind, {}).get(signal.signal_name)
        if known is None:
            self._say(event.event_id, f"`{signal.signal_name}` is no signal of {self.values.kind}")
        else:
            self._one(event.event_id, signal.input.payloads, known, "signal")

    def _marker(self, event: HistoryEvent) -> None:
        marker, number = event.marker_recorded_event_attributes, event.event_id
        if marker.marker_name == PATCH:
            return  # compared with what the code asks for, whole
        if marker.marker_name != LOCAL_ACTIVITY:
            self._say(number, f"`{marker.marker_name}` is no marker of our workflows")
            return
        if not set(marker.details) <= {"data", "result"}:
            self._say(number, "the marker has details of another kind")
        asked = self._local.get(_whole(marker_data(event).get("seq")))
        if asked is None:
            return  # the replay has said so
        local = asked.command.schedule_local_activity
        types = ACTIVITY_TYPES.get(local.activity_type)
        if types is None:
            self._say(number, f"`{local.activity_type}` is no activity of ours")
            return
        failed = marker.HasField("failure")
        request = self._one(number, local.arguments, types[0], "arguments")
        result = None if failed else self._result(number, marker_result(event).payloads, types[1])
        self.values.effects.append(Effect(number, local.activity_type, request, result, failed, asked.at))

    def _activity(self, event: HistoryEvent) -> None:
        number = event.event_id
        completed = event.activity_task_completed_event_attributes
        attributes: Any = (
            completed
            if event.HasField("activity_task_completed_event_attributes")
            else event.activity_task_failed_event_attributes
            if event.HasField("activity_task_failed_event_attributes")
            else event.activity_task_timed_out_event_attributes
        )
        found = self._scheduled.get(attributes.scheduled_event_id)
        if found is None:
            return  # the structure has said so
        scheduled, at = found
        told = scheduled.activity_task_scheduled_event_attributes
        types = ACTIVITY_TYPES.get(told.activity_type.name)
        if types is None:
            self._say(scheduled.event_id, f"`{told.activity_type.name}` is no activity of ours")
            return
        done = attributes is completed
        request = self._one(scheduled.event_id, told.input.payloads, types[0], "input")
        result = self._result(number, completed.result.payloads, types[1]) if done else None
        self.values.effects.append(Effect(number, told.activity_type.name, request, result, not done, at))

    def _result(self, number: int, payloads: Sequence[Payload], kind: type | None) -> Any:
        return self._one(number, payloads, kind or type(None), "result")

    def _one(self, number: int, payloads: Sequence[Payload], kind: type, what: str) -> Any:
        if len(payloads) != 1:
            self._say(number, f"`{what}` has {len(payloads)} values, not one")
            return None
        try:
            value: Any = self._converter.from_payload(payloads[0], kind)
        except Exception as error:  # a forged payload may break any converter in its own way
            self._say(number, f"`{what}` cannot be read as {kind.__name__}: {error}")
            return None
        if self._converter.to_payload(value) != payloads[0]:
            self._say(number, f"`{what}` is not written as {kind.__name__} is written")
        return value

    def _say(self, number: int, why: str) -> None:
        self.values.said.append((number, why))


def _whole(value: object) -> int:
    return value if isinstance(value, int) else -1
