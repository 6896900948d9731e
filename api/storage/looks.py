"""The latest looks at cases that this process took: what follows from the same things is found once.

A step is a pure function, so its actions stand while nothing that it was taken from has changed. Whoever
has to derive a step again first reads all of that again, and compares; where anything differs, it is derived.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from engine.ladder import Position, Taken
from engine.ladder.state import Action
from workflows.messages import ActRequest, StepRecord
from workflows.recorded import recorded_digest

T = TypeVar("T")
KEPT = 256
"""Cases whose last look is at hand; a look is carried out at once or much later."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A look as it is stored: the texts of its record and of what the case has done, and what they say."""

    body: str
    taken: str
    record: StepRecord


@dataclass(frozen=True, slots=True)
class Derived:
    """What was asked for when a step was last derived again, and all that it followed from."""

    policy: str
    before: Taken
    position: Position
    at: datetime
    keys: Set[str]


class Looks:
    """The last look at each of the cases that were looked at last, and what was last derived again."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._noted: OrderedDict[str, Noted] = OrderedDict()
        self._derived: OrderedDict[str, Derived] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, noted: Noted) -> None:
        """Keep a look that is stored."""
        self._put(self._noted, noted.record.case, noted)

    def stored(self, case: str, body: str) -> StepRecord:
        """Return the record that a stored text says, which is read only if nobody knows it."""
        noted = self._get(self._noted, case)
        known = noted is not None and noted.body == body
        return noted.record if noted and known else StepRecord.model_validate_json(body)

    def taken(self, case: str, body: str) -> Taken:
        """Return what a case had done, as a stored text says it."""
        noted = self._get(self._noted, case)
        known = noted is not None and noted.taken == body
        return noted.record.taken if noted and known else Taken.model_validate_json(body)

    def asked(self, request: ActRequest, position: Position, at: datetime) -> dict[str, Action] | None:
        """Return what the last look asked for, if it was taken from the same things, else None."""
        noted = self._get(self._noted, request.case)
        if noted is None:
            return None
        last = noted.record
        same = (
            not last.adopted_from
            and (last.policy, last.at) == (request.policy, at)
            and (last.law, last.calendar) == (position.law.digest, position.calendar.digest)
            and last.taken == request.taken
            and last.actions == request.actions
            and last.position == position.account
            and last.taken_before == recorded_digest(request.taken_before)
        )
        return {action.key: action for action in last.actions} if same else None

    def derive(self, case: str, derived: Derived) -> None:
        """Keep what was derived again."""
        self._put(self._derived, case, derived)

    def is_due(
        self, case: str, key: str, policy: str, before: Taken, position: Position, at: datetime
    ) -> bool:
        """Tell whether an action was just derived from the same things; False: it has to be derived."""
        last = self._get(self._derived, case)
        if last is None or key not in last.keys or (last.policy, last.at) != (policy, at):
            return False
        texts = (last.position.law.digest, last.position.calendar.digest)
        return (
            texts == (position.law.digest, position.calendar.digest)
            and last.position.account == position.account
            and last.before == before
        )

    def _get(self, among: OrderedDict[str, T], case: str) -> T | None:
        with self._lock:
            return among.get(case)

    def _put(self, among: OrderedDict[str, T], case: str, value: T) -> None:
        with self._lock:
            among[case] = value
            among.move_to_end(case)
            while len(among) > self._kept:
                among.popitem(last=False)
