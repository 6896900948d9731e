"""Windows behind the port `WatchBook`: taken for a while, read whole, kept in one transaction."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import col, select

from api.storage.library import Library
from api.storage.session import Database, Work
from api.storage.tables import table_of
from api.storage.watch_actions import AlertDesk
from api.storage.watch_events import event_of
from api.storage.watch_tables import WatchEventRow, WatchFlagRow, WatchMemberRow, WatchWindowRow
from api.watching.ports import FlaggedLook, Held, Looked, WindowKey
from engine.model import canonical
from engine.watch import WatchPolicy

LEASE = timedelta(seconds=60)
"""How long one who took a window may be matching it; longer than a matcher may take, twice."""
NEEDED_FOR = timedelta(days=1_200)
"""Events in no window are removed when they are older than any window can be."""
AT_ONCE = 500


class SqlWatchBook:
    """The windows of watching in the database; what their alerts ask for goes to the desk."""

    def __init__(self, database: Database, library: Library, desk: AlertDesk) -> None:
        self._database = database
        self._library = library
        self._desk = desk

    def take(self, until: datetime, now: datetime, limit: int) -> Sequence[WindowKey]:
        """Take windows that are due by `until`, earliest first; `now` (system time) starts the lease."""
        table = table_of(WatchWindowRow)
        free = table.c.leased_until.is_(None) | (table.c.leased_until < now)
        query = table.select().with_only_columns(table.c.policy, table.c.per, table.c.subject)
        due = query.where(table.c.look_at <= until, free).order_by(table.c.look_at).limit(limit)
        with self._database.read() as session:
            if session.connection().execute(due.limit(1)).first() is None:
                return []
        with self._database.write() as work:
            connection = work.session.connection()
            found = [WindowKey(*row) for row in connection.execute(due.with_for_update(skip_locked=True))]
            for key in found:
                work.update(WatchWindowRow, key._asdict(), {"leased_until": now + LEASE})
            return found

    def read(self, key: WindowKey) -> Held | None:
        """Return a window with its events; None if it is gone."""
        with self._database.read() as session:
            row = session.get(WatchWindowRow, tuple(key))
            if row is None:
                return None
            joined = (
                select(WatchEventRow)
                .join(WatchMemberRow, col(WatchMemberRow.event) == col(WatchEventRow.id))
                .where(
                    WatchMemberRow.policy == key.policy,
                    WatchMemberRow.per == key.per,
                    WatchMemberRow.subject == key.subject,
                )
                .order_by(col(WatchEventRow.at), WatchEventRow.id)
            )
            events = tuple((event_of(event), event.received_at) for event in session.exec(joined))
        reported = {rule: tuple(ids) for rule, ids in json.loads(row.reported).items()}
        return Held(key, row.version, row.look_at, row.looked_to, reported, events, row.dropped)

    def policy(self, name: str, at: datetime) -> WatchPolicy | None:
        """Return the watch policy of a name in force on the day (UTC) of an instant."""
        with self._database.read() as session:
            chosen = self._library.in_force(session, "watch", name, at.astimezone(UTC).date())
            return self._library.watch(session, chosen.digest) if chosen else None

    def keep(self, held: Held, looked: Looked) -> bool:
        """Keep what was found, in one transaction; False, and nothing is kept, if the window has changed.

        An alert that is stored already is the same alert: it asks for nothing again.
        """
        with self._database.write() as work:
            if not self._moved(work, held, looked):
                return False
            self._leave(work, held.key, looked.gone)
            for flagged in looked.flags:
                _flag(work, flagged)
            for record in looked.alerts:
                self._desk.raised(work, record)
            if looked.look_at is None and len(looked.gone) == len(held.events) and not looked.trouble:
                empty = {**held.key._asdict(), "version": held.version + 1}
                table = table_of(WatchWindowRow)
                gone = table.delete().where(*(table.c[name] == value for name, value in empty.items()))
                work.session.connection().execute(gone)
            return True

    def release(self, key: WindowKey) -> None:
        """Give a window back without having looked."""
        with self._database.write() as work:
            work.update(WatchWindowRow, key._asdict(), {"leased_until": None})

    def tidy(self, now: datetime) -> None:
        """Remove events that no window needs; make a task of what nobody has confirmed in time."""
        events, members = table_of(WatchEventRow), table_of(WatchMemberRow)
        with self._database.write() as work:
            self._desk.remind(work, now)
            old = events.select().with_only_columns(events.c.id).where(events.c.at < now - NEEDED_FOR)
            needed = members.select().where(members.c.event == events.c.id).exists()
            found = [key for (key,) in work.session.connection().execute(old.where(~needed).limit(AT_ONCE))]
            if found:
                work.session.connection().execute(events.delete().where(events.c.id.in_(found)))

    def _moved(self, work: Work, held: Held, looked: Looked) -> bool:
        where = {**held.key._asdict(), "version": held.version}
        values = {
            "version": held.version + 1, "look_at": looked.look_at, "looked_to": looked.looked_to,
            "reported": canonical(looked.reported).decode(), "dropped": looked.dropped,
            "trouble": looked.trouble, "leased_until": None,
        }  # fmt: skip
        return bool(work.update(WatchWindowRow, where, values).rowcount)

    def _leave(self, work: Work, key: WindowKey, gone: Sequence[str]) -> None:
        table = table_of(WatchMemberRow)
        mine = [table.c[name] == value for name, value in key._asdict().items()]
        for start in range(0, len(gone), AT_ONCE):
            some = table.c.event.in_(gone[start : start + AT_ONCE])
            work.session.connection().execute(table.delete().where(*mine, some))


def _flag(work: Work, flagged: FlaggedLook) -> None:
    window, body = flagged.window, canonical(flagged.window)
    values = {
        "policy": flagged.policy, "per": window.per, "subject": window.subject, "as_of": window.as_of,
        "flag": flagged.flag, "detail": flagged.detail, "seen": zlib.compress(body, 1),
    }  # fmt: skip
    work.insert_once(WatchFlagRow, values)
