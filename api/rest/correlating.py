"""Which call this is: `traceparent` (W3C Trace Context) and `X-Correlation-ID`, read, and given back."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from api.storage.cause import Cause

HEADER = b"x-correlation-id"
_TRACE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]*)?")
_ID = re.compile(r"[!-~]{1,128}")


def cause_of(headers: Mapping[str, str]) -> Cause:
    """Return what caused a call; what cannot be read is left out, as W3C says, and an id is always there."""
    trace = headers.get("traceparent", "").strip()
    if len(trace) > 200 or not _TRACE.fullmatch(trace):
        trace = ""
    given = headers.get("x-correlation-id", "").strip()
    if not _ID.fullmatch(given):
        given = trace[3:35] or secrets.token_hex(16)
    return Cause(trace[:55], given)
