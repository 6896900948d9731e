"""Say that a case has ended."""

from __future__ import annotations

from temporalio import activity

from workflows import effects
from workflows.messages import CloseRequest
from workflows.ports import CaseBook


class Close:
    """Marks a case ended, so that the account may open another."""

    def __init__(self, cases: CaseBook) -> None:
        self._cases = cases

    @activity.defn(name=effects.CLOSE)
    def close(self, request: CloseRequest) -> None:
        """Mark the case ended; the same again changes nothing."""
        self._cases.close(request)
