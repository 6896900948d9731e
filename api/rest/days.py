"""Days by which something is judged: a decision is taken of a day that has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.rest.errors import Refusal

_FURTHEST_EAST = timedelta(hours=14)
"""Where a day begins first: nobody's today is later."""


def day_that_has_come(given: date | None, at: datetime, zones: Sequence[str]) -> date:
    """Return the day to judge by; left out: today in the first of these zones (none: that of the clock).

    Raises Refusal for a day that has not come in any of them: what is decided takes force at once.
    """
    days = [at.astimezone(ZoneInfo(zone)).date() for zone in zones]
    today = max(days, default=(at + _FURTHEST_EAST).date() if at.utcoffset() == timedelta(0) else at.date())
    if given is not None and given > today:
        raise Refusal(
            "malformed-body",
            f"`as_of` {given} has not come yet, and a decision takes force at once; today is {today}. "
            "`POST /v1/previews` tells what would be decided.",
            "/as_of",
        )
    return given or (days[0] if days else at.date())
