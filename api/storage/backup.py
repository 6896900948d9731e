"""A database as one file, and back: rows of all tables as lines, on SQLite and PostgreSQL alike.

The file is gzipped NDJSON: a line that says what it is, then for each table its name and its rows, and a last
line with their number and the sha256 of all lines before. A whole backup is one instant of the database.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from sqlalchemy import Connection, Table, func, inspect, select, text

from api.storage.migrate import upgrade
from api.storage.session import Database
from api.storage.tables import schema

FORMAT = 1
_PAGE = 2_000


class BackupRefused(Exception):
    """The file cannot be read back, or not into this database; the sentence says why."""


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def write_backup(database: Database, path: Path) -> dict[str, int]:
    """Write all rows to a new file; return how many by table. Raises BackupRefused, FileExistsError."""
    counts: dict[str, int] = {}
    beside = path.with_name(f".{path.name}.part")
    with path.open("xb"):
        pass  # the name is ours, or somebody's who is told so
    try:
        with (
            open(beside, "wb", opener=_for_its_owner) as raw,
            gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as out,
        ):
            said = hashlib.sha256()

            def put(line: Mapping[str, Any] | list[Any]) -> None:
                data = json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
                said.update(data)
                out.write(data)

            with database.engines.read.connect() as connection:
                if database.engines.name != "sqlite":
                    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                revision = MigrationContext.configure(connection).get_current_revision()
                if revision is None:
                    raise BackupRefused("There is no Forbear in this database: it has no schema.")
                put({"forbear": "backup", "format": FORMAT, "revision": revision})
                for table in _tables(connection):
                    put({"table": table.name, "columns": [column.name for column in table.columns]})
                    counts[table.name] = 0
                    for row in _rows(connection, table):
                        put([_out(value) for value in row])
                        counts[table.name] += 1
            end = {"end": True, "rows": sum(counts.values()), "sha256": said.hexdigest()}
            out.write(json.dumps(end).encode() + b"\n")
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise
    return counts


def restore_backup(database: Database, path: Path) -> dict[str, int]:
    """Read a backup into an empty database, all or nothing; return how many rows by table.

    A backup of an earlier version is brought up to this one. Raises BackupRefused and DatabaseTooNew.
    """
    _check_whole(path)
    first = next(_lines(path))
    with database.engines.read.connect() as connection:
        found = inspect(connection).get_table_names()
        if "entries" in found and any(_count(connection, name) for name in ("customers", "audit", "texts")):
            raise BackupRefused("This database is not empty. Name an empty one: nothing is overwritten.")
    upgrade(database, first["revision"])
    counts: dict[str, int] = {}
    with (
        database.engines.turn(),
        database.engines.turn_beside(),
        database.engines.write.begin() as connection,
    ):
        connection.execute(text("DELETE FROM audit_head"))
        known = {table.name: table for table in _tables(connection)}
        table, columns, rows = known["audit_head"], list[str](), list[dict[str, Any]]()
        for line in _lines(path):
            if isinstance(line, list):
                rows.append({name: _in(value) for name, value in zip(columns, line, strict=True)})
                if len(rows) >= _PAGE:
                    connection.execute(table.insert(), rows)
                    rows = []
            elif "table" in line:
                if rows:
                    connection.execute(table.insert(), rows)
                    rows = []
                table, columns = known[line["table"]], line["columns"]
                counts[table.name] = 0
            if isinstance(line, list):
                counts[table.name] += 1
        if rows:
            connection.execute(table.insert(), rows)
        _count_on(database, connection, known)
    upgrade(database)
    return counts


def _check_whole(path: Path) -> None:
    """Raise BackupRefused unless every byte is there and as it was written."""
    said, rows, last = hashlib.sha256(), 0, b""
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                if last:
                    said.update(last)
                    rows += last.startswith(b"[")
                last = line
        end = json.loads(last) if last else None
    except (OSError, EOFError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise BackupRefused(f"`{path}` is no backup, or a part of one: {error}.") from error
    if not isinstance(end, dict) or not end.get("end"):
        raise BackupRefused(f"`{path}` is no backup, or it breaks off.")
    if (end.get("rows"), end.get("sha256")) != (rows, said.hexdigest()):
        raise BackupRefused(f"`{path}` was changed after it was written.")
    first = next(_lines(path))
    if not isinstance(first, dict) or first.get("forbear") != "backup" or first.get("format") != FORMAT:
        raise BackupRefused(f"`{path}` is no backup of a form that this version knows.")


def _lines(path: Path) -> Iterator[Any]:
    with gzip.open(path, "rb") as file:
        for line in file:
            yield json.loads(line)


def _tables(connection: Connection) -> list[Table]:
    """Return the tables that the database has, those first to which others point, with its own columns."""
    inspector = inspect(connection)
    there = set(inspector.get_table_names())
    found = []
    for table in schema().sorted_tables:
        if table.name in there:
            own = {column["name"] for column in inspector.get_columns(table.name)}
            found.append(_only(table, own))
    return found


def _only(table: Table, names: set[str]) -> Table:
    """Return a table with those of its columns that the database has at its revision."""
    from sqlalchemy import Column, MetaData

    columns = [Column(c.name, c.type, primary_key=c.primary_key) for c in table.columns if c.name in names]
    return Table(table.name, MetaData(), *columns)


def _rows(connection: Connection, table: Table) -> Iterator[Any]:
    query = select(table).order_by(*table.primary_key.columns)
    yield from connection.execution_options(yield_per=_PAGE).execute(query)


def _count(connection: Connection, name: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())


def _count_on(database: Database, connection: Connection, known: Mapping[str, Table]) -> None:
    """Let PostgreSQL's counters go on after what was read back; SQLite's do so by themselves."""
    if database.engines.name == "sqlite":
        return
    for name, table in known.items():
        for column in table.primary_key.columns:
            owned = connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": name, "column": column.name}
            ).scalar()
            if owned:
                top = connection.execute(select(func.max(column))).scalar()
                connection.execute(text("SELECT setval(:s, :n, :told)"),
                                   {"s": owned, "n": top or 1, "told": top is not None})  # fmt: skip


def _out(value: object) -> object:
    match value:
        case bytes():
            return {"bytes": base64.b64encode(value).decode()}
        case datetime():
            return {"at": value.isoformat()}
        case date():
            return {"day": value.isoformat()}
    return value


def _in(value: Any) -> object:
    if not isinstance(value, dict):
        return value
    ((kind, said),) = value.items()
    if kind == "bytes":
        return base64.b64decode(said)
    return datetime.fromisoformat(said) if kind == "at" else date.fromisoformat(said)
