"""A repeated request gets the answer of the first one (Idempotency-Key, IETF httpapi draft)."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import OperationalError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.rest.errors import Refusal, answer, problem_of
from api.rest.gate import replay, whole_body
from api.rest.methods import Methods
from api.rest.problems import REFUSED, instance
from api.storage.idempotency import REFUSAL_KEPT, IdempotencyKeys, KeyInFlight, KeyReused, StoredAnswer

KEPT_HEADERS = frozenset({"content-type", "location", "etag", "preference-applied"})
LONGEST = 128
_NAME = b"idempotency-key"
WRITES = ("POST", "PATCH", "PUT", "DELETE")


def key_of(header: str) -> str:
    """Return the key from its header: a quoted string (RFC 8941), or bare. Raises Refusal."""
    key = header.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 1 <= len(key) <= LONGEST or any(not "!" <= c <= "~" for c in key):
        raise Refusal(
            "bad-idempotency-key", f"`{header[:60]}` is no key of 1 to {LONGEST} visible ASCII characters."
        )
    return key


def _said(scope: Scope) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == _NAME), None)


class Idempotency:
    """ASGI middleware behind the gate: stores answers, gives them again, refuses other payloads.

    What succeeded is kept for 48 hours, what the ledger refused as it stands (409) for ten minutes. What
    can be mended (a body, facts, an old `If-Match`) or failed on our side is not kept: its key is free.
    """

    def __init__(
        self, app: ASGIApp, *, keys: IdempotencyKeys, now: Callable[[], datetime], methods: Methods
    ) -> None:  # fmt: skip
        self._app = app
        self._methods = methods
        self._keys = keys
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it from what is stored."""
        header = _said(scope) if scope["type"] == "http" else None
        if header is None or not self._writes(scope):
            await self._app(scope, receive, send)
            return
        try:
            key = key_of(header)
            body = await whole_body(receive)
            stored = await asyncio.to_thread(self._keys.begin, key, _fingerprint(scope, body), self._now())
        except (Refusal, KeyInFlight, KeyReused, OperationalError) as error:
            await _refused(error, scope)(scope, receive, send)
            return
        if stored is not None:
            again = Response(stored.body, stored.status, {**stored.headers, "idempotency-replayed": "true"})
            await again(scope, receive, send)
            return
        try:
            await self._first(key, body, scope, receive, send)
        except OperationalError as error:  # before anything was sent: the answer could not be kept
            await _refused(error, scope)(scope, receive, send)

    def _writes(self, scope: Scope) -> bool:
        """Tell whether a request may change something; what is not served is refused whatever its key."""
        method = scope["method"]
        return method in WRITES and method in self._methods.of(scope["path"])

    async def _first(self, key: str, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        told: list[Message] = []

        async def keep(message: Message) -> None:
            told.append(message)

        try:
            await self._app(scope, replay(body, receive), keep)
            await self._settle(key, told)
        except BaseException as error:
            await asyncio.shield(asyncio.to_thread(self._keys.forget, key))
            answered = told and told[0]["status"] == 500 and isinstance(error, Exception)
            if not answered:
                raise
            # The framework has answered and logged it; raised again, it would close the connection.
        for message in told:
            await send(message)

    async def _settle(self, key: str, told: list[Message]) -> None:
        start, body = told[0], b"".join(message.get("body", b"") for message in told[1:])
        succeeded = 200 <= start["status"] < 300
        if not succeeded and not _is_refusal(start["status"], body):
            await asyncio.to_thread(self._keys.forget, key)
            return
        headers = {k.decode(): v.decode() for k, v in start["headers"] if k.decode().lower() in KEPT_HEADERS}
        until = None if succeeded else self._now() + REFUSAL_KEPT
        await asyncio.to_thread(self._keys.answer, key, StoredAnswer(start["status"], headers, body), until)


def _is_refusal(status: int, body: bytes) -> bool:
    """Tell whether an operation has refused what it was asked."""
    return status == 409 and json.loads(body)["type"].removeprefix("/problems/") in REFUSED


def _refused(error: Exception, scope: Scope) -> Response:
    return answer({**(problem_of(error) or {}), "instance": instance(scope["path"])})


def _fingerprint(scope: Scope, body: bytes) -> str:
    said = hashlib.sha256()
    for part in (scope["method"].encode(), scope["path"].encode(), scope["query_string"], body):
        said.update(len(part).to_bytes(8) + part)
    return said.hexdigest()
