"""What the strict replay rests on: what passes between the SDK's halves, and what a command leaves behind."""

from __future__ import annotations

import uuid
from importlib.metadata import version

import pytest
from temporalio.api.history.v1 import History
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.client import Client
from temporalio.worker import Worker

from tests.workflows.conftest import Run
from tests.workflows.patched_workflow import Changed
from tests.workflows.test_tampering import bundle
from workflows.audit.expected import UnknownCommand, expected_event
from workflows.audit.strict import Replayed, StrictReplayer

# A field that is not listed here is new in the SDK: does the strict replay compare it?
KNOWN = {
    "start_timer": {"seq", "start_to_fire_timeout"},
    "cancel_timer": {"seq"},
    "schedule_activity": {
        "seq", "activity_id", "activity_type", "task_queue", "headers", "arguments",
        "schedule_to_close_timeout", "schedule_to_start_timeout", "start_to_close_timeout",
        "heartbeat_timeout", "retry_policy", "cancellation_type", "do_not_eagerly_execute",
        "versioning_intent", "priority",
    },
    "schedule_local_activity": {
        "seq", "activity_id", "activity_type", "attempt", "original_schedule_time", "headers", "arguments",
        "schedule_to_close_timeout", "schedule_to_start_timeout", "start_to_close_timeout", "retry_policy",
        "local_retry_threshold", "cancellation_type", "include_arguments_in_marker",
    },
    "complete_workflow_execution": {"result"},
    "fail_workflow_execution": {"failure"},
    "set_patch_marker": {"patch_id", "deprecated"},
    "continue_as_new_workflow_execution": {
        "workflow_type", "task_queue", "arguments", "workflow_run_timeout", "workflow_task_timeout", "memo",
        "headers", "search_attributes", "retry_policy", "versioning_intent", "initial_versioning_behavior",
        "backoff_start_interval",
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(KNOWN))
def test_the_commands_have_the_fields_that_are_compared(kind: str) -> None:
    field = WorkflowCommand.DESCRIPTOR.fields_by_name[kind]
    assert field.message_type
    assert {f.name for f in field.message_type.fields} == KNOWN[kind]


def test_the_sdk_is_the_one_that_was_read() -> None:
    """The strict replay wraps the SDK's runner; read its changes before you raise this."""
    assert version("temporalio").split(".")[:2] == ["1", "35"]


def test_a_command_of_another_kind_is_named() -> None:
    command = WorkflowCommand()
    command.cancel_child_workflow_execution.reason = "x"
    started = History.FromString(bundle("AccountSweep/due").histories[0].history).events[0]
    with pytest.raises(UnknownCommand, match="cancel_child_workflow_execution"):
        expected_event(command, started.workflow_execution_started_event_attributes)


def test_a_run_that_knows_a_change_of_its_code_replays(run: Run, client: Client) -> None:
    async def story() -> tuple[Replayed, Replayed]:
        queue = f"patched-{uuid.uuid4()}"
        async with Worker(client, task_queue=queue, workflows=[Changed]):
            handle = await client.start_workflow("Changed", "x", id=queue, task_queue=queue)
            await handle.result()
            events = list((await handle.fetch_history()).events)
        first = handle.first_execution_run_id or ""
        async with StrictReplayer([Changed]) as replayer:
            whole = await replayer.replay(queue, first, events)
            for event in events:
                for payloads in event.marker_recorded_event_attributes.details.values():
                    payloads.payloads[0].data = payloads.payloads[0].data.replace(b"waits", b"waste")
            return whole, await replayer.replay(queue, first, events)

    whole, forged = run(story())
    assert not whole.said
    assert forged.said
