"""Accounts whose day has come: their cases are opened."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows import ids, sweeping
    from workflows.messages import SweepRequest, SweepResult


@workflow.defn(name=ids.SWEEP)
class AccountSweep:
    """Pages over the accounts that are due; a sweep that comes late finds all that waited for it."""

    @workflow.run
    async def run(self, request: SweepRequest) -> SweepResult:
        """Open the cases of all due accounts, continuing anew after every so many pages."""
        done = await sweeping.sweep(request)
        if not isinstance(done, SweepResult):
            workflow.continue_as_new(done)
        return done
