"""The operator's systems: `python -m tests.soak.receiver FILE PORT SECRET SEED ZONES FUSE`.

What was asked for is on disk before it is answered; the same id again is answered as before and not done
again. It can be killed at any moment, and says one line when it listens.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from api.demo.draws import Draws
from api.demo.network import Network
from api.demo.receiver import Receiver
from tests.soak.fuse import Fuse, die_with_parent

POINTS = {"before kept": 12, "after kept": 12}
"""Where it kills itself, and within how many messages."""


class Kept:
    """What was asked for by its id, in order, in a file; and how often each was told."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as file:
            file.execute("PRAGMA journal_mode = WAL")
            file.execute(
                "CREATE TABLE IF NOT EXISTS asked (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, event TEXT, "
                "times INTEGER)"
            )

    def _open(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self._path, isolation_level=None, timeout=30))

    def keep(self, event: dict[str, Any]) -> None:
        """Keep an event, or count it once more."""
        with self._open() as file:
            file.execute(
                "INSERT INTO asked (id, event, times) VALUES (?, ?, 1) "
                "ON CONFLICT (id) DO UPDATE SET times = times + 1",
                (event["id"], json.dumps(event)),
            )

    def after(self, seq: int = 0) -> list[tuple[int, dict[str, Any], int]]:
        """Return what was asked for after a place: place, event, how often it was told."""
        with self._open() as file:
            rows = file.execute("SELECT seq, event, times FROM asked WHERE seq > ? ORDER BY seq", (seq,))
            return [(place, json.loads(event), times) for place, event, times in rows]


class Lasting(Network):
    """The demo's network, with its memory on disk."""

    def __init__(self, kept: Kept, fuse: Fuse, draws: Draws, zones: dict[str, str]) -> None:
        super().__init__(draws, zones)
        self.kept, self.fuse = kept, fuse
        for _, event, _ in kept.after():
            super().carry_out(event)

    def carry_out(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """Keep, then answer; a kill between the two is what an operator's systems live through."""
        self.fuse.burn("before kept")
        self.kept.keep(event)
        self.fuse.burn("after kept")
        return super().carry_out(event)


async def main(file: str, port: str, secret: str, seed: str, zones: str, fuse: str) -> None:
    network = Lasting(Kept(Path(file)), Fuse(fuse), Draws(int(seed)), json.loads(zones))
    async with Receiver(network, int(port)) as receiver:
        receiver.trust(secret)
        sys.stdout.write(json.dumps({"ready": receiver.url}) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main(*sys.argv[1:]))
