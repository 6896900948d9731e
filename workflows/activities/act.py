"""Carry out what a step asks for."""

from __future__ import annotations

from temporalio import activity

from workflows import effects
from workflows.activities.beating import beating
from workflows.messages import ActRequest, ActResult
from workflows.ports import CaseBook, Clock, Courier


class StaleAction(Exception):
    """A severe action was decided too long ago, or by another clock; the case must look again."""


class Act:
    """Puts actions into the outbox, after deriving them again with the account locked.

    What was put there is then carried to its receiver at once: one that confirms in its answer costs no
    second round. Without a courier it waits for the relay.
    """

    def __init__(self, cases: CaseBook, clock: Clock, courier: Courier | None = None) -> None:
        self._cases = cases
        self._clock = clock
        self._courier = courier

    @activity.defn(name=effects.ACT)
    def act(self, request: ActRequest) -> ActResult:
        """Carry out the actions; raise StaleAction before a severe one that is not of today."""
        if any(action.severe for action in request.actions) and (why := self._clock.refuses(request.at)):
            raise StaleAction(why)
        with beating():
            result = self._cases.act(request)
            if self._courier is not None:
                self._courier.deliver(request.account, request.at)
        return result
