from __future__ import annotations

import json
import os
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.storage.directory import DirectoryRefused, DirectoryTaken, held, open_directory

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_directory_is_made_once_and_remembers_what_it_is_for(tmp_path: Path) -> None:
    made = open_directory(tmp_path / "a", NOW, simulated=True)
    assert open_directory(tmp_path / "a", datetime.now(UTC)) == made
    assert made.simulated
    assert made.created == NOW
    with pytest.raises(DirectoryRefused, match="made for simulated time"):
        open_directory(tmp_path / "a", NOW, simulated=False)


def test_real_time_is_what_is_made_when_nobody_says(tmp_path: Path) -> None:
    assert not open_directory(tmp_path / "a", NOW).simulated
    with pytest.raises(DirectoryRefused, match="made for real time"):
        open_directory(tmp_path / "a", NOW, simulated=True)


def test_the_key_is_random_kept_and_for_its_owner_alone(tmp_path: Path) -> None:
    one, other = open_directory(tmp_path / "a", NOW), open_directory(tmp_path / "b", NOW)
    assert one.key == open_directory(tmp_path / "a", NOW).key
    assert one.key != other.key
    assert len(one.key) > 40
    for name in ("api.key", "webhook.secret"):
        assert one.webhook_secret.startswith("whsec_")
        assert stat.S_IMODE((tmp_path / "a" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_a_directory_that_was_there_is_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o755)
    open_directory(tmp_path / "a", NOW)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_a_directory_is_not_made_for_who_only_joins(tmp_path: Path) -> None:
    with pytest.raises(DirectoryRefused, match="is no data directory"):
        open_directory(tmp_path / "a", NOW, make=False)
    assert not (tmp_path / "a").exists()
    made = open_directory(tmp_path / "a", NOW)
    assert open_directory(tmp_path / "a", NOW, make=False) == made


def test_each_directory_is_a_ledger_of_its_own(tmp_path: Path) -> None:
    one, other = open_directory(tmp_path / "a", NOW), open_directory(tmp_path / "b", NOW)
    assert one.ledger != other.ledger


def test_a_directory_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    taken = pytest.raises(DirectoryTaken, match=f"in use by process {os.getpid()}: another")
    with held(tmp_path), taken, held(tmp_path):
        pass
    with held(tmp_path):
        pass


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    made = open_directory(tmp_path / "a", NOW)
    assert made.key
    (tmp_path / "a" / "api.key").chmod(0o644)
    with pytest.raises(DirectoryRefused, match="chmod 600"):
        _ = made.key


def test_two_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    keys: list[str] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        keys.append(open_directory(tmp_path / "a", NOW).key)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert {p.name for p in (tmp_path / "a").iterdir()} == {"forbear.json", "api.key"}


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("chapter one")
    with pytest.raises(DirectoryRefused, match="was not made by Forbear"):
        open_directory(tmp_path, NOW)
    assert {p.name for p in tmp_path.iterdir()} == {"thesis.txt"}


@pytest.mark.parametrize(
    ("mark", "says"), [("{", "cannot be read"), ("{}", "cannot be read"), (None, "later version")]
)
def test_a_mark_that_cannot_be_used_is_refused(tmp_path: Path, mark: str | None, says: str) -> None:
    said = mark or json.dumps({"schema": 99, "created": NOW.isoformat(), "simulated": False})
    (tmp_path / "forbear.json").write_text(said)
    with pytest.raises(DirectoryRefused, match=says):
        open_directory(tmp_path, NOW)
