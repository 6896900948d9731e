"""The parts of a running service, each a process of its own: killed at its moments, and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import api.embedded
from api.embedded import HOST, EmbeddedTemporal

STARTS = 20
"""How often a part is started in vain before that is taken for a defect."""
Command = Callable[[str], list[str]]


class PartEnded(Exception):
    """A part ended in another way than by being killed; the sentence says where its log is."""


class Killable(Protocol):
    """Something that can be killed as by `kill -9` and then runs again."""

    async def kill(self) -> None:
        """Kill it, and return when it runs again."""
        ...


class Child:
    """A process of ours: started again whenever it was killed, each life with the next fuse of its list."""

    def __init__(self, name: str, command: Command, fuses: Sequence[str], log: Path) -> None:
        self._name, self._command, self._fuses, self._log = name, command, deque(fuses), log
        self._process: asyncio.subprocess.Process | None = None
        self._told = False
        self.ready = asyncio.Event()
        self.kills: Counter[str] = Counter()

    async def run(self) -> None:
        """Keep it running until cancelled; raises PartEnded if it ends by itself."""
        in_vain = 0
        while True:
            fuse = self._fuses[0] if self._fuses else ""
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(fuse), stdout=asyncio.subprocess.PIPE, stderr=log
                )
            try:
                assert self._process.stdout is not None
                if await self._process.stdout.readline():
                    self.ready.set()
                    in_vain = 0
                code = await self._process.wait()
            except asyncio.CancelledError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
                raise
            if code != -signal.SIGKILL and not self.ready.is_set() and in_vain < STARTS:
                in_vain += 1  # what it needs is away just now: whoever watches over it starts it again
                continue
            self.ready.clear()
            if code != -signal.SIGKILL:
                raise PartEnded(f"{self._name} ended with {code}; its log is `{self._log}`")
            self.kills["from outside" if self._told else fuse.split(":")[0] or "unplanned"] += 1
            if not self._told and self._fuses:
                self._fuses.popleft()
            self._told = False

    async def kill(self) -> None:
        """Kill it as soon as it runs, and return when it runs again."""
        await self.ready.wait()
        assert self._process is not None
        self.ready.clear()
        self._told = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self.ready.wait()

    async def finish(self) -> None:
        """Kill it from outside once for each fuse that has not burnt: what was planned happens."""
        while self._fuses:
            self._fuses.popleft()
            await self.kill()


@dataclass(frozen=True, slots=True)
class Overdue:
    """The kills from inside that did not come by themselves."""

    parts: Sequence[Child]

    async def kill(self) -> None:
        """Let them come now."""
        await asyncio.gather(*(part.finish() for part in self.parts))


class Temporal:
    """The Temporal server of the product, on a port that stays."""

    def __init__(self, folder: Path, server: EmbeddedTemporal) -> None:
        self._folder, self._server = folder, server
        self._turn = asyncio.Lock()
        self.port = server.ports.frontend
        self.kills: Counter[str] = Counter()

    @classmethod
    async def start(cls, folder: Path) -> Temporal:
        # A workflow task that died with its worker is given up after 2 seconds instead of 10.
        api.embedded._DYNAMIC["history.defaultWorkflowTaskTimeout"] = '"2s"'
        return cls(folder, await EmbeddedTemporal.start(folder, simulated=True))

    async def kill(self) -> None:
        """Kill the server and start it on the same files."""
        async with self._turn:
            os.kill(int((self._folder / "temporal.lock").read_text(encoding="ascii")), signal.SIGKILL)
            await self._server.stop()
            self.kills["from outside"] += 1
            self._server = await EmbeddedTemporal.start(self._folder, simulated=True, port=self.port)

    async def stop(self) -> None:
        """End the server."""
        await self._server.stop()


def python(module: str, *arguments: str) -> Command:
    """Return the command of a module of ours; the fuse is its last argument."""
    return lambda fuse: [sys.executable, "-m", module, *arguments, fuse]


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def fuses(points: dict[str, int], count: int, draws: random.Random) -> list[str]:
    """Draw so many fuses: each a point and how often it is reached before the process dies there."""
    names = sorted(points)
    return [f"{(point := draws.choice(names))}:{draws.randint(1, points[point])}" for _ in range(count)]


class Moments:
    """Counts the calls of a run, and starts the kills that are due at one of them."""

    def __init__(self, plan: dict[int, Killable]) -> None:
        self._plan = plan
        self.count = 0
        self.running: set[asyncio.Task[Any]] = set()

    def passed(self) -> None:
        """One call more."""
        self.count += 1
        part = self._plan.pop(self.count, None)
        if part is not None:
            task = asyncio.create_task(part.kill())
            self.running.add(task)

    @property
    def left(self) -> Iterator[Killable]:
        """The parts whose moment did not come."""
        return iter(self._plan.values())
