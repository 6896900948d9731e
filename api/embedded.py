"""The embedded default: a real Temporal server from the wheel, on a SQLite file in the data directory."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from api import watchdog
from workflows.converter import DATA_CONVERTER
from workflows.ids import NAMESPACE

HOST = "127.0.0.1"
READY_SECONDS = 60.0
STARTS = 3
"""How often ports that somebody else has taken meanwhile are chosen anew."""
RETENTION = timedelta(days=365)
"""How long Temporal keeps a closed run; evidence is exported long before."""

_DYNAMIC = {
    # The server hands a task over on a tick of 1/rate: 50 ms with its own default of 20.
    "history.transferProcessorMaxPollRPS": "2000",
    "history.timerProcessorMaxPollRPS": "2000",
    # Timers fire on a tick of this length, 1 s by default; skipped time costs one tick a skip.
    "history.timerProcessorMaxTimeShift": '"10ms"',
    # A run that continues anew would otherwise begin a second late, and answer no query until then.
    "history.workflowIdReuseMinimalInterval": '"0s"',
}


class TemporalNotStarted(Exception):
    """The embedded Temporal server does not run; the sentence says why and what to do."""


class PortBusy(TemporalNotStarted):
    """A port that was asked for is in use by another process."""

    def __init__(self, port: int, setting: str) -> None:
        super().__init__(
            f"Port {port} is in use by another process. Set {setting} to a free port, or to 0 for any."
        )
        self.port = port


class DirectoryInUse(TemporalNotStarted):
    """Another process runs a Temporal server on the same files."""

    def __init__(self, lock: Path) -> None:
        pid = lock.read_text(encoding="ascii").strip() if lock.exists() else ""
        by = f" by process {pid}" if pid else ""
        super().__init__(
            f"`{lock.parent}` is in use{by}: another Forbear runs on it. "
            "End that one, or give another data directory."
        )


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the server listens; `ui` is None when it has no web page."""

    frontend: int
    http: int
    metrics: int
    ui: int | None


class _PortsLost(TemporalNotStarted):
    """A port that was free when it was looked for was taken before the server could have it."""


