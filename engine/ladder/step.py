"""One look at a case: what is warranted, what was reached, what follows from it, when to look again."""

from __future__ import annotations

from datetime import datetime

from engine.ladder.model import CollectionsPolicy
from engine.ladder.state import Position, Step, Taken


def step(policy: CollectionsPolicy, taken: Taken, position: Position, at: datetime) -> Step:
    """Return what follows for a case from what was taken and what is known at `at`."""
    raise NotImplementedError
