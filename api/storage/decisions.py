"""Credit decisions with their traces, once for each request."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import bindparam, sql
from sqlmodel import Session, col, select

from api.storage.customers import note_grades
from api.storage.errors import AlreadyThere
from api.storage.evidence import note_runs
from api.storage.joining import Joining
from api.storage.pokes import poke_open_cases
from api.storage.regrading import Regrading
from api.storage.session import Database, Work
from api.storage.tables import DecisionRow, ReviewChunkRow, table_of
from api.storage.watch_actions import note_decisions, note_refusal
from engine.credit.decision import Decision, DecisionTrace
from engine.model import canonical, digest_bytes
from workflows.messages import AssessmentRecord, AssessmentRequest, ReviewChunk
from workflows.recorded import recorded_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DECISIONS = table_of(DecisionRow)
# Made once: it is asked for each assessment, where making a statement costs more than running it.
_OF_REQUEST = sql.select(_DECISIONS.c.body, _DECISIONS.c.trace).where(
    _DECISIONS.c.request == bindparam("asked")
)
_Trace: TypeAdapter[tuple[DecisionTrace, ...]] = TypeAdapter(tuple[DecisionTrace, ...])
_REMEMBERED = 64
"""So many decisions, some 6 KiB each, are at hand for those who ask for them as soon as they are taken."""
Decided = Callable[[Work, Sequence[AssessmentRecord]], None]
"""Told of new decisions in the transaction that keeps them, last."""


class _Kept(NamedTuple):
    """A decision that is to be kept, with the text of its trace and the run in which it was taken."""

    record: AssessmentRecord
    trace: bytes
    run: tuple[str, str] | None = None


class SqlDecisionBook:
    """Decisions behind the port `DecisionBook`."""

    def __init__(
        self, database: Database, regrading: Regrading, decided: Decided = lambda work, records: None
    ) -> None:  # fmt: skip
        self._database = database
        self._regrading = regrading
        self._decided = decided
        self._recent: dict[str, tuple[str, bytes]] = {}
        self._remembering = Lock()
        # Two of one customer in one transaction would be one change of the grade, not two.
        self._joined = Joining(self._keep, lambda kept: kept.record.customer or None)

    def find(self, request: str) -> AssessmentRecord | None:
        """Return the decision already taken for a request."""
        with self._database.read() as session:
            row = session.connection().execute(_OF_REQUEST, {"asked": request}).one_or_none()
            return _record(row.body, row.trace) if row else None

    def recent(self, request: str) -> AssessmentRecord | None:
        """Return a decision that this process has just kept, without asking the database, or None."""
        with self._remembering:
            found = self._recent.get(request)
        return _record(*found) if found else None

    def keep(
        self, record: AssessmentRecord, trace: bytes, run: tuple[str, str] | None = None
    ) -> AssessmentRecord:
        """Keep a decision and register its run, and return the one that counts for its request.

        That is another one if one was stored before. Decisions that are kept at the same time share a
        transaction; each is committed when this returns.
        """
        return self._joined(_Kept(record, trace, run))

    def record(self, records: Iterable[AssessmentRecord]) -> None:
        """Keep decisions with their traces in one transaction; what was stored first stays.

        A grade that is new for its customer becomes a fact that treatment reads, and pokes open cases.
        """
        self._keep([_Kept(record, recorded_text(record.decision.trace)) for record in records])

    def _keep(self, asked: Sequence[_Kept]) -> list[AssessmentRecord]:
        with self._database.write() as work:
            note_runs(work, [(*kept.run, "assessment", kept.record.at) for kept in asked if kept.run])
            first = {kept.record.request: kept for kept in reversed(asked)}
            made = [(kept.record, _row(kept)) for kept in asked if first[kept.record.request] is kept]
            new = work.insert_each_once(DecisionRow, [row for _, row in made])
            fresh = [(record, row) for record, row in made if (record.id,) in new]
            for record, row in fresh:
                work.audit("decision", record.id, record.at, digest_bytes(row["body"].encode()))
            records = [record for record, _ in fresh]
            note_decisions(work, [(record.request, record.id, record.at) for record in records])
            for customer, at in note_grades(work, records).items():
                poke_open_cases(work, customer, "grade", at)
            self._decided(work, records)
            self._regrading.decided(work, records)
        for record, row in fresh[-_REMEMBERED:]:
            self._remember(record.request, row)
        counts = {record.request: record for record in records}
        return [counts.get(kept.record.request) or self._stored(kept.record) for kept in asked]

    def _remember(self, request: str, row: Mapping[str, Any]) -> None:
        with self._remembering:
            self._recent[request] = (row["body"], row["trace"])
            while len(self._recent) > _REMEMBERED:
                del self._recent[next(iter(self._recent))]

    def _stored(self, record: AssessmentRecord) -> AssessmentRecord:
        stored = self.find(record.request)
        if stored is None:
            raise AlreadyThere("decision", record.id, ["request"])
        return stored

    def refused(self, request: AssessmentRequest, why: str) -> None:
        """Tell a person, and the alert that asked, if one did, that there is no grade and why."""
        with self._database.write() as work:
            note_refusal(work, request.request, why, request.at)
            self._regrading.refused(work, request, why)

    def note_chunk(self, run: str, chunk: ReviewChunk) -> None:
        """Keep what a chunk of a review did; idempotent by run and cursor."""
        body = canonical(chunk)
        values = {"run": run, "last": chunk.last, "body": body.decode()}
        with self._database.write() as work:
            if work.insert_once(ReviewChunkRow, values):
                # A chunk carries no instant: it is told with that of the latest decision.
                latest = select(DecisionRow.at).order_by(col(DecisionRow.at).desc()).limit(1)
                at = work.session.exec(latest).one_or_none() or _EPOCH
                work.audit("review-chunk", f"{run}/{chunk.last}", at, digest_bytes(body))

    def chunks(self, run: str) -> list[ReviewChunk]:
        """Return what the chunks of a review did, in order."""
        query = select(ReviewChunkRow).where(ReviewChunkRow.run == run).order_by(ReviewChunkRow.last)
        with self._database.read() as session:
            return [ReviewChunk.model_validate_json(row.body) for row in session.exec(query)]


def _row(kept: _Kept) -> dict[str, Any]:
    record, decision = kept.record, kept.record.decision
    bare = record.model_copy(update={"decision": decision.model_copy(update={"trace": ()})})
    return {
        "id": record.id, "request": record.request, "customer": record.customer, "account": record.account,
        "policy": decision.digest, "name": decision.policy, "as_of": decision.as_of, "at": record.at,
        "status": decision.status, "grade": str(decision.outcome.get("grade") or ""),
        "body": canonical(bare).decode(), "trace": zlib.compress(kept.trace, 1),
    }  # fmt: skip


def record_of(row: DecisionRow) -> AssessmentRecord:
    """Return a stored decision whole, as it was recorded."""
    return _record(row.body, row.trace)


def _record(body: str, deflated: bytes) -> AssessmentRecord:
    record = AssessmentRecord.model_validate_json(body)
    trace = _Trace.validate_json(zlib.decompress(deflated))
    decision: Decision = record.decision.model_copy(update={"trace": trace})
    return record.model_copy(update={"decision": decision})


def page_of_decisions(
    session: Session, after: tuple[datetime, str] | None, limit: int, customer: str = "", account: str = ""
) -> Sequence[DecisionRow]:
    """Return decisions after a cursor (at, id), oldest first."""
    query = select(DecisionRow)
    if customer:
        query = query.where(DecisionRow.customer == customer)
    if account:
        query = query.where(DecisionRow.account == account)
    if after:
        at, last = after
        later = (col(DecisionRow.at) > at) | ((col(DecisionRow.at) == at) & (col(DecisionRow.id) > last))
        query = query.where(later)
    return session.exec(query.order_by(col(DecisionRow.at), DecisionRow.id).limit(limit)).all()
