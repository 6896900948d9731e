"""Processes that help another one with its work: they end when it does, however it does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait


def end_with_the_caller() -> None:
    """End this spawned process when its parent is gone, killed or not; an interrupt ends it without a word.

    A pool's process that loses its parent would wait for work for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("This process was not spawned by another one.")
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
