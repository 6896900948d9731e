"""Messages: what is told to the receiver, and what waits because there is none or it does not answer."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from api.rest.bodies import Body, Page
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.representation import Fields
from api.rest.routes import router
from api.storage import outbox
from api.storage.outbox import page_of_messages
from api.storage.tables import OutboxRow
from api.wiring import Wiring

State = Literal["", "pending", "delivered", "withdrawn", "expired", "dead"]


class MessageOut(Body):
    """One message of the outbox."""

    sequence: int
    account: str
    action: str = Field(description="The action's key; also the `webhook-id`.")
    state: str
    attempts: int
    error: str = Field(description="Why it is not delivered: what the receiver said, or why it may not go.")
    created_at: AwareDatetime
    next_at: AwareDatetime | None = Field(description="When it is tried again.")
    settled_at: AwareDatetime | None
    traceparent: str = Field(description="The trace of the call that led to it; empty: a timer did.")
    correlation_id: str
    event: dict[str, Any] = Field(description="The CloudEvent as it is sent.")


def messages_router(wiring: Wiring) -> APIRouter:
    """Return the path of the outbox."""
    api = router("cases")

    @api.get("/messages", summary="List messages to the receiver, oldest first")
    def page(
        account: Annotated[str, Query(description="Of one account.")] = "",
        state: Annotated[State, Query(description="`dead`: given up after some three days.")] = "",
        limit: Limit = 100,
        after: After = "",
        fields: Fields = "",
    ) -> Page[MessageOut]:
        (cursor,) = cursor_of(after, int) or (0,)
        with wiring.database.read() as session:
            rows = page_of_messages(session, cursor, limit, account, state)
        asked = {"account": account, "state": state, "fields": fields}
        following = page_of("/v1/messages", rows, limit, lambda row: (row.id,), asked)
        return Page(items=[_out(row) for row in rows], next=following)

    return api


def _out(row: OutboxRow) -> MessageOut:
    assert row.id is not None
    return MessageOut(
        sequence=row.id, account=row.account, action=row.subject, state=row.state, attempts=row.attempts,
        error=row.error, created_at=row.created_at, next_at=row.next_at or row.not_before,
        settled_at=row.settled_at, traceparent=row.traceparent, correlation_id=row.correlation,
        event=json.loads(outbox.with_cause(row)),
    )  # fmt: skip
