"""What the watcher needs of storage and of a matcher, as Protocols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from api.matcher import Matched
from engine.watch import WatchEvent, WatchPolicy, Window
from engine.watch.record import AlertRecord


class WindowKey(NamedTuple):
    """Which window: the name of its policy, what it is kept by, whose it is."""

    policy: str
    per: str
    subject: str


@dataclass(frozen=True, slots=True)
class Held:
    """A window as it is stored."""

    key: WindowKey
    version: int
    look_at: datetime | None
    looked_to: datetime | None
    reported: dict[str, tuple[str, ...]]
    events: tuple[tuple[WatchEvent, datetime], ...]
    """Each with the instant at which it became known, in the order in which they happened."""
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class FlaggedLook:
    """A look at which durable-rules and the reference matcher were not of one mind, or that neither took."""

    policy: str
    """Digest."""
    window: Window
    flag: str
    detail: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What one or more looks at a window came to: how it stands now, and what was raised."""

    look_at: datetime | None
    looked_to: datetime | None
    reported: dict[str, tuple[str, ...]]
    gone: tuple[str, ...] = ()
    """Ids of events that no longer matter here."""
    dropped: int = 0
    alerts: tuple[AlertRecord, ...] = ()
    flags: tuple[FlaggedLook, ...] = ()
    trouble: str = ""


class WatchBook(Protocol):
    """Where windows and alerts are kept."""

    def take(self, until: datetime, now: datetime, limit: int) -> Sequence[WindowKey]:
        """Take windows that are due by `until`, earliest first; `now` (system time) starts the lease."""
        ...

    def read(self, key: WindowKey) -> Held | None:
        """Return a window with its events; None if it is gone."""
        ...

    def policy(self, name: str, at: datetime) -> WatchPolicy | None:
        """Return the watch policy of a name in force on the day (UTC) of an instant."""
        ...

    def keep(self, held: Held, looked: Looked) -> bool:
        """Keep what was found, in one transaction; False, and nothing is kept, if the window has changed."""
        ...

    def release(self, key: WindowKey) -> None:
        """Give a window back without having looked."""
        ...

    def tidy(self, now: datetime) -> None:
        """Remove events that no window needs; make a task of what nobody has confirmed in time."""
        ...


class Matching(Protocol):
    """A matcher of windows."""

    def match(self, policy: WatchPolicy, window: Window) -> Matched:
        """Return the alerts of a window; raises WatchError."""
        ...
