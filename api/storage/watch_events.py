"""Events of watching: checked against the policies in force, kept once, joined to their windows."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import bindparam, case, func, update
from sqlmodel import Session, col, select

from api.storage.errors import AlreadyThere
from api.storage.library import Library
from api.storage.session import Work
from api.storage.tables import table_of
from api.storage.watch_tables import WatchEventRow, WatchMemberRow, WatchWindowRow
from engine.model import canonical, digest, digest_bytes
from engine.text import did_you_mean
from engine.watch import MOST_EVENTS, EventProblem, EventRefused, WatchEvent, WatchPolicy, admit
from engine.watch.model import EventType
from engine.watch.routing import given, relevant, restricted, windows_of

log = logging.getLogger("forbear.watch")
AT_ONCE = 500
"""Rows of one statement."""
_BY_ID = select(WatchEventRow).where(col(WatchEventRow.id).in_(bindparam("ids", expanding=True)))
_SAID = ("type", "at", "customer", "values")


@dataclass(frozen=True, slots=True)
class Told:
    """An event and when it became known."""

    event: WatchEvent
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of an event: whether it was new, and the windows that it stands in."""

    event: WatchEvent
    received_at: datetime
    new: bool
    windows: tuple[tuple[str, str, str], ...] = ()
    """Policy, partition and subject of each."""
    refused: AlreadyThere | None = None
    """Something else is stored under its id."""


