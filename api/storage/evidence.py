"""Evidence: histories by digest, kept for longer than Temporal keeps them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, select

from api.storage.asking import row_of
from api.storage.errors import NotFound
from api.storage.session import Database, Work
from api.storage.tables import RunRow
from engine.model import digest_bytes


class SqlEvidence:
    """The register of runs in the database, and the exported bytes in files named by their digest."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def register(self, workflow: str, run: str, kind: str, at: datetime) -> None:
        """Note that a run exists and must be exported before retention; idempotent."""
        with self._database.write() as work:
            note_runs(work, [(workflow, run, kind, at)])

    def keep(self, data: bytes) -> str:
        """Keep bytes as a file named by their digest; return the digest. The same bytes are kept once."""
        name = digest_bytes(data)
        path = self._path(name)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            with beside.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        return name

    def read(self, digest: str) -> bytes:
        """Return kept bytes; raise NotFound if they are gone, and ValueError if they were changed."""
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError:
            raise NotFound("evidence", digest) from None
        if digest_bytes(data) != digest:
            raise ValueError(f"The evidence `{digest}` was changed after it was kept.")
        return data

    def exported(self, workflow: str, run: str, digest: str, at: datetime) -> None:
        """Note that a run was exported, with a link in the audit chain; idempotent."""
        with self._database.write() as work:
            row = row_of(work.session, RunRow, workflow, run)
            if row is None:
                raise NotFound("run", f"{workflow}#{run}")
            if row.digest == digest:
                return
            row.exported_at, row.digest = at, digest
            work.session.add(row)
            work.audit("export", f"{workflow}#{run}", at, digest)

    def unexported(self, limit: int, after: tuple[str, str] = ("", "")) -> Sequence[RunRow]:
        """Return runs that were not exported yet, after a cursor (workflow, run)."""
        later = (col(RunRow.workflow) > after[0]) | (
            (col(RunRow.workflow) == after[0]) & (col(RunRow.run) > after[1])
        )
        query = select(RunRow).where(col(RunRow.exported_at).is_(None), later)
        with self._database.read() as session:
            return session.exec(query.order_by(RunRow.workflow, RunRow.run).limit(limit)).all()

    def runs(self, session: Session, workflow: str = "") -> Sequence[RunRow]:
        """Return all runs, of one workflow if one is named, oldest first."""
        query = select(RunRow)
        if workflow:
            query = query.where(RunRow.workflow == workflow)
        return session.exec(query.order_by(col(RunRow.registered_at), RunRow.workflow, RunRow.run)).all()

    def oldest_unexported(self) -> datetime | None:
        """Return when the oldest run that is not exported was registered."""
        query = select(RunRow.registered_at).where(col(RunRow.exported_at).is_(None))
        with self._database.read() as session:
            return session.exec(query.order_by(col(RunRow.registered_at)).limit(1)).one_or_none()

    def _path(self, digest: str) -> Path:
        name = digest.removeprefix("sha256:")
        if len(name) != 64 or not all(c in "0123456789abcdef" for c in name):
            raise NotFound("evidence", digest)
        return self._folder / name[:2] / name


def note_runs(work: Work, runs: Iterable[tuple[str, str, str, datetime]]) -> None:
    """Register runs (workflow, run, kind, instant) with what else a transaction writes; idempotent."""
    asked = {(workflow, run): (kind, at) for workflow, run, kind, at in runs}
    rows = [
        {"workflow": workflow, "run": run, "kind": kind, "registered_at": at, "digest": ""}
        for (workflow, run), (kind, at) in asked.items()
    ]
    new = work.insert_each_once(RunRow, rows)
    for (workflow, run), (_, at) in asked.items():
        if (workflow, run) in new:
            work.audit("run", f"{workflow}#{run}", at, "")
