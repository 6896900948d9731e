"""Which decision on a customer is in force, and how the others stand.

The one of the latest day counts, and of one day the one that was taken last: who asks how it stood on an
earlier day gets an answer, and puts nothing in the place of what has been decided since.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlalchemy import select as sa_select
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from api.storage.tables import AccountRow, DecisionRow

Standing = Literal["valid", "expired", "superseded"]
AT_ONCE = 500
"""Customers of one question."""
_NEWEST = (col(DecisionRow.as_of).desc(), col(DecisionRow.at).desc(), col(DecisionRow.id).desc())


def latest_decisions(
    session: Session, customer: str, count: int, at: datetime | None = None
) -> Sequence[DecisionRow]:
    """Return so many decisions on a customer, the one in force first; `at`: of those taken until then."""
    query = select(DecisionRow).where(DecisionRow.customer == customer)
    if at is not None:
        query = query.where(col(DecisionRow.at) <= at)
    return session.exec(query.order_by(*_NEWEST).limit(count)).all()


def latest_decision(session: Session, customer: str, at: datetime | None = None) -> DecisionRow | None:
    """Return the decision in force on a customer, or None; `at`: among those taken until then."""
    return next(iter(latest_decisions(session, customer, 1, at)), None) if customer else None


def latest_bodies(session: Session, customers: Collection[str]) -> dict[str, str]:
    """Return the bodies of the decisions in force on customers, for those who have one."""
    rows = _of_latest(session, customers, col(DecisionRow.body))
    return {customer: body for customer, body, *_ in rows}


def latest_policies(session: Session, customers: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return name and digest of the policies of the decisions in force, for customers who have one."""
    rows = _of_latest(session, customers, col(DecisionRow.name), col(DecisionRow.policy))
    return {customer: (name, policy) for customer, name, policy in rows}


def _of_latest(
    session: Session, customers: Collection[str], *columns: Mapped[str]
) -> Iterator[Sequence[str]]:
    """Yield customers with columns of their decisions in force: one question for so many customers."""
    session.flush()
    asked, row = sorted(customers), DecisionRow
    for start in range(0, len(asked), AT_ONCE):
        some = col(row.customer).in_(asked[start : start + AT_ONCE])
        place = func.row_number().over(partition_by=col(row.customer), order_by=_NEWEST)
        ranked = sa_select(col(row.id), place.label("place")).where(some).subquery()
        first = (col(row.id) == ranked.c.id) & (ranked.c.place == 1)
        for found in session.connection().execute(sa_select(col(row.customer), *columns).join(ranked, first)):
            yield tuple(found)


def standing_of(session: Session, rows: Sequence[DecisionRow], on: datetime) -> list[Standing]:
    """Return how decisions stand at an instant: a later one on the customer comes before a last day."""
    last: dict[str, DecisionRow | None] = {"": None}
    found: list[Standing] = []
    for row in rows:
        if row.customer not in last:
            last[row.customer] = latest_decision(session, row.customer, on)
        newest, until = last[row.customer], json.loads(row.body)["decision"].get("valid_until")
        zone = zone_of(session, row.customer) if until else ZoneInfo("UTC")
        if newest is not None and newest.id != row.id and _place(newest) > _place(row):
            found.append("superseded")
        elif until and on.astimezone(zone).date() > date.fromisoformat(until):
            found.append("expired")
        else:
            found.append("valid")
    return found


def zone_of(session: Session, customer: str) -> ZoneInfo:
    """Return the zone of a customer's days: that of the first account; UTC without one."""
    mine = select(AccountRow.timezone).where(AccountRow.customer == customer).order_by(AccountRow.id)
    return ZoneInfo(session.exec(mine.limit(1)).first() or "UTC")


def zones_of_customers(session: Session, customers: Collection[str]) -> dict[str, ZoneInfo]:
    """Return the zones of the days of many customers; see `zone_of`."""
    found: dict[str, str] = {}
    asked = sorted(customers)
    for start in range(0, len(asked), AT_ONCE):
        some = col(AccountRow.customer).in_(asked[start : start + AT_ONCE])
        for customer, zone in session.exec(
            select(AccountRow.customer, AccountRow.timezone).where(some).order_by(AccountRow.id)
        ):
            found.setdefault(customer, zone)
    return {customer: ZoneInfo(found.get(customer, "UTC")) for customer in asked}


def _place(row: DecisionRow) -> tuple[date, datetime, str]:
    return row.as_of, row.at, row.id


__all__ = [
    "Standing",
    "latest_bodies",
    "latest_decision",
    "latest_decisions",
    "latest_policies",
    "standing_of",
    "zone_of",
    "zones_of_customers",
]
