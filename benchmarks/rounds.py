"""Rounds that take turns, so that a busy machine slows everything alike; and what the machine is."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import cycle, islice
from statistics import median
from time import process_time
from typing import Any

ROUNDS = 7
PACKAGES = ("zen-engine", "durable-rules", "rule-engine", "cel-python", "bkflow-feel", "pydantic")


@dataclass(frozen=True)
class Contender:
    """One way to decide, and how it was fed and measured."""

    name: str
    work: Callable[[Any], object]
    items: list[Any]
    """Inputs, ready made; each round takes others of them."""
    each: int = 2_000
    """Decisions a round."""


def medians(contenders: list[Contender]) -> dict[str, float]:
    """Return the median processor time of one decision, in microseconds; rounds take turns."""
    gc.collect()
    gc.freeze()  # the collector looks at what decisions make, not at the inputs that were made before
    turns = {c.name: cycle(c.items) for c in contenders}
    spent: dict[str, list[float]] = {c.name: [] for c in contenders}
    for _ in range(ROUNDS):
        for contender in contenders:
            items, work = list(islice(turns[contender.name], contender.each)), contender.work
            start = process_time()
            for item in items:
                work(item)
            spent[contender.name].append((process_time() - start) / len(items) * 1e6)
    return {name: median(rounds) for name, rounds in spent.items()}


def microseconds(work: Callable[[Any], object], items: list[Any]) -> float:
    """Return the median processor time for one item."""
    return medians([Contender("", work, items, len(items))])[""]


def machine() -> Iterator[str]:
    """Yield what was measured and on what: commit, day, cores, versions; no name of a machine."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    yield f"commit {commit}, {datetime.now(UTC):%Y-%m-%d}"
    yield f"{os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(versions)}"
    yield ""
