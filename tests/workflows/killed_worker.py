"""A worker over the stored ledger that kills itself: `python -m tests.workflows.killed_worker DIR ADDRESS N`.

It dies, as by `kill -9`, at the N-th time that it is about to ask a port for something or has just been
answered; 0 means never.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.worker import Worker

from api.embedded import connect
from api.settings import Settings
from api.wiring import Wiring, build
from engine.ladder import Position
from engine.ledger import EntryAdapter
from tests.workflows.fakes import ZONE
from workflows import ids
from workflows.activities.texts import PolicyTexts
from workflows.activities.wiring import Outside, case_activities
from workflows.messages import ActRequest, ActResult, CloseRequest, StepRecord
from workflows.registry import WORKFLOWS
from workflows.sandbox import sandboxed_runner


class Fuse:
    """Counts, and kills this process when it is told to."""

    def __init__(self, at: int) -> None:
        self._at = at
        self._count = 0
        self._lock = threading.Lock()

    def burn(self) -> None:
        with self._lock:
            self._count += 1
            if self._count == self._at:
                os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """Ledger and case book as they are stored, with a fuse before and after each call."""

    def __init__(self, wiring: Wiring, fuse: Fuse) -> None:
        self._wiring = wiring
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wiring.cases, name)

    def position(self, account: str, at: datetime, regulation: str, calendar: str) -> Position:
        self._fuse.burn()
        found = self._wiring.ledger.position(account, at, regulation, calendar)
        self._fuse.burn()
        return found

    def note_step(self, record: StepRecord) -> None:
        self._wiring.cases.note_step(record)
        self._fuse.burn()

    def act(self, request: ActRequest) -> ActResult:
        self._fuse.burn()
        result = self._wiring.cases.act(request)
        self._fuse.burn()
        for key in result.requested:
            self._confirm(request, key)
            self._fuse.burn()
        return result

    def close(self, request: CloseRequest) -> None:
        self._fuse.burn()
        self._wiring.cases.close(request)
        self._fuse.burn()

    def _confirm(self, request: ActRequest, key: str) -> None:
        """Answer as a billing system does that carries out what it is asked for at once."""
        with self._wiring.database.write() as work:
            receipt = {
                "kind": "receipt", "id": f"done {key}", "value_date": request.at.astimezone(ZONE).date(),
                "received_at": request.at, "key": key, "status": "done", "at": request.at,
            }  # fmt: skip
            entry = EntryAdapter.validate_python(receipt)
            self._wiring.writer.post(work, request.account, entry, clamp=True, pokes=False)


async def main(data: str, address: str, at: str) -> None:
    wiring = build(Settings(data=Path(data)), simulated=True)
    client = await connect(address, "forbear-worker")
    port = Dying(wiring, Fuse(int(at)))
    outside = Outside(
        shelf=wiring.shelf, ledger=port, cases=port, decisions=wiring.decisions,
        evidence=wiring.evidence, clock=wiring.clock,
    )  # fmt: skip
    async with Worker(
        client,
        task_queue=ids.TASK_QUEUE,
        workflows=list(WORKFLOWS),
        activities=case_activities(outside, PolicyTexts(wiring.shelf)),
        activity_executor=ThreadPoolExecutor(8),
        max_concurrent_activities=8,
        workflow_runner=sandboxed_runner(),
        # A dead worker's own queue is given up soon, so that a kill costs seconds.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
    ):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
