"""The watcher: takes the windows that are due, has them matched, and keeps what was found.

Nothing is held in memory that is not in the database: one that is killed in mid-flight leaves its windows
due, and whoever takes them next finds the same alerts, which are kept once each.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime

from api.watching.looking import look
from api.watching.ports import Looked, Matching, WatchBook, WindowKey
from engine.watch import WatchPolicy

log = logging.getLogger("forbear.watch")
AT_ONCE = 32
"""Windows that are taken together."""
LOOK_AGAIN_SECONDS = 1.0
"""How often the queue is read even if nothing was heard: time alone makes windows due."""
TIDY_SECONDS = 3_600.0
STUCK_SECONDS = 300.0
"""After this without a turn the process is no longer ready: one turn takes AT_ONCE windows at most."""
ATTEMPTS = 5
"""How often a window is looked at anew because something came meanwhile; then it waits for its next turn."""


class Watcher:
    """Looks at windows; safe to run in several processes at once."""

    def __init__(self, book: WatchBook, matcher: Matching, now: Callable[[], datetime]) -> None:
        self._book = book
        self._matcher = matcher
        self._now = now
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._turned: float | None = None
        """When, by the loop's clock, the queue was last read without an error; None: it does not run."""
        self._started = False

    @property
    def trouble(self) -> str:
        """Why windows are not looked at although this process is to do it; empty: they are, or it is not."""
        if not self._started:
            return ""
        if self._turned is None or self._loop is None:
            return "Watching has ended in this process."
        if self._loop.time() - self._turned > STUCK_SECONDS:
            return "Windows have not been looked at for a while; the log says why."
        return ""

    def wake(self) -> None:
        """Say that a window has become due; may be called from any thread."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(self._news.set)

    def close(self) -> None:
        """Let go of the thread; only after `run` has ended."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def run(self) -> None:
        """Look at what is due until cancelled."""
        self._loop, tidied = asyncio.get_running_loop(), float("-inf")
        self._started, self._turned = True, self._loop.time()
        try:
            while True:
                self._news.clear()
                try:
                    looked = await self._do(lambda: self.look_at_due(self._now()))
                    if self._loop.time() - tidied > TIDY_SECONDS:
                        await self._do(lambda: self._book.tidy(self._now()))
                        tidied = self._loop.time()
                    self._turned = self._loop.time()
                except Exception:
                    log.exception("Windows cannot be looked at now")
                    looked = 0
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)
                if not looked:
                    # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with the news.
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                            await self._news.wait()
        finally:
            self._loop = self._turned = None

    def look_at_due(self, until: datetime, most: int = AT_ONCE) -> int:
        """Look at windows that are due by `until`, up to so many; return how many there were."""
        taken = self._book.take(until, self._now(), most)
        for key in taken:
            try:
                self.look_at(key, until)
            except Exception:
                # Its lease keeps it from being taken at once again; the others go on.
                log.exception("The window %s cannot be looked at now", "/".join(key))
        return len(taken)

    def look_at_all(self, until: datetime) -> int:
        """Look at windows until none is due by `until`; return how many looks that took."""
        done = 0
        while found := self.look_at_due(until):
            done += found
        return done

    def look_at(self, key: WindowKey, until: datetime) -> Looked | None:
        """Look at one window and keep what was found; None if it is gone or too much comes in meanwhile."""
        known: dict[date, WatchPolicy | None] = {}

        def policy_at(at: datetime) -> WatchPolicy | None:
            day = at.astimezone(UTC).date()
            if day not in known:
                known[day] = self._book.policy(key.policy, at)
            return known[day]

        for _ in range(ATTEMPTS):
            held = self._book.read(key)
            if held is None:
                return None
            found = look(held, until, policy_at, self._matcher.match)
            if found.trouble:
                log.error("The window %s was not matched: %s", "/".join(key), found.trouble)
            if self._book.keep(held, found):
                return found
        self._book.release(key)
        return None

    async def _do(self, work: Callable[[], int | None]) -> int:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work) or 0
