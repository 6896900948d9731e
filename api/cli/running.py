"""What commands share that talk to a data directory or a running Forbear: settings, plain sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from api.claiming import OtherLedger
from api.cli.frame import Trouble
from api.embedded import TemporalNotStarted
from api.evidence.bundle import NoBundle
from api.evidence.signing import KeyRefused
from api.importer.posting import ServerRefused
from api.relay.receiver import ReceiverRefused
from api.serving import PortTaken, TemporalAway
from api.settings import Settings, SettingsError, read_settings
from api.storage.directory import DirectoryRefused
from api.storage.errors import StorageError
from api.storage.migrate import DatabaseTooNew

_SENTENCES = (
    SettingsError, DirectoryRefused, DatabaseTooNew, ReceiverRefused, TemporalNotStarted, TemporalAway,
    PortTaken, OtherLedger, ServerRefused, NoBundle, KeyRefused, StorageError,
)  # fmt: skip
"""Errors whose text is a sentence for people."""


@contextmanager
def plainly() -> Iterator[None]:
    """Turn what can stand in the way into one sentence without a traceback."""
    try:
        yield
    except _SENTENCES as error:
        raise Trouble(str(error)) from error
    except (OperationalError, CommandError) as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise Trouble(
            f"The database cannot be used: {said}. Check FORBEAR_DATABASE or the data directory."
        ) from error


def settings_for(data: Path | None, **changes: object) -> Settings:
    """Read the settings, with what the command line says on top."""
    with plainly():
        settings = read_settings(data=data)
        given = {name: value for name, value in changes.items() if value is not None}
        return settings.changed(**given) if given else settings


def key_of(settings: Settings) -> str:
    """Return the key of the API from the data directory."""
    path = settings.data / "api.key"
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise Trouble(
            f"There is no key at `{path}`. Start `forbear up` first, or name its directory with --data."
        ) from error
