"""A workflow whose code was changed under running cases."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow


@workflow.defn(name="Changed")
class Changed:
    @workflow.run
    async def run(self, given: str) -> str:
        if workflow.patched("waits-first"):
            await workflow.sleep(timedelta(milliseconds=20), summary="a")
        return given
