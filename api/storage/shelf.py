"""The shelf of texts: by digest, for ever; which one is in force on a day is said by activations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from api.storage.marks import forget_marks
from api.storage.session import Database, Work
from api.storage.tables import ActivationRow, PolicyRow, TextRow
from engine.ladder import LawPack
from engine.model import digest, digest_bytes
from engine.policy import Manifest, Texts
from workflows.ports import PolicyNotFound, TextNotFound


@dataclass(frozen=True, slots=True)
class InForce:
    """Which text of a name is in force, and from which day on."""

    kind: str
    name: str
    digest: str
    effective_from: date


class SqlPolicyShelf:
    """The shelf behind the port `PolicyShelf`."""

    def __init__(self, database: Database, laws: Callable[[Session, str, date], LawPack]) -> None:
        self._database = database
        self._laws = laws

    def texts(self, policy: str) -> tuple[Manifest, dict[str, bytes]]:
        """Return the manifest and raw texts of the policy with this digest; raise PolicyNotFound."""
        with self._database.read() as session:
            return read_texts(session, policy)

    def text(self, digest: str) -> bytes:
        """Return one text by its digest; raise TextNotFound."""
        with self._database.read() as session:
            row = session.get(TextRow, digest)
        if row is None:
            raise TextNotFound(digest)
        return row.body

    def law(self, name: str, on: date) -> LawPack:
        """Return the law pack of that name in force on a day; raise PolicyNotFound."""
        with self._database.read() as session:
            return self._laws(session, name, on)

    def in_force(self, kind: str, name: str, on: date) -> InForce:
        """Return which text of a name is in force on a day; raise PolicyNotFound."""
        with self._database.read() as session:
            found = in_force(session, kind, name, on)
        if found is None:
            raise PolicyNotFound(f"{name} ({kind}, in force on {on})")
        return found


def put_on_shelf(
    work: Work, manifest: Manifest, texts: Texts, at: datetime, ends: date | None = None
) -> bool:
    """Keep a policy's manifest and the texts that it names; False if they were there.

    Raises ValueError if a text has other bytes than the manifest says.
    """
    for path, mark in manifest.texts.items():
        if path not in texts or digest_bytes(texts[path]) != mark:
            raise ValueError(f"the manifest of `{manifest.policy}` names other bytes of `{path}`")
        work.insert_once(TextRow, {"digest": mark, "body": texts[path]})
    row = {
        "digest": manifest.digest, "kind": manifest.kind, "name": manifest.policy,
        "version": manifest.version, "effective_from": manifest.effective_from, "effective_to": ends,
        "manifest": manifest.model_dump_json(), "published_at": at,
    }  # fmt: skip
    new = work.insert_once(PolicyRow, row) is not None
    if new:
        work.audit("publish", f"{manifest.kind}/{manifest.policy}", at, manifest.digest)
    return new


def activate(work: Work, policy: str, effective_from: date, at: datetime) -> bool:
    """Say from which day on a published policy is in force for its name; False if that was said last."""
    row = work.session.get(PolicyRow, policy)
    if row is None:
        raise PolicyNotFound(policy)
    said = select(ActivationRow).where(
        ActivationRow.kind == row.kind,
        ActivationRow.name == row.name,
        ActivationRow.effective_from == effective_from,
    )
    last = work.session.exec(said.order_by(col(ActivationRow.seq).desc()).limit(1)).one_or_none()
    if last is not None and last.policy == policy:
        return False
    values = {"kind": row.kind, "name": row.name, "effective_from": effective_from, "policy": policy}
    work.insert(ActivationRow, values | {"activated_at": at})
    forget_marks(work.session)
    told = digest({"policy": policy, "from": effective_from.isoformat()})
    work.audit("activate", f"{row.kind}/{row.name}", at, told)
    return True


def read_texts(session: Session, policy: str) -> tuple[Manifest, dict[str, bytes]]:
    """Return a policy's manifest and texts; raise PolicyNotFound or TextNotFound."""
    row = session.get(PolicyRow, policy)
    if row is None:
        raise PolicyNotFound(policy)
    manifest = Manifest.model_validate_json(row.manifest)
    bodies = select(TextRow).where(col(TextRow.digest).in_(list(manifest.texts.values())))
    found = {text.digest: text.body for text in session.exec(bodies)}
    missing = [mark for mark in manifest.texts.values() if mark not in found]
    if missing:
        raise TextNotFound(missing[0])
    return manifest, {path: found[mark] for path, mark in manifest.texts.items()}


@dataclass(frozen=True, slots=True)
class Words:
    """What was said of a name: each text and the day on which it ends, the latest first."""

    said: tuple[tuple[InForce, date | None], ...]

    def on(self, day: date) -> InForce | None:
        """Return which text is in force on a day; one that says when it ends only before that day."""
        for text, ends in self.said:
            if text.effective_from <= day and (ends is None or day < ends):
                return text
        return None


def words_of(session: Session, kind: str, name: str) -> Words:
    """Return what was said of a name: by the day from which it holds, the last word on each day."""
    query = (
        select(ActivationRow, PolicyRow)
        .where(ActivationRow.policy == PolicyRow.digest)
        .where(ActivationRow.kind == kind, ActivationRow.name == name)
        .order_by(col(ActivationRow.effective_from).desc(), col(ActivationRow.seq).desc())
    )
    last: dict[date, tuple[InForce, date | None]] = {}
    for said, text in session.exec(query):
        found = InForce(kind, name, said.policy, said.effective_from)
        last.setdefault(said.effective_from, (found, text.effective_to))
    return Words(tuple(last.values()))


def in_force(session: Session, kind: str, name: str, on: date) -> InForce | None:
    """Return which text of a name is in force on a day: the latest start, then the latest word on it."""
    return words_of(session, kind, name).on(on)


def names_of(session: Session, kind: str) -> Sequence[str]:
    """Return all names of a kind that were ever activated."""
    query = select(ActivationRow.name).where(ActivationRow.kind == kind).distinct()
    return session.exec(query.order_by(ActivationRow.name)).all()


def page_of_policies(
    session: Session, after: tuple[str, str, str], limit: int, kind: str = "", name: str = ""
) -> Sequence[PolicyRow]:
    """Return published policies after a cursor (kind, name, digest)."""
    query = select(PolicyRow)
    if kind:
        query = query.where(PolicyRow.kind == kind)
    if name:
        query = query.where(PolicyRow.name == name)
    first, second, third = after
    same_kind = col(PolicyRow.kind) == first
    same_name = same_kind & (col(PolicyRow.name) == second)
    later = (col(PolicyRow.kind) > first) | (same_kind & (col(PolicyRow.name) > second))
    query = query.where(later | (same_name & (col(PolicyRow.digest) > third)))
    return session.exec(query.order_by(PolicyRow.kind, PolicyRow.name, PolicyRow.digest).limit(limit)).all()


def activations_of(session: Session, policies: Sequence[str]) -> Mapping[str, list[date]]:
    """Return the days from which on each policy was activated."""
    query = select(ActivationRow).where(col(ActivationRow.policy).in_(list(policies)))
    found: dict[str, list[date]] = {}
    for row in session.exec(query.order_by(col(ActivationRow.effective_from))):
        found.setdefault(row.policy, []).append(row.effective_from)
    return found