class EmbeddedTemporal:
    """A running server; ends with this process, however this process ends."""

    def __init__(self, guard: subprocess.Popen[bytes], ports: Ports, log: Path) -> None:
        self._guard = guard
        self._log = log
        self.ports = ports

    @classmethod
    async def start(
        cls, folder: Path, *, simulated: bool = False, port: int = 0, ui_port: int | None = None
    ) -> Self:
        """Start the server on `folder` and wait until it answers.

        `port` 0 takes a free one; `ui_port` None means no web page, 0 a free port. `simulated` allows time
        to be skipped. Raises PortBusy, DirectoryInUse or TemporalNotStarted.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for _ in range(STARTS - 1):
            with suppress(_PortsLost):
                return await cls._start(folder, _ports(port, ui_port), simulated)
        return await cls._start(folder, _ports(port, ui_port), simulated)

    @classmethod
    async def _start(cls, folder: Path, ports: Ports, simulated: bool) -> Self:
        server = cls(_launch(folder, ports, simulated), ports, folder / "temporal.log")
        try:
            await server._until_ready()
        except BaseException:
            await server.stop()
            raise
        return server

    @property
    def address(self) -> str:
        """The frontend's `host:port`."""
        return f"{HOST}:{self.ports.frontend}"

    @property
    def ui_url(self) -> str | None:
        """Where Temporal's own web page is, if it was asked for."""
        return f"http://{HOST}:{self.ports.ui}" if self.ports.ui else None

    @property
    def ended(self) -> str:
        """A sentence if the server has ended by itself; empty while it runs."""
        if self._guard.poll() is None:
            return ""
        return f"Temporal has ended by itself. Its log is `{self._log}`."

    async def stop(self) -> None:
        """End the server and wait until it is gone, so that its files can be opened again."""
        if self._guard.stdin and not self._guard.stdin.closed:
            self._guard.stdin.close()
        await asyncio.to_thread(self._guard.wait)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _until_ready(self) -> None:
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while True:
            if (code := self._guard.poll()) is not None:
                raise self._died(code)
            try:
                client = await connect(self.address, "forbear-start")
                await keep_for(client, RETENTION)
                return
            except (RPCError, RuntimeError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise TemporalNotStarted(
                        f"Temporal did not answer at {self.address} within {READY_SECONDS:.0f} s: {error}. "
                        f"Its log is `{self._log}`."
                    ) from error
            await asyncio.sleep(0.05)

    def _died(self, code: int) -> TemporalNotStarted:
        if code == watchdog.LOCKED:
            return DirectoryInUse(self._log.with_name("temporal.lock"))
        text = self._log.read_text(encoding="utf-8", errors="replace")
        said = text.strip().splitlines()[-3:]
        kind = _PortsLost if "address already in use" in text else TemporalNotStarted
        return kind(
            f"Temporal ended with code {code} before it was ready: {' '.join(said) or 'it said nothing'}. "
            f"Its log is `{self._log}`."
        )


async def connect(address: str, identity: str, namespace: str = NAMESPACE) -> Client:
    """Connect to a Temporal frontend; the identity is written into histories, so it names a role, no host."""
    return await Client.connect(
        address, namespace=namespace, data_converter=DATA_CONVERTER, identity=identity
    )


async def keep_for(client: Client, retention: timedelta) -> None:
    """Set how long the namespace keeps closed runs."""
    ttl = Duration()
    ttl.FromTimedelta(retention)
    await client.workflow_service.update_namespace(
        UpdateNamespaceRequest(
            namespace=client.namespace, config=NamespaceConfig(workflow_execution_retention_ttl=ttl)
        )
    )


def temporal_binary() -> Path:
    """Return where the wheel put the server: beside this interpreter."""
    path = Path(sys.executable).with_name("temporal")
    if not path.exists():
        raise TemporalNotStarted(
            f"There is no Temporal server at `{path}`. Install the requirements, or set FORBEAR_TEMPORAL."
        )
    return path


def _launch(folder: Path, ports: Ports, simulated: bool) -> subprocess.Popen[bytes]:
    command = [str(temporal_binary()), "server", "start-dev", "--ip", HOST, "--log-level", "error"]
    command += ["--db-filename", str(folder / "temporal.sqlite")]
    command += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"]
    command += ["--port", str(ports.frontend), "--http-port", str(ports.http)]
    command += ["--metrics-port", str(ports.metrics)]
    command += ["--headless"] if ports.ui is None else ["--ui-port", str(ports.ui)]
    dynamic = _DYNAMIC | ({"frontend.WorkflowTimeSkippingEnabled": "true"} if simulated else {})
    for key, value in dynamic.items():
        command += ["--dynamic-config-value", f"{key}={value}"]
    files = [str(folder / "temporal.lock"), str(folder / "temporal.log")]
    # A session of its own: an interrupt typed at the terminal must reach us first, then the server.
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(watchdog.__file__), *files, *command],
        stdin=subprocess.PIPE,
        start_new_session=True,
        # Go's collector runs at each doubling of a small heap: memory is spent instead, some 100 MiB.
        env={"GOGC": "300", **os.environ},  # noqa: TID251 - handed on, not read
    )


def _ports(port: int, ui_port: int | None) -> Ports:
    for asked, setting in ((port, "FORBEAR_TEMPORAL_PORT"), (ui_port, "the web page's port")):
        if asked and not _is_free(asked):
            raise PortBusy(asked, setting)
    free = iter(_free_ports(4))
    return Ports(
        frontend=port or next(free),
        http=next(free),
        metrics=next(free),
        ui=None if ui_port is None else ui_port or next(free),
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
