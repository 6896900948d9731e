"""Simulated time: only in a data directory that was made for it."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool

from api.rest.accounts import AccountOut, account_out
from api.rest.bodies import Body, Id, Instant, example
from api.rest.routes import Prefer, router, wait_for
from api.storage import outbox
from api.storage.accounts import get_account
from api.storage.errors import NotSimulated
from api.wiring import Wiring


class OpenBody(Body):
    """Open an account's case as of an instant."""

    model_config = example(account="A1001", at="2026-03-20T09:00:00+08:00")
    account: Id
    at: Instant


class OpenOut(Body):
    """Whether a case was opened, and how the account stands."""

    opened: bool
    account: AccountOut


class DeliverBody(Body):
    """Carry an account's messages to the receiver as of an instant."""

    model_config = example(account="A1001", at="2026-03-20T09:00:05+08:00")
    account: Id
    at: Instant


class DeliverOut(Body):
    """How many messages of the account still wait for the receiver."""

    waiting: int


def simulation_router(wiring: Wiring) -> APIRouter:
    """Return the paths that move the clock."""
    api = router("simulation")

    @api.post("/simulation/open", summary="Open an account's case if it is due at that instant")
    async def open_due(body: OpenBody, response: Response, prefer: Prefer = None) -> OpenOut:
        if not wiring.simulated:
            raise NotSimulated("Opening a case at another instant")

        def write() -> tuple[bool, AccountOut, list[int]]:
            opened = wiring.cases.open_case(body.account, body.at)
            wiring.cases.remind([body.account], body.at)
            wiring.cases.review_levels([body.account], body.at)
            wiring.cases.review_deposits([body.account], body.at)
            wiring.cases.regrade(body.at, 1, body.account)
            with wiring.database.read() as session:
                row = get_account(session, body.account)
                return opened, account_out(row, wiring), outbox.pending_of(session, body.account, "case")

        opened, account, pending = await run_in_threadpool(write)
        await wait_for(wiring, pending, prefer, response)
        return OpenOut(opened=opened, account=account)

    @api.post("/simulation/deliver", summary="Try an account's messages again, as of that instant")
    async def deliver(body: DeliverBody, response: Response, prefer: Prefer = None) -> DeliverOut:
        """In simulated time nobody but the caller knows when a message is to be tried again."""
        if not wiring.simulated:
            raise NotSimulated("Carrying messages at another instant")

        def carry() -> tuple[int, list[int]]:
            with wiring.database.read() as session:
                get_account(session, body.account)
            wiring.courier.deliver(body.account, body.at, pokes=True)
            with wiring.database.read() as session:
                waiting = outbox.pending_of(session, body.account, "webhook")
                return len(waiting), outbox.pending_of(session, body.account, "case")

        waiting, pokes = await run_in_threadpool(carry)
        await wait_for(wiring, pokes, prefer, response)
        return DeliverOut(waiting=waiting)

    return api
