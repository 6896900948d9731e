"""The demo's data directory: made anew for each run; what a killed run left is cleaned up first."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from pathlib import Path

from api.demo.processes import PARTS
from api.storage.directory import MARK

ENDS_WITHIN_SECONDS = 20.0
"""Children of a killed demo see that it is gone and end by themselves within this time."""


class DirectoryBusy(Exception):
    """The directory is in use, or is not the demo's; the sentence says what to do."""


def make_fresh(folder: Path) -> None:
    """Remove what an earlier demo left; raise DirectoryBusy if it may not be removed.

    A link to a directory stays, and what it leads to begins empty.
    """
    check_ours(folder)
    real = folder.resolve()
    if real.exists():
        _wait_until_free(folder)
        shutil.rmtree(real)
    real.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.is_symlink():
        real.mkdir(mode=0o700)


def check_ours(folder: Path) -> None:
    """Raise DirectoryBusy if there is something in a directory that no demo made."""
    mark = folder / MARK
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DirectoryBusy(f"`{folder}` is a file. Give another directory with --dir.")
    if not mark.exists():
        if any(folder.iterdir()):
            raise DirectoryBusy(
                f"`{folder}` has files that no demo made, and a demo begins with an empty directory. "
                "Give another one with --dir."
            )
        return
    try:
        simulated = json.loads(mark.read_text(encoding="utf-8")).get("simulated") is True
    except (ValueError, AttributeError):
        simulated = False
    if not simulated:
        raise DirectoryBusy(
            f"`{folder}` holds data of real time, which a demo would remove. Give another one with --dir."
        )


def _wait_until_free(folder: Path) -> None:
    deadline = time.monotonic() + ENDS_WITHIN_SECONDS
    held = [folder / "temporal" / "temporal.lock", *(folder / f"{part}.lock" for part in PARTS)]
    while busy := [path for path in held if _is_locked(path)]:
        if time.monotonic() > deadline:
            owner = busy[0].read_text(encoding="ascii", errors="replace").strip()
            by = f" by process {owner}" if owner else ""
            raise DirectoryBusy(
                f"`{folder}` is in use{by}: another demo, or `forbear up`, runs on it. "
                "End that one, or give another directory with --dir."
            )
        time.sleep(0.1)


def _is_locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(handle)
