"""What was agreed with a customer, and how it stands by the ledger: payment plans and promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Response, status
from fastapi.concurrency import run_in_threadpool
from pydantic import Field
from sqlmodel import Session

from api.rest.accounts import KnownAt, moment_of
from api.rest.bodies import Amount, Body, Id, Page, ReceivedAt, Ref, example
from api.rest.entry_bodies import InstalmentBody, NotNegative, ValueDate
from api.rest.errors import Refusal
from api.rest.paging import After, Limit, cursor_of, page_of
from api.rest.representation import Fields, IfMatch, version_of
from api.rest.routes import Prefer, received, router, wait_for
from api.storage.accounts import get_account
from api.storage.beside import open_cases
from api.storage.customers import require_customer
from api.storage.errors import NotFound
from api.storage.money import exact_sum
from api.storage.plans import accounts_with_plans
from api.storage.tables import AccountRow
from api.storage.troubles import said_of_misfit
from api.wiring import Wiring
from engine.ladder.clock import PromiseState, promise_states
from engine.ledger.account import AccountPosition, Debt
from engine.ledger.entries import Bill, PlanEnded
from engine.ledger.known import counts_by, known_entries
from engine.ledger.unmatched import misfits

PlanState = Literal["active", "broken", "kept", "ended"]
Kept = Literal["active", "kept", "broken", "withdrawn", "refused"]


class PlanBody(Body):
    """A payment plan (TMF666 paymentPlan): its instalments take the place of the bills that it names."""

    model_config = example(
        account="A1001", id="PLAN-1", value_date="2026-04-01", replaces=["B-2026-03"],
        instalments=[{"due_date": "2026-04-15", "amount": "64.20"},
                     {"due_date": "2026-05-15", "amount": "64.20"}],
    )  # fmt: skip
    account: Id
    id: Ref = Field(description="Unique among the account's bills, too: a plan is a bill of its own.")
    value_date: ValueDate
    replaces: Annotated[tuple[Ref, ...], Field(min_length=1, description="Bills, or instalments of them.")]
    instalments: Annotated[tuple[InstalmentBody, ...], Field(min_length=1)]
    service: str = ""
    charges: NotNegative = Field(
        default=Decimal(0),
        description="What of the instalments is the plan's own interest and fee. Without it, and with "
        "`down_payment`, they add up to what is open and undisputed of the bills.",
    )
    down_payment: NotNegative = Field(
        default=Decimal(0),
        description="What the plan leaves of its bills, to be paid at once; that stays at its own age.",
    )
    received_at: ReceivedAt = None


class PlanInstalmentOut(Body):
    """One part of a plan and what is still owed of it."""

    id: str = Field(examples=["PLAN-1/1"])
    due_date: date
    amount: Amount
    remaining_amount: Amount
    days_past_due: int = Field(description="0 while all that is left of it is disputed.")


class PlanOut(Body):
    """A payment plan and how it stands."""

    account: str
    id: str
    value_date: date
    state: PlanState = Field(
        description="active; broken: an instalment is past due, and the ladder goes on with it; kept: all of "
        "it is paid; ended: it was given up (`POST /v1/ended-plans`), the bills it replaced are back."
    )
    amount: Amount
    remaining_amount: Amount
    charges: Amount
    down_payment: Amount
    replaces: list[str]
    trouble: str = Field(description="What late news made wrong of it; empty: it is what it replaced.")
    instalments: list[PlanInstalmentOut]
    ended_on: date | None
    reason: str = Field(description="Why it was given up.")
    version: int = Field(description="The account's version.")


class PromiseOut(Body):
    """A promise to pay and how it stands under the policy of the account."""

    account: str
    id: str
    state: Kept = Field(description="refused: the policy does not accept it, see `reason`.")
    amount: Amount
    paid_amount: Amount = Field(
        description="Paid towards it since it was made; money counts for one promise only, the one due first."
    )
    made_on: date
    by: date
    last_day: date = Field(description="The last day on which it can be kept, with the policy's grace.")
    milestones: list[InstalmentBody]
    reason: str


def agreements_router(wiring: Wiring) -> APIRouter:
    """Return the paths of plans, and of how promises stand."""
    api = router("ledger")

    @api.post(
        "/plans", status_code=201, summary="Agree on a payment plan",
        response_description="Stored now (201), or stored before with the same content (200)",
    )  # fmt: skip
    async def create(
        body: PlanBody, response: Response, prefer: Prefer = None, if_match: IfMatch = None
    ) -> PlanOut:
        """It is kept as a bill of the category `plan`; `GET /v1/bills` lists it among the others."""
        bill, expected = _bill(body, received(wiring, body.received_at)), version_of(if_match)

        def write() -> tuple[PlanOut, bool, list[int]]:
            with wiring.database.write() as work:
                posted = wiring.writer.post(
                    work, body.account, bill, clamp=not wiring.simulated, expected=expected
                )
                row = get_account(work.session, body.account)
                (plan,) = [p for p in _plans(wiring, work.session, row, None) if p.id == body.id]
            return plan, posted.new, work.outbox

        found, new, outbox = await run_in_threadpool(write)
        response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        response.headers["Location"] = f"/v1/plans/{body.account}/{quote(body.id, safe='')}"
        await wait_for(wiring, outbox, prefer, response)
        return found

    @api.get("/plans", summary="List payment plans, and how they stand, in order of their account")
    def plans(
        account: Annotated[str, Query(description="Of one account.")] = "",
        customer: Annotated[str, Query(description="Of the accounts of one customer.")] = "",
        state: Annotated[PlanState | None, Query(description="In one state.")] = None,
        at: KnownAt = None,
        limit: Limit = 100,
        after: After = "",
        fields: Fields = "",
    ) -> Page[PlanOut]:
        cursor = cursor_of(after, str, str)
        with wiring.database.read() as session:
            if account:
                get_account(session, account)
            if customer:
                require_customer(session, customer)
            found: list[PlanOut] = []
            place = cursor
            for row in _with_plans(session, cursor[0] if cursor else "", customer, account):
                mine = _plans(wiring, session, row, at)
                if place is not None:
                    mine, place = _behind(mine, place), None
                found += [plan for plan in mine if state in (None, plan.state)]
                if len(found) >= limit:
                    break
            if place is not None:
                _behind([], place)
        asked = {"account": account, "customer": customer, "state": state, "fields": fields}
        asked["at"] = at.isoformat() if at else ""
        rows = found[:limit]
        following = page_of("/v1/plans", rows, limit, lambda plan: (plan.account, plan.id), asked)
        return Page(items=rows, next=following)

    @api.get("/plans/{account}/{ref:path}", summary="Read a payment plan, and how it stands")
    def read(account: str, ref: str, at: KnownAt = None) -> PlanOut:
        with wiring.database.read() as session:
            found = _plans(wiring, session, get_account(session, account), at)
        plan = next((plan for plan in found if plan.id == ref), None)
        if plan is None:
            raise NotFound("plan", f"{account}/{ref}")
        return plan

    @api.get("/accounts/{account}/promises", summary="List an account's promises, and how they stand")
    def promises(
        account: str,
        state: Annotated[Kept | None, Query(description="In one state.")] = None,
        at: KnownAt = None,
        limit: Limit = 100,
        after: After = "",
        fields: Fields = "",
    ) -> Page[PromiseOut]:
        with wiring.database.read() as session:
            found = _promises(wiring, session, get_account(session, account), at)
        asked = {"state": state, "at": at.isoformat() if at else "", "fields": fields}
        return _page(f"/v1/accounts/{account}/promises", found, state, limit, after, asked)

    return api


def _bill(body: PlanBody, at: datetime) -> Bill:
    parts = [part.model_dump() for part in body.instalments]
    return Bill.model_validate(
        {"id": body.id, "value_date": body.value_date, "received_at": at, "category": "plan",
         "amount": exact_sum(part.amount for part in body.instalments), "instalments": parts,
         "due_date": max(part.due_date for part in body.instalments), "replaces": body.replaces,
         "service": body.service, "charges": body.charges, "down_payment": body.down_payment}
    )  # fmt: skip


def _plans(wiring: Wiring, session: Session, row: AccountRow, at: datetime | None) -> list[PlanOut]:
    """Return an account's plans as known at an instant, in the order in which they were made."""
    moment = moment_of(wiring, row, at)
    entries = wiring.positions.entries(session, row)
    position = wiring.positions.of(session, row, entries, moment)
    due, _ = counts_by(known_entries(entries, moment), position.today)
    ended = {entry.plan: entry for entry in due if isinstance(entry, PlanEnded)}
    made = [entry for entry in due if isinstance(entry, Bill) and entry.category == "plan"]
    wrong = {one.plan: said_of_misfit(one) for one in misfits(position.terms, due)}
    return [_plan(bill, ended.get(bill.id), position, wrong.get(bill.id, "")) for bill in made]


