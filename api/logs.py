"""What the terminal of a running Forbear shows: one line for a caller's mistake, all for ours."""

from __future__ import annotations

import copy
import logging

from workflows.effects import HOPELESS

_FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LONGEST = 400


class PlainFormatter(logging.Formatter):
    """Writes a refusal that is answered to its caller in one line, without its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        error = record.exc_info[1] if record.exc_info else None
        if record.name != "temporalio.activity" or type(error).__name__ not in HOPELESS:
            return super().format(record)
        said = " ".join(str(error).split())
        short = copy.copy(record)
        short.exc_info = short.exc_text = None
        short.msg, short.args = f"Refused: {said[:_LONGEST]}{'...' if len(said) > _LONGEST else ''}", ()
        return super().format(short)


def log_to_terminal() -> None:
    """Send warnings and errors to the terminal."""
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter(_FORM))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
