"""Rows by their key, by statements that are made once: making one costs as much as running it."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from sqlalchemy import bindparam, inspect
from sqlmodel import Session, select
from sqlmodel.sql.expression import SelectOfScalar

from api.storage.tables import Row, table_of

R = TypeVar("R", bound=Row)


def row_of(session: Session, row: type[R], *key: Any) -> R | None:
    """Return a row by its primary key, or None; one that the session holds is not read again."""
    held = session.identity_map.get(inspect(row).identity_key_from_primary_key(key))
    if held is not None:
        return held  # type: ignore[no-any-return]  # what is held under this class's key
    names = (f"key_{place}" for place in range(len(key)))
    return session.exec(_by_key(row), params=dict(zip(names, key, strict=True))).one_or_none()


@cache
def _by_key(row: type[R]) -> SelectOfScalar[R]:
    columns = table_of(row).primary_key.columns
    return select(row).where(*(column == bindparam(f"key_{n}") for n, column in enumerate(columns)))


__all__ = ["row_of"]
