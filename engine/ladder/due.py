"""Is an action still due: the step taken again from where it was taken before (rule 4)."""

from __future__ import annotations

from datetime import datetime

from engine.ladder.model import CollectionsPolicy
from engine.ladder.state import Position, Taken


def still_due(
    policy: CollectionsPolicy, taken_before: Taken, position: Position, at: datetime, key: str
) -> tuple[bool, str]:
    """Tell whether a step from `taken_before` would still ask for `key`; if not, why in one sentence."""
    raise NotImplementedError