def _plan(bill: Bill, ended: PlanEnded | None, position: AccountPosition, trouble: str) -> PlanOut:
    debts = {debt.id: debt for debt in position.debts if debt.bill == bill.id}
    ids = [f"{bill.id}/{number}" for number in range(1, len(bill.instalments) + 1)]
    parts = [
        _part(one, part.due_date, part.amount, debts.get(one) or debts.get(bill.id), position.today)
        for one, part in zip(ids, bill.instalments, strict=True)
    ]
    left = exact_sum(part.remaining_amount for part in parts)
    late = any(part.days_past_due for part in parts)
    state: PlanState = "ended" if ended else "kept" if not left else "broken" if late else "active"
    return PlanOut(
        account=position.terms.account, id=bill.id, value_date=bill.value_date, state=state,
        amount=bill.amount, remaining_amount=left, charges=bill.charges, down_payment=bill.down_payment,
        trouble=trouble, replaces=list(bill.replaces), instalments=parts,
        ended_on=ended.value_date if ended else None, reason=ended.reason if ended else "",
        version=position.version,
    )  # fmt: skip


def _part(one: str, due: date, amount: Decimal, debt: Debt | None, today: date) -> PlanInstalmentOut:
    left = debt.open if debt else Decimal(0)
    late = max(0, (today - due).days) if debt and left > debt.disputed else 0
    return PlanInstalmentOut(id=one, due_date=due, amount=amount, remaining_amount=left, days_past_due=late)


