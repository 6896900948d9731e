"""Imports into a ledger in memory."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from api.importer import FileMapping, ImportReport, OfflineLedger, load_mapping, run_import

AT = datetime(2026, 6, 30, 12, tzinfo=UTC)


def mapping(text: str) -> FileMapping:
    """Return a mapping that is known to be good."""
    loaded = load_mapping(text.encode(), "m.yaml")
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


def check(using: str, data: str | bytes, **options: object) -> tuple[ImportReport, OfflineLedger]:
    """Import a file into nothing but memory."""
    ledger = OfflineLedger(AT)
    source = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return run_import(mapping(using), source, ledger.post, **options), ledger  # type: ignore[arg-type]  # names of the test
