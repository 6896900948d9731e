"""The brake: when more is interrupted on a day than can be right, until a person releases it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, Field

from api.rest.bodies import Body, Page, ReceivedAt, Ref, example
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.representation import Fields
from api.rest.routes import received, router
from api.storage import brakes
from api.storage.brakes import BrakeRow
from api.wiring import Wiring


class BrakeOut(Body):
    """One day of one class of actions."""

    kind: str
    day: date = Field(description="The local day in the time zone of the policy.")
    counted: int = Field(description="Interruptions that were asked for on that day, over the whole book.")
    most: int = Field(description="How many the day may have, by the mean of the days before it.")
    on: bool = Field(description="Interruptions wait until a person releases them.")
    on_since: AwareDatetime | None
    released_at: AwareDatetime | None
    released_by: str
    reason: str


class ReleaseBody(Body):
    """Who lets interruptions go again, and why."""

    model_config = example(
        actor="maria", reason="The month's bills fell due after the holiday; I have looked."
    )
    actor: Ref
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    received_at: ReceivedAt = None


class ReleasedOut(Body):
    """The days that were released."""

    released: list[BrakeOut]


def brakes_router(wiring: Wiring) -> APIRouter:
    """Return the paths of the brake."""
    api = router("cases")

    @api.get("/brakes", summary="List days with interruptions and whether the brake is on, the last first")
    def page(limit: Limit = 100, after: After = "", fields: Fields = "") -> Page[BrakeOut]:
        found = cursor_of(after, int)
        before = date.fromordinal(max(1, min(found[0], date.max.toordinal()))) if found else None
        with wiring.database.read() as session:
            rows = brakes.page_of_brakes(session, before, limit)
        items = [_out(row) for row in rows]
        path = page_of("/v1/brakes", rows, limit, lambda row: (row.day.toordinal(),), {"fields": fields})
        return Page(items=items, next=path)

    @api.post("/brakes/{kind}/release", summary="Let interruptions go again")
    async def release(kind: Annotated[Literal["interruptions"], Path()], body: ReleaseBody) -> ReleasedOut:
        """What waits goes out if it still holds and its hours are not over; the day is free from then on."""
        at = received(wiring, body.received_at)

        def write() -> ReleasedOut:
            with wiring.database.write() as work:
                return ReleasedOut(
                    released=[_out(row) for row in brakes.release(work, body.actor, body.reason, at)]
                )

        return await run_in_threadpool(write)

    return api


def _out(row: BrakeRow) -> BrakeOut:
    on = row.on_since is not None and row.released_at is None
    return BrakeOut(
        kind=row.kind, day=row.day, counted=row.counted, most=row.most, on=on, on_since=row.on_since,
        released_at=row.released_at, released_by=row.released_by, reason=row.reason,
    )  # fmt: skip
