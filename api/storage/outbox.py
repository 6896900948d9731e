"""The outbox: what must be told, kept in the same transaction as the change that caused it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from sqlalchemy import Integer, bindparam, func, sql
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from api.storage.cause import CAUSE, Cause
from api.storage.session import Work
from api.storage.tables import OutboxRow, table_of
from engine.model import canonical

Channel = Literal["case", "webhook", "alert"]
Settled = Literal["delivered", "withdrawn", "expired", "dead"]
LEASE = timedelta(seconds=60)
"""How long one who took a row may be sending it; longer than a receiver may take to answer."""

PAGE = 500
"""Accounts that are looked for at once."""
MOMENT = timedelta(minutes=1)
"""So long after the last news a look at a case is taken for caused by it."""

# Statements are made once: making one costs more than running it.
_ROW = table_of(OutboxRow).c
_IS_PENDING = (_ROW.state == "pending", _ROW.channel == bindparam("channel"))
_PENDING_OF = sql.select(_ROW.id).where(*_IS_PENDING, _ROW.account == bindparam("account"))
_PENDING = sql.select(_ROW.id).where(
    _ROW.id.in_(bindparam("numbers", expanding=True)), _ROW.state == "pending"
)
_CAUSE = (
    sql.select(_ROW.traceparent, _ROW.correlation)
    .where(_ROW.account == bindparam("account"), _ROW.channel == "case")
    .where(_ROW.settled_at > bindparam("since"))
    .order_by(_ROW.id.desc())
    .limit(1)
)
_LEASE = (
    table_of(OutboxRow)
    .update()
    .where(_ROW.id == bindparam("number"), _ROW.state == "pending")
    .where(_ROW.leased_until.is_(None) | (_ROW.leased_until < bindparam("now")))
    .values(attempts=_ROW.attempts + 1)
)


@cache
def _heads(*, only: bool) -> SelectOfScalar[OutboxRow]:
    first = sql.select(func.min(_ROW.id)).where(*_IS_PENDING).group_by(_ROW.account)
    if only:
        first = first.where(_ROW.subject.like(bindparam("only")))
    query = select(OutboxRow).where(_ROW.id.in_(first)).order_by(_ROW.id)
    return query.limit(bindparam("most", type_=Integer))


@cache
def _head(*, only: bool, at: bool) -> SelectOfScalar[OutboxRow]:
    query = select(OutboxRow).where(*_IS_PENDING, _ROW.account == bindparam("account"))
    if only:
        query = query.where(_ROW.subject.like(bindparam("only")))
    if at:
        query = query.where(_ROW.not_before.is_(None) | (_ROW.not_before <= bindparam("at")))
        is_due = _ROW.next_at.is_(None) | (_ROW.next_at <= bindparam("at"))
        query = query.where(is_due | _ROW.subject.not_like("%/notify.%"))
    return query.order_by(_ROW.id).limit(1)


def put(work: Work, channel: Channel, kind: str, subject: str, **values: Any) -> int | None:
    """Put one thing into the outbox; None if `once` is there already."""
    row = {"channel": channel, "kind": kind, "subject": subject, "state": "pending"} | values
    row |= {"attempts": 0, "error": "", "body": canonical(values["body"]).decode()}
    row |= (values.get("cause") or CAUSE.get())._asdict()
    row.pop("cause", None)
    made = work.insert_once(OutboxRow, row)
    if made is None:
        return None
    work.outbox.append(made[0])
    work.channels.add(channel)
    return int(made[0])


def latest_cause(session: Session, account: str, now: datetime) -> Cause:
    """Return what caused the news that an account's case was told a moment ago; nothing for a timer's look.

    `now` is the system's clock, by which rows are settled.
    """
    asked = {"account": account, "since": now - MOMENT}
    found = session.connection().execute(_CAUSE, asked).one_or_none()
    return Cause(*found) if found else Cause()


def with_cause(row: OutboxRow, **more: str) -> bytes:
    """Return a message's event as it is sent: with its trace and correlation id (CloudEvents extensions)."""
    said = more | {"traceparent": row.traceparent, "correlationid": row.correlation}
    added = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in said.items() if value)
    return f"{row.body[:-1]}{added}}}".encode()


def heads(session: Session, channel: Channel, limit: int = PAGE, only: str = "") -> Sequence[OutboxRow]:
    """Return the first pending row of each account, oldest first.

    `only`: among those whose subject is like this pattern.
    """
    asked = {"channel": channel, "most": limit, **({"only": only} if only else {})}
    return session.exec(_heads(only=bool(only)), params=asked).all()


