"""Exports the history of every run that has ended, long before Temporal forgets it.

Can be ended and started again at any moment: bytes are kept under their digest first, then the register
says so, with a link in the audit chain; what was not noted is done again and changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from api.storage.evidence import SqlEvidence
from api.storage.session import Database
from api.storage.tables import RunRow
from workflows import ids

AT_ONCE = 8
ALL_AGAIN = timedelta(days=1)
SEEN_LATE = timedelta(minutes=10)
"""A run that has ended appears in Temporal's lists within this time."""
KINDS = {
    ids.CASE: "case",
    ids.ASSESSMENT: "assessment",
    ids.REVIEW: "review",
    ids.SWEEP: "sweep",
}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExportCount:
    """What one pass did."""

    exported: int = 0
    open: int = 0
    """Registered runs that have not ended."""
    lost: int = 0
    """Registered runs that Temporal does not know any more: their evidence is gone."""


class Exporter:
    """Goes through the runs that have ended and are not exported."""

    def __init__(
        self, client: Client, evidence: SqlEvidence, database: Database, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._evidence = evidence
        self._database = database
        self._now = now

    async def export_closed(self, since: datetime | None = None) -> ExportCount:
        """Export every run that has ended, or has ended since an instant (of Temporal's clock).

        Without an instant it also asks Temporal for every run that is left, whether it is still there.
        """
        waiting = await asyncio.to_thread(self._waiting)
        exported = 0
        batch: list[WorkflowExecution] = []
        async for execution in self._closed(since):
            key = (execution.id, execution.run_id)
            if key in waiting or not await asyncio.to_thread(self._knows, *key):
                waiting.discard(key)
                batch.append(execution)
            if len(batch) == AT_ONCE:
                exported += await self._export_all(batch)
                batch.clear()
        exported += await self._export_all(batch)
        lost = 0 if since else await self._lost(waiting)
        return ExportCount(exported, len(waiting) - lost, lost)

    async def run(self, every: timedelta = timedelta(minutes=1)) -> None:
        """Export again and again until cancelled; a failed pass is tried again with the next one."""
        last: datetime | None = None
        thorough = datetime.min.replace(tzinfo=UTC)
        while True:
            began = datetime.now(UTC)
            try:
                if last is None or began - thorough > ALL_AGAIN:
                    await self.export_closed()
                    thorough = began
                else:
                    await self.export_closed(last - SEEN_LATE)
                last = began
            except Exception:
                log.exception("a pass of the export failed; the next one tries again")
            await asyncio.sleep(every.total_seconds())

    async def history(self, workflow: str, run: str) -> bytes:
        """Return the history of a run as Temporal has it now, as protobuf bytes."""
        handle = self._client.get_workflow_handle(workflow, run_id=run)
        history = await handle.fetch_history()
        return History(events=history.events).SerializeToString(deterministic=True)

    async def _export_all(self, executions: Sequence[WorkflowExecution]) -> int:
        await asyncio.gather(*(self._export(execution) for execution in executions))
        return len(executions)

    async def _export(self, execution: WorkflowExecution) -> None:
        workflow, run = execution.id, execution.run_id
        data = await self.history(workflow, run)
        await asyncio.to_thread(self._keep, workflow, run, KINDS[execution.workflow_type], data)

    def _keep(self, workflow: str, run: str, kind: str, data: bytes) -> None:
        # A run that ended before its first step could register it is registered here.
        self._evidence.register(workflow, run, kind, self._now())
        self._evidence.exported(workflow, run, self._evidence.keep(data), self._now())

    async def _closed(self, since: datetime | None) -> AsyncIterator[WorkflowExecution]:
        query = "ExecutionStatus != 'Running'"
        if since:
            query += f" AND CloseTime >= '{since.isoformat(timespec='microseconds')}'"
        async for execution in self._client.list_workflows(query, page_size=500):
            if execution.workflow_type in KINDS:
                yield execution

    async def _lost(self, waiting: set[tuple[str, str]]) -> int:
        lost = 0
        for workflow, run in sorted(waiting):
            try:
                await self._client.get_workflow_handle(workflow, run_id=run).describe()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                lost += 1
                log.error("the evidence of %s run %s is gone: Temporal does not know it", workflow, run)
        return lost

    def _knows(self, workflow: str, run: str) -> bool:
        with self._database.read() as session:
            return session.get(RunRow, (workflow, run)) is not None

    def _waiting(self) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        after = ("", "")
        while page := self._evidence.unexported(500, after):
            found.update((row.workflow, row.run) for row in page)
            after = (page[-1].workflow, page[-1].run)
        return found
