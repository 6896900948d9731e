"""Messages: what is told to the receiver, and what waits because there is none or it does not answer."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from api.rest.bodies import Body, Number, Page
from api.rest.errors import Refusal
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.representation import Fields
from api.rest.routes import router
from api.storage import outbox
from api.storage.errors import NotFound
from api.storage.outbox import page_of_messages
from api.storage.tables import OutboxRow
from api.wiring import Wiring
from engine.model import digest

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
    event: dict[str, Any] = Field(
        description="The CloudEvent of this message. A notice has its whole text in `data.text`, where the "
        "policy holds one. What goes out may join notices of one text, channel and day to one customer: then "
        "`data.together` is a list of the `data` of the others, and `data.text` is all texts, each said once."
    )


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

    @api.post("/messages/{sequence}/replay", summary="Send a message again that was given up")
    def replay(sequence: Number) -> MessageOut:
        """It is derived again before it goes: what is no longer due is withdrawn."""
        with wiring.database.write() as work:
            if work.session.get(OutboxRow, sequence) is None:
                raise NotFound("message", str(sequence))
            if not outbox.replay(work, sequence):
                raise Refusal("not-dead", f"Message {sequence} was not given up.")
            row = work.session.get_one(OutboxRow, sequence, populate_existing=True)
            work.audit("replay", row.subject, wiring.clock.now(), digest({"message": sequence}))
        wiring.relay.wake()
        return _out(row)

    return api


def _out(row: OutboxRow) -> MessageOut:
    assert row.id is not None
    return MessageOut(
        sequence=row.id, account=row.account, action=row.subject, state=row.state, attempts=row.attempts,
        error=row.error, created_at=row.created_at, next_at=row.next_at or row.not_before,
        settled_at=row.settled_at, traceparent=row.traceparent, correlation_id=row.correlation,
        event=json.loads(outbox.with_cause(row)),
    )  # fmt: skip
