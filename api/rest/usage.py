"""Usage against the limit: what is used and not billed yet, and what that leaves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response, status
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, Field

from api.rest.accounts import KnownAt, moment_of
from api.rest.bodies import Amount, Body, Instant, Page, ReceivedAt, Ref, example
from api.rest.errors import Refusal
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.representation import Fields, IfMatch, version_of
from api.rest.routes import received, router
from api.storage.accounts import get_account
from api.storage.limits import Exposure, exposure_at, page_of_usage, report_usage
from api.storage.tables import AccountRow
from api.wiring import Wiring


class UsageBody(Body):
    """All that an account has used by an instant and was not billed for; it replaces what was said before."""

    model_config = example(id="U-2026-03-14", unbilled="83.20", at="2026-03-14T12:00:00+08:00")
    id: Ref = Field(description="Unique for its account; the same again is answered with what is stored.")
    unbilled: Annotated[Amount, Field(ge=0)]
    at: Instant | None = Field(
        default=None, description="The instant up to which it was counted; left out: now."
    )
    received_at: ReceivedAt = None


class ExposureOut(Body):
    """What an account draws on its credit limit."""

    account: str
    currency: str
    at: AwareDatetime
    owed: Amount = Field(description="Open and not written off, less the account's credit.")
    unbilled: Amount = Field(description="Used and not billed, as last reported.")
    unbilled_at: AwareDatetime | None = Field(description="Up to when that was counted; null: never.")
    exposure: Amount = Field(description="`owed` and `unbilled` together.")
    credit_limit: Amount | None = Field(
        description="Of the customer's last decision in this currency; null: none."
    )
    available: Amount | None = Field(description="What is left of the limit; negative when it is crossed.")
    over_limit: bool


class UsageOut(Body):
    """One report of usage."""

    id: str
    unbilled: Amount
    at: AwareDatetime
    received_at: AwareDatetime


def usage_router(wiring: Wiring) -> APIRouter:
    """Return the paths of usage and exposure."""
    api = router("accounts")

    @api.post("/accounts/{account}/usage", status_code=201, summary="Report what is used and not billed yet")
    async def report(
        account: str, body: UsageBody, response: Response, if_match: IfMatch = None
    ) -> ExposureOut:
        """Watch policies hear `limit_crossed` when what is owed and used rises above the credit limit."""
        received_at, expected = received(wiring, body.received_at), version_of(if_match)
        if body.at is not None and body.at > received_at:
            raise Refusal("malformed-body", f"`at` {body.at.isoformat()} has not come yet.", "/at")
        said = {"ref": body.id, "at": body.at or received_at, "unbilled": body.unbilled}

        def write() -> tuple[AccountRow, Exposure, bool]:
            with wiring.database.write() as work:
                found, new = report_usage(
                    work, wiring.positions, wiring.writer.news, account,
                    said | {"received_at": received_at}, expected,
                )  # fmt: skip
                return get_account(work.session, account), found, new

        row, found, new = await run_in_threadpool(write)
        response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return _out(row, found)

    @api.get("/accounts/{account}/usage", summary="List reports of usage, in order of their id")
    def page(account: str, limit: Limit = 100, after: After = "", fields: Fields = "") -> Page[UsageOut]:
        (cursor,) = cursor_of(after, str) or ("",)
        with wiring.database.read() as session:
            get_account(session, account)
            rows = page_of_usage(session, account, cursor, limit)
        items = [UsageOut(id=r.ref, unbilled=r.unbilled, at=r.at, received_at=r.received_at) for r in rows]
        path = f"/v1/accounts/{account}/usage"
        return Page(items=items, next=page_of(path, rows, limit, lambda row: (row.ref,), {"fields": fields}))

    @api.get("/accounts/{account}/exposure", summary="Read what is drawn on the credit limit")
    def exposure(account: str, at: KnownAt = None) -> ExposureOut:
        with wiring.database.read() as session:
            row = get_account(session, account)
            return _out(row, exposure_at(session, wiring.positions, row, moment_of(wiring, row, at)))

    return api


def _out(row: AccountRow, found: Exposure) -> ExposureOut:
    return ExposureOut(
        account=row.id, currency=row.currency, at=found.at, owed=found.owed, unbilled=found.unbilled,
        unbilled_at=found.unbilled_at, exposure=found.total, credit_limit=found.limit,
        available=None if found.limit is None else found.limit - found.total, over_limit=found.over,
    )  # fmt: skip
