"""Previews past the framework: the same answer, for the plain case that a billing system asks all day.

A preview whose policy was looked up a moment ago needs no database and no thread. Whatever is not plain (a
mistake, a trace, a policy that is not at hand) goes on to the path itself, which words every refusal.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from api.rest.gate import replay, whole_body
from api.rest.quick_answers import Answers, asked_in
from api.rest.strict_json import BadJson
from api.wiring import Wiring
from engine.credit import CompiledPolicy
from engine.credit.quick import NotPlain

PATH = "/v1/previews"
POLICIES_KEPT = 64


class QuickPreviews:
    """ASGI middleware in front of the framework's own routing."""

    def __init__(self, app: ASGIApp, wiring: Wiring) -> None:
        self._app = app
        self._wiring = wiring
        self._made: dict[str, Answers] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a plain preview; pass on everything else."""
        if (
            scope["type"] != "http"
            or scope["path"] != PATH
            or scope["method"] != "POST"
            or scope["query_string"]
        ):
            await self._app(scope, receive, send)
            return
        body = await whole_body(receive)
        answer = self._answer(body)
        if answer is None:
            await self._app(scope, replay(body, receive), send)
            return
        length = str(len(answer)).encode()
        headers = [(b"content-length", length), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _answer(self, body: bytes) -> bytes | None:
        wiring = self._wiring
        try:
            asked = asked_in(body)
            as_of = asked.as_of or wiring.clock.now().date()
            compiled = wiring.library.credit_at_hand(asked.policy, as_of)
            return None if compiled is None else self._answers(compiled).answer(asked.facts, as_of)
        except (NotPlain, BadJson, ValueError):
            return None

    def _answers(self, compiled: CompiledPolicy) -> Answers:
        digest = compiled.policy.digest
        found = self._made.get(digest)
        if found is None:
            if len(self._made) >= POLICIES_KEPT:
                self._made.clear()
            found = self._made[digest] = Answers(compiled)
        return found
