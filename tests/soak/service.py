"""What is killed: `python -m tests.soak.service api|worker SETTINGS FUSE`.

`api` holds API, relay and worker, as `forbear up` does; `worker` is a second worker beside it. It says one
line of JSON when it is ready.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio.worker import Worker

import api.worker
from api.serving import serving, working
from api.settings import Settings
from api.storage import idempotency, outbox
from tests.soak.fuse import Fuse, die_with_parent, lay


def hasten() -> None:
    """Let what a dead process held be given up soon, so that a kill costs seconds and not a minute."""
    outbox.LEASE = idempotency.LEASE = timedelta(seconds=2)
    soon: Any = partial(Worker, sticky_queue_schedule_to_start_timeout=timedelta(seconds=1))
    api.worker.Worker = soon  # type: ignore[attr-defined]


async def run(part: str, settings: Settings) -> None:
    context = serving(settings, simulated=True, ui=False) if part == "api" else working(settings)
    async with context as running:
        sys.stdout.write(json.dumps({"ready": getattr(running, "url", "")}) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    part, given, fuse = sys.argv[1:]
    die_with_parent()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    hasten()
    lay(Fuse(fuse))
    asyncio.run(run(part, Settings.model_validate_json(given)))


if __name__ == "__main__":
    main()
