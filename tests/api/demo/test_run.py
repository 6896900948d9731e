"""The demo end to end on a few accounts: real Temporal, real HTTP, time skipped."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from api.demo.leftovers import DirectoryBusy, make_fresh
from api.evidence.auditing import audit_bundle
from api.settings import Settings
from api.wiring import build
from tests.api.demo.small import ROOT


def processes_of(folder: Path) -> list[str]:
    """Every process whose command line names a folder, except this one."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in words and entry.parent.name != str(os.getpid()):
            found.append(words)
    return found


def gone(folder: Path, within: float = 40) -> bool:
    deadline = time.monotonic() + within
    while processes_of(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not processes_of(folder)


def start(folder: Path, accounts: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.api.demo.small", str(folder), str(accounts)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What a whole small demo printed, and its folder."""
    folder = tmp_path_factory.mktemp("whole") / "demo"
    child = start(folder, 9)
    out, _ = child.communicate(timeout=280)
    assert child.returncode == 0, out
    return out, folder


@pytest.mark.slow
def test_all_nine_steps_are_told(finished: tuple[str, Path]) -> None:
    out, _ = finished
    assert re.findall(r"^\[(\d)/9\]", out, re.M) == [str(n) for n in range(1, 10)]
    assert "No process was left behind" in out


@pytest.mark.slow
def test_the_stories_end_as_they_are_told(finished: tuple[str, Path]) -> None:
    out, _ = finished
    assert re.search(r"^ +suspend +1 ", out, re.M)  # suspended, paid, restored
    assert re.search(r"^ +agency +- +1$", out, re.M)  # never pays
    assert "2 accounts suspended" in out
    assert "1 of them restored" in out


@pytest.mark.slow
def test_everything_agrees_in_the_audit(finished: tuple[str, Path]) -> None:
    out, folder = finished
    taken = re.search(r"^ +step +(\d+) +(\d+) +(\d+)$", out, re.M)
    assert taken
    assert (taken[1], taken[3]) == (taken[2], "0")
    assert "proved  (" in out
    assert audit_bundle(folder / "evidence.zip", accept_simulated=True).ok
    assert not audit_bundle(folder / "evidence.zip").ok  # a moved clock is no evidence of real time


@pytest.mark.slow
def test_no_process_is_left(finished: tuple[str, Path]) -> None:
    assert gone(finished[1], within=1)


@pytest.mark.slow
def test_a_killed_demo_leaves_nothing_and_can_be_started_again(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    child = start(folder, 3)
    assert child.stdout
    for line in child.stdout:
        if line.startswith("[6/9]"):
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert gone(folder), processes_of(folder)
    again = start(folder, 2)
    out, _ = again.communicate(timeout=200)
    assert again.returncode == 0, out
    assert gone(folder, within=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "lock", "said"),
    [("[5/9]", "worker.lock", "The worker"), ("[6/9]", "temporal/temporal.lock", "Temporal")],
)
def test_a_part_that_is_killed_is_named_at_once(tmp_path: Path, step: str, lock: str, said: str) -> None:
    folder = tmp_path / "demo"
    child = start(folder, 3)
    assert child.stdout
    for line in child.stdout:
        if line.startswith(step):
            break
    os.kill(int((folder / lock).read_text(encoding="ascii")), signal.SIGKILL)
    out, _ = child.communicate(timeout=120)
    assert f"ServiceEnded: {said} has ended by itself. Its log is `{folder}" in out
    assert child.returncode != 0
    assert gone(folder), processes_of(folder)


def test_a_directory_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(DirectoryBusy, match="no demo made"):
        make_fresh(tmp_path)
    assert (tmp_path / "letters.txt").exists()


def test_a_directory_of_real_time_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "forbear.json").write_text('{"simulated": false}', encoding="utf-8")
    with pytest.raises(DirectoryBusy, match="real time"):
        make_fresh(tmp_path)
    assert (tmp_path / "forbear.json").exists()


def test_what_an_earlier_demo_left_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    (folder / "temporal").mkdir(parents=True)
    (folder / "forbear.json").write_text('{"simulated": true}', encoding="utf-8")
    (folder / "temporal" / "temporal.lock").write_text("1\n", encoding="ascii")
    make_fresh(folder)
    assert not folder.exists()


@pytest.mark.parametrize("left", [True, False])
def test_a_link_to_a_directory_stays_and_begins_empty(
    left: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if left:
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / "forbear.json").write_text('{"simulated": true}', encoding="utf-8")
    link = Path("link")
    link.symlink_to("real")
    make_fresh(link)
    assert link.is_symlink()
    build(Settings(data=link), simulated=True).close()
    assert (tmp_path / "real" / "forbear.sqlite").exists()
