"""The rows as they are stored; never sent out, never handed to the engine.

Bodies are canonical JSON text, so that their digests can be taken again from the database alone.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from api.storage.columns import Instant

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
_registry = registry(metadata=MetaData(naming_convention=_NAMES))
_Counter = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts rows up only in INTEGER


class Row(SQLModel, registry=_registry):
    """The base of all rows; its metadata is the schema."""


def schema() -> MetaData:
    """Return the schema that migrations lead to."""
    from api.storage import brakes as _brakes  # noqa: F401  # its rows join the schema
    from api.storage import overrides as _overrides  # noqa: F401  # likewise
    from api.storage import regrading as _regrading  # noqa: F401  # likewise
    from api.storage import stopped as _stopped  # noqa: F401  # likewise
    from api.storage import watch_tables as _watching  # noqa: F401  # its rows join the schema

    return _registry.metadata


def table_of(row: type[Row]) -> Table:
    """Return the table of a row class, for statements that need no objects."""
    return cast(Table, cast(Any, row).__table__)


class CustomerRow(Row, table=True):
    """A customer (TMF629), with what does not belong to one account."""

    __tablename__ = "customers"
    id: str = Field(primary_key=True)
    name: str = ""
    segment: str = ""
    since: date | None = None
    created_at: datetime = Field(sa_type=Instant)


class CustomerFactRow(Row, table=True):
    """A fact about a customer with its quality; only ever added."""

    __tablename__ = "customer_facts"
    __table_args__ = (UniqueConstraint("customer", "digest"),)
    seq: int | None = Field(default=None, primary_key=True, sa_type=_Counter)
    customer: str = Field(foreign_key="customers.id")
    name: str
    value: str = Field(sa_type=Text)
    as_of: date | None = None
    """The day on which it was true; None: nobody said."""
    source: str = ""
    verified_by: str = ""
    verified_at: datetime | None = Field(default=None, sa_type=Instant)
    received_at: datetime = Field(sa_type=Instant)
    digest: str


IN_TROUBLE = "trouble <> '' OR unmatched <> ''"
"""The accounts that a person may have to see; the words of their index, so that a query can use it."""


class AccountRow(Row, table=True):
    """A billing account (TMF666): its terms, and where its ledger and cases stand."""

    __tablename__ = "accounts"
    __table_args__ = (
        Index(None, "watch_on", "id"),
        Index(None, "remind_on", "id"),
        Index(None, "deposit_on", "id"),
        Index(None, "level_on", "id"),
        Index(
            "ix_accounts_dependant", "dependant",
            sqlite_where=text("dependant <> ''"), postgresql_where=text("dependant <> ''"),
        ),
        Index(
            "ix_accounts_in_trouble", "id",
            sqlite_where=text(IN_TROUBLE), postgresql_where=text(IN_TROUBLE),
        ),
    )  # fmt: skip
    id: str = Field(primary_key=True)
    customer: str = Field(foreign_key="customers.id", index=True)
    currency: str
    timezone: str
    policy: str = ""
    """Name of its collections policy; empty: what the portfolio says for its currency."""
    dependant: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The customer whom it serves, where its `customer` pays for somebody else."""
    allocation: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    """How money that names no bill is spread, as JSON; empty: principal first."""
    created_at: datetime = Field(sa_type=Instant)
    version: int = 0
    """Rises with each entry, and with each fact about the customer."""
    seq: int = 0
    """The place of its last entry."""
    last_received: datetime | None = Field(default=None, sa_type=Instant)
    watch_on: datetime | None = Field(default=None, sa_type=Instant)
    """When its case is due to be opened; None: nothing is due by itself, or a case is open."""
    deposit_on: datetime | None = Field(default=None, sa_type=Instant)
    """When its deposit is looked at; None: it holds none."""
    level_on: datetime | None = Field(default=None, sa_type=Instant)
    """When the levels that others demand are looked at; None: no demand begins, no message is unconfirmed."""
    remind_on: datetime | None = Field(default=None, sa_type=Instant)
    """When a bill is to be announced before its due date; None: none is, by what is known."""
    open_case: int | None = None
    """The number of its open case, of several the last; None: none is open."""
    cases: int = 0
    """How many cases it has had."""
    level: str = "open"
    """The most severe level of service that was confirmed."""
    trouble: str = Field(default="", sa_type=Text)
    """Why nothing will be done about it: a law pack or a calendar is missing, or no policy treats it."""
    unmatched: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    """Which entries name something that has not come, in words."""
    unmatched_due: datetime | None = Field(default=None, sa_type=Instant)
    """From when on that is a trouble."""


