"""Strict replay: a recorded run through the workflow's code, every command compared with its event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, WorkflowReplayResult

from workflows.audit.diff import differences
from workflows.audit.expected import COMMAND_EVENTS, UnknownCommand, bare_event, expected_event
from workflows.audit.recording import Asked, Recording, RecordingRunner
from workflows.audit.structure import Said, is_closed, name_of
from workflows.converter import DATA_CONVERTER
from workflows.ids import NAMESPACE
from workflows.registry import WORKFLOWS
from workflows.sandbox import sandboxed_runner

LONGEST_REPLAY = 120.0
"""Seconds; a run of ours takes a fraction of one."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay showed: what the code asked for, and everything that does not fit the record."""

    asked: tuple[Asked, ...] = ()
    said: list[Said] = field(default_factory=list)


class StrictReplayer:
    """Replays runs off line, one after the other, all in one worker: `async with StrictReplayer() as ...`."""

    def __init__(self, workflows: Sequence[type] = WORKFLOWS) -> None:
        self._runner = RecordingRunner(sandboxed_runner())
        self._replayer = Replayer(
            workflows=list(workflows),
            workflow_runner=self._runner,
            namespace=NAMESPACE,
            data_converter=DATA_CONVERTER,
        )
        self._open = AsyncExitStack()
        self._fed: asyncio.Queue[WorkflowHistory] = asyncio.Queue()
        self._results: AsyncIterator[WorkflowReplayResult] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def replay(self, workflow: str, run: str, events: Sequence[HistoryEvent]) -> Replayed:
        """Replay one run; what does not fit comes back as sentences, each with its event."""
        history = WorkflowHistory(workflow, events)
        if not any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in events):
            return Replayed()  # nothing has been done yet
        try:
            why = await self._result(history)
        except Exception as error:  # whatever the SDK raises for a history that was tampered with
            why = f"{type(error).__name__}: {error}"
            self._results = None
            await self._open.aclose()
        recording = self._runner.recordings.pop(history.run_id, None) or Recording()
        said = list(_compared(events, recording.asked))
        broke = [f"the workflow's code broke at {b.at.isoformat()}: {b.why}" for b in recording.broke]
        said += [(0, text) for text in broke]
        if why and not said:
            said.append((0, f"it does not replay: {why}"))
        return Replayed(tuple(recording.asked), said)

    async def _result(self, history: WorkflowHistory) -> str:
        if self._results is None:
            self._fed = asyncio.Queue()
            replay = self._replayer.workflow_replay_iterator(_fed(self._fed))
            self._results = await self._open.enter_async_context(replay)
        self._fed.put_nowait(history)
        result = await asyncio.wait_for(anext(self._results), LONGEST_REPLAY)
        return str(result.replay_failure or "")


async def _fed(queue: asyncio.Queue[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    while True:
        yield await queue.get()


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
    if len(asked) > len(recorded) and not _under_way(events):
        left = ", ".join(str(a.command.WhichOneof("variant")) for a in asked[len(recorded) :])
        yield events[-1].event_id, f"the code asks for {left}, which is not recorded"


def _under_way(events: Sequence[HistoryEvent]) -> bool:
    """Tell whether the history ends while a workflow task is under way, whose commands are to come."""
    tasks = [event.event_type for event in events if name_of(event).startswith("WORKFLOW_TASK_")]
    ended = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    return not is_closed(events) and bool(tasks) and tasks[-1] != ended


def _of_command(event: HistoryEvent) -> bool:
    by_hand = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED
    return event.event_type in COMMAND_EVENTS and event.event_type != by_hand
