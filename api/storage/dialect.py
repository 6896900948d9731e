"""The one seam between SQLite and PostgreSQL: how to connect, begin, lock and insert once."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, Insert, Table, create_engine, event
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.dml import ReturningInsert

from api.storage.turn import FileTurn

_SCHEMA_LOCK = 0x464F5242
"""The number under which processes take turns at migrations on PostgreSQL."""
MANY = 50
"""From so many rows on a COPY is worth its round trips."""
BUSY_MS = 30_000
"""How long one process waits for another one's write on SQLite."""
PATIENCE_SECONDS = 5.0
"""How long one process waits for another one's turn before it asks for the file's lock all the same."""


def insert_once(engine: Engine, table: Table) -> ReturningInsert[Any]:
    """Return an insert that leaves alone a row that is there; it gives the key of one that was not."""
    return _insert_once(engine.dialect.name, table)


@cache
def _insert_once(dialect: str, table: Table) -> ReturningInsert[Any]:
    insert = sqlite_insert if dialect == "sqlite" else postgresql_insert
    return insert(table).on_conflict_do_nothing().returning(*table.primary_key.columns)


@cache
def _insert(table: Table) -> Insert:
    return table.insert()


def add_many(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns; many of them by COPY, where the database has it."""
    whole = len(rows) >= MANY and set(rows[0]) == set(table.c.keys())  # COPY knows no defaults of ours
    if connection.dialect.name != "postgresql" or not whole:
        # A list of one is not written as one: SQLAlchemy would look for how to cut it into batches.
        connection.execute(_insert(table), rows if len(rows) > 1 else rows[0])
        return
    names = list(table.c.keys())
    dialect = connection.dialect
    binds = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    said = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    cursor = cast("psycopg.Cursor[Any]", connection.connection.cursor())
    with cursor, cursor.copy(said) as copy:
        for row in rows:
            copy.write_row(
                [bind(row[name]) if bind else row[name] for name, bind in zip(names, binds, strict=True)]
            )


class Engines:
    """A reading and a writing engine on one database.

    SQLite has one writer: its writes begin with BEGIN IMMEDIATE, so that none fails half way, and take
    turns before they ask the file's lock, whose waiting is unfair and slow.
    """

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self.name = make_url(url).get_backend_name()
        if self.name == "sqlite":
            self._turn: AbstractContextManager[Any] = threading.Lock()
            file = make_url(url).database
            self._beside = FileTurn(Path(file), PATIENCE_SECONDS) if file else None
            self.read = _sqlite(url, "BEGIN", durable=durable)
            self.write = _sqlite(url, "BEGIN IMMEDIATE", durable=durable)
        else:
            self._turn, self._beside = nullcontext(), None
            self.read = self.write = create_engine(_with_driver(url), pool_pre_ping=True, pool_size=20)

    def turn(self) -> AbstractContextManager[Any]:
        """Return what a writer's thread holds from begin to commit, before `turn_beside`."""
        return self._turn

    def turn_beside(self) -> AbstractContextManager[Any]:
        """Return what a writer's process holds from begin to commit."""
        return self._beside or nullcontext()

    def hold_schema(self, connection: Connection) -> None:
        """Let nobody else change the schema until the transaction ends; on SQLite its begin has done that."""
        if self.name != "sqlite":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")

    def dispose(self) -> None:
        """Close all connections."""
        self.read.dispose()
        self.write.dispose()
        if self._beside is not None:
            self._beside.close()


def _with_driver(url: str) -> str:
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def _sqlite(url: str, begin: str, *, durable: bool) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False}, pool_size=48)

    @event.listens_for(engine, "connect")
    def _connected(raw: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The driver's own BEGIN comes too late and is never IMMEDIATE: it is switched off.
        raw.isolation_level = None
        cursor = raw.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_MS}",
            "journal_mode = WAL",
            f"synchronous = {'FULL' if durable else 'NORMAL'}",
            "foreign_keys = ON",
            "cache_size = -65536",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _began(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
