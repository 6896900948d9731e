"""The process of the demo that holds API, worker and relay.

`python -m api.demo.service DATA TEMPORAL RECEIVER` says where it listens in one line of JSON. It runs under
the watchdog, which ends it when the demo is done, or dead.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from api.exiting import leave
from api.looping import run
from api.serving import serving, told_to_stop
from api.settings import Settings


async def _serve(data: Path, temporal: str, receiver: str) -> None:
    settings = Settings(data=data, port=0, temporal=temporal, webhook_url=receiver, webhook_inside=True)
    stop = told_to_stop()
    async with serving(settings, simulated=True) as running:
        sys.stdout.write(json.dumps({"url": running.url}) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Serve until told to stop."""
    data, temporal, receiver = sys.argv[1:]
    logging.basicConfig(filename=Path(data) / "service.log", level=logging.WARNING)
    try:
        run(_serve(Path(data), temporal, receiver))
    except Exception as error:
        logging.exception("the service ends")
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        leave(1)
    leave(0)


if __name__ == "__main__":
    main()
