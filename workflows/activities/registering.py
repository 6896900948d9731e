"""Every run is known to the evidence store before it has done anything."""

from __future__ import annotations

import threading
from datetime import datetime

from temporalio import activity

from workflows.ports import Evidence

_REMEMBERED = 10_000


class Registering:
    """Registers the run that an activity belongs to; once a process, because it is asked at every step."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._known: dict[str, None] = {}
        self._lock = threading.Lock()

    def register(self, kind: str, at: datetime) -> None:
        """Register the current activity's run."""
        current = current_run()
        if current is None or current[1] in self._known:
            return
        workflow, run = current
        self._evidence.register(workflow, run, kind, at)
        with self._lock:
            self._known[run] = None
            if len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]


def current_run() -> tuple[str, str] | None:
    """Return workflow and run of the current activity."""
    info = activity.info()
    if info.workflow_id is None or info.workflow_run_id is None:
        return None
    return info.workflow_id, info.workflow_run_id