def _promises(wiring: Wiring, session: Session, row: AccountRow, at: datetime | None) -> list[PromiseOut]:
    moment = moment_of(wiring, row, at)
    position = wiring.positions.position(session, row, moment)
    bound = [case.policy for case in open_cases(session, row)]
    if bound:
        policy = wiring.library.collections(session, bound[-1])
    else:
        found = wiring.library.collections_for(session, row, position.today)
        if found is None:
            raise NotFound("collections policy for account", row.id)
        policy = found
    return [_promise(row.id, one) for one in promise_states(policy, position, position.today)]


def _promise(account: str, found: PromiseState) -> PromiseOut:
    promise = found.promise
    return PromiseOut.model_validate(
        {"account": account, "id": promise.id, "state": found.state, "amount": promise.amount,
         "paid_amount": found.paid, "made_on": promise.made_on, "by": promise.by, "last_day": found.last,
         "milestones": [{"due_date": day, "amount": amount} for day, amount in promise.milestones],
         "reason": found.why}
    )  # fmt: skip


_ACCOUNTS = 50
"""Accounts whose plans are read with one question."""


def _with_plans(session: Session, first: str, customer: str, account: str) -> Iterator[AccountRow]:
    """Yield the accounts that have plans, from one on."""
    last = ""
    while True:
        rows = accounts_with_plans(session, max(first, last), _ACCOUNTS, customer, account)
        yield from (row for row in rows if not last or row.id > last)
        if len(rows) < _ACCOUNTS:
            return
        last = rows[-1].id


def _behind(found: Sequence[PlanOut], last: tuple[str, str]) -> list[PlanOut]:
    """Return an account's plans after one; raise Refusal if it is none of them."""
    ids = [(plan.account, plan.id) for plan in found]
    if last not in ids:
        raise Refusal("bad-cursor", "This is no cursor of this list. Follow `next` of a page.")
    return list(found[ids.index(last) + 1 :])


def _page(
    path: str, found: Sequence[Any], state: str | None, limit: int, after: str, asked: dict[str, Any]
) -> Page[Any]:
    """Return the part of a list behind a cursor: an id, which keeps its place whatever its state becomes."""
    cursor = cursor_of(after, str)
    ids = [one.id for one in found]
    if cursor and cursor[0] not in ids:
        raise Refusal("bad-cursor", "This is no cursor of this list. Follow `next` of a page.")
    behind = found[ids.index(cursor[0]) + 1 :] if cursor else found
    rows = [one for one in behind if state in (None, one.state)][:limit]
    return Page(items=rows, next=page_of(path, rows, limit, lambda row: (row.id,), asked))


__all__ = ["agreements_router"]
