"""Alerts as they are stored: each once, with its window; what people said of them; what rules are worth."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func
from sqlmodel import Session, col, select

from api.storage.errors import NotFound
from api.storage.session import Work
from api.storage.watch_tables import WatchAlertRow, WatchFlagRow, WatchOutcomeRow
from engine.model import canonical, digest_bytes
from engine.watch import Window
from engine.watch.model import CUSTOMER
from engine.watch.record import AlertRecord

Outcome = Literal["confirmed", "dismissed"]


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom the events behind an alert name, each list in order."""

    customers: tuple[str, ...]
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Worth:
    """What became of the alerts of one rule: how many were raised, and what people said of them."""

    name: str
    rule: str
    open: int = 0
    confirmed: int = 0
    dismissed: int = 0


def concerned(record: AlertRecord) -> Concerned:
    """Return the customers and accounts that the events of an alert name."""
    ids = {evidence.id for evidence in record.alert.evidence}
    events = [event for event in record.window.events if event.id in ids]
    customers = {event.customer for event in events if event.customer}
    if record.alert.per == CUSTOMER:
        customers.add(record.alert.subject)
    accounts = {value for event in events if isinstance(value := event.values.get("account"), str)}
    return Concerned(tuple(sorted(customers)), tuple(sorted(accounts)))


def add_alert(work: Work, record: AlertRecord) -> bool:
    """Keep an alert with its window and a link in the audit chain; False if it was there."""
    alert, who = record.alert, concerned(record).customers
    values = {
        "id": record.id, "policy": alert.digest, "name": alert.policy, "rule": alert.rule, "per": alert.per,
        "subject": alert.subject, "customer": who[0] if len(who) == 1 else "", "alert": alert.alert,
        "severity": alert.severity, "at": alert.at, "as_of": alert.as_of, "state": "open",
        "body": canonical(record.model_dump(mode="json", exclude={"window"})).decode(),
        "seen": zlib.compress(canonical(record.window), 1),
    }  # fmt: skip
    if work.insert_once(WatchAlertRow, values) is None:
        return False
    work.audit("alert", record.id, alert.as_of, digest_bytes(canonical(record)))
    return True


def record_of_alert(row: WatchAlertRow) -> AlertRecord:
    """Return a stored alert whole, as it was recorded."""
    window = Window.model_validate_json(zlib.decompress(row.seen))
    bare = row.body[:-1] + ',"window":' + canonical(window).decode() + "}"
    return AlertRecord.model_validate_json(bare)


def get_alert(session: Session, alert: str) -> WatchAlertRow:
    """Return an alert by its id; raise NotFound."""
    row = session.get(WatchAlertRow, alert)
    if row is None:
        raise NotFound("alert", alert)
    return row


def lock_alert(session: Session, alert: str) -> WatchAlertRow:
    """Return an alert of which nobody else can say anything until the transaction ends; raise NotFound."""
    query = select(WatchAlertRow).where(WatchAlertRow.id == alert).with_for_update()
    row = session.exec(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound("alert", alert)
    return row


def page_of_alerts(
    session: Session, after: tuple[datetime, str] | None, limit: int, **asked: str
) -> Sequence[WatchAlertRow]:
    """Return alerts after a cursor (as_of, id), oldest first; `asked`: columns and what they must hold."""
    query = select(WatchAlertRow)
    for name, value in asked.items():
        if value:
            query = query.where(getattr(WatchAlertRow, name) == value)
    if after:
        at, last = after
        same = (col(WatchAlertRow.as_of) == at) & (col(WatchAlertRow.id) > last)
        query = query.where((col(WatchAlertRow.as_of) > at) | same)
    return session.exec(query.order_by(col(WatchAlertRow.as_of), WatchAlertRow.id).limit(limit)).all()


def add_outcome(work: Work, row: WatchAlertRow, values: dict[str, Any]) -> bool:
    """Keep what a person said of an alert that is locked; False if it is what was said last."""
    last = outcomes_of(work.session, row.id)[-1:]
    said = ("outcome", "actor", "reason")
    if last and all(getattr(last[0], name) == values[name] for name in said):
        return False
    work.insert(WatchOutcomeRow, {"alert": row.id} | values)
    row.state = values["outcome"]
    work.session.add(row)
    told = canonical({name: values[name] for name in said})
    work.audit(f"alert-{row.state}", row.id, values["at"], digest_bytes(told))
    return True


def outcomes_of(session: Session, alert: str) -> Sequence[WatchOutcomeRow]:
    """Return what people said of an alert, in order."""
    query = select(WatchOutcomeRow).where(WatchOutcomeRow.alert == alert)
    return session.exec(query.order_by(col(WatchOutcomeRow.seq))).all()


def worth_of_rules(session: Session, since: datetime | None = None) -> list[Worth]:
    """Return what became of the alerts of each rule, by policy and rule."""
    row = WatchAlertRow
    query = select(row.name, row.rule, row.state, func.count()).group_by(row.name, row.rule, row.state)
    if since is not None:
        query = query.where(col(row.as_of) >= since)
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for name, rule, state, count in session.exec(query.order_by(row.name, row.rule)):
        counts.setdefault((name, rule), {})[state] = count
    return [Worth(name, rule, **found) for (name, rule), found in counts.items()]


def page_of_flags(session: Session, after: int, limit: int) -> Sequence[WatchFlagRow]:
    """Return looks at which the matchers were not of one mind, after a cursor, oldest first."""
    query = select(WatchFlagRow).where(col(WatchFlagRow.seq) > after)
    return session.exec(query.order_by(col(WatchFlagRow.seq)).limit(limit)).all()
