"""How long a row waits: since the step before it or since the due date, plain or to the end of a month."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from engine.text import Period

_FORM = re.compile(r"(?:(end_of_month)\s*\(\s*)?(?:(due)\s*\+\s*)?(P[0-9A-Z]+)\s*(\))?")


@dataclass(frozen=True, slots=True)
class Wait(Period):
    """A span that runs from the due date of the oldest debt, or to the last day of a month, or both."""

    month_end: bool = False
    from_due: bool = False

    def __str__(self) -> str:
        span = Period.__str__(self)
        text = f"due + {span}" if self.from_due else span
        return f"end_of_month({text})" if self.month_end else text


def parse_wait(text: str) -> Period | None:
    """Return the wait that a text names: `P7D`, `due + P30D`, `end_of_month(due + P30D)`; None: none."""
    found = _FORM.fullmatch(text.strip())
    if found is None or bool(found[1]) != bool(found[4]):
        return None
    span = Period.parse(found[3])
    if span is None or not (found[1] or found[2]):
        return span
    return Wait(span.months, span.days, month_end=bool(found[1]), from_due=bool(found[2]))


def is_since_due(wait: Period) -> bool:
    """Tell whether a wait counts from the due date: then it needs no step before it."""
    return isinstance(wait, Wait) and wait.from_due


def ready_on(wait: Period, done: date, due: date) -> date:
    """Return the first day on which a row may follow a step that was done, for a debt that was due."""
    if not isinstance(wait, Wait):
        return wait.after(done)
    day = wait.after(due if wait.from_due else done)
    if wait.month_end:
        day = day.replace(day=monthrange(day.year, day.month)[1])
    return max(day, done)


def shortest(wait: Period) -> int:
    """Return the fewest days that lie between a step and the row that waits after it."""
    return 0 if isinstance(wait, Wait) and wait.from_due else _days(wait)


def shortest_since_due(wait: Period) -> int:
    """Return the fewest days past due at which a wait can be over by itself."""
    return _days(wait) if isinstance(wait, Wait) and wait.from_due else 0


def _days(span: Period) -> int:
    return span.days + 28 * span.months


def longest(wait: Period) -> int:
    """Return the most days that can lie between a step, or the due date, and the end of a wait."""
    span = wait.days + 31 * wait.months
    return span + 30 if isinstance(wait, Wait) and wait.month_end else span
