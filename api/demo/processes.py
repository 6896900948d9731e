"""The demo's processes beside Temporal: API and worker; both end with this one."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from api import watchdog

API, WORKER = "api", "worker"
PARTS = (API, WORKER)
READY_SECONDS = 60.0


class ServiceEnded(Exception):
    """A process of the demo ended before its time; the sentence says where its log is."""


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
