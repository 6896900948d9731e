"""A billing system that does not give up: each call is repeated until it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
from sqlalchemy.exc import DBAPIError, InterfaceError
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from api.demo.account_run import AccountRun, RunFailed, World
from api.demo.book import AccountLedger
from api.demo.client import CallLost, CallRefused, Client
from api.demo.network import Network
from api.simulated_time import SimulatedTime
from api.storage import outbox
from api.storage.session import Database
from api.storage.tables import OutboxRow
from tests.soak.parts import Moments
from tests.soak.receiver import Kept
from workflows.messages import CaseView

T = TypeVar("T")
AGAIN = 0.05
"""Seconds between two looks at a condition that is waited for."""
PATIENCE = 180.0
"""Seconds after which something that should have come back by then is taken for lost."""
TROUBLES = 5
"""How often in a row a case may find that what it needs is away."""
MOMENT = timedelta(minutes=10)
"""A case is moved this far past an instant: longer than a kill keeps it at work."""
RETRIED = timedelta(minutes=30)
"""A case whose database was away is so much further on: it tries again a quarter of an hour later."""
AFTERWARDS = 3 * MOMENT
"""When a case has ended, nobody says how late it is: its last messages go out within this time."""


async def until(seen: Callable[[], Awaitable[T | None]], what: str) -> T:
    """Wait until a condition gives something; raises RunFailed when it never does."""
    try:
        async with asyncio.timeout(PATIENCE):
            while (found := await seen()) is None:
                await asyncio.sleep(AGAIN)
            return found
    except TimeoutError:
        raise RunFailed(f"{what} did not come within {PATIENCE:.0f} s") from None


class SteadyClient(Client):
    """A client that repeats a call until it is answered, with the same Idempotency-Key."""

    def __init__(self, url: str, key: str, moments: Moments, name: str = "story") -> None:
        super().__init__(url, key)
        self._name = name
        self._moments = moments
        self._calls = 0

    async def get(self, path: str, **query: Any) -> Any:
        """Read one thing."""
        return await self._steadily(lambda: super(SteadyClient, self).get(path, **query), f"GET {path}")

    async def post(self, path: str, body: Any, **headers: str) -> Any:
        """Post one thing; every other call by an Idempotency-Key, the others by what they say alone."""
        self._calls += 1
        if self._calls % 2:
            headers = {"Idempotency-Key": f"{self._name}-{self._calls}"} | headers
        return await self._steadily(
            lambda: super(SteadyClient, self).post(path, body, **headers), f"POST {path}"
        )

    async def post_rows(self, rows: Any) -> list[str]:
        """Post many rows."""
        kept = list(rows)
        refused: list[str] = await self._steadily(
            lambda: super(SteadyClient, self).post_rows(kept), "POST rows"
        )
        return refused

    async def _steadily(self, call: Callable[[], Awaitable[Any]], what: str) -> Any:
        self._moments.passed()

        async def answered() -> tuple[Any] | None:
            try:
                return (await call(),)
            except (httpx.TransportError, CallLost):
                return None
            except CallRefused as error:
                if error.status >= 500 or error.type == "request-in-flight":
                    return None
                raise

        return (await until(answered, what))[0]


class SteadyTime(SimulatedTime):
    """Moves clocks, also while Temporal is started again."""

    def __init__(self, client: TemporalClient, moments: Moments) -> None:
        super().__init__(client)
        self._moments = moments

    async def now(self, workflow: str, clock_offset: timedelta = timedelta(0)) -> datetime:
        """Return the business time of a workflow."""

        async def seen() -> datetime | None:
            try:
                return await super(SteadyTime, self).now(workflow, clock_offset)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    raise
                return None

        return await until(seen, f"the clock of {workflow}")

    async def at_work(self, workflow: str) -> bool:
        """Tell whether a workflow has something before it."""

        async def seen() -> tuple[bool] | None:
            try:
                return (await super(SteadyTime, self).at_work(workflow),)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    raise
                return None

        return (await until(seen, f"the work of {workflow}"))[0]

    async def fast_forward(self, workflow: str, to: datetime, clock_offset: timedelta = timedelta(0)) -> bool:
        """Move a workflow's clock; False if it has ended."""
        self._moments.passed()

        async def moved() -> bool | None:
            try:
                return await super(SteadyTime, self).fast_forward(workflow, to, clock_offset)
            except RPCError:
                return False if await self._has_ended(workflow) else None

        return await until(moved, f"the clock of {workflow} at {to}")

    async def _has_ended(self, workflow: str) -> bool:
        try:
            found = await self._client.get_workflow_handle(workflow).describe()
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        return found.status is not WorkflowExecutionStatus.RUNNING


