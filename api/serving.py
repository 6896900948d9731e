"""A running Forbear: Temporal, database, worker, relay and API in one process, ended cleanly together."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import uvicorn
from starlette.types import ASGIApp
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.service import RPCError

from api.claiming import claim
from api.embedded import HOST, EmbeddedTemporal
from api.evidence.exporter import Exporter
from api.looping import leave_alone
from api.rest.app import create_app
from api.settings import Settings
from api.storage.directory import held
from api.wiring import Wiring, build, connect
from api.worker import Workers
from workflows import ids
from workflows.activities.texts import PolicyTexts
from workflows.activities.wiring import Outside, case_activities, review_activities
from workflows.messages import SweepRequest

log = logging.getLogger("forbear.serving")
WORK = {"relay": "relay of news and messages", "export": "export of histories", "watch": "watcher of events"}
"""What runs beside the API, in words."""
SWEEP_EVERY = timedelta(minutes=15)
KEEP_ALIVE_SECONDS = 75
"""An idle connection is kept for longer than clients and proxies commonly do, so that theirs ends first."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class PortTaken(Exception):
    """The API's port is in use by another process."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} of {host} is in use by another process. "
            "Give a free one with --port or FORBEAR_PORT; 0 takes any."
        )


class TemporalAway(Exception):
    """No Temporal answers where the settings say; the sentence says what to do."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"Temporal does not answer at {address} ({why}). Start `forbear up`, or set FORBEAR_TEMPORAL."
        )


@dataclass(frozen=True, slots=True)
class Serving:
    """Where a running Forbear can be reached."""

    wiring: Wiring
    client: Client
    url: str
    temporal: str
    temporal_ui: str | None


@asynccontextmanager
async def serving(
    settings: Settings, *, simulated: bool | None = None, ui: bool = True, works: bool = True
) -> AsyncIterator[Serving]:
    """Start everything, and end it in the other order.

    Temporal is embedded unless the settings name one; then no other process may serve the same directory.
    `works`: with a worker in this process; without one, another process must run `working`.
    Raises PortTaken, TemporalNotStarted, TemporalAway, OtherLedger, DirectoryRefused, SettingsError.
    """
    async with AsyncExitStack() as stack:
        wiring = build(settings, simulated=simulated)
        stack.callback(wiring.close)
        if not settings.temporal:
            stack.enter_context(held(settings.data))
        sockets = _bound(settings.host, settings.port)
        stack.callback(sockets.close)
        address, ui_url = settings.temporal, None
        if not address:
            temporal = await stack.enter_async_context(
                await EmbeddedTemporal.start(
                    settings.data / "temporal", simulated=wiring.simulated, port=settings.temporal_port,
                    ui_port=0 if ui else None,
                )
            )  # fmt: skip
            address, ui_url = temporal.address, temporal.ui_url
        client = await _connected(settings, "forbear-up", address)
        await claim(client, wiring.directory.ledger)
        wiring.temporal = client
        if works:
            await stack.enter_async_context(workers(wiring, client))
        await stack.enter_async_context(_task(wiring, wiring.relay.run(client), "relay"))
        exporter = Exporter(client, wiring.evidence, wiring.database, wiring.clock.now)
        await stack.enter_async_context(_task(wiring, exporter.run(), "export"))
        if not wiring.simulated:
            await ensure_sweep(client)
            # In simulated time only its callers know what time it is: they say up to when to look.
            await stack.enter_async_context(_task(wiring, wiring.watcher.run(), "watch"))
        await stack.enter_async_context(_http(create_app(wiring), sockets))
        host, port = sockets.getsockname()[:2]
        leave_alone()
        yield Serving(wiring, client, f"http://{host}:{port}", address, ui_url)


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[str]:
    """Run the workers and the watcher of this process, without an API; gives Temporal's address.

    Raises TemporalAway, OtherLedger, DirectoryRefused.
    """
    wiring = build(settings, make=False)
    try:
        address = settings.temporal or f"{HOST}:{settings.temporal_port}"
        client = await _connected(settings, "forbear-worker", address)
        await claim(client, wiring.directory.ledger)
        wiring.temporal = client
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(workers(wiring, client))
            if not wiring.simulated:
                await stack.enter_async_context(_task(wiring, wiring.watcher.run(), "watch"))
            leave_alone()
            yield address
    finally:
        wiring.close()


async def ensure_sweep(client: Client) -> None:
    """See to it that due accounts are looked for: every quarter of an hour, late runs once."""
    sweep = Schedule(
        action=ScheduleActionStartWorkflow(
            ids.SWEEP, SweepRequest(), id=ids.sweep_id(), task_queue=ids.TASK_QUEUE
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=SWEEP_EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=SWEEP_EVERY),
    )
    with contextlib.suppress(ScheduleAlreadyRunningError):
        await client.create_schedule(ids.SWEEP_SCHEDULE, sweep, trigger_immediately=True)


async def _connected(settings: Settings, identity: str, address: str) -> Client:
    try:
        return await connect(settings, identity, address)
    except (RuntimeError, RPCError) as error:
        raise TemporalAway(address, str(error).splitlines()[0][:200]) from error


def workers(wiring: Wiring, client: Client) -> Workers:
    """Return the workers of this process over the wired parts."""
    texts = PolicyTexts(wiring.shelf)
    outside = Outside(
        shelf=wiring.shelf, ledger=wiring.ledger, cases=wiring.cases, decisions=wiring.decisions,
        evidence=wiring.evidence, clock=wiring.clock, courier=wiring.courier,
    )  # fmt: skip
    return Workers(client, case_activities(outside, texts), review_activities(outside, texts))


def told_to_stop() -> asyncio.Event:
    """Return an event that an interrupt, a termination or a hang-up sets; ask before any work begins."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.set)
    return stop


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By name: only then does asyncio switch off Nagle's delay, which holds a body back for 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host, port) from error
        raise
    return bound


@asynccontextmanager
async def _http(app: ASGIApp, bound: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False,
        proxy_headers=False,  # nothing here depends on what somebody says about the way to us
        timeout_graceful_shutdown=10, timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )  # fmt: skip
    server = uvicorn.Server(config)
    # Not `serve`: that takes over the signals of the whole process.
    task = asyncio.create_task(server._serve([bound]), name="http")
    try:
        while not server.started:
            if task.done():
                task.result()
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def _task(wiring: Wiring, work: Coroutine[None, None, None], name: str) -> AsyncIterator[None]:
    """Run work beside the service; if it ends before the service does, readiness is red and says so."""
    task = asyncio.create_task(work, name=name)

    def ended(done: asyncio.Task[None]) -> None:
        if not done.cancelled():
            error = done.exception()
            log.error("The %s has ended", WORK[name], exc_info=error)
            why = f": {type(error).__name__}" if error else ""
            wiring.ended[name] = f"The {WORK[name]} has ended{why}. Start this process again."

    task.add_done_callback(ended)
    try:
        yield
    finally:
        task.cancel()
        # What ended it was told when it did; the service ends in order all the same.
        await asyncio.gather(task, return_exceptions=True)