class EntryRow(Row, table=True):
    """One entry of an account's ledger; only ever added."""

    __tablename__ = "entries"
    __table_args__ = (
        UniqueConstraint("account", "kind", "ref"),
        Index(None, "kind", "account", "seq"),
        {"sqlite_with_rowid": False},
    )
    account: str = Field(primary_key=True, foreign_key="accounts.id")
    seq: int = Field(primary_key=True)
    kind: str
    ref: str
    value_date: date
    received_at: datetime = Field(sa_type=Instant)
    body: str = Field(sa_type=Text)
    digest: str


class UsageRow(Row, table=True):
    """A report of what an account has used and was not billed for; only ever added."""

    __tablename__ = "usage"
    __table_args__ = (Index(None, "account", "at"),)
    account: str = Field(primary_key=True, foreign_key="accounts.id")
    ref: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    """Up to when it was counted."""
    unbilled: str
    """A decimal in the account's currency."""
    received_at: datetime = Field(sa_type=Instant)


class FeedRow(Row, table=True):
    """A feed's word that it is complete up to an instant, for all accounts."""

    __tablename__ = "feeds"
    __table_args__ = (Index(None, "feed", "received_at"), UniqueConstraint("feed", "complete_to"))
    seq: int | None = Field(default=None, primary_key=True, sa_type=_Counter)
    feed: str
    complete_to: datetime = Field(sa_type=Instant)
    received_at: datetime = Field(sa_type=Instant)


class CaseRow(Row, table=True):
    """One arrears case of an account, with the latest look at it."""

    __tablename__ = "cases"
    account: str = Field(primary_key=True, foreign_key="accounts.id")
    number: int = Field(primary_key=True)
    workflow: str = Field(unique=True)
    item: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """What it is about: a bill, an instalment, a service; empty: the whole account."""
    policy: str
    """Digest of the collections policy it is bound to."""
    opened_at: datetime = Field(sa_type=Instant)
    offset_us: int = Field(default=0, sa_type=BigInteger)
    """Business time less system time, in microseconds; 0 in production."""
    state: str = Field(default="open", index=True)
    ended: str = ""
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    reached: str = ""
    wake_at: datetime | None = Field(default=None, sa_type=Instant)
    looked_at: datetime | None = Field(default=None, sa_type=Instant)
    chain: str = ""
    record: str | None = Field(default=None, sa_type=Text)
    """The latest StepRecord."""
    taken: str | None = Field(default=None, sa_type=Text)
    """What the case had done, by its latest step or its end."""
    trouble: str | None = Field(default=None, sa_type=Text)
    """Why it cannot go on (TroubleNote), until a step succeeds."""


class CaseStepRow(Row, table=True):
    """One look at a case that changed something: the line of its story."""

    __tablename__ = "case_steps"
    __table_args__ = (UniqueConstraint("account", "number", "digest"),)
    seq: int | None = Field(default=None, primary_key=True, sa_type=_Counter)
    account: str
    number: int
    at: datetime = Field(sa_type=Instant)
    reached: str
    body: str = Field(sa_type=Text)
    digest: str


