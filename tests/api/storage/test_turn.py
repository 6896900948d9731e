"""Turns at one SQLite file, between threads and between processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from api.storage.dialect import Engines
from api.storage.turn import FileTurn

HOLDS = """
import sys
from pathlib import Path
from api.storage.turn import FileTurn
with FileTurn(Path(sys.argv[1]), 30):
    print("held", flush=True)
    sys.stdin.readline()
    Path(sys.argv[2]).write_text("done")
"""


def _holder(database: Path, mark: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(database), str(mark)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def _taken(database: Path, mark: Path, patience: float = 30) -> tuple[threading.Thread, list[bool]]:
    """Take a turn in a thread; the list gets whether the other had finished when it was ours."""
    seen: list[bool] = []

    def take() -> None:
        with FileTurn(database, patience):
            seen.append(mark.exists())

    thread = threading.Thread(target=take)
    thread.start()
    return thread, seen


def test_another_process_is_waited_for(tmp_path: Path) -> None:
    database, mark = tmp_path / "a.sqlite", tmp_path / "mark"
    child = _holder(database, mark)
    thread, seen = _taken(database, mark)
    child.communicate("go\n")
    thread.join()
    assert seen == [True]


def test_a_killed_process_has_lost_its_turn(tmp_path: Path) -> None:
    database, mark = tmp_path / "a.sqlite", tmp_path / "mark"
    child = _holder(database, mark)
    thread, seen = _taken(database, mark)
    with child:
        child.kill()
    thread.join()
    assert seen == [False]


def test_who_keeps_his_turn_too_long_is_no_longer_waited_for(tmp_path: Path) -> None:
    database, mark = tmp_path / "a.sqlite", tmp_path / "mark"
    child = _holder(database, mark)
    thread, seen = _taken(database, mark, patience=0)
    thread.join()
    assert seen == [False]
    child.communicate("go\n")


def test_where_no_file_can_be_made_threads_still_take_turns(tmp_path: Path) -> None:
    turn = FileTurn(tmp_path / "missing" / "a.sqlite", 30)
    for _ in range(2):
        with turn:
            pass
    turn.close()


def test_an_exit_that_never_ran_is_made_up_for_by_the_next_turn(tmp_path: Path) -> None:
    database, mark = tmp_path / "a.sqlite", tmp_path / "mark"
    turn = FileTurn(database, 30)
    turn.__enter__()
    with turn:
        pass
    child = _holder(database, mark)
    child.communicate("go\n")
    assert mark.exists()
    turn.close()


def test_who_is_cancelled_while_he_waits_leaves_the_turn_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporal throws a cancellation into the thread of an activity."""
    database, mark = tmp_path / "a.sqlite", tmp_path / "mark"
    engines = Engines(f"sqlite:///{database}")
    child = _holder(database, mark)

    def cancelled(seconds: float) -> None:
        raise CancelledError

    monkeypatch.setattr("api.storage.turn.time.sleep", cancelled)
    with pytest.raises(CancelledError), engines.turn(), engines.turn_beside():
        pass
    child.communicate("go\n")
    with engines.turn(), engines.turn_beside():
        assert mark.exists()
    engines.dispose()


def test_a_database_in_memory_needs_no_file() -> None:
    engines = Engines("sqlite://")
    with engines.turn(), engines.turn_beside():
        pass
    engines.dispose()
