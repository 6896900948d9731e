"""The worker process: workflows, and activities wired to the outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker, WorkflowRunner

from engine.credit.finish import ENGINE
from workflows import ids
from workflows.activities.texts import PolicyTexts
from workflows.activities.wiring import Outside, case_activities, review_activities
from workflows.registry import WORKFLOWS

BUILD = f"forbear-{ENGINE}"
"""Stands in every completed workflow task: which version of the product did it."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much a worker takes on at once."""

    threads: int = 16
    """Activities run in so many threads."""
    cached_cases: int = 2_000
    """Cases kept in memory, some 60 KiB each; others are replayed when they wake."""
    review_threads: int = 2
    review_chunks_per_second: float = 4.0
    """For all workers together: Temporal holds the rate by queue."""


class Workers:
    """The workers of one process: one for cases and assessments, one for reviews."""

    def __init__(
        self,
        client: Client,
        activities: Sequence[Callable[..., Any]],
        review_activities: Sequence[Callable[..., Any]],
        capacity: Capacity = Capacity(),
        identity: str = "forbear-worker",
        runner: WorkflowRunner | None = None,
    ) -> None:
        self._stack = AsyncExitStack()
        self._threads = ThreadPoolExecutor(capacity.threads, thread_name_prefix="activity")
        self._review_threads = ThreadPoolExecutor(capacity.review_threads, thread_name_prefix="review")
        # The sandbox watches in tests and in the audit; here it would take a quarter of a worker's time.
        runner = runner or UnsandboxedWorkflowRunner()
        self._workers = (
            _main_worker(client, activities, self._threads, capacity, identity, runner),
            _review_worker(client, review_activities, self._review_threads, capacity, identity, runner),
        )

    async def __aenter__(self) -> Self:
        for threads in (self._threads, self._review_threads):
            self._stack.callback(threads.shutdown)
        for worker in self._workers:
            await self._stack.enter_async_context(worker)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


def wired(
    client: Client, outside: Outside, capacity: Capacity = Capacity(), identity: str = "forbear-worker"
) -> Workers:
    """Return workers whose activities reach the outside through its ports; run them with `async with`."""
    texts = PolicyTexts(outside.shelf)
    return Workers(
        client, case_activities(outside, texts), review_activities(outside, texts), capacity, identity
    )


def _main_worker(
    client: Client,
    activities: Sequence[Callable[..., Any]],
    threads: ThreadPoolExecutor,
    capacity: Capacity,
    identity: str,
    runner: WorkflowRunner,
) -> Worker:
    return Worker(
        client,
        task_queue=ids.TASK_QUEUE,
        workflows=list(WORKFLOWS),
        activities=list(activities),
        activity_executor=threads,
        max_concurrent_activities=capacity.threads,
        max_concurrent_local_activities=capacity.threads,
        max_cached_workflows=capacity.cached_cases,
        workflow_runner=runner,
        # Without it a burst of starts is served newest first, with a long tail.
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=timedelta(seconds=10),
        identity=identity,
        build_id=BUILD,
    )


def _review_worker(
    client: Client,
    activities: Sequence[Callable[..., Any]],
    threads: ThreadPoolExecutor,
    capacity: Capacity,
    identity: str,
    runner: WorkflowRunner,
) -> Worker:
    return Worker(
        client,
        task_queue=ids.REVIEW_QUEUE,
        workflows=list(WORKFLOWS),
        activities=list(activities),
        activity_executor=threads,
        max_concurrent_activities=capacity.review_threads,
        max_task_queue_activities_per_second=capacity.review_chunks_per_second,
        # An eagerly started activity would go around the rate of the queue.
        disable_eager_activity_execution=True,
        max_cached_workflows=10,
        workflow_runner=runner,
        graceful_shutdown_timeout=timedelta(seconds=10),
        identity=identity,
        build_id=BUILD,
    )
