"""Heartbeats for an activity that is one long call, so that a killed worker is noticed within seconds."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from temporalio import activity

EVERY_SECONDS = 1.5


@contextmanager
def beating() -> Iterator[None]:
    """Send a heartbeat every so often while the block runs."""
    over = threading.Event()
    context = contextvars.copy_context()  # an activity is known by its context, which a thread has not
    thread = threading.Thread(target=context.run, args=(_beat, over), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(over: threading.Event) -> None:
    while not over.wait(EVERY_SECONDS):
        activity.heartbeat()
