"""Gathers what an auditor needs: runs, their texts, decisions of reviews, alerts, the head of the chain."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select
from temporalio.api.history.v1 import History

from api.evidence.bundle import AuditHead, Contents
from api.evidence.exporter import Exporter
from api.storage.actions import NO_CASE
from api.storage.decisions import record_of
from api.storage.depositing import is_deposit
from api.storage.evidence import SqlEvidence
from api.storage.session import Database
from api.storage.tables import ActionRow, AuditHeadRow, DecisionRow, PolicyRow, RunRow, TextRow
from api.storage.watch_alerts import get_alert, record_of_alert
from api.storage.watch_tables import WatchAlertRow
from engine.credit.finish import ENGINE
from engine.ladder.before_due import is_reminder
from engine.model import canonical, digest_bytes
from engine.policy import Manifest
from workflows import effects, ids
from workflows.audit.auditing import Exported
from workflows.audit.structure import is_closed
from workflows.audit.values import read_values
from workflows.messages import DepositRecord, PageRequest, PageResult, ReminderRecord
from workflows.recorded import recorded_digest

_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
_Looks = tuple[type[ReminderRecord | DepositRecord], Callable[[str], bool], Iterable[tuple[str, str]]]
AT_ONCE = 8
_SWEEPS = f"{ids.sweep_id().partition('/')[0]}/"


@dataclass(frozen=True)
class Gatherer:
    """Reads evidence from the store, and from Temporal what has not ended yet."""

    database: Database
    evidence: SqlEvidence
    exporter: Exporter | None = None
    """None: only what was exported; nothing is asked of Temporal."""

    async def gather(self, workflows: Sequence[str] = (), alerts: Sequence[str] | None = None) -> Contents:
        """Gather the runs of these workflows, or all and the alerts; what has not ended stands as of now.

        With `alerts` these alone, with the texts that raised them.
        """
        if alerts is not None:
            return await asyncio.to_thread(self._contents, [], alerts)
        rows = await asyncio.to_thread(self._rows, workflows)
        runs: list[tuple[Exported, bool]] = []
        for start in range(0, len(rows), AT_ONCE):
            found = await asyncio.gather(*(self._one(row) for row in rows[start : start + AT_ONCE]))
            runs += [run for run in found if run is not None]
        return await asyncio.to_thread(self._contents, runs, () if workflows else None)

    def _rows(self, workflows: Sequence[str]) -> list[RunRow]:
        with self.database.read() as session:
            if not workflows:
                return list(self.evidence.runs(session))
            return [row for name in workflows for row in self.evidence.runs(session, name)]

    async def _one(self, row: RunRow) -> tuple[Exported, bool] | None:
        if row.exported_at is not None:
            data = await asyncio.to_thread(self.evidence.read, row.digest)
            return Exported(row.workflow, row.run, data), True
        if self.exporter is None:
            return None
        data = await self.exporter.history(row.workflow, row.run)
        return Exported(row.workflow, row.run, data), is_closed(History.FromString(data).events)

    def _contents(self, runs: Sequence[tuple[Exported, bool]], asked: Sequence[str] | None) -> Contents:
        named: set[str] = set()
        for exported, _ in runs:
            named.update(mark.decode() for mark in _DIGEST.findall(exported.history))
        with self.database.read() as session:
            records = {
                chunk: lines
                for exported, _ in runs
                if exported.workflow.startswith(ids.review_id(""))
                for chunk, lines in _records(session, exported)
            }
            records |= {
                mark: [line]
                for exported, _ in runs
                if exported.workflow.startswith(_SWEEPS)
                for mark, line in looks_of_sweep(session, exported.history)
            }
            for lines in records.values():
                for line in lines:
                    named.update(mark.decode() for mark in _DIGEST.findall(line))
            alerts = _alerts(session, asked)
            for body in alerts.values():
                named.update(mark.decode() for mark in _DIGEST.findall(body))
            policies, texts = _texts(session, named)
            head = session.get(AuditHeadRow, 1)
        return Contents(
            runs=runs,
            policies=policies,
            texts=texts,
            records=records,
            alerts=alerts,
            audit=AuditHead(length=head.seq if head else 0, head=head.hash if head else ""),
            made_by=f"forbear {ENGINE}",
        )


def _texts(session: Session, named: set[str]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the manifests and texts of the shelf that were named, with the texts of those manifests."""
    manifests = {
        digest: Manifest.model_validate_json(body)
        for digest, body in session.exec(select(PolicyRow.digest, PolicyRow.manifest))
        if digest in named
    }
    wanted = named | {mark for made in manifests.values() for mark in made.texts.values()}
    known = [digest for digest in session.exec(select(TextRow.digest)) if digest in wanted]
    texts: dict[str, bytes] = {}
    for start in range(0, len(known), 500):
        some = select(TextRow).where(col(TextRow.digest).in_(known[start : start + 500]))
        texts |= {row.digest: row.body for row in session.exec(some)}
    return {digest: made.text for digest, made in manifests.items()}, texts


def _alerts(session: Session, asked: Sequence[str] | None) -> dict[str, bytes]:
    """Return alerts, all or those asked for, by the digest of their bytes, as in the audit chain."""
    query = select(WatchAlertRow).order_by(col(WatchAlertRow.as_of), WatchAlertRow.id)
    rows = session.exec(query) if asked is None else (get_alert(session, alert) for alert in asked)
    bodies = [canonical(record_of_alert(row)) for row in rows]
    return {digest_bytes(body): body for body in bodies}


def looks_of_sweep(session: Session, history: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the looks of a sweep at bills before their due date and at deposits, by the digests it states."""
    for effect in read_values(History.FromString(history).events, ()).effects:
        if effect.name == effects.OPEN_DUE and effect.result is not None:
            yield from looks_of_page(session, effect.request, effect.result)


def looks_of_page(session: Session, asked: PageRequest, page: PageResult) -> Iterator[tuple[str, bytes]]:
    """Yield the looks of one page of a sweep, by the digests that it states."""
    kinds: Sequence[_Looks] = (
        (ReminderRecord, is_reminder, page.reminded), (DepositRecord, is_deposit, page.deposited),
    )  # fmt: skip
    for kind, is_mine, told in kinds:
        for account, mark in told:
            mine = select(ActionRow.key, ActionRow.taken_before).where(
                ActionRow.account == account,
                ActionRow.number == NO_CASE,
                ActionRow.requested_at >= asked.at,
            )
            for key, body in session.exec(mine):
                if body and is_mine(key):
                    record = kind.model_validate_json(body)
                    if recorded_digest(record) == mark:
                        yield mark, canonical(record)


def _records(session: Session, exported: Exported) -> list[tuple[str, list[bytes]]]:
    """Return the decisions of each chunk of a review, as the chunk's digest was taken over them."""
    found = []
    for effect in read_values(History.FromString(exported.history).events, ()).effects:
        if effect.name != effects.GRADE_CHUNK or effect.result is None:
            continue
        run, chunk = effect.request.run, effect.result
        asked = col(DecisionRow.request)
        query = select(DecisionRow).where(
            asked > f"{run}/{effect.request.after}", asked <= f"{run}/{chunk.last}"
        )
        lines = [canonical(record_of(row)) for row in session.exec(query.order_by(asked))]
        found.append((chunk.decisions_digest, lines))
    return found
