"""Every single change to a real history is found, even by a forger who can sign."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest
from temporalio.api.history.v1 import HistoryEvent

from api.evidence.bundle import open_bundle
from tests.workflows.scenarios import FIXTURES
from tests.workflows.tampering import Tampering, every_event, every_leaf
from workflows.audit.auditing import AuditedRun, Bundle, audited_runs
from workflows.audit.shapes import SERVERS_OWN
from workflows.audit.structure import name_of

# What only Temporal and its workers know, and no rule can tell: the signature over the file vouches for it.
SIGNED_ONLY = {
    f"{name_of(HistoryEvent(event_type=kind))}/{name}"  # type: ignore[arg-type]  # a number of the enumeration
    for kind, names in SERVERS_OWN.items()
    for name in names
} | {
    "MARKER_RECORDED/details.data.payloads",
    "ACTIVITY_TASK_SCHEDULED/task_queue.kind",
    "WORKFLOW_EXECUTION_STARTED/task_queue.kind",
}  # fmt: skip
MOVED_CLOCK = (
    "dropped WORKFLOW_EXECUTION_OPTIONS_UPDATED renumbered",
    "dropped WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED renumbered",
)
OF_ANY_EVENT = ("event_time", "task_id")


def bundle(name: str) -> Bundle:
    return open_bundle(FIXTURES / f"{name}.zip").bundle


def missed(whole: Bundle, which: int, tamperings: list[Tampering]) -> list[Tampering]:
    """Return the changes after which a run still looks proved and ended."""
    exported = whole.histories[which]
    forged = [replace(exported, history=t.on(exported.history)) for t in tamperings]
    assert all(f.history != exported.history for f in forged)
    runs = asyncio.run(audited_runs(replace(whole, histories=forged)))
    return [t for t, run in zip(tamperings, runs, strict=True) if proved(run)]


def proved(run: AuditedRun) -> bool:
    report = run.report
    return report.closed and not report.findings and all(v.verdict == "agrees" for v in report.verdicts)


def vouched_for_by_signature(what: str) -> bool:
    _, _, path = what.partition("/")
    return path.startswith(OF_ANY_EVENT) or any(
        what == name or what.startswith((f"{name}.", f"{name}/")) for name in SIGNED_ONLY
    )


@pytest.mark.parametrize(
    "name",
    [
        "ArrearsCase/paid_at_once",
        "Assessment/decided",
        "Assessment/facts_refused",
        "Assessment/named",
        "Assessment/named_refused",
        "AccountSweep/due",
    ],
)
def test_every_changed_leaf_is_found(name: str) -> None:
    whole = bundle(name)
    changes = list(every_leaf(whole.histories[0].history))
    assert len(changes) > 80
    unseen = {t.what for t in missed(whole, 0, changes) if not vouched_for_by_signature(t.what)}
    assert not unseen


@pytest.mark.parametrize("name", ["PortfolioReview/book", "ArrearsCase/withdrawn_in_time"])
def test_changed_leaves_of_long_histories_are_found(name: str) -> None:
    whole = bundle(name)
    everything = list(every_leaf(whole.histories[0].history))
    changes = random.Random(20261121).sample(everything, 120)
    unseen = {t.what for t in missed(whole, 0, changes) if not vouched_for_by_signature(t.what)}
    assert not unseen


def test_changed_leaves_of_a_run_that_was_continued_are_found() -> None:
    whole = bundle("ArrearsCase/cured_after_suspension")
    for which in (0, 1):
        everything = [
            t for t in every_leaf(whole.histories[which].history) if not vouched_for_by_signature(t.what)
        ]
        changes = random.Random(which).sample(everything, 60)
        assert not {t.what for t in missed(whole, which, changes)}


@pytest.mark.parametrize(
    "name",
    ["ArrearsCase/withdrawn_in_time", "Assessment/named", "PortfolioReview/book", "AccountSweep/due"],
)
def test_every_dropped_added_and_exchanged_event_is_found(name: str) -> None:
    whole = bundle(name)
    changes = list(every_event(whole.histories[0].history))
    unseen = {t.what for t in missed(whole, 0, changes)}
    # Whether somebody moved the clock is told by these events alone, beside the offset in the input.
    assert not {what for what in unseen if not what.startswith(MOVED_CLOCK)}
