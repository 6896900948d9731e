"""The audit of a bundle, on as many processors as there are."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from api.evidence.bundle import open_bundle
from api.evidence.signing import fingerprint
from api.pooling import end_with_the_caller
from workflows.audit.alerting import alerts_again
from workflows.audit.auditing import AuditedRun, Bundle, Exported, audited_runs, concluded
from workflows.audit.report import AuditReport, Finding

FEW = 24
"""Below this number of runs further processes are not worth their start."""


def audit_bundle(
    source: Path | bytes,
    *,
    accept_simulated: bool = False,
    public_key: bytes | None = None,
    processes: int = 0,
) -> AuditReport:
    """Audit a bundle: its form and signature, every run, every decision.

    `public_key` (PEM) is the key the auditor was told elsewhere; without it the report names the key that
    came with the bundle. `processes` 0 uses all processors. Everything wrong is in the report; raises
    NoBundle only if there is nothing to audit.
    """
    opened = open_bundle(source)
    findings = list(opened.findings)
    trusted = public_key is not None and opened.signed_by == fingerprint(public_key)
    if public_key is not None and not trusted:
        findings.append(
            Finding("public-key.pem", "signature", "the bundle is not signed by the key that you gave")
        )
    runs = _all_runs(opened.bundle, processes or os.cpu_count() or 1)
    findings += [
        Finding(f"{run.report.workflow} run {run.report.run}", "runs", "it has ended, and its end is missing")
        for run in runs
        if not run.report.closed and run.report.run in opened.closed
    ]
    report = concluded(runs, accept_simulated=accept_simulated)
    notes = [f"Signed by {opened.signed_by}."] if opened.signed_by else []
    if opened.audit.length:
        notes.append(f"The audit chain had {opened.audit.length} links; its head is {opened.audit.head}.")
    return replace(
        report,
        findings=(*findings, *report.findings),
        notes=(*notes, *report.notes),
        alerts=tuple(
            alerts_again(opened.bundle.alerts, opened.bundle.texts, opened.bundle.windows),
        ),
        trusted=trusted,
        signed_by=opened.signed_by,
    )


def _all_runs(bundle: Bundle, processes: int) -> list[AuditedRun]:
    if processes == 1 or len(bundle.histories) < FEW:
        return _runs(bundle)
    shares = _shares(bundle.histories, processes)
    parts = [replace(bundle, histories=share) for share in shares]
    # Spawned, not forked: Temporal's core has threads, which a fork would lose.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(parts), context, end_with_the_caller) as pool:
        found = {
            (run.report.workflow, run.report.run): run for part in pool.map(_runs, parts) for run in part
        }
    return [found[exported.workflow, exported.run] for exported in bundle.histories]


def _shares(histories: Sequence[Exported], processes: int) -> list[list[Exported]]:
    """Deal the histories out, the largest first, so that all are done at about the same time."""
    shares: list[list[Exported]] = [[] for _ in range(processes)]
    sizes = [0] * processes
    for exported in sorted(histories, key=lambda e: -len(e.history)):
        least = sizes.index(min(sizes))
        shares[least].append(exported)
        sizes[least] += len(exported.history)
    return [share for share in shares if share]


def _runs(bundle: Bundle) -> list[AuditedRun]:
    return asyncio.run(audited_runs(bundle))
