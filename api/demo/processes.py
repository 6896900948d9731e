"""The demo's processes beside Temporal: API and worker; both end with this one."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from temporalio.service import RPCError

from api import watchdog
from api.demo.account_run import RunFailed
from api.demo.client import CallLost, CallRefused
from api.embedded import EmbeddedTemporal

API, WORKER = "api", "worker"
PARTS = (API, WORKER)
READY_SECONDS = 60.0
LOOKS, LOOK_SECONDS = 20, 0.05
"""How long a part that has ended may take to be seen: whoever watches over it looks ten times a second."""


class ServiceEnded(Exception):
    """A process of the demo ended before its time; the sentence says which, and where its log is."""


class Service:
    """The API and the worker as two child processes: each has a processor of its own."""

    def __init__(self, data: Path, temporal: str, receiver: str) -> None:
        self._parts = [_Part(name, data, temporal, receiver) for name in PARTS]
        self.url = ""

    async def __aenter__(self) -> Self:
        try:
            said = [await part.ready() for part in self._parts]
        except BaseException:
            await self.stop()
            raise
        self.url = next(filter(None, said))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def ended(self) -> str:
        """A sentence if a part has ended by itself; empty while all run."""
        return next((said for part in self._parts if (said := part.ended)), "")

    async def stop(self) -> None:
        """End the parts and wait until they are gone."""
        for part in self._parts:
            part.end()
        for part in self._parts:
            await part.gone()


class _Part:
    """One child process, under the watchdog: it cannot outlive this process."""

    def __init__(self, name: str, data: Path, temporal: str, receiver: str) -> None:
        self._name = name
        self._log = data / f"{name}.out"
        command = [sys.executable, "-m", "api.demo.service", name, str(data), temporal, receiver]
        files = [str(data / f"{name}.lock"), str(self._log)]
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-S", str(watchdog.__file__), *files, *command],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    async def ready(self) -> str:
        """Wait until it serves; return where. Raises ServiceEnded."""
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while not (said := _first_line(self._log)):
            if self._child.poll() is not None or asyncio.get_running_loop().time() > deadline:
                self.end()
                await self.gone()
                raise ServiceEnded(f"The {self._name} did not start: {self._last_words()}")
            await asyncio.sleep(0.05)
        url: str = json.loads(said)["url"]
        return url

    @property
    def ended(self) -> str:
        """A sentence if it has ended by itself; empty while it runs."""
        if self._child.poll() is None:
            return ""
        return f"The {self._name} has ended by itself. Its log is `{self._log}`."

    def end(self) -> None:
        """Tell it to end."""
        if self._child.stdin and not self._child.stdin.closed:
            self._child.stdin.close()

    async def gone(self) -> None:
        """Wait until it has ended."""
        await asyncio.to_thread(self._child.wait)

    def _last_words(self) -> str:
        if not shutil.disk_usage(self._log.parent).free:
            return f"there is no space left on the disk of `{self._log.parent}`."
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'it said nothing'}. Its log is `{self._log}`."


def _first_line(path: Path) -> str:
    try:
        line, end, _ = path.read_text(encoding="utf-8", errors="replace").partition("\n")
    except FileNotFoundError:
        return ""
    return line if end and line.startswith("{") else ""


async def while_they_run(
    work: Coroutine[Any, Any, None], temporal: EmbeddedTemporal, service: Service
) -> None:
    """Do the work; raise ServiceEnded as soon as a process that it needs has ended by itself."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=LOOK_SECONDS)
            if not task.done():
                _check(temporal, service)
        if isinstance(error := task.exception(), CallLost | CallRefused | RunFailed | RPCError):
            for _ in range(LOOKS):
                _check(temporal, service)
                await asyncio.sleep(LOOK_SECONDS)
        if isinstance(error, RPCError):
            raise ServiceEnded(f"Temporal did not answer: {error.message}.") from error
        task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _check(temporal: EmbeddedTemporal, service: Service) -> None:
    if ended := temporal.ended or service.ended:
        raise ServiceEnded(f"{ended} Call the demo again: it begins anew.")
