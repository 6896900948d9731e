"""The system's clock, the only one there is; in simulated time it says nothing about business time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

LATE = timedelta(minutes=10)
"""How far a severe action may be from the system's clock."""


class SystemClock:
    """The clock of this machine, and what it has to say about instants that are given."""

    def __init__(self, *, simulated: bool = False) -> None:
        self.simulated = simulated

    def now(self) -> datetime:
        """Return the instant."""
        return datetime.now(UTC)

    def offset(self, at: datetime) -> timedelta:
        """Return business time less system time if it is `at` now; zero in real time."""
        return at - self.now() if self.simulated else timedelta(0)

    def refuses(self, at: datetime) -> str:
        """Return why an action decided at `at` must not be carried out now; empty: it may."""
        if self.simulated:
            return ""
        apart = self.now() - at
        if abs(apart) <= LATE:
            return ""
        side = "after" if apart > timedelta(0) else "before"
        minutes = abs(apart) // timedelta(minutes=1)
        return f"It is {minutes} minutes {side} the instant {at.isoformat()} for which this was decided."
