"""One account of the demo through its year: its news in order, its case fast-forwarded in between.

The billing system tells the account's news at the instant at which it became known; between two pieces of
news the case's clock is moved, from one wake-up to the next. No account waits for another.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from api.demo.book import AccountLedger, body_of
from api.demo.client import WAIT, CallRefused, Client
from api.demo.network import Network, Reaction
from api.simulated_time import SimulatedTime
from engine.ledger.entries import Entry, EntryAdapter
from workflows import ids
from workflows.messages import CaseView

MOMENT = timedelta(minutes=1)
"""A case is moved this far past an instant, so that what is known at the instant is known to it.

Longer than a case is ever at work: were the target passed meanwhile, Temporal would run on to the next timer.
"""
TOO_FAR = timedelta(minutes=5)
"""A case that is this much further on than it was moved has jumped over news."""
PATIENCE_SECONDS = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.1
"""Seconds between two questions whether a case has come to rest."""
BUSY = (RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.RESOURCE_EXHAUSTED)
"""What a question in vain is answered with when a slow machine has no time for it; it is asked again."""


class RunFailed(Exception):
    """An account could not be run; the sentence says why."""


@dataclass(slots=True)
class World:
    """What all accounts of a run share."""

    client: Client
    temporal: TemporalClient
    time: SimulatedTime
    network: Network
    horizon: datetime
    moment: timedelta = MOMENT
    too_far: timedelta = TOO_FAR
    patience: float = PATIENCE_SECONDS
    """Seconds in which a case must come to rest."""
    counts: Counter[str] = field(default_factory=Counter)
    booked: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    """What billing booked on its own account, by account."""


@dataclass(slots=True)
class AccountRun:
    """Drives one account; `told` is how many of its entries were posted before."""

    world: World
    ledger: AccountLedger
    told: int = 0
    _later: list[tuple[datetime, int, Reaction]] = field(default_factory=list)
    _order: Any = field(default_factory=count)

    async def run(self) -> None:
        """Tell everything and move the account's cases up to the horizon."""
        state = await self._state()
        while True:
            self._hear()
            if state["open_case"] is not None:
                if not await self._in_arrears(ids.case_id(self.ledger.account, state["open_case"])):
                    return
                state = await self._state()
            elif (moved := await self._calm(state)) is None:
                return
            else:
                state = moved

    async def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = await self.world.client.get(f"/v1/accounts/{self.ledger.account}")
        if state["trouble"]:
            raise RunFailed(f"account {self.ledger.account}: {state['trouble']}")
        return state

    def _hear(self) -> None:
        """Take what the network will say later into the order of events."""
        fresh = self.world.network.reactions.pop(self.ledger.account, [])
        for reaction in fresh:
            heapq.heappush(self._later, (reaction.at, next(self._order), reaction))

    def _next(self) -> datetime | None:
        """Return when the next news comes; None when nothing comes before the horizon."""
        entries = self.ledger.entries
        comes = [entries[self.told].received_at] if self.told < len(entries) else []
        comes += [self._later[0][0]] if self._later else []
        first = min(comes, default=None)
        return first if first is not None and first <= self.world.horizon else None

    async def _calm(self, state: dict[str, Any]) -> dict[str, Any] | None:
        """Without a case: open one if it is due before the next news, else tell the next news."""
        after = self._next()
        due = datetime.fromisoformat(state["watch_on"]) if state["watch_on"] else None
        if due is not None and state["last_received_at"]:
            due = max(due, datetime.fromisoformat(state["last_received_at"]))
        if due is not None and due <= min(after or self.world.horizon, self.world.horizon):
            answer = await self.world.client.post(
                "/v1/simulation/open", {"account": self.ledger.account, "at": due.isoformat()}, Prefer=WAIT
            )
            self.world.counts["opened"] += bool(answer["opened"])
            if not answer["opened"] and answer["account"]["watch_on"] == state["watch_on"]:
                raise RunFailed(f"account {self.ledger.account} does not open its case at {due.isoformat()}")
            account: dict[str, Any] = answer["account"]
            return account
        if after is None:
            return None
        if not await self._tell_ahead():
            await self._tell(after)
        return await self._state()

    async def _tell_ahead(self) -> bool:
        """Tell several entries in one call, as far as nothing falls due in between."""
        until = min([self.world.horizon, *(at for at, _, _ in self._later[:1])])
        ahead = self.ledger.entries[self.told : self.ledger.calm_until(self.told)]
        rows = [e for e in ahead if e.received_at <= until]
        if len(rows) < 2:
            return False
        account = self.ledger.account
        refused = await self.world.client.post_rows([{"account": account, **body_of(e)} for e in rows])
        if refused:
            raise RunFailed(f"account {account}: {refused[0]}")
        self.told += len(rows)
        self.world.counts["entries"] += len(rows)
        return True

    async def _in_arrears(self, workflow: str) -> bool:
        """With a case: move it through its wake-ups to the next news, tell that, and so on.

        Returns True when the case has ended, and False when it is open at the horizon.
        """
        offset = await self._offset(workflow)
        stalled: datetime | None = None
        until: datetime | None = None
        while True:
            view = await self._idle(workflow)
            if view is None:
                return True
            if until is not None and view.business_now > until + self.world.moment + self.world.too_far:
                raise RunFailed(f"{workflow} was moved to {until} and is at {view.business_now}")
            self._hear()
            after = self._next()
            wake = view.wake_at if view.wake_at != stalled else None
            until = min(t for t in (after, wake, self.world.horizon) if t is not None)
            if until > view.business_now and not await self.world.time.fast_forward(
                workflow, until + self.world.moment, offset
            ):
                return True
            if after is not None and until == after:
                await self._tell(after)
            elif until == self.world.horizon:
                self.world.counts["open"] += 1
                return False
            stalled = until

    async def _offset(self, workflow: str) -> timedelta:
        view = await self._view(workflow)
        return view.business_now - await self.world.time.now(workflow)

    async def _view(self, workflow: str) -> CaseView:
        """Ask a case where it stands; what a slow machine had no time to answer is asked again."""
        handle = self.world.temporal.get_workflow_handle(workflow)
        deadline = asyncio.get_running_loop().time() + self.world.patience
        while True:
            try:
                view: CaseView = await handle.query(ids.VIEW, result_type=CaseView)
                return view
            except (RPCError, WorkflowQueryFailedError) as error:
                lost = isinstance(error, RPCError) and error.status not in BUSY
                if lost or asyncio.get_running_loop().time() > deadline:
                    raise RunFailed(f"{workflow} does not answer: {error.message}") from error
            await asyncio.sleep(LONGEST_PAUSE)

    async def _idle(self, workflow: str) -> CaseView | None:
        """Wait until the case waits; None when it has ended."""
        deadline = asyncio.get_running_loop().time() + self.world.patience
        pause = FIRST_PAUSE
        while asyncio.get_running_loop().time() < deadline:
            try:
                # The server is asked first: a question to the case takes the time of its worker.
                if await self.world.time.at_work(workflow):
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, LONGEST_PAUSE)
                    continue
                view = await self._view(workflow)
            except RPCError as error:
                if error.status in BUSY:
                    await asyncio.sleep(LONGEST_PAUSE)
                    continue
                raise RunFailed(f"{workflow} does not answer: {error.message}") from error
            if view.problem:
                raise RunFailed(f"{workflow} cannot go on: {view.problem.detail}")
            if view.idle:
                return view
            if view.taken and view.taken.ended and (await self._state())["open_case"] is None:
                return None
            await asyncio.sleep(0.02)
        raise RunFailed(f"{workflow} is still at work after {self.world.patience:.0f} s")

    async def _tell(self, at: datetime) -> None:
        """Tell the next news, which comes at an instant."""
        if self._later and self._later[0][0] == at:
            _, _, reaction = heapq.heappop(self._later)
            await self._react(reaction)
            return
        entry = self.ledger.entries[self.told]
        self.told += 1
        self.world.counts["entries"] += 1
        await self._post({**body_of(entry)})
        if entry.kind == "payment":
            self.world.network.paid(self.ledger.account, entry.received_at)

    async def _react(self, reaction: Reaction) -> None:
        at = {"received_at": reaction.at.isoformat()}
        if reaction.receipt:
            self.world.network.confirmed(reaction.receipt)
            await self.world.client.confirm(
                reaction.receipt, {"status": "done", "at": reaction.at.isoformat(), **at}
            )
        for entry in self.world.network.entries_of(reaction, self.ledger.account):
            self.world.counts["booked"] += 1
            self.world.booked[self.ledger.account].append(EntryAdapter.validate_python({**entry, **at}))
            await self._post({**entry, **at})

    async def _post(self, entry: dict[str, Any]) -> None:
        try:
            await self.world.client.post_entry(self.ledger.account, entry)
        except CallRefused as error:
            if error.type != "received-backwards":
                raise
            # The case was at work a moment longer: what it wrote is the newer news.
            state = await self._state()
            await self.world.client.post_entry(
                self.ledger.account, {**entry, "received_at": state["last_received_at"]}
            )
