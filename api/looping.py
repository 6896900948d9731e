"""The event loop of what serves for long: libuv's where there is one, the standard one on Windows."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
COLLECT_AFTER = (20_000, 20, 100)
"""Objects and rounds after which the collector looks for cycles; by itself it does so far more often."""


def leave_alone() -> None:
    """Let the collector pass over what was made until now: it stays for as long as we serve."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes a fast loop; None where only the standard one is installed."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return None
    return new_event_loop


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(work)
