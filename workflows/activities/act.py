"""Carry out what a step asks for."""

from __future__ import annotations

from temporalio import activity

from workflows import effects
from workflows.messages import ActRequest, ActResult
from workflows.ports import CaseBook, Clock


class StaleAction(Exception):
    """A severe action was decided too long ago, or by another clock; the case must look again."""


class Act:
    """Puts actions into the outbox, after deriving them again with the account locked."""

    def __init__(self, cases: CaseBook, clock: Clock) -> None:
        self._cases = cases
        self._clock = clock

    @activity.defn(name=effects.ACT)
    def act(self, request: ActRequest) -> ActResult:
        """Carry out the actions; raise StaleAction before a severe one that is not of today."""
        if any(action.severe for action in request.actions) and (why := self._clock.refuses(request.at)):
            raise StaleAction(why)
        return self._cases.act(request)
