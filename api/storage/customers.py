"""Customers, and the facts about them that grading and treatment read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from api.storage.asking import row_of
from api.storage.errors import AlreadyThere, CustomerNotFound
from api.storage.session import Work
from api.storage.tables import AccountRow, CustomerFactRow, CustomerRow, table_of
from engine.credit.decision import Fact
from engine.model import canonical, digest, digest_bytes
from workflows.messages import AssessmentRecord

_SAID = ("name", "segment", "since")
GRADE = "grade"
"""The fact that treatment reads from the latest decision."""


def add_customer(work: Work, values: Mapping[str, Any], at: datetime) -> tuple[CustomerRow, bool]:
    """Create a customer; return it, and False if the very same one was there.

    Raises AlreadyThere if it exists with other content.
    """
    found = work.session.get(CustomerRow, values["id"])
    if found is not None:
        differs = [name for name in _SAID if getattr(found, name) != values[name]]
        if differs:
            raise AlreadyThere("customer", found.id, differs)
        return found, False
    row = CustomerRow(**{name: values[name] for name in ("id", *_SAID)}, created_at=at)
    work.session.add(row)
    work.session.flush()
    work.audit("customer", row.id, at, digest({name: values[name] for name in ("id", *_SAID)}))
    return row, True


def rename(work: Work, row: CustomerRow, name: str, at: datetime) -> None:
    """Give a locked customer another name."""
    if name != row.name:
        row.name = name
        work.session.add(row)
        work.audit("customer-name", row.id, at, digest({"id": row.id, "name": name}))


def require_customer(session: Session, customer: str) -> CustomerRow:
    """Return a customer; raise CustomerNotFound."""
    row = row_of(session, CustomerRow, customer)
    if row is None:
        raise CustomerNotFound(customer)
    return row


def lock_customers(session: Session, customers: Sequence[str]) -> dict[str, CustomerRow]:
    """Return customers about whom nobody else can say anything until the transaction ends.

    Whoever adds a fact or an account holds them, so that each account's version counts every fact. Raises
    CustomerNotFound.
    """
    wanted = select(CustomerRow).where(col(CustomerRow.id).in_(list(customers))).order_by(CustomerRow.id)
    found = {row.id: row for row in session.exec(wanted.with_for_update())}
    missing = next((customer for customer in customers if customer not in found), None)
    if missing is not None:
        raise CustomerNotFound(missing)
    return found


def page_of_customers(session: Session, after: str, limit: int, segment: str = "") -> Sequence[CustomerRow]:
    """Return the customers after a cursor in order of id, of one segment if one is named."""
    query = select(CustomerRow).where(CustomerRow.id > after)
    if segment:
        query = query.where(CustomerRow.segment == segment)
    return session.exec(query.order_by(col(CustomerRow.id)).limit(limit)).all()


def set_facts(work: Work, said: Mapping[str, Mapping[str, Fact]], at: datetime) -> dict[str, list[str]]:
    """Add facts about customers; return the names of those that were new, by customer.

    A fact that was said before in the same words is not added again. The version of each of the
    customer's accounts rises with each new fact, as with an entry.
    """
    rows = [_fact_row(customer, name, fact, at) for customer in said for name, fact in said[customer].items()]
    lock_customers(work.session, list(said))
    known = _known_digests(work.session, list(said)) if rows else set()
    fresh = [row for row in rows if (row["customer"], row["digest"]) not in known]
    if not fresh:
        return {}
    work.insert(CustomerFactRow, fresh)
    new: dict[str, list[str]] = {}
    marks: dict[str, list[str]] = {}
    for row in fresh:
        new.setdefault(row["customer"], []).append(row["name"])
        marks.setdefault(row["customer"], []).append(row["digest"])
    for customer, digests in marks.items():
        work.audit("customer-facts", customer, at, digest(digests))
    _raise_versions(work, new)
    return new


def _fact_row(customer: str, name: str, fact: Fact, at: datetime) -> dict[str, Any]:
    value = canonical(fact.value)
    return {
        "customer": customer, "name": name, "value": value.decode(),
        "as_of": fact.as_of, "source": fact.source, "verified_by": fact.verified_by,
        "verified_at": fact.verified_at, "received_at": at, "digest": fact_digest(name, fact, value),
    }  # fmt: skip


def fact_digest(name: str, fact: Fact, value: bytes) -> str:
    """Return the digest of a fact under its name; `value` is its value's canonical text.

    It is that of the canonical text of name and fact, put together from parts of which most are the same for
    every customer of a load.
    """
    when = fact.verified_at
    before, after = _around(name, fact.as_of, fact.source, fact.verified_by, when, when and when.isoformat())
    return digest_bytes(before + value + after)


@lru_cache(maxsize=1024)
def _around(
    name: str, as_of: date | None, source: str, verified_by: str, verified_at: datetime | None,
    _written: str | None,  # two zones write one instant differently, and it would be found as the same
) -> tuple[bytes, bytes]:  # fmt: skip
    fact = Fact(value=None, as_of=as_of, source=source, verified_by=verified_by, verified_at=verified_at)
    said = {"name": name} | fact.model_dump(mode="json")
    first = canonical({key: said.pop(key) for key in ("as_of", "name", "source")})
    last = canonical({key: said[key] for key in ("verified_at", "verified_by")})
    return first[:-1] + b',"value":', b"," + last[1:]


def _known_digests(session: Session, customers: list[str]) -> set[tuple[str, str]]:
    query = select(CustomerFactRow.customer, CustomerFactRow.digest)
    return set(session.exec(query.where(col(CustomerFactRow.customer).in_(customers))))


def _raise_versions(work: Work, new: Mapping[str, Sequence[str]]) -> None:
    by_count: dict[int, list[str]] = {}
    for customer, names in new.items():
        by_count.setdefault(len(names), []).append(customer)
    accounts = table_of(AccountRow)
    # Taken in the order in which everybody takes them: an update of many takes them as it finds them.
    mine = accounts.select().where(accounts.c.customer.in_(list(new))).order_by(accounts.c.id)
    work.session.connection().execute(mine.with_only_columns(accounts.c.id).with_for_update())
    for count, customers in by_count.items():
        risen = accounts.update().where(accounts.c.customer.in_(customers))
        work.session.connection().execute(risen.values(version=accounts.c.version + count))


def note_grades(work: Work, records: Iterable[AssessmentRecord]) -> dict[str, datetime]:
    """Keep new grades as facts about their customers; return when each customer's grade changed.

    A decision as of a day before the one of which the grade is known changes nothing.
    """
    asked = [r for r in records if r.customer and isinstance(r.decision.outcome.get(GRADE), str)]
    graded = {r.customer: r for r in sorted(asked, key=lambda r: (r.decision.as_of, r.at))}
    if not graded:
        return {}
    last = _last_grades(work.session, list(graded))
    existing = work.session.exec(select(CustomerRow.id).where(col(CustomerRow.id).in_(list(graded)))).all()
    changed = [graded[c] for c in existing if _is_news(graded[c], last.get(c))]
    for at in sorted({record.at for record in changed}):
        set_facts(work, {r.customer: {GRADE: _grade(r)} for r in changed if r.at == at}, at)
    return {record.customer: record.at for record in changed}


def _last_grades(session: Session, customers: list[str]) -> dict[str, tuple[date, datetime, str]]:
    """Return the last word on each customer's grade: the day of which it speaks, when it came, and it."""
    row, last = CustomerFactRow, dict[str, tuple[date, datetime, str]]()
    known = select(row.customer, row.value, col(row.as_of), row.received_at).where(
        row.name == GRADE, col(row.customer).in_(customers)
    )
    for customer, value, as_of, received_at in session.exec(known.order_by(col(row.seq))):
        word = (as_of or received_at.date(), received_at, json.loads(value))
        if customer not in last or word[:2] >= last[customer][:2]:
            last[customer] = word
    return last


