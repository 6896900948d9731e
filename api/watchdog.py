"""Keeps one child process no longer than its own parent lives.

Run as a script, by its path: `python -I -S watchdog.py LOCK LOG COMMAND...`. It takes the lock file,
starts the command, and ends it when standard input closes: the parent said so, or is dead, however it
died. The child inherits the lock, so that nobody starts a second one on the same files too early.

Exit codes: 3, the lock was not to be had in time; otherwise the command's own.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import subprocess
import sys
import time

LOCK_SECONDS = 30.0
STOP_SECONDS = 15.0
LOCKED = 3
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Guard the command until it or the parent ends."""
    lock_path, log_path, *command = sys.argv[1:]
    lock = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
    if not _locked(lock):
        return LOCKED
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    # This process has one thread, so a hook between fork and exec is safe here.
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(lock,), preexec_fn=_die_with_me
    )
    os.truncate(lock, 0)
    os.pwrite(lock, f"{child.pid}\n".encode(), 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return _until_either_ends(child)


def _locked(lock: int) -> bool:
    deadline = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if select.select([sys.stdin], [], [], 0.05)[0]:
                return False
        else:
            return True
    return False


def _until_either_ends(child: subprocess.Popen[bytes]) -> int:
    while child.poll() is None:
        if select.select([sys.stdin], [], [], 0.1)[0]:
            return _stop(child)
    return child.returncode or 0


def _stop(child: subprocess.Popen[bytes]) -> int:
    child.terminate()
    try:
        return child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _die_with_me() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
