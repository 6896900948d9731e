"""Lists: a page at a time, with an opaque cursor."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Query

from api.rest.errors import Refusal

R = TypeVar("R")

Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
After = Annotated[
    str,
    Query(
        max_length=1000,
        pattern="^[A-Za-z0-9_-]*={0,2}$",
        description="The cursor of a page; leave it out for the first.",
    ),
]


def cursor_of(after: str, *kinds: type) -> tuple[Any, ...] | None:
    """Read a cursor; None for the first page. Raises Refusal for one that was not given out here."""
    if not after:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(after.encode() + b"=="))
    except (ValueError, binascii.Error):
        values = None
    if not isinstance(values, list) or [type(v) for v in values] != list(kinds) or not _usable(values):
        raise Refusal("bad-cursor", f"`{after[:60]}` is no cursor of this list. Follow `next` of a page.")
    return tuple(values)


def instant_of(text: str) -> datetime:
    """Return the instant of a cursor; raise Refusal for one that was not given out here."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refusal("bad-cursor", "This is no cursor of this list. Follow `next` of a page.") from error


def _usable(values: list[Any]) -> bool:
    """Tell whether a database can be asked with these values."""
    texts = [value for value in values if isinstance(value, str)]
    return all(v.isprintable() for v in texts) and all(abs(v) < 2**62 for v in values if isinstance(v, int))


def page_of(
    path: str, rows: Sequence[R], limit: int, key: Callable[[R], tuple[Any, ...]],
    asked: Mapping[str, Any] | None = None,
) -> str | None:  # fmt: skip
    """Return the path of the next page; None when this was the last."""
    if len(rows) < limit:
        return None
    text = base64.urlsafe_b64encode(json.dumps(list(key(rows[-1]))).encode()).decode().rstrip("=")
    query = {name: value for name, value in (asked or {}).items() if value not in ("", None)}
    return f"{path}?{urlencode(query | {'limit': limit, 'after': text})}"
