"""A workflow runner that keeps what the workflow's code asked for, so that it can be compared.

`WorkflowRunner` and `WorkflowInstance` are public in temporalio.worker, but what passes through
`activate` is the protocol between the SDK's halves: `tests/workflows/test_audit_replay.py` pins it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner


@dataclass(frozen=True, slots=True)
class Asked:
    """One command, and the workflow's time when its code asked for it."""

    at: datetime
    command: WorkflowCommand


@dataclass(frozen=True, slots=True)
class Broke:
    """The workflow's code raised instead of asking for anything."""

    at: datetime
    why: str


class Recording:
    """What one run's code asked for, in order."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.broke: list[Broke] = []

    def take(self, activation: WorkflowActivation, completion: WorkflowActivationCompletion) -> None:
        """Keep the commands of one activation; copied, because they are encoded in place later."""
        at = activation.timestamp.ToDatetime(UTC)
        if completion.HasField("failed"):
            self.broke.append(Broke(at, completion.failed.failure.message))
            return
        for command in completion.successful.commands:
            copy = WorkflowCommand()
            copy.CopyFrom(command)
            self.asked.append(Asked(at, copy))


class RecordingRunner(WorkflowRunner):
    """Runs workflows as another runner does, and keeps a recording for each run."""

    def __init__(self, inner: WorkflowRunner) -> None:
        self._inner = inner
        self.recordings: dict[str, Recording] = {}

    def prepare_workflow(self, defn: Any) -> None:
        """Prepare as the inner runner does."""
        self._inner.prepare_workflow(defn)

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        """Pass on to the inner runner."""
        self._inner.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Create the inner runner's instance, recorded from its beginning."""
        recording = self.recordings[det.info.run_id] = Recording()
        return _RecordedInstance(self._inner.create_instance(det), recording)


class _RecordedInstance(WorkflowInstance):
    def __init__(self, inner: WorkflowInstance, recording: Recording) -> None:
        self._inner = inner
        self._recording = recording

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = self._inner.activate(act)
        self._recording.take(act, completion)
        return completion

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._inner.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._inner.get_external_store_context(command_info)

    def get_info(self) -> Any:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()
