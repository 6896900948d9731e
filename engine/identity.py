"""Who a policy is: the digest of its texts, and the digest of what they mean.

The identity is that of the raw bytes: a changed comment makes another text. The meaning is that of
the typed model: comments, blanks and the version label do not change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum

from engine.model import digest, digest_bytes
from engine.policy import Manifest, Texts
from engine.source import Span

LABELS = frozenset({"version", "title", "manifest", "digest"})
"""Fields that say nothing of what a policy does."""


def manifest(policy: str, kind: str, version: str, effective_from: date, texts: Texts) -> Manifest:
    """Return the manifest of a policy's texts: each path with the sha256 of its raw bytes."""
    digests = {path: digest_bytes(data) for path, data in texts.items()}
    return Manifest(policy=policy, kind=kind, version=version, effective_from=effective_from, texts=digests)


def meaning(model: object) -> str:
    """Return the digest of a typed model without places, comments and labels, as `sha256:<hex>`."""
    return digest(_plain(model))


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return _record(value)
    if isinstance(value, Mapping):
        return [[str(key), _plain(item)] for key, item in value.items() if not isinstance(item, Span)]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value if not isinstance(item, Span)]
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} has no meaning digest")


def _record(value: object) -> object:
    parts: dict[str, object] = {"": type(value).__name__}
    known = {part.name: part for part in fields(value)}  # type: ignore[arg-type]  # _plain has seen that it is one
    for name, part in known.items():
        item = getattr(value, name)
        spelling = name == "text" and "span" in known and isinstance(item, str)
        if name in LABELS or spelling or not part.compare or isinstance(item, Span):
            continue
        parts[name] = _plain(item)
    return parts
