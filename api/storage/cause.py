"""What caused a write: the trace and the correlation id of the call, kept with what it leads to."""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple


class Cause(NamedTuple):
    """The trace (W3C Trace Context) and the id by which a caller finds its own doings again; empty: none."""

    traceparent: str = ""
    correlation: str = ""


CAUSE: ContextVar[Cause] = ContextVar("CAUSE", default=Cause())  # noqa: B039 - a tuple of texts
"""The cause of what is done now; set by the gate for each call."""
