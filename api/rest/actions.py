"""Actions: what was asked for, what became of it, and the receipts that say so."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response, status
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, Field

from api.rest.bodies import Body, Day, Instant, Number, Page, ReceivedAt, example
from api.rest.errors import Refusal
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.representation import Fields
from api.rest.routes import Prefer, received, router, wait_for
from api.storage.accounts import get_account
from api.storage.acting import receipt_id
from api.storage.actions import action_of, get_action, happened_at, page_of_actions
from api.storage.entries import entry_row
from api.storage.tables import ActionRow
from api.wiring import Wiring
from engine.ladder.state import Action
from engine.ledger.entries import Receipt
from workflows.messages import ActionState

_AHEAD = timedelta(minutes=5)
"""How far a receiver's clock may be ahead of ours."""


class ActionOut(Body):
    """An action and the latest word on it."""

    key: str
    account: str
    case: int
    state: ActionState
    requested_at: AwareDatetime
    settled_at: AwareDatetime | None
    detail: str
    policy: str
    version: int = Field(description="The position's version when it was asked for.")
    action: Action


class ReceiptBody(Body):
    """What became of an action."""

    model_config = example(status="done", at="2026-03-21T10:30:00+08:00", detail="sms 8812")
    status: Literal["done", "failed", "suppressed"]
    at: Instant | None = Field(
        default=None, description="When it happened; waits and legal periods run from it."
    )
    detail: str = Field(default="", max_length=500)
    until: Day | None = Field(default=None, description="Last day on which a notice that was done is valid.")
    received_at: ReceivedAt = None


class ReceiptOut(Body):
    """A receipt as it is stored."""

    key: str
    status: ActionState
    at: AwareDatetime
    received_at: AwareDatetime
    detail: str
    version: int


def actions_router(wiring: Wiring) -> APIRouter:
    """Return the paths of actions."""
    api = router("cases")

    @api.get(
        "/actions", summary="List actions of cases, in order of their key",
        description="Those that alerts ask for are listed by `GET /v1/actions/alert`.",
    )  # fmt: skip
    def page(
        account: Annotated[str, Query(description="Of one account.")] = "",
        case: Annotated[Number | None, Query(description="Of its n-th case.")] = None,
        state: Annotated[ActionState | None, Query(description="In one state.")] = None,
        limit: Limit = 100,
        after: After = "",
        fields: Fields = "",
    ) -> Page[ActionOut]:
        (cursor,) = cursor_of(after, str) or ("",)
        with wiring.database.read() as session:
            rows = page_of_actions(session, cursor, limit, account, case, state or "")
        asked = {"account": account, "case": case, "state": state, "fields": fields}
        return Page(
            items=[_out(row) for row in rows],
            next=page_of("/v1/actions", rows, limit, lambda row: (row.key,), asked),
        )

    @api.post("/actions/{key:path}/receipts", status_code=201, summary="Say what became of an action")
    async def tell(key: str, body: ReceiptBody, response: Response, prefer: Prefer = None) -> ReceiptOut:
        received_at = received(wiring, body.received_at)
        at = body.at or received_at
        if at > received_at + _AHEAD:
            raise Refusal("malformed-body", f"`at` {at.isoformat()} has not come yet.", "/at")
        at = min(at, received_at)

        def write() -> tuple[ReceiptOut, bool, list[int]]:
            with wiring.database.write() as work:
                action = get_action(work.session, key)
                done_at = happened_at(action, at)
                row = get_account(work.session, action.account)
                # Without an instant of its own the word itself is the news: said twice, it is one receipt.
                mark = receipt_id(key, body.status, body.at)
                known = entry_row(work.session, row.id, "receipt", mark) if body.at is None else None
                receipt = Receipt(
                    id=mark, value_date=done_at.astimezone(ZoneInfo(row.timezone)).date(),
                    received_at=received_at, key=key, status=body.status,
                    at=Receipt.model_validate_json(known.body).at if known else done_at,
                    detail=body.detail, until=body.until,
                )  # fmt: skip
                if known:
                    receipt = receipt.model_copy(update={"value_date": known.value_date})
                posted = wiring.writer.post(work, row.id, receipt, clamp=not wiring.simulated)
            assert isinstance(posted.entry, Receipt)
            out = ReceiptOut(version=posted.version, **posted.entry.model_dump(include=_SHOWN))
            return out, posted.new, work.outbox

        out, new, outbox = await run_in_threadpool(write)
        response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        await wait_for(wiring, outbox, prefer, response)
        return out

    @api.get("/actions/{key:path}", summary="Read an action")
    def read(key: str) -> ActionOut:
        with wiring.database.read() as session:
            return _out(get_action(session, key))

    return api


_SHOWN = {"key", "status", "at", "received_at", "detail"}


def _out(row: ActionRow) -> ActionOut:
    return ActionOut.model_validate(
        {
            "key": row.key, "account": row.account, "case": row.number, "state": row.state,
            "requested_at": row.requested_at, "settled_at": row.settled_at, "detail": row.detail,
            "policy": row.policy, "version": row.version, "action": action_of(row),
        }
    )  # fmt: skip
