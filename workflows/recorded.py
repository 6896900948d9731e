"""The one form of a recorded value that digests and chains are taken over.

Fields that have their default are left out: a later version that adds a field with a neutral default
reads an old history to the same digests. So fields of recorded values are only ever added, and a
default never changes; the committed histories hold that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from engine.model import canonical, digest_bytes


def plain(value: Any) -> Any:
    """Return a value as JSON has it, models without the fields that have their default."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def recorded_text(value: Any) -> bytes:
    """Return the text that the digest of a recorded value is taken over."""
    return canonical(plain(value))


def recorded_digest(value: Any) -> str:
    """Return the digest of a recorded value, as `sha256:<hex>`."""
    return digest_bytes(recorded_text(value))
