"""Requests by their Idempotency-Key: a repeated one gets the stored answer (IETF httpapi draft)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import select

from api.storage.session import Database
from api.storage.tables import IdempotencyRow, table_of

KEPT = timedelta(hours=48)
"""How long an answer is kept."""
REFUSAL_KEPT = timedelta(minutes=10)
"""How long a refusal is kept: what was in its way may go away."""
LEASE = timedelta(seconds=60)
"""How long the first caller may take before it is taken for dead."""


class KeyInFlight(Exception):
    """The first request with this key has not been answered yet."""

    def __init__(self, key: str, again_in: int) -> None:
        super().__init__(
            f"A request with the Idempotency-Key `{key}` is being answered. Try again in {again_in} s; "
            f"whoever takes longer than {LEASE.seconds} s over it is taken for dead."
        )
        self.key = key
        self.again_in = again_in
        """Seconds after which it is worth while to ask again."""


class KeyReused(Exception):
    """The key was used for a request with another payload."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The Idempotency-Key `{key}` was used for another request. Give each request a key of its own, "
            "and repeat a request without changes."
        )
        self.key = key


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was given the first time."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class IdempotencyKeys:
    """Keys with their answers; the system's clock decides when one expires."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, key: str, fingerprint: str, now: datetime) -> StoredAnswer | None:
        """Take a key for a request; return the stored answer if there is one.

        Raises KeyReused for another payload, KeyInFlight while the first one is not answered.
        """
        fresh = {
            "key": key, "fingerprint": fingerprint, "headers": "{}", "body": b"",
            "leased_until": now + LEASE, "expires_at": now + KEPT,
        }  # fmt: skip
        with self._database.write() as work:
            if work.insert_once(IdempotencyRow, fresh):
                return None
            query = select(IdempotencyRow).where(IdempotencyRow.key == key).with_for_update()
            row = work.session.exec(query).one()
            if row.expires_at <= now:
                work.update(IdempotencyRow, {"key": key}, fresh | {"status": None})
                return None
            if row.fingerprint != fingerprint:
                raise KeyReused(key)
            if row.status is not None:
                return StoredAnswer(row.status, json.loads(row.headers), row.body)
            if row.leased_until > now:
                raise KeyInFlight(key, _again_in(row.leased_until - now))
            row.leased_until = now + LEASE
            work.session.add(row)
            return None

    def answer(self, key: str, answer: StoredAnswer, until: datetime | None = None) -> None:
        """Keep the answer of a request; `until`: not for as long as the others."""
        values = {"status": answer.status, "headers": json.dumps(dict(answer.headers)), "body": answer.body}
        values |= {"expires_at": until} if until else {}
        with self._database.write() as work:
            work.update(IdempotencyRow, {"key": key}, values)

    def forget(self, key: str) -> None:
        """Give a key back: its request failed in a way that may pass, so it may be tried again."""
        table = table_of(IdempotencyRow)
        with self._database.write() as work:
            gone = table.delete().where(table.c.key == key, table.c.status.is_(None))
            work.session.connection().execute(gone)

    def expire(self, now: datetime) -> int:
        """Remove the keys whose time is over; return how many."""
        table = table_of(IdempotencyRow)
        with self._database.write() as work:
            gone = table.delete().where(table.c.expires_at <= now)
            return work.session.connection().execute(gone).rowcount


def _again_in(left: timedelta) -> int:
    """Return after how many seconds to ask again: as long as it has lasted, at most when its time is over."""
    lasted = LEASE - left
    return max(1, math.ceil(min(lasted, left).total_seconds()))
