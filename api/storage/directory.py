"""The data directory: made once, marked with what it is for, with keys only its owner can read."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

MARK, KEY, SECRET, LOCK = "forbear.json", "api.key", "webhook.secret", "up.lock"
DEMO = "demo"
"""The demo lives in a directory of its own inside the default one."""
SCHEMA = 1


class DirectoryRefused(Exception):
    """The data directory cannot be used for this; the sentence says why and what to do."""


class DirectoryTaken(DirectoryRefused):
    """Another process serves this directory."""

    def __init__(self, path: Path, pid: str) -> None:
        by = f" by process {pid}" if pid else ""
        super().__init__(
            f"`{path}` is in use{by}: another Forbear runs on it. "
            "End that one, or give another data directory."
        )


@dataclass(frozen=True)
class DataDirectory:
    """A directory that this product made: `simulated` ones may have another clock."""

    path: Path
    ledger: str
    """The id of what is kept here, given when it was made."""
    created: datetime
    simulated: bool

    @property
    def key(self) -> str:
        """The key that every call of the API needs."""
        return _secret(self.path / KEY, _api_key)

    @property
    def webhook_secret(self) -> str:
        """The newest secret that outgoing webhooks are signed with (Standard Webhooks)."""
        return _secret(self.path / SECRET, _webhook_secret).partition("\n")[0]

    @property
    def webhook_secrets(self) -> Path:
        """The file of those secrets, the newest first; it is made if it is not there."""
        _secret(self.path / SECRET, _webhook_secret)
        return self.path / SECRET

    @property
    def evidence(self) -> Path:
        """Where exported histories are kept by digest."""
        return self.path / "evidence"


def open_directory(
    path: Path, now: datetime, *, simulated: bool | None = None, make: bool = True
) -> DataDirectory:
    """Open a data directory, or make it, for its owner's eyes alone.

    `simulated` says what it must be; None takes what is there, and makes an ordinary one. What a directory
    is for is decided when it is made: raises DirectoryRefused if it was made for the other thing; without
    `make` also if it was not made yet.
    """
    mark = path / MARK
    if not mark.exists():
        if not make:
            raise DirectoryRefused(
                f"`{path}` is no data directory. Start `forbear up` first, or name its directory with --data."
            )
        if path.exists() and any(not _is_own(entry.name) for entry in path.iterdir()):
            raise DirectoryRefused(
                f"`{path}` has files but no `{MARK}`: it was not made by Forbear. Give an empty directory."
            )
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)
        said = {
            "schema": SCHEMA,
            "ledger": secrets.token_hex(8),
            "created": now.isoformat(),
            "simulated": bool(simulated),
        }
        _write_once(mark, json.dumps(said, indent=2) + "\n")
    directory = _read(path, mark)
    if simulated is not None and directory.simulated is not simulated:
        made, wanted = ("simulated", "real") if directory.simulated else ("real", "simulated")
        raise DirectoryRefused(
            f"`{path}` was made for {made} time and cannot be used for {wanted} time. Give another directory."
        )
    return directory


def _is_own(name: str) -> bool:
    """Tell whether it is a file that another process may be making here just now, or the demo's directory."""
    return name == DEMO or name.removeprefix(".").startswith(("settings.toml", MARK, KEY, SECRET, LOCK))


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a directory for this process alone, until the block or the process ends; raises DirectoryTaken."""
    handle = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DirectoryTaken(path, os.read(handle, 20).decode("ascii", "replace").strip()) from error
        os.truncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)


def _read(path: Path, mark: Path) -> DataDirectory:
    try:
        said = json.loads(mark.read_text(encoding="utf-8"))
        if (schema := int(said["schema"])) > SCHEMA:
            raise DirectoryRefused(f"`{path}` was made by a later version (schema {schema}). Update Forbear.")
        ledger, simulated = str(said["ledger"]), bool(said["simulated"])
        created = datetime.fromisoformat(said["created"])
    except (ValueError, KeyError, TypeError) as error:
        raise DirectoryRefused(f"`{mark}` cannot be read: {error}. Restore it from a backup.") from error
    return DataDirectory(path, ledger, created, simulated)


def _api_key() -> str:
    return "fb_" + secrets.token_urlsafe(32)


def _webhook_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _secret(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        _write_once(path, make() + "\n")
    if path.stat().st_mode & 0o077:
        raise DirectoryRefused(
            f"`{path}` can be read by other users. Run `chmod 600 {path}` and make a new key."
        )
    return path.read_text(encoding="ascii").strip()


def _write_once(path: Path, text: str) -> None:
    # Written beside and linked into place: another process sees the whole file or none; the first one wins.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()
