"""Marks: how far the tables have grown that everything reads and little writes to.

What was read of them stays true until its mark moves, so one small question a transaction saves many.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session

from api.storage.tables import ActivationRow, FeedRow, table_of

_KEY = "forbear.marks"
_QUERY = select(
    select(func.max(table_of(ActivationRow).c.seq)).scalar_subquery(),
    select(func.max(table_of(FeedRow).c.seq)).scalar_subquery(),
)


@dataclass(frozen=True, slots=True)
class Marks:
    """The last activation and the last word of a feed."""

    activations: int
    feeds: int


def marks_of(session: Session) -> Marks:
    """Return the marks as a session first saw them."""
    found: Marks | None = session.info.get(_KEY)
    if found is None:
        activations, feeds = session.connection().execute(_QUERY).one()
        found = session.info[_KEY] = Marks(activations or 0, feeds or 0)
    return found


def forget_marks(session: Session) -> None:
    """Let a session look again, after it has itself moved a mark."""
    session.info.pop(_KEY, None)
