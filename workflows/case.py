"""One account in arrears: look, act, wait, for as long as it takes."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows import driving, ids
    from workflows.case_state import CaseState
    from workflows.messages import CaseResult, CaseStart, CaseView, Poke


@workflow.defn(name=ids.CASE)
class ArrearsCase:
    """Drives the ladder of one case; what to do is decided by `engine.ladder`, in a local activity."""

    @workflow.init
    def __init__(self, start: CaseStart) -> None:
        # Before any handler can run: a poke may come with the very first task.
        self._state = CaseState(start)

    @workflow.run
    async def run(self, start: CaseStart) -> CaseResult:
        """Drive the case until it has ended, in this run or in the ones that continue it."""
        while True:
            ended = await driving.look_and_act(self._state)
            if ended:
                return ended
            if self._state.run_is_long():
                workflow.continue_as_new(self._state.continued())
            await driving.wait(self._state)

    @workflow.signal(name=ids.POKE)
    def poke(self, poke: Poke) -> None:
        """Hear that there is news; never waits, so that no signal is lost when the run continues anew."""
        self._state.hear(poke)

    @workflow.query(name=ids.VIEW)
    def view(self) -> CaseView:
        """Show where the case stands."""
        return self._state.view()
