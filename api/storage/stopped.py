"""Receivers that have answered 410 Gone: a row, so that every process and the next start know."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, sql
from sqlmodel import Field, Session

from api.storage.columns import Instant
from api.storage.session import Database
from api.storage.tables import Row, table_of


class StoppedRow(Row, table=True):
    """A receiver that wants nothing more, until a person says that it does."""

    __tablename__ = "stopped_receivers"
    receiver: str = Field(primary_key=True)
    """Its address: another one that is put in its place is told."""
    since: datetime = Field(sa_type=Instant)


_STOPPED = table_of(StoppedRow).c
_SINCE = sql.select(_STOPPED.since).where(_STOPPED.receiver == bindparam("of"))


class Stopped:
    """Whether one receiver has stopped; asked of the database each time, by its key."""

    def __init__(self, database: Database, receiver: str) -> None:
        self._database = database
        self._receiver = receiver

    def since(self, session: Session | None = None) -> datetime | None:
        """Return when it said so first; None: it wants to be told. `session`: one that is open already."""
        if session is None:
            with self._database.read() as session:
                return self.since(session)
        found: datetime | None = session.connection().execute(_SINCE, {"of": self._receiver}).scalar()
        return found

    def stop(self, at: datetime) -> None:
        """Keep that it wants nothing more."""
        with self._database.write() as work:
            work.insert_once(StoppedRow, {"receiver": self._receiver, "since": at})

    def resume(self) -> bool:
        """Forget that it said so; False if it had not."""
        table = table_of(StoppedRow)
        with self._database.write() as work:
            gone = table.delete().where(table.c.receiver == self._receiver)
            return bool(work.session.connection().execute(gone).rowcount)
