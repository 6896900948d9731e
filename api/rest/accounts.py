"""Accounts: their terms, where their ledger and cases stand, and what is owed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from fastapi import APIRouter, Query, Response, status
from pydantic import AwareDatetime, Field, field_validator, model_validator

from api.rest.bodies import Amount, Body, Currency, Day, Id, Instant, Page, ReceivedAt, example
from api.rest.errors import Refusal
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.representation import Fields, IfMatch, matches, needed, tag_of
from api.rest.routes import received, router
from api.storage.accounts import (
    add_account,
    allocation_of,
    allocation_text,
    get_account,
    lock_account,
    page_of_accounts,
    terms_of,
)
from api.storage.money import exact_sum
from api.storage.tables import AccountRow
from api.storage.troubles import in_trouble, trouble_of
from api.wiring import Wiring
from engine.ledger import (
    AccountPosition,
    Allocation,
    Unmatched,
    allocation_report,
    derived_at,
    position_at,
    unmatched,
)
from engine.ledger.account import LEVELS, Level
from engine.ledger.allocation import PRINCIPAL_FIRST, AllocationRule
from engine.ledger.facts_model import Source
from engine.ledger.known import known_entries
from engine.text import suggest


class AccountBody(Body):
    """A billing account (TMF666): whose it is, in which money, in whose days."""

    model_config = example(id="A1001", customer="C1001", currency="CNY", timezone="Asia/Shanghai")
    id: Id
    customer: Id = Field(
        description="Who pays: notices go to them, their facts choose the treatment, they are graded by it."
    )
    currency: Currency
    timezone: str = Field(
        description="IANA name; business dates are local dates here.", examples=["Asia/Shanghai"]
    )
    collections_policy: str = Field(
        default="",
        max_length=64,
        description="Name of its collections policy; empty: what the portfolio says for its currency.",
    )
    dependant: str = Field(
        default="",
        max_length=128,
        description="The customer whom it serves, where somebody else pays (TMF666 relatedParty `payer`). It "
        "counts for nothing in the grading of the dependant; their service is what is cut and restored.",
    )
    allocation: AllocationRule = Field(
        default=PRINCIPAL_FIRST, description="How money that names no bill (`pays`) is spread over debts."
    )
    received_at: ReceivedAt = None

    @model_validator(mode="after")
    def _serves_another(self) -> Self:
        if self.dependant == self.customer:
            raise ValueError("`dependant` is who is served where somebody else pays; leave it out here")
        return self

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            near = suggest(value, available_timezones())
            advice = f"did you mean `{near}`?" if near else "such as Asia/Shanghai"
            raise ValueError(f"this is no time zone of the IANA list; {advice}") from None
        return value


class AccountChange(Body):
    """What may be changed of an account: everything else is who it is, or follows from its ledger."""

    model_config = example(collections_policy="consumer-collections")
    collections_policy: str = Field(
        max_length=64,
        description="Name of its collections policy; empty: what the portfolio says for its currency.",
    )
    received_at: ReceivedAt = None


class AccountOut(Body):
    """An account and where it stands."""

    id: str
    customer: str
    currency: str
    timezone: str
    dependant: str
    allocation: AllocationRule
    collections_policy: str
    version: int = Field(
        description="Rises with each entry and each fact about the customer; the ETag begins with it."
    )
    last_received_at: AwareDatetime | None
    watch_on: AwareDatetime | None = Field(
        description="When a case is due to be opened, if nothing else comes."
    )
    remind_on: AwareDatetime | None = Field(
        description="When a bill is to be announced before its due date, if nothing else comes."
    )
    open_case: int | None = Field(description="Number of the open case, of several the last.")
    cases: int
    service_level: Level = Field(description="What the network was last confirmed to give.")
    trouble: str = Field(
        description="Why a person must act: no policy treats what is overdue, a law pack is missing, an "
        "entry names something that has not come for a day, a plan is not what it replaces. Empty: none."
    )


class DebtOut(Body):
    """One debt: a bill or an instalment of one."""

    id: str
    bill: str
    due_date: date
    amount: Amount
    remaining_amount: Amount
    disputed_amount: Amount
    days_past_due: int
    written_off: bool


class UnmatchedOut(Body):
    """An entry that names something that has not come: it waits for it, and counts nowhere until then."""

    kind: str
    id: str
    field: str = Field(description="Where it names what has not come.", examples=["bill", "pays/0/bill"])
    names: str = Field(description="The kind of entry that it waits for.", examples=["bill", "payment"])
    wanted: str = Field(
        description="The id of the entry that it waits for; empty: any that brings so much money."
    )
    since: AwareDatetime


class PositionOut(Body):
    """What is owed on an account, as known at an instant."""

    account: str
    currency: str
    at: AwareDatetime
    on: date = Field(description="Local business date of that instant.")
    version: int
    open_amount: Amount
    overdue_amount: Amount = Field(description="Past due, undisputed, not written off.")
    disputed_amount: Amount
    credit: Amount
    deposit: Amount
    debts: list[DebtOut]
    allocations: list[Allocation] = Field(description="Which money paid which debt.")
    unmatched: list[UnmatchedOut] = Field(
        description="What waits for something that has not come; after a day it is a trouble of the account."
    )


class FactOut(Body):
    """A fact with its rule and the entries it follows from."""

    value: int | Amount
    as_of: date
    rule: str
    told: str = Field(description="What the rule met in this ledger.")
    sources: tuple[Source, ...] = Field(description="By value date; none: it follows from their absence.")
    newest: date | None = Field(description="Value date of the latest source.")
    age_days: int | None = Field(description="Days from the latest source to `as_of`.")


class AccountFacts(Body):
    """What follows from an account's ledger as of a day, as known at an instant."""

    account: str
    at: AwareDatetime
    as_of: date
    facts: dict[str, FactOut]


