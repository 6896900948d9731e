"""A hash chain over everything a workflow consumes, so that no part of its history can be changed unseen.

Temporal's own replay compares kinds of commands, never what was in the results they led to. Each link
binds what came in, the instant of the workflow's clock and how many events the history had by then; the
head goes out with every action and every result, where strict replay compares it byte by byte.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from engine.model import canonical


def link(head: str, kind: str, at: datetime, events: int, data: Any) -> str:
    """Return the new head of the chain after one more thing was consumed.

    `at` is the workflow's own time, `events` the length of its history at that moment; `data` is any
    value with a canonical text. The head is 64 hexadecimal digits.
    """
    text = canonical({"at": at, "data": data, "events": events, "kind": kind})
    return hashlib.sha256(head.encode() + b"\n" + text).hexdigest()


def running_digest(head: str, items: Any) -> str:
    """Return the digest over a sequence that can be taken up again from its last head."""
    for item in items:
        head = hashlib.sha256(head.encode() + b"\n" + canonical(item)).hexdigest()
    return head
