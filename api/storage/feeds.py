"""Feeds: each says that it is complete up to an instant, for all accounts, even when it was empty."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from api.storage.session import Work
from api.storage.tables import FeedRow
from engine.model import digest


def add_feed(work: Work, feed: str, complete_to: datetime, at: datetime) -> bool:
    """Note that a feed is complete up to an instant; tell whether that was new."""
    values = {"feed": feed, "complete_to": complete_to, "received_at": at}
    new = work.insert_once(FeedRow, values) is not None
    if new:
        work.audit("feed", feed, at, digest({"feed": feed, "complete_to": complete_to.isoformat()}))
    return new


def feeds_at(session: Session, at: datetime) -> dict[str, datetime]:
    """Return how far each feed is complete, as known at an instant."""
    query = select(FeedRow.feed, func.max(FeedRow.complete_to)).where(col(FeedRow.received_at) <= at)
    return dict(session.exec(query.group_by(FeedRow.feed)).all())


def all_feeds(session: Session) -> Sequence[FeedRow]:
    """Return the last word of each feed."""
    latest = select(func.max(FeedRow.seq)).group_by(FeedRow.feed)
    return session.exec(select(FeedRow).where(col(FeedRow.seq).in_(latest)).order_by(FeedRow.feed)).all()
