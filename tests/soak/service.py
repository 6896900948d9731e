"""What is killed: `python -m tests.soak.service api|worker SETTINGS SABOTAGE FUSE`.

`api` holds API, relay and worker, as `forbear up` does; `worker` is a second worker beside it. It says one
line of JSON when it is ready.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from temporalio.worker import Worker

import api.worker
from api.relay.receiver import Answer, Receiver
from api.serving import serving, working
from api.settings import Settings
from api.storage import idempotency, outbox
from tests.soak.fuse import Fuse, die_with_parent, lay


def hasten() -> None:
    """Let what a dead process held be given up soon, so that a kill costs seconds and not a minute."""
    outbox.LEASE = idempotency.LEASE = timedelta(seconds=2)
    soon: Any = partial(Worker, sticky_queue_schedule_to_start_timeout=timedelta(seconds=1))
    api.worker.Worker = soon  # type: ignore[attr-defined]


def drop() -> None:
    """Lose one message on its way into the outbox, as a write outside of the transaction might."""
    put, seen = outbox.put, count(1)

    def losing(work: Any, channel: Any, kind: str, subject: str, **values: Any) -> int | None:
        if channel == "webhook" and next(seen) == 4:
            return None
        return put(work, channel, kind, subject, **values)

    outbox.put = losing


def double() -> None:
    """Tell one effect again under an id of its own, as a key that counts attempts would."""
    send, seen = Receiver.send, count(1)

    def twice(self: Receiver, message: str, body: bytes, now: datetime, traceparent: str = "") -> Answer:
        if next(seen) == 4:
            other = message.replace("/do", "/do/2").replace("/undo", "/undo/2")
            send(self, other, body.replace(message.encode(), other.encode()), now, traceparent)
        return send(self, message, body, now, traceparent)

    Receiver.send = twice  # type: ignore[method-assign]


DEFECTS = {"drop": drop, "double": double}
"""Defects that the oracle must find."""


async def run(part: str, settings: Settings) -> None:
    context = serving(settings, ui=False) if part == "api" else working(settings)
    async with context as running:
        sys.stdout.write(json.dumps({"ready": getattr(running, "url", "")}) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    part, given, sabotage, fuse = sys.argv[1:]
    die_with_parent()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    hasten()
    if sabotage:
        DEFECTS[sabotage]()
    lay(Fuse(fuse))
    asyncio.run(run(part, Settings.model_validate_json(given)))


if __name__ == "__main__":
    main()
