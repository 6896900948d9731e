"""The relay: wakes after each commit and takes what is in the outbox to where it belongs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from api.relay.alerts import AlertCourier
from api.relay.clock import SystemClock
from api.relay.courier import Courier
from api.relay.signals import tell
from api.storage import outbox
from api.storage.idempotency import IdempotencyKeys
from api.storage.outbox import Channel
from api.storage.session import Database
from api.storage.tables import OutboxRow

log = logging.getLogger("forbear.relay")
T = TypeVar("T")

CHANNELS: tuple[Channel, ...] = ("case", "webhook", "alert")
AT_ONCE = 32
"""Accounts that are served at once."""
TIDY_SECONDS = 3_600.0
"""How often answers whose time is over are removed."""
LOOK_AGAIN_SECONDS = 1.0
"""How often the outbox is read even if nothing was heard: another process may have written to it."""


class Relay:
    """Delivers, for each account in order: starts and pokes to Temporal, messages to the receiver."""

    def __init__(
        self, database: Database, courier: Courier, clock: SystemClock, keys: IdempotencyKeys,
        alerts: AlertCourier,
    ) -> None:  # fmt: skip
        self._database = database
        self._alerts = alerts
        self._keys = keys
        self._courier = courier
        self._clock = clock
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="relay")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: dict[str, asyncio.Event] = {channel: asyncio.Event() for channel in CHANNELS}
        self._waiting: dict[int, list[asyncio.Event]] = {}
        self._away = False
        database.on_outbox(self.wake)

    @property
    def reaches_temporal(self) -> bool:
        """Tell whether it runs, and whether the last attempt to reach Temporal went well."""
        return self._loop is not None and not self._away

    def close(self) -> None:
        """Let go of the threads; only after `run` has ended."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def wake(self, channels: Set[str] = frozenset(CHANNELS)) -> None:
        """Say that there is something in the outbox for these channels; may be called from any thread."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has just been closed: whoever runs next looks by itself
                for channel in channels:
                    loop.call_soon_threadsafe(self._news[channel].set)

    async def run(self, client: Client) -> None:
        """Deliver until cancelled."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._serve("case", lambda head: self._tell_cases(client, head)))
                if not self._clock.simulated:
                    # In simulated time only the case that acts knows what time it is.
                    group.create_task(self._serve("webhook", self._send_messages))
                group.create_task(self._serve("alert", self._send_alerts))
                group.create_task(self._tidy())
        finally:
            self._loop = None

    async def settled(self, numbers: Sequence[int], seconds: float) -> bool:
        """Wait until none of these rows is pending any more; False if that took too long."""
        events = {number: asyncio.Event() for number in numbers}
        for number, event in events.items():
            self._waiting.setdefault(number, []).append(event)
        try:
            async with asyncio.timeout(seconds):
                for number in await self._read(lambda: self._pending(numbers)):
                    await events[number].wait()
            return True
        except TimeoutError:
            return False
        finally:
            for number, event in events.items():
                self._waiting[number].remove(event)
                if not self._waiting[number]:
                    del self._waiting[number]

    async def _tidy(self) -> None:
        while True:
            try:
                await self._read(lambda: self._keys.expire(self._clock.now()))
            except Exception:
                log.exception("Answers whose time is over cannot be removed now")
            await asyncio.sleep(TIDY_SECONDS)

    async def _serve(self, channel: Channel, drain: Callable[[OutboxRow], Awaitable[None]]) -> None:
        news, busy, missed, full = self._news[channel], set[str](), set[str](), False
        places = asyncio.Semaphore(AT_ONCE)

        async def one(head: OutboxRow) -> None:
            async with places:
                try:
                    await drain(head)
                except Exception:
                    log.exception("The outbox of account %s cannot be served now", head.account)
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)
                finally:
                    busy.discard(head.account)
                    # A row may have come after the last look at the account, or stood too far behind.
                    if full or head.account in missed:
                        missed.discard(head.account)
                        news.set()

        async with asyncio.TaskGroup() as group:
            while True:
                news.clear()
                found = await self._found(channel)
                full = len(found) >= outbox.PAGE
                for head in found:
                    if head.account in busy:
                        missed.add(head.account)
                    else:
                        busy.add(head.account)
                        group.create_task(one(head))
                # Not `wait_for`: in Python 3.11 it loses a cancellation that comes together with the news.
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                        await news.wait()

    async def _found(self, channel: Channel) -> Sequence[OutboxRow]:
        try:
            return await self._read(lambda: self._heads(channel))
        except SQLAlchemyError as error:
            # A database that is started again must find the relay waiting for it.
            log.warning("The outbox cannot be read now (%s); it is tried again", type(error).__name__)
            return ()

    async def _tell_cases(self, client: Client, head: OutboxRow | None) -> None:
        """Tell a case everything that is pending for it, in order."""
        while head is not None:
            row = head
            try:
                note = await tell(client, row)
            except RPCError as error:
                if not self._away:
                    log.warning("Temporal cannot be reached (%s); nothing is lost, it is tried again", error)
                self._away = True
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                return
            if self._away:
                self._away = False
                self._news["case"].set()  # only one was tried meanwhile
            head = await self._read(lambda row=row, note=note: self._settle(row, note))  # type: ignore[misc]
            assert row.id is not None
            for event in self._waiting.get(row.id, ()):
                event.set()

    async def _send_messages(self, head: OutboxRow) -> None:
        now = self._clock.now()
        if self._courier.sends and (head.next_at is None or head.next_at <= now):
            await self._read(lambda: self._courier.deliver(head.account, now, pokes=True))

    async def _send_alerts(self, head: OutboxRow) -> None:
        if await self._read(lambda: self._alerts.deliver(head)):
            self._news["alert"].set()  # the next one of the same alert

    async def _read(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _heads(self, channel: Channel) -> Sequence[OutboxRow]:
        with self._database.read() as session:
            only = self._courier.only if channel == "webhook" else ""
            heads = outbox.heads(session, channel, only=only)
        if channel == "case":
            return heads[:1] if self._away else heads
        if channel == "alert" and not self._alerts.sends:
            return []
        now = self._clock.now()
        free = [h for h in heads if h.leased_until is None or h.leased_until < now]
        sends = channel == "alert" or self._courier.sends
        return [h for h in free if h.next_at is None or h.next_at <= now] if sends else []

    def _settle(self, row: OutboxRow, note: str) -> OutboxRow | None:
        assert row.id is not None
        with self._database.write() as work:
            outbox.settle(work, row.id, "delivered", self._clock.now(), note)
            return outbox.head_of(work.session, row.account, "case")

    def _pending(self, numbers: Sequence[int]) -> set[int]:
        with self._database.read() as session:
            return outbox.pending_among(session, numbers)
