"""Feeds: each says that it is complete up to an instant, for all accounts, even when it was empty."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from api.storage.marks import forget_marks, marks_of
from api.storage.session import Work
from api.storage.tables import FeedRow
from engine.model import digest


def add_feed(work: Work, feed: str, complete_to: datetime, at: datetime) -> bool:
    """Note that a feed is complete up to an instant; tell whether that was new."""
    values = {"feed": feed, "complete_to": complete_to, "received_at": at}
    new = work.insert_once(FeedRow, values) is not None
    if new:
        forget_marks(work.session)
        work.audit("feed", feed, at, digest({"feed": feed, "complete_to": complete_to.isoformat()}))
    return new


class Feeds:
    """How far each feed was complete at any instant; read again only when a feed has spoken."""

    def __init__(self) -> None:
        self._mark = -1
        self._told: dict[str, tuple[list[datetime], list[datetime]]] = {}

    def at(self, session: Session, at: datetime) -> dict[str, datetime]:
        """Return how far each feed is complete, as known at an instant."""
        mark = marks_of(session).feeds
        if mark != self._mark:
            self._told, self._mark = _read(session), mark
        found = {}
        for feed, (received, complete) in self._told.items():
            known = bisect_right(received, at)
            if known:
                found[feed] = complete[known - 1]
        return found


def _read(session: Session) -> dict[str, tuple[list[datetime], list[datetime]]]:
    told: dict[str, tuple[list[datetime], list[datetime]]] = {}
    for row in session.exec(select(FeedRow).order_by(col(FeedRow.received_at), col(FeedRow.seq))):
        received, complete = told.setdefault(row.feed, ([], []))
        received.append(row.received_at)
        complete.append(max(row.complete_to, complete[-1]) if complete else row.complete_to)
    return told


def all_feeds(session: Session) -> Sequence[FeedRow]:
    """Return the last word of each feed."""
    latest = select(func.max(FeedRow.seq)).group_by(FeedRow.feed)
    return session.exec(select(FeedRow).where(col(FeedRow.seq).in_(latest)).order_by(FeedRow.feed)).all()
