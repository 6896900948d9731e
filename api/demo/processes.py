"""The demo's processes: Temporal, and the service with API, worker and relay; both end with this one."""

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

READY_SECONDS = 60.0


class ServiceEnded(Exception):
    """The service ended before its time; the sentence says where its log is."""


class Service:
    """The service as a child process, under the watchdog: it cannot outlive this process."""

    def __init__(self, data: Path, temporal: str, receiver: str) -> None:
        self._log = data / "service.out"
        command = [sys.executable, "-m", "api.demo.service", str(data), temporal, receiver]
        files = [str(data / "service.lock"), str(self._log)]
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-S", str(watchdog.__file__), *files, *command],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self.url = ""

    async def __aenter__(self) -> Self:
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while not (said := _first_line(self._log)):
            if self._child.poll() is not None or asyncio.get_running_loop().time() > deadline:
                await self.stop()
                raise ServiceEnded(f"The service did not start: {self._last_words()}")
            await asyncio.sleep(0.05)
        self.url = json.loads(said)["url"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """End the service and wait until it is gone."""
        if self._child.stdin and not self._child.stdin.closed:
            self._child.stdin.close()
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
