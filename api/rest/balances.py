"""The aged balances of many accounts, page by page, as known at an instant."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from api.rest.accounts import AsOf, KnownAt, moment_of
from api.rest.bodies import Body, Page
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.routes import router
from api.storage.accounts import page_of_accounts, terms_of
from api.storage.entries import entries_of
from api.storage.tables import AccountRow
from api.wiring import Wiring
from engine.ledger import Entry, position_at
from engine.ledger.ageing import AgedBalance, aged


class BalanceOut(Body):
    """What is open on one account by how late it is."""

    account: str
    customer: str
    currency: str
    on: date = Field(description="Local business date of the account.")
    known_at: AwareDatetime
    balance: AgedBalance = Field(
        description="Disputed parts are in it, what is written off is not; past due by days."
    )


def balances_router(wiring: Wiring) -> APIRouter:
    """Return the path of balances."""
    api = router("accounts")

    @api.get("/balances", summary="Read what is open on each account by days past due")
    def page(
        as_of: AsOf = None,
        known_at: KnownAt = None,
        customer: Annotated[str, Query(description="Of one customer, who pays.")] = "",
        currency: Annotated[str, Query(description="In one currency.")] = "",
        limit: Limit = 100,
        after: After = "",
    ) -> Page[BalanceOut]:
        (cursor,) = cursor_of(after, str) or ("",)
        with wiring.database.read() as session:
            rows = page_of_accounts(session, cursor, limit, customer, None, currency)
            entries = entries_of(session, [row.id for row in rows])
        asked = {
            "as_of": as_of and as_of.isoformat(), "known_at": known_at and known_at.isoformat(),
            "customer": customer, "currency": currency,
        }  # fmt: skip
        found = [
            _balance(row, entries.get(row.id, []), moment_of(wiring, row, known_at), as_of) for row in rows
        ]
        following = page_of("/v1/balances", rows, limit, lambda row: (row.id,), asked)
        return Page(items=found, next=following)

    return api


def _balance(row: AccountRow, entries: list[Entry], known_at: datetime, as_of: date | None) -> BalanceOut:
    position = position_at(terms_of(row), entries, known_at, as_of=as_of)
    return BalanceOut(
        account=row.id, customer=row.customer, currency=row.currency, known_at=known_at,
        on=as_of or known_at.astimezone(ZoneInfo(row.timezone)).date(), balance=aged(position),
    )  # fmt: skip
