"""One request, one transaction: repositories never commit, the boundary does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Insert, Update, bindparam
from sqlalchemy.engine import CursorResult
from sqlmodel import Session

from api.storage.audit import Link, append
from api.storage.dialect import Engines, add_many, insert_once
from api.storage.tables import Row, table_of

Values = Mapping[str, Any]


@cache
def _insert(row: type[Row]) -> Insert:
    return table_of(row).insert()


@cache
def _update(row: type[Row], where: tuple[str, ...]) -> Update:
    columns = table_of(row).c
    return table_of(row).update().where(*(columns[name] == bindparam(f"of_{name}") for name in where))


@dataclass
class Work:
    """A transaction that writes: its session, and what must happen with its commit and after it."""

    session: Session
    engines: Engines
    links: list[Link] = field(default_factory=list)
    outbox: list[int] = field(default_factory=list)
    """Outbox rows that this transaction made."""
    channels: set[str] = field(default_factory=set)
    """Where these are going."""
    after: list[Callable[[], None]] = field(default_factory=list)
    watched: int = 0
    """Windows of watching that this transaction made due."""

    def audit(self, kind: str, subject: str, at: datetime, digest: str) -> None:
        """Add a link to the audit chain, in the order of these calls, when the transaction ends."""
        self.links.append(Link(at=at, kind=kind, subject=subject, digest=digest))

    def insert(self, row: type[Row], values: Values | Sequence[Values]) -> None:
        """Insert one row or many, without making objects of them."""
        self.session.connection().execute(_insert(row), values)

    def insert_many(self, row: type[Row], values: Sequence[Values]) -> None:
        """Insert rows that all name the same columns, the fastest way that the database has."""
        if values:
            add_many(self.session.connection(), table_of(row), values)

    def insert_once(self, row: type[Row], values: Values) -> tuple[Any, ...] | None:
        """Insert a row unless it is there; return its key if it was new."""
        statement = insert_once(self.engines.write, table_of(row))
        # RETURNING, not the count of rows: what that says after a conflict depends on the driver.
        found = self.session.connection().execute(statement, values).first()
        return None if found is None else tuple(found)

    def insert_each_once(self, row: type[Row], values: Sequence[Values]) -> set[tuple[Any, ...]]:
        """Insert those of many rows that are not there; return their keys."""
        if not values:
            return set()
        statement = insert_once(self.engines.write, table_of(row))
        # A list of one is not written as one: SQLAlchemy would look for how to cut it into batches.
        asked = list(values) if len(values) > 1 else values[0]
        return {tuple(found) for found in self.session.connection().execute(statement, asked)}

    def update(self, row: type[Row], where: Values, values: Values) -> CursorResult[Any]:
        """Update the rows whose columns have these values."""
        asked = {f"of_{column}": value for column, value in where.items()}
        return self.session.connection().execute(_update(row, (*where,)), {**asked, **values})


class Database:
    """Where sessions come from."""

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self.engines = Engines(url, durable=durable)
        self._listeners: list[Callable[[Set[str]], None]] = []
        self._watchers: list[Callable[[], None]] = []

    def on_outbox(self, listener: Callable[[Set[str]], None]) -> None:
        """Call `listener` with the channels after every commit that put something into the outbox."""
        self._listeners.append(listener)

    def on_watched(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every commit that made a window of watching due."""
        self._watchers.append(listener)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that only reads."""
        with Session(self.engines.read, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Work]:
        """Open a transaction that commits at the end of the block, or leaves no trace."""
        # What is written is flushed where it is needed and at the end; never because something is read.
        session = Session(self.engines.write, autoflush=False, expire_on_commit=False)
        with self.engines.turn(), self.engines.turn_beside(), session:
            work = Work(session, self.engines)
            with session.begin():
                session.connection()
                yield work
                session.flush()
                append(session, work.links)
        for call in work.after:
            call()
        if work.channels:
            for listener in self._listeners:
                listener(work.channels)
        if work.watched:
            for watcher in self._watchers:
                watcher()

    def close(self) -> None:
        """Close all connections."""
        self.engines.dispose()
