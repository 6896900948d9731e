"""The event that a command must have left in the history."""

from __future__ import annotations

import json
from typing import Any

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

E = EventType
COMMAND_EVENTS = frozenset(
    {
        E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        E.EVENT_TYPE_TIMER_STARTED,
        E.EVENT_TYPE_TIMER_CANCELED,
        E.EVENT_TYPE_MARKER_RECORDED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)
LOCAL_ACTIVITY = "core_local_activity"
PATCH = "core_patch"
PATIENCE = (
    "schedule_to_close_timeout", "schedule_to_start_timeout", "start_to_close_timeout", "heartbeat_timeout",
    "retry_policy", "use_workflow_build_id",
)  # fmt: skip
"""How long and how often an activity is tried: a later version may be more patient with the same question."""
MARKER_FIELDS = ("seq", "activity_id", "activity_type")


class UnknownCommand(Exception):
    """A kind of command that no workflow of ours has asked for when this verifier was written."""


def expected_event(command: WorkflowCommand, start: WorkflowExecutionStartedEventAttributes) -> HistoryEvent:
    """Return the event as it must be recorded, without what only the server can know."""
    event = HistoryEvent()
    kind = command.WhichOneof("variant")
    if kind == "schedule_local_activity":
        _local_activity(event, command)
    elif kind == "set_patch_marker":
        _patch(event, command)
    elif kind == "schedule_activity":
        _activity(event, command, start)
    elif kind == "start_timer":
        event.event_type = E.EVENT_TYPE_TIMER_STARTED
        timer = event.timer_started_event_attributes
        timer.timer_id = str(command.start_timer.seq)
        timer.start_to_fire_timeout.CopyFrom(command.start_timer.start_to_fire_timeout)
    elif kind == "cancel_timer":
        event.event_type = E.EVENT_TYPE_TIMER_CANCELED
        event.timer_canceled_event_attributes.timer_id = str(command.cancel_timer.seq)
    elif kind == "complete_workflow_execution":
        event.event_type = E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
        result = command.complete_workflow_execution.result
        event.workflow_execution_completed_event_attributes.result.payloads.append(result)
    elif kind == "fail_workflow_execution":
        event.event_type = E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED
        failed = event.workflow_execution_failed_event_attributes
        failed.failure.CopyFrom(command.fail_workflow_execution.failure)
    elif kind == "cancel_workflow_execution":
        event.event_type = E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED
        event.workflow_execution_canceled_event_attributes.SetInParent()
    elif kind == "continue_as_new_workflow_execution":
        _continued(event, command, start)
    else:
        raise UnknownCommand(str(kind))
    if command.HasField("user_metadata"):
        event.user_metadata.CopyFrom(command.user_metadata)
    return event


def bare_event(event: HistoryEvent) -> HistoryEvent:
    """Return a copy of a recorded event without what only the server can know."""
    bare = HistoryEvent()
    bare.CopyFrom(event)
    for name in ("event_id", "event_time", "task_id", "version"):
        bare.ClearField(name)
    attributes = getattr(bare, str(bare.WhichOneof("attributes")))
    attributes.ClearField("workflow_task_completed_event_id")
    if bare.event_type == E.EVENT_TYPE_TIMER_CANCELED:
        for name in ("started_event_id", "identity"):
            attributes.ClearField(name)
    elif bare.event_type == E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        _bare_activity(bare)
    elif bare.event_type == E.EVENT_TYPE_MARKER_RECORDED:
        _bare_marker(bare)
    elif bare.event_type == E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
        for name in ("new_execution_run_id", "inherit_build_id", "initiator"):
            attributes.ClearField(name)
        for name in ("workflow_run_timeout", "workflow_task_timeout", "header", "task_queue"):
            attributes.ClearField(name)
    elif bare.event_type == E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
        attributes.ClearField("retry_state")
    return bare


def marker_data(event: HistoryEvent) -> dict[str, object]:
    """Return what the SDK wrote into the marker of a local activity; empty if that cannot be read."""
    payloads = event.marker_recorded_event_attributes.details["data"].payloads
    try:
        data = json.loads(payloads[0].data)
    except (ValueError, IndexError):
        return {}
    return data if isinstance(data, dict) else {}


def marker_result(event: HistoryEvent) -> Payloads:
    """Return the result in a local activity's marker."""
    details = event.marker_recorded_event_attributes.details
    return details["result"] if "result" in details else Payloads()


def _patch(event: HistoryEvent, command: WorkflowCommand) -> None:
    """Write the marker that `workflow.patched` leaves: which change of the code the run knows."""
    event.event_type = E.EVENT_TYPE_MARKER_RECORDED
    patch = command.set_patch_marker
    marker = event.marker_recorded_event_attributes
    marker.marker_name = PATCH
    payload = marker.details["patch-data"].payloads.add()
    payload.metadata["encoding"] = b"json/plain"
    said = {"id": patch.patch_id, "deprecated": patch.deprecated}
    payload.data = json.dumps(said, separators=(",", ":")).encode()


def _local_activity(event: HistoryEvent, command: WorkflowCommand) -> None:
    event.event_type = E.EVENT_TYPE_MARKER_RECORDED
    local = command.schedule_local_activity
    said = {"seq": local.seq, "activity_id": local.activity_id, "activity_type": local.activity_type}
    _write_marker(event, said)


def _bare_marker(event: HistoryEvent) -> None:
    """Keep the name and which local activity it was; its result is not asked for but consumed."""
    marker = event.marker_recorded_event_attributes
    if marker.marker_name != LOCAL_ACTIVITY:
        return
    data = marker_data(event)
    marker.details.pop("data", None)
    marker.details.pop("result", None)
    marker.ClearField("failure")
    said = {name: data.get(name) for name in MARKER_FIELDS}
    rest = dict(marker.details)
    _write_marker(event, said)
    for name, payloads in rest.items():
        event.marker_recorded_event_attributes.details[name].CopyFrom(payloads)


def _write_marker(event: HistoryEvent, said: dict[str, object]) -> None:
    marker = event.marker_recorded_event_attributes
    marker.marker_name = LOCAL_ACTIVITY
    payload = marker.details["data"].payloads.add()
    payload.data = json.dumps(said, sort_keys=True).encode()


def _activity(
    event: HistoryEvent, command: WorkflowCommand, start: WorkflowExecutionStartedEventAttributes
) -> None:
    event.event_type = E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    asked, told = command.schedule_activity, event.activity_task_scheduled_event_attributes
    told.activity_id = asked.activity_id
    told.activity_type.name = asked.activity_type
    # A replay has a queue of its own; our activities go to the queue of their workflow.
    told.task_queue.name = start.task_queue.name
    told.input.payloads.extend(asked.arguments)


def _bare_activity(event: HistoryEvent) -> None:
    told: Any = event.activity_task_scheduled_event_attributes
    queue = told.task_queue.name
    told.ClearField("task_queue")
    told.task_queue.name = queue
    for name in PATIENCE:
        told.ClearField(name)
    for name in ("header", "priority"):
        if not getattr(told, name).ByteSize():
            told.ClearField(name)


def _continued(
    event: HistoryEvent, command: WorkflowCommand, start: WorkflowExecutionStartedEventAttributes
) -> None:
    event.event_type = E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
    asked = command.continue_as_new_workflow_execution
    told = event.workflow_execution_continued_as_new_event_attributes
    told.workflow_type.name = asked.workflow_type or start.workflow_type.name
    told.input.payloads.extend(asked.arguments)
