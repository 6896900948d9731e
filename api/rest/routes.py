"""What all paths share: strict JSON, the instant of receipt, and waiting for what a write caused."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.rest.bodies import ProblemBody
from api.rest.errors import Refusal, UnknownParameters
from api.rest.representation import reading, represent
from api.rest.strict_json import BadJson, loads
from api.wiring import Wiring
from engine.text import did_you_mean

LONGEST_WAIT = 60.0
_FROM_THE_START = datetime(1970, 1, 1, tzinfo=UTC)
"""When master data became known in simulated time, if nobody says it: before everything else."""
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,4})\"?(?:$|[,;\s])", re.IGNORECASE)

Prefer = Annotated[
    str | None,
    Header(description="`wait=N` (RFC 7240): answer when the case was told, at most N seconds later."),
]


_READING = Depends(reading)


class _StrictRequest(Request):
    async def json(self) -> Any:
        try:
            return loads(await self.body())
        except BadJson as error:
            raise HTTPException(400, error.detail) from error  # the handler reads its cause


def _check_parameters(request: Request, known: Collection[str]) -> None:
    """Raise UnknownParameters for what this path does not ask for, and for what is said twice."""
    found = []
    for name in dict.fromkeys(request.query_params):
        if name not in known:
            advice = did_you_mean(name, known, of="it takes") or "it takes none"
            found.append((name[:60], f"there is no such parameter here; {advice}"))
        elif len(request.query_params.getlist(name)) > 1:
            found.append((name, "this is said more than once."))
    if found:
        raise UnknownParameters(found)


class _StrictRoute(APIRoute):
    def __init__(self, path: str, endpoint: Callable[..., Any], **how: Any) -> None:
        if "GET" in (how.get("methods") or ()) and how.get("response_class") is not Response:
            how["dependencies"] = [*(how.get("dependencies") or ()), _READING]
        super().__init__(path, endpoint, **how)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Read bodies strictly, and answer reads as `represent` says."""
        handle = super().get_route_handler()

        reads = "GET" in (self.methods or ())
        asked = [self.dependant, *self.dependant.dependencies]
        known = {field.alias for part in asked for field in part.query_params}

        waits = any(field.alias == "prefer" for part in asked for field in part.header_params)

        async def strict(request: Request) -> Response:
            _check_parameters(request, known)
            if waits:
                wait_of(request.headers.get("prefer"))  # refused before anything is written
            response = await handle(_StrictRequest(request.scope, request.receive))
            return represent(request, response) if reads else response

        return strict


def router(tag: str) -> APIRouter:
    """Return a router whose bodies are read strictly and whose failures are problems."""
    return APIRouter(
        prefix="/v1", tags=[tag], route_class=_StrictRoute, responses={"4XX": {"model": ProblemBody}}
    )


def received(
    wiring: Wiring, given: datetime | None, *, needed: bool = True, now: datetime | None = None
) -> datetime:  # fmt: skip
    """Return when something became known: the server's clock, or in simulated time what the caller says.

    `now` is what the clock said already: all rows of one body become known at one instant.

    Raises Refusal where it may not be given, and where it must be.
    """
    if not wiring.simulated:
        if given is not None:
            raise Refusal(
                "received-at-not-allowed", "`received_at` may be given only in a simulated data directory.",
                "/received_at",
            )  # fmt: skip
        return now or wiring.clock.now()
    if given is None:
        if needed:
            raise Refusal(
                "received-at-missing", "This data directory is simulated: say `received_at`.", "/received_at"
            )
        return _FROM_THE_START
    return given


def day_told(at: datetime) -> date | None:
    """Return the day on which something was told; None for what is known from the start."""
    return None if at == _FROM_THE_START else at.date()


def wait_of(prefer: str | None) -> float | None:
    """Return how many seconds a caller wants to wait (RFC 7240); None if that was not asked for."""
    if prefer is None or "wait" not in prefer.lower():
        return None
    found = _WAIT.search(prefer)
    if found is None:
        raise Refusal("bad-preference", f"`Prefer: {prefer[:60]}` cannot be read.")
    return min(float(found[1]), LONGEST_WAIT)


async def wait_for(wiring: Wiring, outbox: Sequence[int], prefer: str | None, response: Response) -> None:
    """Wait until what a write put into the outbox has reached its case, if the caller asked for it."""
    seconds = wait_of(prefer)
    if seconds is None:
        return
    if not outbox or await wiring.relay.settled(outbox, seconds):
        response.headers["Preference-Applied"] = f"wait={seconds:.0f}"
