"""A hash chain over everything a workflow consumes, so that no part of its history can be changed unseen.

Temporal's own replay compares kinds of commands, never what was in the results they led to. Each link
binds what came in to all that came before; the head goes out with every action, timer and result, where
strict replay compares it byte by byte.

No link may hold the workflow's clock or the length of its history: where a workflow task was extended
while a local activity ran, a replay reads both from the last extension, the first run from the first.
Instants come in with records and pokes.
"""

from __future__ import annotations

import hashlib
from typing import Any

from engine.model import canonical
from workflows.recorded import plain


def link(head: str, kind: str, data: Any) -> str:
    """Return the new head of the chain after one more thing was consumed: 64 hexadecimal digits.

    `data` is any value with a canonical text.
    """
    text = canonical({"data": plain(data), "kind": kind})
    return hashlib.sha256(head.encode() + b"\n" + text).hexdigest()


def running_digest(head: str, items: Any) -> str:
    """Return the digest over a sequence that can be taken up again from its last head."""
    for item in items:
        head = hashlib.sha256(head.encode() + b"\n" + canonical(plain(item))).hexdigest()
    return head