KnownAt = Annotated[
    Instant | None, Query(description="As known at that instant; left out: now. `at` is the same.")
]
AsOf = Annotated[Day | None, Query(description="A local business date; left out: the day of `at`.")]


def accounts_router(wiring: Wiring) -> APIRouter:
    """Return the paths of accounts."""
    api = router("accounts")

    def out(row: AccountRow) -> AccountOut:
        return account_out(row, wiring)

    @api.post("/accounts", status_code=201, summary="Create an account")
    def create(body: AccountBody, response: Response) -> AccountOut:
        at = received(wiring, body.received_at, needed=False)
        values = body.model_dump(include={"id", "customer", "currency", "timezone"})
        with wiring.database.write() as work:
            more = {"dependant": body.dependant, "allocation": allocation_text(body.allocation)}
            row, new = add_account(work, values | more | {"policy": body.collections_policy}, at)
            if new:
                wiring.writer.news.keep(work, wiring.writer.news.opened(work.session, row, at))
        response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        response.headers["Location"] = f"/v1/accounts/{row.id}"
        return out(row)

    @api.get("/accounts/{account}", summary="Read an account")
    def read(account: str, response: Response) -> AccountOut:
        with wiring.database.read() as session:
            found = out(get_account(session, account))
        response.headers["ETag"] = tag_of(found, found.version)
        return found

    @api.patch("/accounts/{account}", summary="Name another collections policy for an account")
    def change(account: str, body: AccountChange, response: Response, if_match: IfMatch = None) -> AccountOut:
        """A merge patch (RFC 7396). A case that is open finishes under the policy that it opened with."""
        asked = needed(if_match, "account")
        at = received(wiring, body.received_at)
        with wiring.database.write() as work:
            row = lock_account(work.session, account)
            if not matches(asked, tag_of(out(row), row.version)):
                raise Refusal("precondition-failed", f"Account `{row.id}` is not as it was read.")
            wiring.writer.rename_policy(work, row, body.collections_policy, at, clamp=not wiring.simulated)
        found = out(row)
        response.headers["ETag"] = tag_of(found, found.version)
        return found

    @api.get("/accounts/{account}/position", summary="Read what is owed, as known at an instant")
    def position(
        account: str, at: KnownAt = None, as_of: AsOf = None, known_at: KnownAt = None
    ) -> PositionOut:
        with wiring.database.read() as session:
            row = get_account(session, account)
            moment = moment_of(wiring, row, known_at or at)
            entries = wiring.positions.entries(session, row)
            found = wiring.positions.of(session, row, entries, moment)
        if as_of:
            found = position_at(terms_of(row), entries, moment, as_of=as_of)
        waits = unmatched(known_entries(entries, moment))
        return _position(found, allocation_report(terms_of(row), entries, moment, as_of=as_of), waits)

    @api.get(
        "/accounts/{account}/facts", summary="Read what follows from its ledger, each fact with its sources"
    )
    def facts(account: str, at: KnownAt = None, as_of: AsOf = None, known_at: KnownAt = None) -> AccountFacts:
        with wiring.database.read() as session:
            row = get_account(session, account)
            moment = moment_of(wiring, row, known_at or at)
            entries = wiring.positions.entries(session, row)
        day = as_of or moment.astimezone(ZoneInfo(row.timezone)).date()
        found = derived_at(entries, day, moment, allocation=allocation_of(row.allocation))
        out = {name: FactOut(**fact.model_dump(), age_days=fact.age_days) for name, fact in found.items()}
        return AccountFacts(account=row.id, at=moment, as_of=day, facts=out)

    @api.get("/accounts", summary="List accounts")
    def page(
        customer: Annotated[str, Query(description="Of one customer, who pays.")] = "",
        dependant: Annotated[str, Query(description="That serve one customer, for whom another pays.")] = "",
        troubled: Annotated[bool, Query(description="Only those with a `trouble`.")] = False,
        currency: Annotated[str, Query(description="In one currency.")] = "",
        in_arrears: Annotated[bool | None, Query(description="With an open case, or without one.")] = None,
        limit: Limit = 100,
        after: After = "",
        fields: Fields = "",
    ) -> Page[AccountOut]:
        (cursor,) = cursor_of(after, str) or ("",)
        with wiring.database.read() as session:
            wanted = in_trouble(business_now(wiring)) if troubled else None
            rows = page_of_accounts(session, cursor, limit, customer, wanted, currency, in_arrears, dependant)
        asked = {
            "customer": customer, "dependant": dependant, "troubled": "true" if troubled else "",
            "currency": currency,
            "in_arrears": in_arrears if in_arrears is None else str(in_arrears).lower(), "fields": fields,
        }  # fmt: skip
        following = page_of("/v1/accounts", rows, limit, lambda row: (row.id,), asked)
        return Page(items=[out(row) for row in rows], next=following)

    return api


