"""Bring a database to the schema of this version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from api.storage.session import Database
from api.storage.tables import schema


class SchemaBroken(Exception):
    """A migration would leave rows that point to nothing; nothing was changed."""

    def __init__(self, table: str, points_to: str) -> None:
        super().__init__(f"Rows of `{table}` point to nothing in `{points_to}`. Restore a backup.")


class DatabaseTooNew(Exception):
    """The database was written by a later version than this one."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The database is at schema `{found}`, which this version does not know. Update Forbear."
        )
        self.found = found


def upgrade(database: Database, to: str = "head") -> None:
    """Apply the migrations that are missing; safe to call at every start, and by two at once."""
    with as_file(files("api.storage") / "migrations") as folder, _alone(database) as connection:
        config = _config(str(folder), connection)
        found = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise DatabaseTooNew(found)
        command.upgrade(config, to)


def revision_of(database: Database) -> str | None:
    """Return the revision that a database is at; None: it has no schema."""
    with database.engines.read.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision(database: Database) -> str | None:
    """Return the revision of this version."""
    with (
        as_file(files("api.storage") / "migrations") as folder,
        database.engines.read.connect() as connection,
    ):
        return ScriptDirectory.from_config(_config(str(folder), connection)).get_current_head()


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """Open a transaction in which nobody else changes the schema.

    SQLite changes a table by making it anew, and would take the old one for missing where others point to
    it: so it looks at what points where only at the end, and then at everything.
    """
    engines = database.engines
    with engines.turn(), engines.turn_beside(), engines.write.connect() as connection:
        # Not through the connection: a pragma on foreign keys does nothing in a transaction.
        raw: Any = connection.connection.driver_connection if engines.name == "sqlite" else None
        if raw is not None:
            raw.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                engines.hold_schema(connection)
                yield connection
                if raw is not None:
                    stray = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                    if stray is not None:
                        raise SchemaBroken(str(stray[0]), str(stray[2]))
        finally:
            if raw is not None:
                raw.execute("PRAGMA foreign_keys = ON")


def differences(database: Database) -> list[object]:
    """Compare the database with the schema; empty when they agree."""
    with database.engines.read.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, schema()))


def write_revision(database: Database, message: str, revision: str) -> None:
    """Write the next migration from the differences (for developers)."""
    with as_file(files("api.storage") / "migrations") as folder, database.engines.write.begin() as connection:
        command.revision(_config(str(folder), connection), message, autogenerate=True, rev_id=revision)


def _config(folder: str, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    return config


def downgrade(database: Database, to: str) -> None:
    """Take migrations back (for developers and their tests)."""
    with as_file(files("api.storage") / "migrations") as folder, _alone(database) as connection:
        command.downgrade(_config(str(folder), connection), to)
