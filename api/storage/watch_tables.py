"""The rows of watching: events, the windows they stand in, alerts and what became of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from api.storage.columns import Instant
from api.storage.tables import Row

_Counter = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts rows up only in INTEGER


class WatchEventRow(Row, table=True):
    """Something that happened, once by its id; removed when no window can need it any more."""

    __tablename__ = "watch_events"
    __table_args__ = (Index(None, "at"), Index(None, "customer", "at"))
    id: str = Field(primary_key=True)
    type: str
    at: datetime = Field(sa_type=Instant)
    customer: str = ""
    body: str = Field(sa_type=Text)
    """Property by name, canonical JSON."""
    received_at: datetime = Field(sa_type=Instant)
    digest: str


class WatchMemberRow(Row, table=True):
    """One event in one window: whose, kept by what, under which policy's name."""

    __tablename__ = "watch_members"
    __table_args__ = (Index(None, "event"), {"sqlite_with_rowid": False})
    policy: str = Field(primary_key=True)
    per: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    event: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)


class WatchWindowRow(Row, table=True):
    """One window and what it waits for; `look_at` is the row's place in the queue of the matcher."""

    __tablename__ = "watch_windows"
    __table_args__ = (Index(None, "look_at"),)
    policy: str = Field(primary_key=True)
    per: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    version: int = 0
    """Rises with each event that joins and with each look: a look counts only if nothing came meanwhile."""
    look_at: datetime | None = Field(default=None, sa_type=Instant)
    """When it must be looked at, in business time; None: nothing can change by itself."""
    looked_to: datetime | None = Field(default=None, sa_type=Instant)
    """The instant of the last look; the next one is never earlier."""
    reported: str = Field(default="{}", sa_type=Text)
    """By rule: the ids of events that earlier alerts have used up."""
    dropped: int = 0
    """Events that were left out because the window was full."""
    trouble: str = Field(default="", sa_type=Text)
    """Why the last look could not be taken; empty: it was."""
    leased_until: datetime | None = Field(default=None, sa_type=Instant)
    """By the system's clock: until then the one who took it is matching it."""


class WatchAlertRow(Row, table=True):
    """An alert as a decision: what was raised, from which window, and the latest word of a person on it."""

    __tablename__ = "watch_alerts"
    __table_args__ = (
        Index(None, "as_of", "id"),
        Index(None, "policy", "rule", "state"),
        Index(None, "customer", "as_of"),
    )
    id: str = Field(primary_key=True)
    policy: str
    """Digest of the policy."""
    name: str
    rule: str
    per: str
    subject: str
    customer: str
    """Whose events completed the pattern; empty: nobody's."""
    alert: str
    severity: str
    at: datetime = Field(sa_type=Instant)
    as_of: datetime = Field(sa_type=Instant)
    state: str = "open"
    """open, confirmed, dismissed: by the last outcome."""
    body: str = Field(sa_type=Text)
    """The AlertRecord without its window."""
    seen: bytes = Field(sa_type=LargeBinary)
    """The window as canonical JSON, deflated."""


class WatchOutcomeRow(Row, table=True):
    """What a person said of an alert; only ever added, the last word counts."""

    __tablename__ = "watch_outcomes"
    __table_args__ = (Index(None, "alert", "seq"),)
    seq: int | None = Field(default=None, primary_key=True, sa_type=_Counter)
    alert: str = Field(foreign_key="watch_alerts.id")
    outcome: str
    actor: str
    reason: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Instant)


class WatchActionRow(Row, table=True):
    """One action that an alert asked for, by its key, with the latest word on it."""

    __tablename__ = "watch_actions"
    __table_args__ = (Index(None, "alert"), Index(None, "state", "requested_at"), Index(None, "request"))
    key: str = Field(primary_key=True)
    alert: str = Field(foreign_key="watch_alerts.id")
    do: str
    args: str = Field(sa_type=Text)
    undo: bool = False
    accounts: str = Field(default="[]", sa_type=Text)
    request: str = ""
    """For a reassessment: the request whose decision confirms it."""
    state: str
    requested_at: datetime = Field(sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    detail: str = Field(default="", sa_type=Text)


class WatchFlagRow(Row, table=True):
    """A look at which durable-rules gave no answer, or another one than the reference, or nobody did."""

    __tablename__ = "watch_flags"
    __table_args__ = (UniqueConstraint("policy", "per", "subject", "as_of", "flag"),)
    seq: int | None = Field(default=None, primary_key=True, sa_type=_Counter)
    policy: str
    """Digest of the policy."""
    per: str
    subject: str
    as_of: datetime = Field(sa_type=Instant)
    flag: str
    detail: str = Field(sa_type=Text)
    seen: bytes = Field(sa_type=LargeBinary)
