"""What a new text of a collections policy means for open cases: one that they cannot follow is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session, col, select

from api.storage.errors import PolicyRefused
from api.storage.library import usable
from api.storage.session import Work
from api.storage.shelf import in_force, read_texts
from api.storage.tables import AccountRow, ActivationRow, CaseRow, PolicyRow, table_of
from engine.ladder import CollectionsPolicy, load_collections
from engine.ladder.adopting import check_adoption
from engine.policy import Manifest, Texts
from engine.source import Problem

COLLECTIONS = "collections"


def refuse_unmapped(session: Session, made: Manifest, texts: Texts, today: date) -> None:
    """Refuse a text to which open cases would go over and could not; raise PolicyRefused.

    Asked are the texts that open cases are bound to, those in force today and on the day before it comes
    into force, and, the other way round, the texts that are to follow it.
    """
    if made.kind != COLLECTIONS:
        return
    main = "policy.yaml" if "policy.yaml" in texts else next(iter(texts))
    new = usable(load_collections(texts, main), dict(texts))
    found: dict[str, Problem] = {}
    for old in _before(session, made, today):
        if old != made.digest:
            found |= {problem.message: problem for problem in check_adoption(_read(session, old), new)}
    for later in _after(session, made):
        if later != made.digest:
            found |= {problem.message: problem for problem in check_adoption(new, _read(session, later))}
    if found:
        sources = {path: body.decode("utf-8", "replace") for path, body in texts.items()}
        raise PolicyRefused(tuple(found.values()), sources)


def wake_followers(work: Work, made: Manifest, at: datetime) -> None:
    """Make the accounts due whose open cases go over to a text when it comes into force."""
    if made.kind != COLLECTIONS:
        return
    followed = [
        digest
        for digest in _bound(work.session, made.policy)
        if digest != made.digest and _read(work.session, digest).case.binding == "adopt"
    ]
    if not followed:
        return
    accounts = table_of(AccountRow)
    mine = select(CaseRow.account).where(CaseRow.state == "open", col(CaseRow.policy).in_(followed))
    due = accounts.update().where(accounts.c.id.in_(mine)).values(watch_on=at)
    work.session.connection().execute(due)


def _before(session: Session, made: Manifest, today: date) -> list[str]:
    days = (today, made.effective_from)
    forces = (in_force(session, COLLECTIONS, made.policy, day) for day in days)
    return list(dict.fromkeys([*_bound(session, made.policy), *(one.digest for one in forces if one)]))


def _after(session: Session, made: Manifest) -> list[str]:
    later = select(ActivationRow.policy).where(
        ActivationRow.kind == COLLECTIONS,
        ActivationRow.name == made.policy,
        col(ActivationRow.effective_from) > made.effective_from,
    )
    first = session.exec(later.order_by(col(ActivationRow.effective_from), col(ActivationRow.seq).desc()))
    found = first.first()
    return [found] if found else []


def _bound(session: Session, name: str) -> Sequence[str]:
    """Return the texts of a name that open cases are bound to."""
    query = select(CaseRow.policy).where(CaseRow.state == "open", CaseRow.policy == PolicyRow.digest)
    return session.exec(query.where(PolicyRow.name == name).distinct()).all()


def _read(session: Session, digest: str) -> CollectionsPolicy:
    _, texts = read_texts(session, digest)
    return usable(load_collections(texts), texts)
