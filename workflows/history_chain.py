"""The hash chain of a run, bound to the run and its input."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from workflows.chain import link


class HistoryChain:
    """Extends the chain by what a run consumes; the first link names the run and its input."""

    def __init__(self, head: str, start: Any) -> None:
        info = workflow.info()
        runs = (info.workflow_id, info.run_id, info.first_execution_run_id, info.continued_run_id)
        self.head = head
        self.consume("start", {"runs": runs, "input": start})

    def consume(self, kind: str, data: Any) -> None:
        """Extend the chain by one thing that came in."""
        self.head = link(self.head, kind, data)