class WatchEvents:
    """Takes events in; every window that one joins is due for a look, in the same transaction."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def policies(self, session: Session, at: datetime) -> tuple[WatchPolicy, ...]:
        """Return the watch policies in force on the day (UTC) of an instant, by name."""
        return self._library.watching(session, at.astimezone(UTC).date())

    def check(self, session: Session, told: Told) -> None:
        """Check an event against every policy in force that knows its type.

        Raises EventRefused with all that is wrong: an unknown type, a property that no policy knows, a value
        that one of them does not take.
        """
        event, policies = told.event, self.policies(session, told.received_at)
        knowing = [policy for policy in policies if event.type in policy.types]
        if not knowing:
            raise EventRefused(event.id, [_unknown_type(event.type, policies)])
        known = {name for policy in knowing for name in given(policy, event.type)}
        problems = [_unknown_name(event.type, name, known) for name in event.values if name not in known]
        for policy in knowing:
            try:
                admit(policy, restricted(policy, event))
            except EventRefused as refused:
                problems += [found for found in refused.problems if found not in problems]
        if problems:
            raise EventRefused(event.id, problems)

    def notes(self, session: Session, told: Told) -> list[str]:
        """Return in words why no rule will look at an event that was taken, a sentence for each policy."""
        policies = self.policies(session, told.received_at)
        knowing = [policy for policy in policies if told.event.type in policy.types]
        return [why for policy in knowing if (why := _unused(policy, told))]

    def full(self, session: Session, joined: Iterable[Joined]) -> dict[str, list[str]]:
        """Return in words, by event, which windows that events have joined hold too many by now.

        Call it after `take`: the next look at such a window leaves out its oldest events.
        """
        fresh = [one for one in joined if one.new]
        crowds = _crowds(session, {key for one in fresh for key in one.windows})
        return {
            one.event.id: [_full(key, crowds[key]) for key in one.windows if key in crowds] for one in fresh
        }

    def take(self, work: Work, told: Sequence[Told]) -> list[Joined]:
        """Keep events that were checked; one whose id is there, the same or another, changes nothing."""
        known = _stored(work.session, [one.event.id for one in told])
        first: dict[str, Told] = {}
        found: list[Joined] = []
        for one in told:
            twin = known.get(one.event.id) or first.get(one.event.id)
            if twin is not None:
                refused = _other(twin.event, one.event)
                found.append(Joined(twin.event, twin.received_at, False, refused=refused))
                continue
            first[one.event.id] = one
            joins = _joins(self.policies(work.session, one.received_at), one, ours=False)
            found.append(Joined(one.event, one.received_at, True, joins))
        fresh = [joined for joined in found if joined.new]
        for joined in fresh:
            work.audit("event", joined.event.id, joined.received_at, digest(joined.event))
        _keep(work, fresh)
        return found

    def note(self, work: Work, told: Iterable[Told]) -> None:
        """Keep events that the ledger itself reports, those that some window wants; call it last.

        One whose policy asks for more than the ledger can tell is left out there, and said in the log.
        """
        by_day: dict[date, tuple[WatchPolicy, ...]] = {}
        wanted = []
        for one in told:
            day = one.received_at.astimezone(UTC).date()
            if day not in by_day:
                by_day[day] = self.policies(work.session, one.received_at)
            if joins := _joins(by_day[day], one, ours=True):
                wanted.append(Joined(one.event, one.received_at, True, joins))
        if not wanted:
            return
        known = _stored(work.session, [one.event.id for one in wanted])
        once = {one.event.id: one for one in wanted if one.event.id not in known}
        _keep(work, list(once.values()))

    def fits(self, session: Session, kind: str, at: datetime, received_at: datetime) -> bool:
        """Tell whether an event of a type that happened at `at` is recent enough for any policy in force."""
        types = [(policy, policy.types.get(kind)) for policy in self.policies(session, received_at)]
        return any(said and _is_recent(policy, said, at, received_at) for policy, said in types)

    def wants(self, session: Session, kind: str, at: datetime) -> bool:
        """Tell whether any policy in force knows this type of event."""
        return any(kind in policy.types for policy in self.policies(session, at))


def event_of(row: WatchEventRow) -> WatchEvent:
    """Return a stored event as the engine takes it."""
    return WatchEvent.model_validate_json(row.body)


def _joins(policies: Sequence[WatchPolicy], told: Told, *, ours: bool) -> tuple[tuple[str, str, str], ...]:
    """Return the windows that an event matters in; an event that is too old for one is left out."""
    event, found = told.event, []
    for policy in policies:
        kind = policy.types.get(event.type)
        if kind is None or not _is_recent(policy, kind, event.at, told.received_at):
            continue
        try:
            windows = windows_of(policy, restricted(policy, event))
        except EventRefused as refused:
            if not ours:
                raise
            log.warning("`%s` cannot take what the ledger reports: %s", policy.name, refused)
            continue
        found += [(policy.name, per, who) for per, who in windows]
    return tuple(found)


def _is_recent(policy: WatchPolicy, kind: EventType, at: datetime, received_at: datetime) -> bool:
    return kind.is_fact or at > received_at - policy.keep


def _unused(policy: WatchPolicy, told: Told) -> str:
    """Return why no rule looks at an event of a type that its policy knows, or not yet; empty: one does."""
    event, kind = told.event, policy.types[told.event.type]
    if not _is_recent(policy, kind, event.at, told.received_at):
        return f"`{policy.name}` looks back {policy.keep.days} days, and this happened before."
    reading = [per for per in policy.partitions if event.type in relevant(policy, per)]
    if not reading:
        return f"No rule of `{policy.name}` looks at `{event.type}`."
    if windows_of(policy, restricted(policy, event)):
        if event.at <= told.received_at:
            return ""
        when = event.at.isoformat()
        return f"`{policy.name}` looks at it when it happens, at {when}: that has not come yet."
    lacking = " and ".join(f"`{per}`" for per in reading)
    return f"The rules of `{policy.name}` look at `{event.type}` per {lacking}, which this lacks."


def _crowds(session: Session, windows: Collection[tuple[str, str, str]]) -> dict[tuple[str, str, str], int]:
    """Return how many events stand in each of these windows that holds too many."""
    row, found = WatchMemberRow, dict[tuple[str, str, str], int]()
    subjects = sorted({subject for *_, subject in windows})
    for start in range(0, len(subjects), AT_ONCE):
        query = (
            select(row.policy, row.per, row.subject, func.count())
            .where(
                col(row.policy).in_({policy for policy, *_ in windows}),
                col(row.per).in_({per for _, per, _ in windows}),
                col(row.subject).in_(subjects[start : start + AT_ONCE]),
            )
            .group_by(row.policy, row.per, row.subject)
            .having(func.count() > MOST_EVENTS)
        )
        found |= {(policy, per, who): many for policy, per, who, many in session.exec(query)}
    return found


def _full(key: tuple[str, str, str], many: int) -> str:
    policy, per, _ = key
    return (
        f"The window of `{policy}` per `{per}` holds {many:,} events, more than {MOST_EVENTS:,}:"
        " rules will not look at its oldest ones."
    )


def page_of_events(
    session: Session, after: tuple[datetime, str] | None, limit: int, customer: str = ""
) -> Sequence[WatchEventRow]:
    """Return events after a cursor (at, id), in the order in which they happened."""
    query = select(WatchEventRow)
    if customer:
        query = query.where(WatchEventRow.customer == customer)
    if after:
        at, last = after
        same = (col(WatchEventRow.at) == at) & (col(WatchEventRow.id) > last)
        query = query.where((col(WatchEventRow.at) > at) | same)
    return session.exec(query.order_by(col(WatchEventRow.at), WatchEventRow.id).limit(limit)).all()


def _unknown_type(kind: str, policies: Sequence[WatchPolicy]) -> EventProblem:
    if not policies:
        advice = "publish a watch policy first: `forbear publish`"
        return EventProblem("/type", "no-watch-policy", "no watch policy is in force", advice)
    known = sorted({name for policy in policies for name in policy.types})
    message = f"no watch policy in force knows an event `{kind}`"
    return EventProblem("/type", "unknown-event", message, did_you_mean(kind, known, of="events"))


def _unknown_name(kind: str, name: str, known: set[str]) -> EventProblem:
    message = f"no watch policy in force has a property `{name}` of `{kind}` that is given"
    advice = did_you_mean(name, sorted(known), of="properties")
    return EventProblem(f"/values/{name}", "unknown-property", message, advice)


def _stored(session: Session, ids: Sequence[str]) -> dict[str, Told]:
    found: dict[str, Told] = {}
    for start in range(0, len(ids), AT_ONCE):
        asked = {"ids": ids[start : start + AT_ONCE]}
        rows = session.exec(_BY_ID, params=asked)
        found |= {row.id: Told(event_of(row), row.received_at) for row in rows}
    return found


def _other(twin: WatchEvent, event: WatchEvent) -> AlreadyThere | None:
    said, stored = event.model_dump(mode="json"), twin.model_dump(mode="json")
    said["at"], stored["at"] = event.at, twin.at
    differs = [name for name in _SAID if said[name] != stored[name]]
    return AlreadyThere("event", event.id, differs) if differs else None


def _keep(work: Work, fresh: Sequence[Joined]) -> None:
    """Insert events and members, and make the windows due; always in the order of their keys."""
    if not fresh:
        return
    rows = sorted((_row(one) for one in fresh), key=lambda row: row["id"])
    new = {name for (name,) in work.insert_each_once(WatchEventRow, rows)}
    members, due = [], dict[tuple[str, str, str], datetime]()
    for one in fresh:
        if one.event.id not in new:
            continue  # another transaction was quicker, and has joined it
        look = max(one.received_at, one.event.at)
        for policy, per, subject in one.windows:
            key = (policy, per, subject)
            members.append(dict(zip(_KEY, key, strict=True)) | {"event": one.event.id, "at": one.event.at})
            due[key] = min(due.get(key, look), look)
    _make_due(work, due)
    work.insert_many(WatchMemberRow, members)
    work.watched += len(due)


_KEY = ("policy", "per", "subject")
_WINDOWS = table_of(WatchWindowRow)
_LOOK = bindparam("look", type_=_WINDOWS.c.look_at.type)  # else it is written as the driver writes instants
_LATER = _WINDOWS.c.look_at.is_(None) | (_WINDOWS.c.look_at > _LOOK)
_SOONER = (
    update(_WINDOWS)
    .where(
        _WINDOWS.c.policy == bindparam("of_policy"),
        _WINDOWS.c.per == bindparam("of_per"),
        _WINDOWS.c.subject == bindparam("of_subject"),
    )
    .values(version=_WINDOWS.c.version + 1, look_at=case((_LATER, _LOOK), else_=_WINDOWS.c.look_at))
)


def _row(one: Joined) -> dict[str, Any]:
    body = canonical(one.event)
    return {
        "id": one.event.id, "type": one.event.type, "at": one.event.at, "customer": one.event.customer,
        "body": body.decode(), "received_at": one.received_at, "digest": digest_bytes(body),
    }  # fmt: skip


def _make_due(work: Work, due: Mapping[tuple[str, str, str], datetime]) -> None:
    """Let windows be looked at: those that are new, then those that are there, in order of their keys."""
    fresh = {"version": 1, "reported": "{}", "dropped": 0, "trouble": ""}
    rows = [
        dict(zip(_KEY, key, strict=True)) | fresh | {"look_at": look} for key, look in sorted(due.items())
    ]
    new = work.insert_each_once(WatchWindowRow, rows)
    known = [
        {"of_policy": key[0], "of_per": key[1], "of_subject": key[2], "look": look}
        for key, look in sorted(due.items())
        if key not in new
    ]
    if known:
        work.session.connection().execute(_SOONER, known)
