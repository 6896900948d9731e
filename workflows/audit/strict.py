"""Strict replay: a recorded run through the workflow's code, every command compared with its event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from workflows.audit.diff import differences
from workflows.audit.expected import COMMAND_EVENTS, UnknownCommand, bare_event, expected_event
from workflows.audit.recording import Asked, Recording, RecordingRunner
from workflows.audit.structure import Said, is_closed, name_of
from workflows.converter import DATA_CONVERTER
from workflows.ids import NAMESPACE
from workflows.registry import WORKFLOWS
from workflows.sandbox import sandboxed_runner


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay showed: what the code asked for, and everything that does not fit the record."""

    asked: tuple[Asked, ...] = ()
    said: list[Said] = field(default_factory=list)


class StrictReplayer:
    """Replays runs off line; make one for many runs."""

    def __init__(self) -> None:
        self._runner = RecordingRunner(sandboxed_runner())
        self._replayer = Replayer(
            workflows=list(WORKFLOWS),
            workflow_runner=self._runner,
            namespace=NAMESPACE,
            data_converter=DATA_CONVERTER,
        )

    async def replay(self, workflow: str, run: str, events: Sequence[HistoryEvent]) -> Replayed:
        """Replay one run; what does not fit comes back as sentences, each with its event."""
        history = WorkflowHistory(workflow, events)
        why = ""
        try:
            result = await self._replayer.replay_workflow(history, raise_on_replay_failure=False)
        except Exception as error:  # whatever the SDK raises for a history that was tampered with
            why = f"{type(error).__name__}: {error}"
        else:
            why = str(result.replay_failure or "")
        recording = self._runner.recordings.pop(history.run_id, None) or Recording()
        said = list(_compared(events, recording.asked))
        broke = [f"the workflow's code broke at {b.at.isoformat()}: {b.why}" for b in recording.broke]
        said += [(0, text) for text in broke]
        if why and not said:
            said.append((0, f"it does not replay: {why}"))
        return Replayed(tuple(recording.asked), said)


def _compared(events: Sequence[HistoryEvent], asked: Sequence[Asked]) -> Iterator[Said]:
    start = events[0].workflow_execution_started_event_attributes
    recorded = [event for event in events if _of_command(event)]
    timers = {a.command.start_timer.seq: a.command.user_metadata for a in asked}
    for event, command in zip(recorded, asked, strict=False):
        try:
            expected = expected_event(command.command, start)
            if command.command.HasField("cancel_timer"):
                # The server writes the summary of the timer also where it is cancelled.
                expected.user_metadata.CopyFrom(timers[command.command.cancel_timer.seq])
        except UnknownCommand as unknown:
            yield event.event_id, f"the code asks for `{unknown}`, which this verifier does not know"
            return
        if event.event_type != expected.event_type:
            yield event.event_id, f"{name_of(event)} is recorded, the code asks for {name_of(expected)}"
            return
        for text in differences(bare_event(event), expected):
            yield event.event_id, f"{name_of(event)}: {text}"
    for event in recorded[len(asked) :]:
        yield event.event_id, f"{name_of(event)} is recorded, the code asks for nothing"
    if is_closed(events) and len(asked) > len(recorded):
        left = ", ".join(str(a.command.WhichOneof("variant")) for a in asked[len(recorded) :])
        yield events[-1].event_id, f"the code asks for {left}, which is not recorded"


def _of_command(event: HistoryEvent) -> bool:
    by_hand = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED
    return event.event_type in COMMAND_EVENTS and event.event_type != by_hand
