"""A database copied and put back, brought up from every schema it has had, and proved whole or not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from api.cli import forbear
from api.cli.frame import FINDINGS, OK
from api.storage.backup import BackupRefused, restore_backup, write_backup
from api.storage.migrate import downgrade, revision_of, upgrade
from api.storage.session import Database
from api.storage.verifying import findings
from api.wiring import Wiring
from tests.api.conftest import fresh_database
from tests.api.scenes import add_parties, bill, in_arrears, local, pay
from tests.api.storage.test_decisions import a_record

REVISIONS = sorted(
    path.name[:4] for path in (Path(__file__).parents[3] / "api/storage/migrations/versions").glob("0*.py")
)


def filled(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    driver.run(local("2026-03-19 09:00"), local("2026-04-17 00:00"))
    pay(wiring, "A1", local("2026-04-18 10:00"), "P1", "5.00")
    wiring.decisions.record([a_record(wiring, "r1", 24)])


def rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.engines.read.connect() as connection:
        return {
            name: [tuple(row) for row in connection.execute(text(query))]
            for name, query in {
                "entries": "SELECT account, seq, body, digest FROM entries ORDER BY account, seq",
                "audit": "SELECT seq, kind, subject, hash FROM audit ORDER BY seq",
                "outbox": "SELECT id, once, body, state FROM outbox ORDER BY id",
                "decisions": "SELECT id, body FROM decisions ORDER BY id",
            }.items()
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    url = f"sqlite:///{tmp_path}/other.sqlite"
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgres"))
    database = Database(url)
    yield database
    database.close()


def test_what_was_written_is_read_back_on_either_kind(
    wiring: Wiring, elsewhere: Database, tmp_path: Path
) -> None:
    filled(wiring)
    counts = write_backup(wiring.database, tmp_path / "all.gz")
    assert (tmp_path / "all.gz").stat().st_mode & 0o777 == 0o600
    assert restore_backup(elsewhere, tmp_path / "all.gz") == counts
    assert rows(elsewhere) == rows(wiring.database)
    assert list(findings(elsewhere)) == []
    with elsewhere.write() as work:  # counters go on behind what was read back
        work.audit("test", "x", local("2026-05-01 10:00"), "digest")
        feed = "INSERT INTO feeds (feed, complete_to, received_at) VALUES ('bills', :a, :a)"
        work.session.execute(text(feed), {"a": "2026-05-01T00:00:00.000000Z"})
    assert list(findings(elsewhere)) == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_schema_that_was_in_use_is_brought_up_with_its_data(wiring: Wiring, revision: str) -> None:
    filled(wiring)
    database = wiring.database
    before = rows(database)
    downgrade(database, revision)
    assert revision_of(database) == revision
    upgrade(database)
    assert rows(database) == before
    assert list(findings(database)) == []


def test_a_file_that_is_not_whole_is_refused(lite: Wiring, tmp_path: Path) -> None:
    filled(lite)
    path = tmp_path / "all.gz"
    write_backup(lite.database, path)
    with pytest.raises(FileExistsError):
        write_backup(lite.database, path)
    whole = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    empty = Database(f"sqlite:///{tmp_path}/empty.sqlite")
    bad = tmp_path / "bad.gz"
    for lines, says in (
        (whole[:-1], "breaks off"),
        ([*whole[:5], *whole[6:]], "was changed"),
        ([whole[0], b"nonsense\n"], "no backup"),
        ([], "no backup"),
    ):
        bad.write_bytes(gzip.compress(b"".join(lines)))
        with pytest.raises(BackupRefused, match=says):
            restore_backup(empty, bad)
    bad.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BackupRefused):
        restore_backup(empty, bad)
    assert revision_of(empty) is None, "nothing was done"
    with pytest.raises(BackupRefused, match="not empty"):
        restore_backup(lite.database, path)
    empty.close()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE entries SET body = replace(body, '205.42', '105.42')", "is not what was stored"),
        ("UPDATE decisions SET body = replace(body, 'CNY', 'EUR')", "The decision"),
        ("DELETE FROM audit WHERE seq = 3", "link 3 is missing"),
        ("UPDATE audit SET subject = 'x' WHERE seq = 3", "link 3 was changed"),
        ("UPDATE texts SET body = x'00'", "on the shelf is not what was published"),
        ("UPDATE entries SET ref = 'B9' WHERE kind = 'bill'", "has no link"),
    ],
)  # fmt: skip
def test_what_was_changed_behind_our_back_is_named(lite: Wiring, statement: str, says: str) -> None:
    filled(lite)
    assert list(findings(lite.database)) == []
    with lite.database.engines.write.begin() as connection:
        connection.execute(text(statement))
    assert any(says in found for found in findings(lite.database)), list(findings(lite.database))


def test_the_command_copies_puts_back_and_proves(lite: Wiring, tmp_path: Path) -> None:
    add_parties(lite, "A1")
    bill(lite, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", "10.00")
    data, file = str(lite.settings.data), str(tmp_path / "all.gz")
    run = CliRunner().invoke

    def said(*arguments: str) -> tuple[int, str]:
        done = run(forbear, ["db", *arguments], standalone_mode=False)
        return int(done.return_value or 0), done.output

    assert said("upgrade", "--data", data)[0] == OK
    assert said("backup", file, "--data", data)[0] == OK
    other = str(tmp_path / "other")
    code, text_ = said("restore", file, "--data", other)
    assert (code, "were read back" in text_) == (OK, True)
    assert said("verify", "--data", other) == (OK, "The database is whole.\n")
    database = Database(f"sqlite:///{other}/forbear.sqlite")
    with database.engines.write.begin() as connection:
        connection.execute(text("UPDATE entries SET digest = 'x'"))
    database.close()
    code, text_ = said("verify", "--data", other)
    assert (code, "is not what was stored" in text_) == (FINDINGS, True)


def test_the_first_line_says_what_it_is(lite: Wiring, tmp_path: Path) -> None:
    write_backup(lite.database, tmp_path / "all.gz")
    with gzip.open(tmp_path / "all.gz") as file:
        assert json.loads(file.readline()) == {"forbear": "backup", "format": 1, "revision": REVISIONS[-1]}
