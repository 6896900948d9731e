"""Time that is skipped, not waited for; only for data directories made as `simulated`.

Each workflow has a clock of its own in Temporal's simulated mode. It runs on with the real one and can be
moved forward; work in progress holds it, so nothing is ever late by a skip. A skip costs some 10 ms.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio.client import Client
from temporalio.testing import TimeSkipper, TimeSkippingConfig

_MOST_SKIPS = 1_000_000


class SimulatedTime:
    """Moves the clocks of running workflows; many at once, none waits for another."""

    def __init__(self, client: Client) -> None:
        # Starts made with `client` itself get no setting: a clock moves only when it is told to.
        self._client = client
        self._skipper = TimeSkipper(client, config=TimeSkippingConfig(max_session_skip_count=_MOST_SKIPS))

    async def now(self, workflow: str, clock_offset: timedelta = timedelta(0)) -> datetime:
        """Return the business time of a running workflow."""
        return await self._skipper.get_current_time(self._client.get_workflow_handle(workflow)) + clock_offset

    async def at_work(self, workflow: str) -> bool:
        """Tell whether a running workflow has a task or an activity before it; its worker is not asked."""
        found = await self._client.get_workflow_handle(workflow).describe()
        told = found.raw_description
        return told.HasField("pending_workflow_task") or bool(told.pending_activities)

    async def fast_forward(self, workflow: str, to: datetime, clock_offset: timedelta = timedelta(0)) -> bool:
        """Move a workflow's business time to an instant, through everything that falls due on the way.

        Returns True when it is there and False when the workflow ended before. An instant that has passed
        already moves nothing. Only one caller at a time may move one workflow.

        Go a little further than the instant that matters: should the workflow be at work until after `to`,
        Temporal does not stop there but at the next timer.
        """
        ahead = to - await self.now(workflow, clock_offset)
        if ahead <= timedelta(0):
            return True
        return await self._skipper.fast_forward(self._client.get_workflow_handle(workflow), ahead)