def moment_of(wiring: Wiring, row: AccountRow, at: datetime | None) -> datetime:
    """Return the instant of which a reader asks: as known now, unless one is named."""
    if at is None and wiring.simulated:
        return row.last_received or wiring.directory.created
    return at or max(wiring.clock.now(), row.last_received or wiring.clock.now())


def business_now(wiring: Wiring) -> datetime | None:
    """Return the server's clock; None in simulated time, where each account has a clock of its own."""
    return None if wiring.simulated else wiring.clock.now()


def account_out(row: AccountRow, wiring: Wiring) -> AccountOut:
    """Return a stored account as it goes out."""
    at = business_now(wiring) or row.last_received or row.created_at
    return AccountOut(
        id=row.id, customer=row.customer, currency=row.currency, timezone=row.timezone,
        dependant=row.dependant, allocation=allocation_of(row.allocation),
        collections_policy=row.policy, version=row.version, last_received_at=row.last_received,
        watch_on=row.watch_on, remind_on=row.remind_on, open_case=row.open_case, cases=row.cases,
        service_level=_level(row.level), trouble=trouble_of(row, at),
    )  # fmt: skip


def _level(text: str) -> Level:
    return next(level for level in LEVELS if level == text)


def _position(
    found: AccountPosition, allocations: tuple[Allocation, ...], waits: tuple[Unmatched, ...]
) -> PositionOut:
    debts = [
        DebtOut(
            id=d.id, bill=d.bill, due_date=d.due_date, amount=d.amount, remaining_amount=d.open,
            disputed_amount=d.disputed, written_off=d.written_off,
            days_past_due=max(0, (found.today - d.due_date).days) if d.open else 0,
        )
        for d in found.debts
    ]  # fmt: skip
    owed = [d for d in debts if not d.written_off]
    return PositionOut(
        account=found.terms.account, currency=found.terms.currency, at=found.at, on=found.today,
        version=found.version, open_amount=exact_sum(d.remaining_amount for d in owed),
        overdue_amount=exact_sum(d.remaining_amount - d.disputed_amount for d in owed if d.days_past_due > 0),
        disputed_amount=exact_sum(d.disputed_amount for d in owed), credit=found.credit,
        deposit=found.deposit, debts=debts, allocations=list(allocations),
        unmatched=[UnmatchedOut(**wait.model_dump()) for wait in waits],
    )  # fmt: skip
