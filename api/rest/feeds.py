"""Feeds: each says up to when it is complete, for all accounts, even when it was empty."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from api.rest.bodies import Body, Instant, ReceivedAt, example
from api.rest.errors import Refusal
from api.rest.routes import received, router
from api.storage.feeds import add_feed, all_feeds
from api.wiring import Wiring


class FeedBody(Body):
    """A feed that is complete up to an instant."""

    model_config = example(feed="payments", complete_to="2026-03-01T23:59:59+08:00")
    feed: Literal["payments", "bills"] = "payments"
    complete_to: Instant = Field(description="Everything that happened before is told.")
    received_at: ReceivedAt = None


class FeedOut(Body):
    """The last word of a feed."""

    feed: str
    complete_to: AwareDatetime
    received_at: AwareDatetime


def feeds_router(wiring: Wiring) -> APIRouter:
    """Return the paths of feeds."""
    api = router("ledger")

    @api.post("/feeds", status_code=201, summary="Say that a feed is complete up to an instant")
    def tell(body: FeedBody) -> FeedOut:
        at = received(wiring, body.received_at)
        if body.complete_to > at:
            raise Refusal("malformed-body", "A feed cannot be complete up to a time to come.", "/complete_to")
        with wiring.database.write() as work:
            add_feed(work, body.feed, body.complete_to, at)
        return FeedOut(feed=body.feed, complete_to=body.complete_to, received_at=at)

    @api.get("/feeds", summary="Read how far each feed is complete")
    def read() -> list[FeedOut]:
        with wiring.database.read() as session:
            rows = all_feeds(session)
        return [FeedOut(feed=r.feed, complete_to=r.complete_to, received_at=r.received_at) for r in rows]

    return api
