"""The demo audits itself: exports every history into a signed bundle, and proves it from the bundle alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

from temporalio.client import Client

from api.evidence.auditing import audit_bundle
from api.evidence.bundle import bundle_files, write_bundle
from api.evidence.exporter import Exporter
from api.evidence.gathering import Gatherer
from api.evidence.signing import public_pem, signing_key
from api.settings import Settings
from api.wiring import build
from workflows.audit.report import AuditReport

BUNDLE = "evidence.zip"


async def prove(settings: Settings, client: Client, folder: Path) -> AuditReport:
    """Export, bundle and audit everything that ran."""
    wiring = build(settings)
    try:
        exporter = Exporter(client, wiring.evidence, wiring.database, wiring.clock.now)
        await exporter.export_closed()
        contents = await Gatherer(wiring.database, wiring.evidence, exporter).gather()
    finally:
        wiring.close()
    key = signing_key(folder)
    files = bundle_files(contents, key)
    await asyncio.to_thread(write_bundle, folder / BUNDLE, files)
    return await asyncio.to_thread(
        audit_bundle, folder / BUNDLE, accept_simulated=True, public_key=public_pem(key)
    )
