"""A watcher that kills itself: `python -m tests.api.watching.killed_watcher DIR UNTIL LATER N`.

It dies, as by `kill -9`, at the N-th time that it is about to ask storage or the matcher for something, or
has just been answered, or is in the middle of a transaction; 0 means never. `LATER`: seconds that its clock
is ahead, so that leases of those that died before it have run out.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from api.settings import Settings
from api.storage.session import Work
from api.storage.watch_actions import AlertDesk
from api.storage.watch_book import SqlWatchBook
from api.watching.watcher import Watcher
from api.wiring import build
from engine.watch.record import AlertRecord


class Fuse:
    """Counts, and kills this process when it is told to."""

    def __init__(self, at: int) -> None:
        self._at, self._count = at, 0

    def burn(self) -> None:
        self._count += 1
        if self._count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def burning(*given: Any) -> Any:
            self.burn()
            answer = call(*given)
            self.burn()
            return answer

        return burning


class DyingDesk(AlertDesk):
    """Dies between the alerts of one transaction."""

    fuse: Fuse

    def raised(self, work: Work, record: AlertRecord) -> None:
        super().raised(work, record)
        self.fuse.burn()


def main(folder: str, until: str, later: str, fuse: str) -> None:
    wiring = build(Settings(data=Path(folder)))
    burning = Fuse(int(fuse))
    desk = DyingDesk(wiring.writer.regrading)
    desk.fuse = burning
    book: Any = SqlWatchBook(wiring.database, wiring.library, desk)
    matcher: Any = wiring.matcher
    for thing, names in ((book, ("take", "read", "keep")), (matcher, ("match",))):
        for name in names:
            setattr(thing, name, burning.around(getattr(thing, name)))
    now = datetime.now(UTC) + timedelta(seconds=int(later))
    Watcher(book, matcher, lambda: now).look_at_all(datetime.fromisoformat(until))
    wiring.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
