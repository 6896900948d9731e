"""The only file that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

from temporalio import workflow


class Woken(StrEnum):
    """What ended a wait."""

    NEWS = "news"
    TIME = "time"


async def for_news_or_time(news: Callable[[], bool], longest: timedelta, summary: str) -> Woken:
    """Wait until there is news, or until `longest` has passed; news wins when both come at once.

    The summary is recorded with the timer. A timer of its own instead of `wait_condition(timeout=...)`:
    `asyncio.wait_for` rounds differently in Python 3.11 and 3.12, and a history must replay in both.
    """
    if news():
        return Woken.NEWS
    timer = asyncio.create_task(workflow.sleep(_up_to_milliseconds(longest), summary=summary))
    await workflow.wait_condition(lambda: news() or timer.done())
    timer.cancel()
    # Lets the cancel command out before whatever the caller asks for next.
    await workflow.wait([timer])
    return Woken.NEWS if news() else Woken.TIME


def _up_to_milliseconds(wait: timedelta) -> timedelta:
    """Round up, so that a timer never fires before the instant it was set for."""
    millisecond = timedelta(milliseconds=1)
    return -(-max(wait, millisecond) // millisecond) * millisecond
