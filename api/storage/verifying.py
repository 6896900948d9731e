"""Whether a database is whole: its schema, its integrity, the audit chain, and what the chain speaks of."""

from __future__ import annotations

from collections.abc import Iterator

from alembic.migration import MigrationContext
from sqlalchemy import select as choose
from sqlalchemy import text
from sqlmodel import Session, select

from api.storage import audit
from api.storage.migrate import differences, head_revision
from api.storage.session import Database
from api.storage.tables import AuditRow, DecisionRow, EntryRow, TextRow, table_of
from engine.model import digest_bytes

_PAGE = 2_000
_SHOWN = 20
"""How many of one kind of finding are told one by one."""


def findings(database: Database) -> Iterator[str]:
    """Return what is wrong with a database, in sentences; nothing: it is whole.

    Every body is held against its digest, and every digest against the link of the audit chain that was
    written with it.
    """
    with database.engines.read.connect() as connection:
        found, head = MigrationContext.configure(connection).get_current_revision(), head_revision(database)
        if found != head:
            yield f"The schema is at `{found}`, this version needs `{head}`: run `forbear db upgrade`."
            return
        if database.engines.name == "sqlite":
            rows = connection.execute(text("PRAGMA integrity_check")).scalars().all()
            yield from (f"SQLite says: {row}." for row in rows if row != "ok")
            strays = connection.execute(text("PRAGMA foreign_key_check")).all()
            yield from (f"A row of `{stray[0]}` points to nothing in `{stray[2]}`." for stray in strays)
    if drift := differences(database):
        yield f"The schema is not the one of this version: {str(drift[0])[:200]}."
    with database.read() as session:
        _, broken = audit.verify(session)
        if broken is not None:
            yield f"The audit chain breaks: {broken.why}."
        yield from _some(_bodies(session))
        yield from _some(_texts(session))
        yield from _some(_unlinked(session))


def _some(all_of_them: Iterator[str]) -> Iterator[str]:
    """Return the first of one kind, and how many more there are."""
    count = 0
    for one in all_of_them:
        count += 1
        if count <= _SHOWN:
            yield one
    if count > _SHOWN:
        yield f"... and {count - _SHOWN:,} more of this kind."


def _bodies(session: Session) -> Iterator[str]:
    table = table_of(EntryRow)
    query = choose(table.c.account, table.c.kind, table.c.ref, table.c.body, table.c.digest)
    for row in session.connection().execution_options(yield_per=_PAGE).execute(query):
        if digest_bytes(row.body.encode()) != row.digest:
            yield f"The {row.kind} `{row.ref}` of account `{row.account}` is not what was stored."


def _texts(session: Session) -> Iterator[str]:
    for row in session.exec(select(TextRow)):
        if digest_bytes(row.body) != row.digest:
            yield f"The text `{row.digest}` on the shelf is not what was published."


def _unlinked(session: Session) -> Iterator[str]:
    """Return entries and decisions whose digest is not the one in the audit chain, or has no link."""
    run = session.connection().execution_options(yield_per=_PAGE).execute
    links = table_of(AuditRow)
    entries = table_of(EntryRow)
    name = entries.c.account + "/" + entries.c.kind + "/" + entries.c.ref
    both = (links.c.kind == "entry") & (links.c.subject == name) & (links.c.digest == entries.c.digest)
    joined = entries.outerjoin(links, both)
    for row in run(choose(name.label("name")).select_from(joined).where(links.c.seq.is_(None))):
        yield f"The entry `{row.name}` has no link in the audit chain that says what it says."
    decisions = table_of(DecisionRow)
    both = (links.c.kind == "decision") & (links.c.subject == decisions.c.id)
    query = choose(decisions.c.id, decisions.c.body, links.c.digest)
    for row in run(query.select_from(decisions.outerjoin(links, both))):
        if row.digest != digest_bytes(row.body.encode()):
            yield f"The decision `{row.id}` is not what was stored."
