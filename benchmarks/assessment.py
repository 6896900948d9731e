"""A durable assessment beside an empty workflow with one local activity: `python -m benchmarks.assessment`.

At the level of the Temporal client, on one embedded server (SQLite in WAL mode, hand-over 2000 times a
second), both started eagerly, both with a worker of the same make in this process. Ours gathers nothing but
decides on given facts, keeps the decision with its whole trace in the database, and answers; the other
returns what it was given. Loops ask one, then the other, in turn.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time

import psutil  # type: ignore[import-untyped]  # it has no types of its own
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

from api.embedded import EmbeddedTemporal, connect
from api.rest.durable import assess
from api.serving import workers
from api.settings import Settings
from api.wiring import Wiring, build
from benchmarks.decision import customers
from benchmarks.rounds import machine
from engine.credit import Fact
from workflows.messages import NAMED, AssessmentRequest

LOOPS, ASKED, ROUNDS = 16, 240, 5
DAY = date(2026, 11, 20)
QUEUE = "empty"
POLICIES = Path(__file__).parents[1] / "policies"
EMPTY, OURS = "empty workflow, one local activity", "durable assessment"
Ask = Callable[[int], Awaitable[object]]


@activity.defn
def nothing(said: str) -> str:
    """Return what it was given."""
    return said


@workflow.defn
class Empty:
    """Does one thing that is recorded, and answers with it."""

    @workflow.run
    async def run(self, said: str) -> str:
        """Return what it was given."""
        return await workflow.execute_local_activity(
            nothing, said, start_to_close_timeout=timedelta(seconds=10)
        )


def empty_worker(client: Client, threads: ThreadPoolExecutor) -> Worker:
    """Return a worker of the same make as ours."""
    return Worker(
        client, task_queue=QUEUE, workflows=[Empty], activities=[nothing], activity_executor=threads,
        max_concurrent_activities=16, max_concurrent_local_activities=16, max_cached_workflows=2_000,
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )  # fmt: skip


@dataclass
class Found:
    """What came of one side, by round; latencies of all of them, in seconds."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Seconds of processor time of client, worker and server for one of them."""
    waits: list[float] = field(default_factory=list)


def spent() -> float:
    """Return the processor time of this process and of the server that it has started."""
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return process_time() + float(sum(time.user + time.system for time in times))


async def load(ask: Ask, found: Found) -> None:
    """Ask in closed loops, and note what came of it. Raises on any failure."""
    numbers = iter(range(ASKED))

    async def loop() -> None:
        for number in numbers:
            start = perf_counter()
            await ask(number)
            found.waits.append(perf_counter() - start)

    start, cpu = perf_counter(), spent()
    await asyncio.gather(*(loop() for _ in range(LOOPS)))
    found.rates.append(ASKED / (perf_counter() - start))
    found.cpu.append((spent() - cpu) / ASKED)


def both(wiring: Wiring, client: Client) -> dict[str, Ask]:
    """Return what is asked of each side."""
    with wiring.database.read() as session:
        digest = wiring.library.require(session, "credit", "consumer-credit", DAY).digest
    given = [
        {name: Fact(value=value, as_of=DAY) for name, value in one.items() if value is not None}
        for one in customers(ASKED)
    ]
    for facts in given:
        del facts["segment"]  # the portfolio reads it, not the policy

    async def empty(number: int) -> object:
        return await client.execute_workflow(
            Empty.run, f"{number}", id=uuid.uuid4().hex, task_queue=QUEUE, request_eager_start=True
        )

    async def ours(number: int) -> object:
        request = AssessmentRequest(
            form=NAMED,
            request=uuid.uuid4().hex, policy=digest, customer="", account="", as_of=DAY, at=datetime.now(UTC),
            facts=given[number],
        )  # fmt: skip
        return await assess(wiring, request)

    return {EMPTY: empty, OURS: ours}


async def measured() -> dict[str, Found]:
    """Ask both in turn; the first round warms up."""
    found = {EMPTY: Found(), OURS: Found()}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        wiring = build(Settings(data=folder / "data"), simulated=False)
        stack.callback(wiring.close)
        wiring.publisher.publish_folder(POLICIES, datetime.now(UTC))
        server = await stack.enter_async_context(await EmbeddedTemporal.start(folder / "temporal"))
        client = wiring.temporal = await connect(server.address, "benchmark")
        threads = stack.enter_context(ThreadPoolExecutor(16))
        await stack.enter_async_context(workers(wiring, client))
        await stack.enter_async_context(empty_worker(client, threads))
        asks = both(wiring, client)
        for turn in range(ROUNDS + 1):
            for name in random.Random(turn).sample(list(asks), 2):
                await load(asks[name], found[name] if turn else Found())
    return found


def report() -> Iterator[str]:
    """Yield the lines of the report."""
    yield from machine()
    begun = os.getloadavg()[0]
    found = asyncio.run(measured())
    yield f"load of the machine: {begun:.1f} before, {os.getloadavg()[0]:.1f} after (1 minute)"
    yield f"closed loop of {LOOPS}, {ROUNDS} rounds that take turns, {ASKED} a round and side; medians"
    yield "CPU: client, worker and server together"
    yield ""
    yield f"{'':36} {'/s':>6} {'ratio':>6} {'p50 ms':>7} {'p95':>6} {'p99':>6} {'max':>6}  CPU ms  ratio"
    base, cpu = median(found[EMPTY].rates), median(found[EMPTY].cpu)
    for name, one in found.items():
        cuts = [1e3 * cut for cut in quantiles(one.waits, n=100)]
        yield (
            f"{name:36} {median(one.rates):6,.1f} {median(one.rates) / base:6.2f} {cuts[49]:7.0f} "
            f"{cuts[94]:6.0f} {cuts[98]:6.0f} {max(one.waits) * 1e3:6.0f} {median(one.cpu) * 1e3:7.1f} "
            f"{cpu / median(one.cpu):6.2f}"
        )
    yield f"errors: 0 of {sum(len(one.waits) for one in found.values()):,}"
    rounds = [a / b for a, b in zip(found[OURS].rates, found[EMPTY].rates, strict=True)]
    yield f"round by round: {', '.join(f'{ratio:.2f}' for ratio in rounds)} (bar: at least 0.8)"


if __name__ == "__main__":
    for line in report():
        print(line, flush=True)  # noqa: T201 - a benchmark prints
