"""Tell operators that a case cannot go on."""

from __future__ import annotations

from temporalio import activity

from workflows import effects
from workflows.messages import TroubleNote
from workflows.ports import CaseBook


class Trouble:
    """Keeps why a case cannot go on where operators look."""

    def __init__(self, cases: CaseBook) -> None:
        self._cases = cases

    @activity.defn(name=effects.TROUBLE)
    def note(self, note: TroubleNote) -> None:
        """Keep the note; the next step that succeeds takes it back."""
        activity.logger.warning("%s cannot go on: %s", note.case, note.problem.detail)
        self._cases.note_trouble(note)