def _is_news(record: AssessmentRecord, last: tuple[date, datetime, str] | None) -> bool:
    decision = record.decision
    return last is None or (last[0] <= decision.as_of and last[2] != decision.outcome[GRADE])


def _grade(record: AssessmentRecord) -> Fact:
    decision = record.decision
    return Fact(value=decision.outcome[GRADE], as_of=decision.as_of, source=f"decision {record.id}")


class SaidFact(NamedTuple):
    """A stored fact as it is read: a row without the machinery of one that could be changed."""

    seq: int
    customer: str
    name: str
    value: str
    as_of: date | None
    source: str
    verified_by: str
    verified_at: datetime | None
    received_at: datetime


_TABLE = table_of(CustomerFactRow)
_FACTS = (
    _TABLE.select()
    .with_only_columns(*(_TABLE.c[name] for name in SaidFact._fields))
    .where(_TABLE.c.customer.in_(bindparam("customers", expanding=True)))
    .order_by(_TABLE.c.seq)
)
_FACTS_BY_THEN = _FACTS.where(_TABLE.c.received_at <= bindparam("at"))


def fact_rows(session: Session, customers: Iterable[str], at: datetime | None = None) -> list[SaidFact]:
    """Return the facts about customers known at an instant (None: now), in the order of becoming known."""
    asked: dict[str, Any] = {"customers": list(customers)}
    if at is not None:
        asked["at"] = at
    query = _FACTS if at is None else _FACTS_BY_THEN
    return [SaidFact._make(row) for row in session.connection().execute(query, asked)]


def latest_facts(rows: Iterable[SaidFact]) -> dict[str, Fact]:
    """Return the last word on each name: the latest day it speaks of, then the latest received."""
    found: dict[str, SaidFact] = {}
    for row in rows:
        other = found.get(row.name)
        if other is None or _when(row) >= _when(other):
            found[row.name] = row
    return {name: fact_of(row) for name, row in sorted(found.items())}


def day_of(row: SaidFact) -> date:
    """Return the day from which on a fact counts: of which it speaks, else on which it was told."""
    return row.as_of or row.received_at.date()


def _when(row: SaidFact) -> tuple[date, datetime]:
    return day_of(row), row.received_at


def fact_of(row: SaidFact) -> Fact:
    """Return a stored fact as the engine takes it."""
    return Fact(
        value=json.loads(row.value),
        as_of=row.as_of,
        source=row.source,
        verified_by=row.verified_by,
        verified_at=row.verified_at,
    )
