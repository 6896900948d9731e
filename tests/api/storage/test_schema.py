from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from api.storage.audit import verify
from api.storage.columns import Instant
from api.storage.migrate import DatabaseTooNew, differences, upgrade
from api.storage.session import Database
from api.storage.tables import schema
from tests.api.conftest import fresh_database


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind in which there is nothing at all."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/x.sqlite"
    return fresh_database(request.getfixturevalue("postgres"))


def test_migrations_lead_to_the_schema_of_the_tables(url: str) -> None:
    database = Database(url)
    upgrade(database)
    assert differences(database) == []
    with database.engines.read.connect() as connection:
        tables = set(inspect(connection).get_table_names())
    assert tables == set(schema().tables) | {"alembic_version"}
    database.close()


def test_upgrading_again_changes_nothing_and_keeps_the_data(url: str) -> None:
    database = Database(url)
    upgrade(database)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    with database.write() as work:
        work.audit("test", "x", at, "digest")
    upgrade(database)
    with database.read() as session:
        assert verify(session) == (1, None)
    database.close()


def test_two_processes_may_upgrade_at_once(url: str) -> None:
    databases = [Database(url) for _ in range(3)]
    failed: list[BaseException] = []

    def run(database: Database) -> None:
        try:
            upgrade(database)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert differences(databases[0]) == []
    for database in databases:
        database.close()


def test_every_migration_can_be_taken_back(url: str) -> None:
    from api.storage.migrate import downgrade

    database = Database(url)
    upgrade(database)
    downgrade(database, "base")
    with database.engines.read.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    upgrade(database)
    assert differences(database) == []
    database.close()


def test_a_database_of_a_later_version_is_refused(url: str) -> None:
    database = Database(url)
    upgrade(database)
    with database.engines.write.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="9999"):
        upgrade(database)
    database.close()


def test_instants_come_back_as_they_were_to_the_microsecond(url: str) -> None:
    database = Database(url)
    upgrade(database)
    at = datetime.fromisoformat("2026-03-01T10:00:00.000001+08:00")
    with database.write() as work:
        work.audit("test", "x", at, "digest")
    from sqlmodel import select

    from api.storage.tables import AuditRow

    with database.read() as session:
        row = session.exec(select(AuditRow)).one()
    assert row.at == at
    assert row.at.tzinfo is not None
    database.close()


def test_a_naive_instant_is_refused() -> None:
    from sqlalchemy.dialects import sqlite

    with pytest.raises(ValueError, match="aware"):
        Instant().process_bind_param(datetime(2026, 3, 1), sqlite.dialect())  # noqa: DTZ001  # the mistake
