"""`forbear db`: the database brought up to date, copied, put back, and proved whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from api.cli.frame import FINDINGS, OK, Trouble
from api.cli.running import settings_for
from api.storage.backup import BackupRefused, restore_backup, write_backup
from api.storage.directory import DirectoryRefused, open_directory
from api.storage.migrate import DatabaseTooNew, SchemaBroken, head_revision, revision_of, upgrade
from api.storage.session import Database
from api.storage.verifying import findings

_data = click.option(
    "--data", type=click.Path(path_type=Path), help="The data directory; without it, `.forbear`."
)


@click.group("db")
def command() -> None:
    """Look after the database: upgrade, back up, restore, verify.

    All of them take the database of the settings: FORBEAR_DATABASE, or SQLite in the data directory.
    """


@command.command("upgrade")
@_data
def upgrade_command(data: Path | None) -> int:
    """Bring the schema up to this version, all or nothing; `forbear up` does the same when it starts."""
    with _database(data) as database:
        before = revision_of(database)
        upgrade(database)
        click.echo(f"The schema is at {head_revision(database)}; it was at {before or 'nothing'}.")
    return OK


@command.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@_data
def backup_command(file: Path, data: Path | None) -> int:
    """Write everything to FILE, as of one instant; the service may run meanwhile.

    FILE can be put back into SQLite or PostgreSQL. Exported histories lie in the data directory's
    `evidence/`: copy that folder with it. Keys and secrets are not in the backup.
    """
    with _database(data) as database:
        try:
            counts = write_backup(database, file)
        except FileExistsError:
            raise Trouble(f"`{file}` is there already. Name another file.") from None
    click.echo(f"{sum(counts.values()):,} rows of {len(counts)} tables are in {file}.")
    return OK


@command.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@_data
def restore_command(file: Path, data: Path | None) -> int:
    """Put a backup into an empty database, all or nothing, and bring it up to this version."""
    with _database(data, make=True) as database:
        counts = restore_backup(database, file)
    click.echo(f"{sum(counts.values()):,} rows of {len(counts)} tables were read back.")
    return OK


@command.command("verify")
@_data
def verify_command(data: Path | None) -> int:
    """Prove that the database is whole: schema, integrity, audit chain, every body against its digest.

    Ends with 1 if something is wrong.
    """
    with _database(data) as database:
        wrong = 0
        for sentence in findings(database):
            click.echo(sentence)
            wrong += 1
    if wrong:
        return FINDINGS
    click.echo("The database is whole.")
    return OK


@contextmanager
def _database(data: Path | None, *, make: bool = False) -> Iterator[Database]:
    settings = settings_for(data)
    try:
        directory = open_directory(settings.data, datetime.now(UTC), make=make)
        database = Database(settings.database_url, durable=not directory.simulated)
        try:
            yield database
        finally:
            database.close()
    except (DirectoryRefused, BackupRefused, DatabaseTooNew, SchemaBroken) as error:
        raise Trouble(str(error)) from error
    except SQLAlchemyError as error:
        raise Trouble(f"The database cannot be used: {str(error).splitlines()[0][:300]}") from error
