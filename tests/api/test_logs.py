from __future__ import annotations

import logging
import sys

from api.logs import PlainFormatter
from engine.credit.errors import FactProblem, FactsRefused


def told(logger: str, error: Exception) -> str:
    try:
        raise error
    except Exception:
        info = sys.exc_info()
    record = logging.LogRecord(logger, logging.WARNING, "f.py", 1, "Completing as failed (%s)", ("x",), info)
    return PlainFormatter("%(levelname)s %(name)s: %(message)s").format(record)


def test_a_refusal_that_its_caller_is_told_is_one_line() -> None:
    error = FactsRefused("plain", [FactProblem("/a", "missing", "`a` is not\nthere")])
    assert told("temporalio.activity", error) == (
        "WARNING temporalio.activity: Refused: The facts do not fit policy `plain`: /a: `a` is not there."
    )
    assert len(told("temporalio.activity", FactsRefused("p" * 1000, []))) < 500


def test_a_mistake_of_ours_is_told_whole() -> None:
    assert "Traceback" in told("temporalio.activity", RuntimeError("broken"))
    assert "Traceback" in told("forbear.api", FactsRefused("plain", []))