class Waiting:
    """What waits in the outbox, read from the database itself."""

    def __init__(self, url: str) -> None:
        self._database = Database(url, durable=False)

    async def of(self, account: str, channel: outbox.Channel) -> OutboxRow | None:
        """Return the first row of an account that waits; read again while the database is away."""

        async def read() -> tuple[OutboxRow | None] | None:
            try:
                return (await asyncio.to_thread(self._read, account, channel),)
            except (DBAPIError, InterfaceError):
                return None

        return (await until(read, "the database"))[0]

    def _read(self, account: str, channel: outbox.Channel) -> OutboxRow | None:
        with self._database.read() as session:
            return outbox.head_of(session, account, channel)

    def close(self) -> None:
        """Close all connections."""
        self._database.close()


class SteadyRun(AccountRun):
    """Drives one account: hears of what the network did, and carries what a dead receiver did not take."""

    def __init__(
        self, world: World, ledger: AccountLedger, waiting: Waiting, orders: Orders, listens: asyncio.Event
    ) -> None:
        super().__init__(world, ledger)
        self.waiting, self.orders, self.listens = waiting, orders, listens

    async def _state(self) -> dict[str, Any]:
        await self._settled("", None)
        return await super()._state()

    async def _in_arrears(self, workflow: str) -> bool:
        await self._told()
        return await super()._in_arrears(workflow)

    async def _view(self, workflow: str) -> CaseView:
        async def seen() -> CaseView | None:
            try:
                return await super(SteadyRun, self)._view(workflow)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    raise
                return None

        view = await until(seen, f"the view of {workflow}")
        for _ in range(TROUBLES):
            if view.problem is None or view.wake_at is None:
                break
            # What it needs was away for a minute: it tries again by itself, a quarter of an hour later.
            self.world.counts["troubles"] += 1
            offset = view.business_now - await self.world.time.now(workflow)
            await self.world.time.fast_forward(workflow, view.wake_at + timedelta(seconds=1), offset)
            await asyncio.sleep(AGAIN)
            view = await until(seen, f"the view of {workflow}")
        return view

    async def _idle(self, workflow: str) -> CaseView | None:
        while True:
            await self._told()
            view = await super()._idle(workflow)
            if not await self._settled(workflow, view):
                return view

    def _hear(self) -> None:
        self.orders.hear(self.world.network)
        super()._hear()

    async def _told(self) -> None:
        """Wait until everything that is news to the case has reached it."""

        async def nothing() -> bool | None:
            return True if await self.waiting.of(self.ledger.account, "case") is None else None

        await until(nothing, f"all news to the case of {self.ledger.account}")

    async def _settled(self, workflow: str, view: CaseView | None) -> bool:
        """Carry the account's messages that may go by now; tell whether there were any."""
        account, carried = self.ledger.account, False
        while head := await self.waiting.of(account, "webhook"):
            now = view.business_now if view else await self._last_news()
            at = max([i for i in (head.next_at, head.not_before, now) if i is not None])
            if at > now + (MOMENT if view else AFTERWARDS):
                break
            if view and at > now:  # the case must not hear of a receipt before its own clock is there
                await self.world.time.fast_forward(workflow, at, await self._offset(workflow))
            await self.listens.wait()  # every attempt in vain doubles the pause until the next one
            await self.world.client.post("/v1/simulation/deliver", {"account": account, "at": at.isoformat()})
            carried = True
            await asyncio.sleep(AGAIN)
        await self._told()
        return carried

    async def _last_news(self) -> datetime:
        state = await self.world.client.get(f"/v1/accounts/{self.ledger.account}")
        return datetime.fromisoformat(state["last_received_at"])


class Orders:
    """What the receiver was asked for, heard once by the network that this process drives."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._heard = 0

    def hear(self, network: Network) -> None:
        """Let the network react to what was asked for since the last time."""
        for place, event, _ in self._kept.after(self._heard):
            network.carry_out(event)
            self._heard = place


async def all_of(work: Sequence[Awaitable[Any]]) -> None:
    """Wait for everything; the first failure ends the rest."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
