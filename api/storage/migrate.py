"""Bring a database to the schema of this version."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from api.storage.session import Database
from api.storage.tables import schema


class DatabaseTooNew(Exception):
    """The database was written by a later version than this one."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The database is at schema `{found}`, which this version does not know. Update Forbear."
        )
        self.found = found


def upgrade(database: Database, to: str = "head") -> None:
    """Apply the migrations that are missing; safe to call at every start, and by two at once."""
    with (
        as_file(files("api.storage") / "migrations") as folder,
        database.engines.turn(),
        database.engines.write.begin() as connection,
    ):
        database.engines.hold_schema(connection)
        config = _config(str(folder), connection)
        found = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise DatabaseTooNew(found)
        command.upgrade(config, to)


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
    with (
        as_file(files("api.storage") / "migrations") as folder,
        database.engines.turn(),
        database.engines.write.begin() as connection,
    ):
        command.downgrade(_config(str(folder), connection), to)
