"""Alerts as they are stored, held against the audit chain: none is gone, added or changed, nor its events.

A bundle proves what is in it; only the chain of the installation knows what ought to be there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from sqlmodel import Session, col, select

from api.storage.audit import verify
from api.storage.library import Library
from api.storage.tables import ActivationRow, AuditRow
from api.storage.watch_alerts import record_of_alert
from api.storage.watch_events import event_of
from api.storage.watch_tables import WatchAlertRow, WatchEventRow
from engine.model import canonical, digest, digest_bytes
from engine.watch import EventRefused, WatchEvent, WatchPolicy, Window
from engine.watch.record import AlertRecord
from engine.watch.routing import restricted, windows_of
from workflows.audit.report import Finding

OURS = ("ledger/", "usage/")
"""How the ids of events begin that the ledger itself reports; their entries stand in the chain."""


def against_chain(
    session: Session, library: Library, asked: Collection[str] | None = None
) -> Iterator[Finding]:
    """Yield what is wrong with the chain and with alerts; `asked`: which are looked into, None: all."""
    length, broken = verify(session)
    if broken is not None:
        yield Finding(f"link {broken.seq} of the audit chain", "chain", f"{broken.why}; {length} links hold")
    linked = {row.subject: row for row in _links(session, "alert")}
    stored = set(session.exec(select(WatchAlertRow.id)))
    for alert in sorted(linked.keys() - stored):
        yield Finding(f"alert {alert}", "alert", "the audit chain has it, and it is gone")
    for alert in sorted(stored):
        if alert not in linked:
            yield Finding(f"alert {alert}", "alert", "the audit chain has no such alert")
        elif asked is None or alert in asked:
            yield from _content(session, library, alert, linked[alert])


def alerts_of(session: Session, customer: str) -> list[str]:
    """Return the alerts that are about one customer, oldest first."""
    row = WatchAlertRow
    of = (col(row.customer) == customer) | ((col(row.per) == "customer") & (col(row.subject) == customer))
    return list(session.exec(select(row.id).where(of).order_by(col(row.as_of), row.id)))


def _content(session: Session, library: Library, alert: str, link: AuditRow) -> Iterator[Finding]:
    row = session.get(WatchAlertRow, alert)
    assert row is not None  # it was listed in this transaction
    record = record_of_alert(row)
    if digest_bytes(canonical(record)) != link.digest:
        yield Finding(f"alert {alert}", "alert", "it is not what the audit chain has; it was changed")
        for name in _missing(session, library, record, link):
            yield Finding(f"alert {alert}", "event", f"event `{name}` was received by then and is missing")
    received = {
        link.subject: link.digest for link in _links(session, "event", {e.id for e in record.window.events})
    }
    for event in record.window.events:
        if event.id.startswith(OURS):
            continue
        if event.id not in received:
            yield Finding(f"alert {alert}", "event", f"event `{event.id}` was never received")
        elif not _is_of(session, event, received[event.id]):
            yield Finding(f"alert {alert}", "event", f"event `{event.id}` is not what was received")


def _missing(session: Session, library: Library, record: AlertRecord, link: AuditRow) -> Iterator[str]:
    """Yield events that the window of a changed alert ought to hold: received before it, and not in it.

    Looked for are those that came while the alert's own text was in force: what another text left out of its
    windows is not known any more. Nor is what a full window dropped, its oldest events.
    """
    window, said = record.window, record.alert
    policy = library.watch(session, said.digest)
    there = {event.id for event in window.events}
    oldest = window.as_of - policy.keep
    if record.dropped:
        oldest = max(oldest, min((event.at for event in window.events), default=window.as_of))
    row = WatchEventRow
    query = select(row).where(
        col(row.received_at) <= window.as_of, col(row.at) > oldest, col(row.type).in_(policy.types)
    )
    if window.per == "customer":
        query = query.where(row.customer == window.subject)
    known = [found for found in session.exec(query.order_by(col(row.at), row.id)) if found.id not in there]
    received = {event.subject: event for event in _links(session, "event", {found.id for found in known})}
    since = _since(session, policy.name, said.digest)
    for found in known:
        mark = received.get(found.id)
        if mark is None or mark.seq > link.seq or since is None or found.received_at < since:
            continue
        chosen = library.in_force(session, "watch", policy.name, found.received_at.astimezone(UTC).date())
        if chosen and chosen.digest == said.digest and _joins(policy, event_of(found), window):
            yield found.id


def _joins(policy: WatchPolicy, event: WatchEvent, window: Window) -> bool:
    try:
        return (window.per, window.subject) in windows_of(policy, restricted(policy, event))
    except EventRefused:
        return False


def _since(session: Session, name: str, policy: str) -> datetime | None:
    """Return when a watch policy's text was first put in force."""
    row = ActivationRow
    query = select(row.activated_at).where(row.kind == "watch", row.name == name, row.policy == policy)
    return session.exec(query.order_by(col(row.seq)).limit(1)).first()


def _is_of(session: Session, event: WatchEvent, mark: str) -> bool:
    """Tell whether an event, or one of which it is the part that a policy reads, has this digest."""
    if digest(event) == mark:
        return True
    row = session.get(WatchEventRow, event.id)
    if row is None or digest(whole := event_of(row)) != mark:
        return False
    part = {name: value for name, value in whole.values.items() if name in event.values}
    return whole.model_copy(update={"values": part}) == event


def _links(session: Session, kind: str, subjects: Collection[str] | None = None) -> Iterator[AuditRow]:
    query = select(AuditRow).where(AuditRow.kind == kind)
    if subjects is None:
        yield from session.exec(query)
        return
    wanted = sorted(subjects)
    for start in range(0, len(wanted), 500):
        yield from session.exec(query.where(col(AuditRow.subject).in_(wanted[start : start + 500])))
