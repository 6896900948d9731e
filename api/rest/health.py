"""Health: whether this process answers, and whether it can do its work."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field

from api.rest.accounts import business_now
from api.rest.bodies import Body
from api.storage import brakes, outbox
from api.storage.brakes import BrakeRow
from api.storage.troubles import count_cases_in_trouble, count_in_trouble
from api.wiring import Wiring

EXPORT_WITHIN = timedelta(days=300)
"""Temporal keeps a run for a year; one that is not exported long before that is in danger."""


class HealthOut(Body):
    """The process answers."""

    status: str = "up"


class ReadyOut(Body):
    """Whether work can be done, and what stands in the way."""

    ready: bool
    temporal: bool = Field(description="Temporal was reached when it was last needed.")
    simulated: bool
    outbox: dict[str, int] = Field(description="Rows that wait, by channel; `dead` ones were given up.")
    receiver: bool = Field(description="Somebody is told of actions; otherwise they are kept and shown.")
    oldest_unexported: AwareDatetime | None
    why: list[str] = Field(description="What stands in the way of all work.")
    troubled_accounts: int
    troubled_cases: int = Field(description="Open cases that cannot go on; each says why.")
    told: list[str] = Field(description="What a person should look at; work goes on beside it.")


def health_router(wiring: Wiring) -> APIRouter:
    """Return the open paths for those who watch over the process."""
    api = APIRouter(tags=["health"])

    @api.get("/health", summary="The process answers")
    def health() -> HealthOut:
        return HealthOut()

    @api.get("/ready", summary="It can do its work", responses={503: {"model": ReadyOut}})
    def ready(response: Response) -> ReadyOut:
        with wiring.database.read() as session:
            waiting = outbox.backlog(session)
            troubled = count_in_trouble(session, business_now(wiring))
            cases = count_cases_in_trouble(session)
            braked = brakes.in_force(session)
        gone = wiring.stopped.since()
        told = [_stopped(gone)] if gone else []
        told += [_told(troubled)] if troubled else []
        told += [_cases(cases)] if cases else []
        told += map(_braked, braked)
        oldest = wiring.evidence.oldest_unexported()
        why = []
        if not wiring.relay.reaches_temporal:
            why.append("Temporal cannot be reached.")
        # Where time is simulated a run's date says nothing of its age.
        if oldest is not None and not wiring.simulated and wiring.clock.now() - oldest > EXPORT_WITHIN:
            why.append(f"A run of {oldest.date()} is not exported, and Temporal will soon forget it.")
        why += wiring.ended.values()
        if (trouble := wiring.watcher.trouble) and "watch" not in wiring.ended:
            why.append(trouble)
        response.status_code = 503 if why else 200
        return ReadyOut(
            ready=not why, temporal=wiring.relay.reaches_temporal, simulated=wiring.simulated,
            outbox=dict(waiting), receiver=wiring.courier.sends, oldest_unexported=oldest, why=why,
            troubled_accounts=troubled, troubled_cases=cases,
            told=told,
        )  # fmt: skip

    return api


def _braked(row: BrakeRow) -> str:
    return (
        f"The brake on {row.kind} is on since {row.day}: {row.counted} were asked for, more than {row.most}. "
        f"See `GET /v1/brakes`; `POST /v1/brakes/{row.kind}/release` lets them go."
    )


def _stopped(since: datetime) -> str:
    return (
        f"The receiver of webhooks answered 410 Gone at {since.isoformat(timespec='seconds')}: nothing more "
        "is sent. Mend it or give another, then `POST /v1/webhook/resume`."
    )


def _cases(troubled: int) -> str:
    many = "1 case cannot" if troubled == 1 else f"{troubled} cases cannot"
    return f"{many} go on; a person must act. See `GET /v1/cases?troubled=true`."


def _told(troubled: int) -> str:
    many = "1 account is" if troubled == 1 else f"{troubled} accounts are"
    return f"{many} in trouble; a person must act. See `GET /v1/accounts?troubled=true`."
