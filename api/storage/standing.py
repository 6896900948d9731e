"""Which decision on a customer is in force, and how the others stand.

The one of the latest day counts, and of one day the one that was taken last: who asks how it stood on an
earlier day gets an answer, and puts nothing in the place of what has been decided since.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, bindparam, func, sql
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from api.storage.tables import AccountRow, DecisionRow, table_of

Standing = Literal["valid", "expired", "superseded"]
AT_ONCE = 500
"""Customers of one question."""
_ROW = table_of(DecisionRow).c
_NEWEST = (_ROW.as_of.desc(), _ROW.at.desc(), _ROW.id.desc())


def latest_decisions(
    session: Session, customer: str, count: int, at: datetime | None = None
) -> Sequence[DecisionRow]:
    """Return so many decisions on a customer, the one in force first; `at`: of those taken until then."""
    asked = {"customer": customer, "most": count, **({"at": at} if at is not None else {})}
    return session.exec(_latest(by_then=at is not None), params=asked).all()


def latest_decision(session: Session, customer: str, at: datetime | None = None) -> DecisionRow | None:
    """Return the decision in force on a customer, or None; `at`: among those taken until then."""
    return next(iter(latest_decisions(session, customer, 1, at)), None) if customer else None


def latest_bodies(session: Session, customers: Collection[str]) -> dict[str, str]:
    """Return the bodies of the decisions in force on customers, for those who have one."""
    rows = _of_latest(session, customers, "body")
    return {customer: body for customer, body, *_ in rows}


def latest_policies(session: Session, customers: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return name and digest of the policies of the decisions in force, for customers who have one."""
    rows = _of_latest(session, customers, "name", "policy")
    return {customer: (name, policy) for customer, name, policy in rows}


def _of_latest(session: Session, customers: Collection[str], *columns: str) -> Iterator[Sequence[str]]:
    """Yield customers with columns of their decisions in force: one question for so many customers."""
    asked, query = sorted(customers), _latest_columns(columns)
    for start in range(0, len(asked), AT_ONCE):
        some = {"customers": asked[start : start + AT_ONCE]}
        for found in session.connection().execute(query, some):
            yield tuple(found)


@cache
def _latest(*, by_then: bool) -> SelectOfScalar[DecisionRow]:
    query = select(DecisionRow).where(_ROW.customer == bindparam("customer"))
    if by_then:
        query = query.where(_ROW.at <= bindparam("at"))
    return query.order_by(*_NEWEST).limit(bindparam("most", type_=Integer))


@cache
def _latest_columns(columns: tuple[str, ...]) -> sql.Select[Any]:
    place = func.row_number().over(partition_by=_ROW.customer, order_by=_NEWEST)
    some = _ROW.customer.in_(bindparam("customers", expanding=True))
    ranked = sql.select(_ROW.id, place.label("place")).where(some).subquery()
    first = (_ROW.id == ranked.c.id) & (ranked.c.place == 1)
    return sql.select(_ROW.customer, *(_ROW[name] for name in columns)).join(ranked, first)


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
