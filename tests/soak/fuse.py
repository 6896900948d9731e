"""Where a process kills itself as by `kill -9`: at the n-th time that it comes to a chosen point."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

import api.relay.relay
from api.relay.receiver import Answer, Receiver
from api.relay.signals import tell

POINTS = {
    "write": 150, "before commit": 120, "after commit": 120, "before message": 8, "after message": 8,
    "before news": 12, "after news": 12,
}  # fmt: skip
"""The points in a service or a worker, and within how many times one of them is drawn."""
_PR_SET_PDEATHSIG = 1


class Fuse:
    """Counts how often a point is reached; `spec` is `point:count`, and empty means never."""

    def __init__(self, spec: str) -> None:
        self._point, _, count = spec.partition(":")
        self._left = int(count or 0)
        self._lock = threading.Lock()

    def burn(self, point: str) -> None:
        """Come to a point."""
        if point != self._point:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def lay(fuse: Fuse) -> None:
    """Lay a fuse through everything that this process writes and tells: database, receiver, Temporal."""
    event.listen(Engine, "before_cursor_execute", lambda *said: _wrote(fuse, said[2]))
    event.listen(Engine, "commit", lambda connection: fuse.burn("before commit"))
    event.listen(Session, "after_commit", lambda session: fuse.burn("after commit"))
    send = Receiver.send

    def sent(self: Receiver, *message: Any) -> Answer:
        fuse.burn("before message")
        answer = send(self, *message)
        fuse.burn("after message")
        return answer

    async def told(*news: Any) -> str:
        fuse.burn("before news")
        note = await tell(*news)
        fuse.burn("after news")
        return note

    for place, name, burning in ((Receiver, "send", sent), (api.relay.relay, "tell", told)):
        setattr(place, name, burning)


def _wrote(fuse: Fuse, statement: str) -> None:
    if statement.startswith(("INSERT", "UPDATE", "DELETE")):
        fuse.burn("write")


def die_with_parent() -> None:
    """See to it that this process does not outlive the one that started it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
