"""The two processes of the demo's Forbear: `api`, with the relay, and `worker`.

`python -m api.demo.service PART DATA TEMPORAL RECEIVER` says that it is ready, and where it listens, in one
line of JSON. It runs under the watchdog, which ends it when the demo is done, or dead.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from api.demo.processes import WORKER
from api.exiting import leave
from api.looping import run
from api.serving import serving, told_to_stop, working
from api.settings import Settings


async def _serve(part: str, settings: Settings) -> None:
    stop = told_to_stop()
    async with _running(part, settings) as url:
        sys.stdout.write(json.dumps({"url": url}) + "\n")
        sys.stdout.flush()
        await stop.wait()


@asynccontextmanager
async def _running(part: str, settings: Settings) -> AsyncIterator[str]:
    """Run one part; gives where it listens, which is nowhere for a worker."""
    if part == WORKER:
        async with working(settings):
            yield ""
    else:
        async with serving(settings, simulated=True, works=False) as running:
            yield running.url


def main() -> None:
    """Serve until told to stop."""
    part, data, temporal, receiver = sys.argv[1:]
    logging.basicConfig(filename=Path(data) / f"{part}.log", level=logging.WARNING)
    settings = Settings(data=Path(data), port=0, temporal=temporal, webhook_url=receiver, webhook_inside=True)
    try:
        run(_serve(part, settings))
    except Exception as error:
        logging.exception("the %s ends", part)
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        leave(1)
    leave(0)


if __name__ == "__main__":
    main()
