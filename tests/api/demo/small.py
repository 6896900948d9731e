"""A demo of a few accounts, one of each story: `python -m tests.api.demo.small FOLDER [ACCOUNTS]`."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from api.demo.draws import Draws
from api.demo.generate import SEED
from api.demo.profiles import build_profiles
from api.demo.run import run_demo
from api.demo.show import Say
from api.demo.source import ImportFile, Source, sample_source
from api.exiting import leave

ROOT = Path(__file__).parents[3]
STORIES = (
    "prompt",
    "suspended",
    "lost",
    "disputed",
    "broken",
    "hardship",
    "chargeback",
    "partial",
    "chronic",
)


def small_source(accounts: int = len(STORIES)) -> Source:
    """The sample ledger with one account of each of some stories told; everybody is graded."""
    profiles = build_profiles(Draws(SEED))
    chosen = {next(p.account for p in profiles if p.story == story) for story in STORIES[:accounts]}
    source = sample_source(ROOT)
    told = tuple(ledger for ledger in source.ledgers if ledger.account in chosen)
    return replace(source, ledgers=told, imports=_only(source, {ledger.customer for ledger in told}))


def _only(source: Source, customers: set[str]) -> tuple[ImportFile, ...]:
    def kept(data: bytes) -> bytes:
        head, *lines = data.splitlines(keepends=True)
        return head + b"".join(line for line in lines if any(c.encode() + b"," in line for c in customers))

    return tuple(replace(file, data=kept(file.data)) for file in source.imports)


def run_small(folder: Path, say: Say, accounts: int = len(STORIES)) -> None:
    """Run the small demo."""
    asyncio.run(run_demo(small_source(accounts), folder, ROOT, say))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run_small(Path(sys.argv[1]), _say, int(sys.argv[2]))
    leave(0)
