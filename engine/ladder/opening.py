"""When a case opens, and with what memory."""

from __future__ import annotations

from datetime import datetime

from engine.ladder.model import CollectionsPolicy
from engine.ladder.state import Position, Taken


def opens(policy: CollectionsPolicy, position: Position, at: datetime) -> bool:
    """Tell whether an account without an open case opens one at `at`."""
    raise NotImplementedError


def watch_on(policy: CollectionsPolicy, position: Position, at: datetime) -> datetime | None:
    """Return the first instant from `at` on at which a case can open if nothing else comes."""
    raise NotImplementedError


def open_case(
    policy: CollectionsPolicy, case: str, position: Position, at: datetime, previous: Taken | None = None
) -> Taken:
    """Return the memory with which a case begins; `previous` is the account's earlier case, if any."""
    raise NotImplementedError