class ActionRow(Row, table=True):
    """One action by its key, asked for once, with the latest word on it."""

    __tablename__ = "actions"
    __table_args__ = (Index(None, "account", "number"), Index(None, "state", "key"))
    key: str = Field(primary_key=True)
    account: str
    number: int
    step: str
    do: str
    undo: bool = False
    severe: bool = False
    state: str
    requested_at: datetime = Field(sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    detail: str = ""
    policy: str
    version: int
    """The position's version when it was asked for."""
    chain: str = ""
    body: str = Field(sa_type=Text)
    taken_before: str | None = Field(default=None, sa_type=Text)
    """For a severe one: what the case had done before, so that it can be derived again.

    For a notice before a due date: the whole record of the look that asked for it."""


class OutboxRow(Row, table=True):
    """One thing that must be told, in order for each account and channel."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "state", "channel", "account", "id"), Index(None, "account", "id"))
    id: int | None = Field(default=None, primary_key=True, sa_type=_Counter)
    account: str
    channel: str
    """`case`: to Temporal; `webhook`: to the receiver."""
    kind: str
    subject: str
    """The workflow's id, or the action's key."""
    once: str = Field(unique=True)
    """What may be told only once."""
    body: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)
    not_before: datetime | None = Field(default=None, sa_type=Instant)
    not_after: datetime | None = Field(default=None, sa_type=Instant)
    next_at: datetime | None = Field(default=None, sa_type=Instant)
    state: str = "pending"
    attempts: int = 0
    error: str = ""
    leased_until: datetime | None = Field(default=None, sa_type=Instant)
    """By the system's clock: until then the one who took it is sending it."""
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    traceparent: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The trace (W3C) of the call that led to it; empty: none."""
    correlation: str = Field(default="", sa_column_kwargs={"server_default": ""})
    replayed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """It was dead, and a person wants it told after all."""


class TaskRow(Row, table=True):
    """What a person must do, and by when."""

    __tablename__ = "tasks"
    __table_args__ = (Index(None, "state", "seq"),)
    seq: int | None = Field(default=None, primary_key=True, sa_type=_Counter)
    key: str = Field(unique=True)
    account: str = Field(index=True)
    number: int
    step: str
    do: str
    args: str = Field(sa_type=Text)
    reason: str = Field(default="", sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    state: str = "open"
    outcome: str = ""
    closed_at: datetime | None = Field(default=None, sa_type=Instant)


class DecisionRow(Row, table=True):
    """A credit decision; its trace is kept compressed beside it."""

    __tablename__ = "decisions"
    __table_args__ = (Index(None, "customer", "at"), Index(None, "account", "at"), Index(None, "at", "id"))
    id: str = Field(primary_key=True)
    request: str = Field(unique=True)
    customer: str
    account: str
    policy: str = Field(index=True)
    name: str
    as_of: date
    at: datetime = Field(sa_type=Instant)
    status: str
    grade: str = ""
    body: str = Field(sa_type=Text)
    """The AssessmentRecord without its trace."""
    trace: bytes = Field(sa_type=LargeBinary)
    """The trace as canonical JSON, deflated."""


class ReviewChunkRow(Row, table=True):
    """What one chunk of a portfolio review did."""

    __tablename__ = "review_chunks"
    run: str = Field(primary_key=True)
    last: str = Field(primary_key=True)
    body: str = Field(sa_type=Text)


class TextRow(Row, table=True):
    """One text of the shelf by the digest of its raw bytes."""

    __tablename__ = "texts"
    digest: str = Field(primary_key=True)
    body: bytes = Field(sa_type=LargeBinary)


class PolicyRow(Row, table=True):
    """A published policy, law pack, calendar or portfolio by the digest of its manifest."""

    __tablename__ = "policies"
    __table_args__ = (Index(None, "kind", "name"),)
    digest: str = Field(primary_key=True)
    kind: str
    name: str
    version: str = ""
    effective_from: date
    effective_to: date | None = None
    """First day on which it is no longer in force, if its text says so."""
    manifest: str = Field(sa_type=Text)
    published_at: datetime = Field(sa_type=Instant)


class ActivationRow(Row, table=True):
    """From which day on which text of a name is in force; the later row wins for the same day."""

    __tablename__ = "activations"
    __table_args__ = (Index(None, "kind", "name", "effective_from"),)
    seq: int | None = Field(default=None, primary_key=True, sa_type=_Counter)
    kind: str
    name: str
    effective_from: date
    policy: str = Field(foreign_key="policies.digest")
    activated_at: datetime = Field(sa_type=Instant)


class IdempotencyRow(Row, table=True):
    """A request by its key: in flight, or answered with a stored answer."""

    __tablename__ = "idempotency"
    key: str = Field(primary_key=True)
    fingerprint: str
    status: int | None = None
    """None: in flight."""
    headers: str = Field(default="{}", sa_type=Text)
    body: bytes = Field(default=b"", sa_type=LargeBinary)
    leased_until: datetime = Field(sa_type=Instant)
    """While in flight: after this the first caller is taken for dead."""
    expires_at: datetime = Field(sa_type=Instant, index=True)


class RunRow(Row, table=True):
    """A workflow run that must be exported before Temporal forgets it."""

    __tablename__ = "runs"
    __table_args__ = (Index(None, "exported_at", "registered_at"),)
    workflow: str = Field(primary_key=True)
    run: str = Field(primary_key=True)
    kind: str
    registered_at: datetime = Field(sa_type=Instant)
    exported_at: datetime | None = Field(default=None, sa_type=Instant)
    digest: str = ""
    """Digest of the exported history in the evidence store."""


class AuditRow(Row, table=True):
    """One link of the audit chain."""

    __tablename__ = "audit"
    seq: int = Field(primary_key=True, sa_type=_Counter, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Instant)
    kind: str
    subject: str
    digest: str
    prev: str
    hash: str


class AuditHeadRow(Row, table=True):
    """The head of the audit chain; whoever adds a link holds this row."""

    __tablename__ = "audit_head"
    id: int = Field(primary_key=True)
    seq: int = Field(default=0, sa_type=BigInteger)
    hash: str = ""
