"""The audit chain: each link holds the hash of the one before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import bindparam, sql
from sqlmodel import Session, col, select

from api.storage.dialect import add_many
from api.storage.tables import AuditHeadRow, AuditRow, table_of

_PAGE = 5_000
_HEADS = table_of(AuditHeadRow)
_HEAD = sql.select(_HEADS.c.seq, _HEADS.c.hash).where(_HEADS.c.id == 1).with_for_update()
_MOVE = sql.update(_HEADS).where(_HEADS.c.id == 1).values(seq=bindparam("to"), hash=bindparam("as_of"))
_LINKS = table_of(AuditRow)


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says: at which business instant what kind of thing was kept, and its digest."""

    at: datetime
    kind: str
    subject: str
    digest: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A link that does not follow from the one before it."""

    seq: int
    why: str


def link_hash(prev: str, seq: int, link: Link) -> str:
    """Return the hash of a link: sha256 over the one before, its place and what it says."""
    at = link.at.astimezone(UTC).isoformat(timespec="microseconds")
    text = "\n".join((prev, str(seq), at, link.kind, link.subject, link.digest))
    return hashlib.sha256(text.encode()).hexdigest()


def append(session: Session, links: Sequence[Link]) -> None:
    """Add links to the chain; holds the head until the transaction ends, so call it last."""
    if not links:
        return
    connection = session.connection()
    seq, prev = connection.execute(_HEAD).one()
    rows = []
    for link in links:
        seq += 1
        value = link_hash(prev, seq, link)
        rows.append(
            {"seq": seq, "at": link.at, "kind": link.kind, "subject": link.subject}
            | {"digest": link.digest, "prev": prev, "hash": value}
        )
        prev = value
    add_many(connection, _LINKS, rows)
    connection.execute(_MOVE, {"to": seq, "as_of": prev})


def links(session: Session, after: int = 0) -> Iterator[AuditRow]:
    """Read the chain in order, after a place."""
    while True:
        query = select(AuditRow).where(col(AuditRow.seq) > after).order_by(col(AuditRow.seq)).limit(_PAGE)
        rows = session.exec(query).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1].seq
        session.expunge_all()


def verify(session: Session) -> tuple[int, Broken | None]:
    """Walk the whole chain; return its length and the first link that does not follow."""
    seq, prev = 0, ""
    for row in links(session):
        said = Link(row.at, row.kind, row.subject, row.digest)
        if row.seq != seq + 1:
            return seq, Broken(seq + 1, f"link {seq + 1} is missing; the next one is {row.seq}")
        if row.prev != prev:
            return seq, Broken(row.seq, f"link {row.seq} does not hold the hash of link {seq}")
        if row.hash != link_hash(prev, row.seq, said):
            return seq, Broken(row.seq, f"link {row.seq} was changed: `{row.kind}` of `{row.subject}`")
        seq, prev = row.seq, row.hash
    head = session.get(AuditHeadRow, 1)
    if head is None or (head.seq, head.hash) != (seq, prev):
        return seq, Broken(seq + 1, f"the chain ends at link {seq}, its head says {head.seq if head else 0}")
    return seq, None