def head_of(
    session: Session, account: str, channel: Channel, only: str = "", at: datetime | None = None
) -> OutboxRow | None:
    """Return the first pending row of an account; `only`: among those whose subject is like this pattern.

    `at`: without those that have to wait at that instant, so that no notice in quiet hours, and none that is
    tried again later, holds up what comes behind it: that may restore service.
    """
    asked: dict[str, Any] = {"channel": channel, "account": account, **({"only": only} if only else {})}
    if at is not None:
        asked["at"] = at
    return session.exec(_head(only=bool(only), at=at is not None), params=asked).one_or_none()


def pending_of(session: Session, account: str, channel: Channel) -> list[int]:
    """Return the pending rows of an account."""
    asked = {"channel": channel, "account": account}
    return list(session.connection().execute(_PENDING_OF, asked).scalars())


def pending_among(session: Session, numbers: Sequence[int]) -> set[int]:
    """Return those of the given rows that are still pending."""
    return set(session.connection().execute(_PENDING, {"numbers": list(numbers)}).scalars())


def lease(work: Work, number: int, now: datetime) -> bool:
    """Take a row for sending; False if somebody else is sending it, or it is settled."""
    asked = {"number": number, "now": now, "leased_until": now + LEASE}
    return bool(work.session.connection().execute(_LEASE, asked).rowcount)


def settle(work: Work, number: int, state: Settled, at: datetime, error: str = "") -> bool:
    """Say what became of a row; False if it was settled before."""
    values = {"state": state, "settled_at": at, "error": error, "leased_until": None}
    return bool(work.update(OutboxRow, {"id": number, "state": "pending"}, values).rowcount)


def replay(work: Work, number: int) -> bool:
    """Put a dead message back into the outbox, to be tried from the beginning; False if it is not dead."""
    values = {"state": "pending", "attempts": 0, "next_at": None, "settled_at": None, "replayed": True}
    return bool(work.update(OutboxRow, {"id": number, "state": "dead"}, values).rowcount)


def withdraw(work: Work, once: str, at: datetime, why: str) -> bool:
    """Take back what nobody was told and nobody is being told; False if it is too late for that."""
    table = table_of(OutboxRow)
    idle = table.c.leased_until.is_(None) & (table.c.state == "pending")
    gone = table.update().where(table.c.once == once, idle)
    gone = gone.values(state="withdrawn", settled_at=at, error=why)
    return bool(work.session.connection().execute(gone).rowcount)


def wait_until(work: Work, number: int, until: datetime) -> None:
    """Let a pending row not go out before an instant of business time."""
    work.update(OutboxRow, {"id": number, "state": "pending"}, {"not_before": until})


def put_off(work: Work, number: int, until: datetime, error: str = "", *, tried: bool = True) -> None:
    """Leave a row pending until an instant of business time."""
    values = {"next_at": until, "error": error, "leased_until": None}
    if not tried:
        untried = table_of(OutboxRow).update().where(_ROW.id == number, _ROW.state == "pending")
        work.session.connection().execute(untried.values(attempts=_ROW.attempts - 1))
    work.update(OutboxRow, {"id": number, "state": "pending"}, values)


def page_of_messages(
    session: Session, after: int, limit: int, account: str = "", state: str = ""
) -> Sequence[OutboxRow]:
    """Return what is told to the receiver, after a cursor, oldest first."""
    told = col(OutboxRow.channel).in_(["webhook", "alert"])
    query = select(OutboxRow).where(told, col(OutboxRow.id) > after)
    if account:
        query = query.where(OutboxRow.account == account)
    if state:
        query = query.where(OutboxRow.state == state)
    return session.exec(query.order_by(col(OutboxRow.id)).limit(limit)).all()


def backlog(session: Session) -> Mapping[str, int]:
    """Return how many rows are pending by channel, and how many are dead."""
    query = select(OutboxRow.channel, OutboxRow.state, func.count()).where(
        col(OutboxRow.state).in_(["pending", "dead"])
    )
    counts = {"case": 0, "webhook": 0, "alert": 0, "dead": 0}
    for channel, state, count in session.exec(query.group_by(OutboxRow.channel, OutboxRow.state)):
        counts["dead" if state == "dead" else channel] += count
    return counts
