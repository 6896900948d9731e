"""Turns of processes that write to one SQLite file."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

LOOK_AGAIN_SECONDS = 0.001


class FileTurn:
    """One process at a time; it loses its turn when it dies. One thread of a process asks at a time.

    The database's own lock would do, but who waits for it sleeps longer each time, up to a tenth of a second.
    A process that keeps its turn for over `patience` seconds is no longer waited for: that lock decides.

    Temporal throws a cancellation into an activity's thread, wherever that is: an exit may never run. So the
    process keeps its turn then, and gives it back at the end of its next one.
    """

    def __init__(self, database: Path, patience: float) -> None:
        self._patience = patience
        self._path = database.with_name(f"{database.name}-turn")
        self._file: int | None = None

    def __enter__(self) -> None:
        try:
            self._wait()
        except OSError:  # where no file can be made, the database itself says what is wrong with the place
            return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _wait(self) -> None:
        deadline = time.monotonic() + self._patience
        while not self._taken() and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_SECONDS)

    def _taken(self) -> bool:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
