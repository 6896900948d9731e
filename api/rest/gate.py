"""The gate: who may call, by which name, with what kind of body; others are turned away unread."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.rest.correlating import HEADER, cause_of
from api.rest.errors import answer
from api.rest.methods import Methods
from api.rest.problems import instance, problem
from api.storage.cause import CAUSE

OPEN = ("/", "/docs", "/openapi.json", "/health", "/ready")
"""What may be read without the key: it tells nothing about anybody."""
BULK = frozenset({"/v1/ledger/bulk", "/v1/events/bulk"})
BULK_FACTOR = 50
_SAFE = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
_TYPES = {
    "POST": ("application/json",),
    "PUT": ("application/json",),
    "PATCH": ("application/json", "application/merge-patch+json"),
}
_BODIED = frozenset(_TYPES)
_NDJSON = ("application/x-ndjson", "application/jsonl")
_STREAMED = "/v1/ledger/bulk"
"""Read as it comes, in bounded memory, by the path itself; with an Idempotency-Key it is read here."""
_OTHER_TYPES = {
    _STREAMED: (*_NDJSON, "text/csv"),
    "/v1/events/bulk": _NDJSON,
    "/v1/bounces": ("application/json", "message/rfc822"),
}


class Gate:
    """ASGI middleware in front of everything."""

    def __init__(
        self, app: ASGIApp, *, key: str, hosts: Iterable[str], body_limit: int, methods: Methods
    ) -> None:
        self._app = app
        self._methods = methods
        self._key = key.encode()
        self._hosts = frozenset(host.lower() for host in hosts)
        self._limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it with a problem."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # no websockets here
        if scope["method"] == "HEAD" and "GET" in self._methods.of(scope["path"]):
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        headers, path = _headers(scope), scope["path"]
        cause = cause_of(headers)
        CAUSE.set(cause)
        bare = send
        send = _marked(bare, cause.correlation)
        refusal = self._refusal(scope, headers, path)
        if refusal is not None:
            slug, detail = refusal
            extra = {"WWW-Authenticate": 'Bearer realm="forbear"'} if slug == "key-missing" else {}
            await answer(problem(slug, detail) | {"instance": instance(path)}, extra)(scope, receive, send)
            return
        send = _marked(bare, cause.correlation, _SAFE)
        await self._let_in(scope, receive, send, path, self._is_streamed(headers, path))

    def _refusal(self, scope: Scope, headers: Mapping[str, str], path: str) -> tuple[str, str] | None:
        if "\x00" in path or b"%00" in scope["query_string"]:
            return "not-found", "There is a NUL character in the address."
        if not self._is_host(scope, headers.get("host", "")):
            return "host-not-allowed", f"`{headers.get('host', '')[:100]}` is not a name of this server."
        is_open = path in OPEN or path.startswith("/problems/")
        if not is_open and not self._has_key(headers.get("authorization", "")):
            return "key-missing", "This path needs the key of the API."
        method = scope["method"]
        if method in _BODIED and (wrong := self._wrong_type(headers, path, method)):
            if method in self._methods.of(path):
                return "not-a-json-body", wrong
            return None  # what is not served is not read
        length = headers.get("content-length", "")
        if self._is_streamed(headers, path):
            return None
        if length.isdigit() and int(length) > self._limit_of(path):
            return (
                "body-too-large",
                f"The body has {int(length):,} bytes; up to {self._limit_of(path):,} are taken.",
            )
        return None

    def _is_host(self, scope: Scope, host: str) -> bool:
        name, _, port = (
            host.lower().rpartition(":") if ":" in host.rsplit("]", 1)[-1] else (host.lower(), "", "")
        )
        server = scope.get("server")
        own = str(server[1]) if server else ""
        return name in self._hosts and (port or "80") == own

    def _has_key(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        return scheme.lower() == "bearer" and secrets.compare_digest(given.strip().encode(), self._key)

    def _wrong_type(self, headers: Mapping[str, str], path: str, method: str) -> str:
        given = headers.get("content-type", "").partition(";")[0].strip().lower()
        if not given and "transfer-encoding" not in headers and headers.get("content-length", "0") == "0":
            return ""  # there is no body, so there is nothing to declare
        wanted = _OTHER_TYPES.get(path) or _TYPES[method]
        return "" if given in wanted else f"The body is declared as `{given[:60]}`, not as `{wanted[0]}`."

    @staticmethod
    def _is_streamed(headers: Mapping[str, str], path: str) -> bool:
        return path == _STREAMED and "idempotency-key" not in headers

    def _limit_of(self, path: str) -> int:
        return self._limit * (BULK_FACTOR if path in BULK else 1)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send, path: str, streamed: bool) -> None:
        if scope["method"] in _BODIED and not streamed:
            body = await _read(receive, self._limit_of(path))
            if body is None:
                said = problem("body-too-large", f"The body is larger than {self._limit_of(path):,} bytes.")
                await answer(said | {"instance": instance(path)})(scope, receive, send)
                return
            receive = replay(body, receive)
        await self._app(scope, receive, send)


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers by name, each as it is said first: they are asked for many times a request."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}


def _without_body(send: Send) -> Send:
    """Return a channel that gives on what a `GET` would be told, but for its body (RFC 9110, 9.3.2)."""

    async def bare(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return bare


def _marked(send: Send, correlation: str, more: tuple[tuple[bytes, bytes], ...] = ()) -> Send:
    """Return a channel that gives the correlation id back with every answer, and more headers."""
    marks = ((HEADER, correlation.encode()), *more)

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *marks]
        await send(message)

    return marked


async def _read(receive: Receive, limit: int) -> bytes | None:
    """Read a whole body; None when it grows over the limit."""
    parts, size = [], 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > limit:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return b"".join(parts)


async def whole_body(receive: Receive) -> bytes:
    """Read a body that the gate has let in."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return b"".join(parts)


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a channel that gives a body that was read, then whatever comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
