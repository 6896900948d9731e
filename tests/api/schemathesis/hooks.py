"""What schemathesis has to be told: how lines and sheets are sent, and of what a part is no whole."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson", "text/csv", "message/rfc822")
def lines(ctx: schemathesis.SerializationContext, value: Any) -> bytes:
    """Send what was made up as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def map_query(ctx: schemathesis.HookContext, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """Ask for whole things: one of which only some `fields` were asked for is not what its schema says."""
    if query:
        query.pop("fields", None)
    return query
