"""How a short-lived command ends."""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn


def leave(code: int = 0) -> NoReturn:
    """End the process now, with everything written out.

    A process that has used Temporal's client can crash while the interpreter is torn down
    (temporalio/sdk-python issue 300): one exit in three, seen with every version tried. So the interpreter
    is not torn down. Close what must be closed before calling; exit handlers do not run.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # a closed pipe must not hide the exit code
            code = code or 1
    logging.shutdown()
    os._exit(code)
