"""Previews past the framework: the same answer, for the plain case that a billing system asks all day.

A preview whose policy was looked up a moment ago needs no database and no thread. Whatever is not plain (a
mistake, a trace, a policy that is not at hand) goes on to the path itself, which words every refusal.
"""

from __future__ import annotations

from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from api.rest.assessments import PreviewBody
from api.rest.customers import facts_of
from api.rest.decisions import DecisionOut, decision_fields
from api.rest.gate import replay, whole_body
from api.rest.strict_json import BadJson, loads
from api.wiring import Wiring
from engine.credit.errors import CreditError

PATH = "/v1/previews"


class QuickPreviews:
    """ASGI middleware in front of the framework's own routing."""

    def __init__(self, app: ASGIApp, wiring: Wiring) -> None:
        self._app = app
        self._wiring = wiring

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
        try:
            asked = PreviewBody.model_validate(loads(body))
        except (BadJson, ValidationError):
            return None
        wiring = self._wiring
        as_of = asked.as_of or wiring.clock.now().date()
        compiled = wiring.library.credit_at_hand(asked.policy, as_of)
        if compiled is None:
            return None
        try:
            decision = compiled.decide(facts_of(asked.facts, as_of), as_of)
        except CreditError:
            return None
        out = DecisionOut(**decision_fields(decision, trace=False))
        return out.model_dump_json().encode()
