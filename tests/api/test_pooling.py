"""Processes that help another one do not outlive it, and an interrupt ends them without a word."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

POOL = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from api.pooling import end_with_the_caller

if __name__ == "__main__":
    with ProcessPoolExecutor(2, multiprocessing.get_context(sys.argv[1]), end_with_the_caller) as pool:
        for pid in {pool.submit(os.getpid).result() for _ in range(4)}:
            print(pid, flush=True)
        print("all", flush=True)
        try:
            list(pool.map(time.sleep, [60, 60]))
        except BaseException as error:
            print(type(error).__name__, flush=True)
            sys.exit(1)
"""


def started(way: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A process with a pool at work, and the pool's processes."""
    parent = subprocess.Popen(
        [sys.executable, "-c", POOL, way],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout
    pids = [int(line) for line in iter(parent.stdout.readline, "all\n")]
    assert pids
    return parent, pids


def gone(pids: list[int], within: float = 30) -> bool:
    deadline = time.monotonic() + within
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not left


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.split()[0] != "Z"


@pytest.mark.parametrize("way", ["spawn", "fork"])
def test_a_killed_parent_leaves_none_of_its_pool(way: str) -> None:
    parent, pids = started(way)
    parent.kill()
    parent.communicate()
    assert gone(pids)


def test_an_interrupt_ends_the_pool_without_a_word_of_its_processes() -> None:
    parent, pids = started("spawn")
    os.killpg(parent.pid, signal.SIGINT)
    out, err = parent.communicate(timeout=30)
    assert out.strip() in ("KeyboardInterrupt", "BrokenProcessPool")
    assert err == ""
    assert gone(pids)
