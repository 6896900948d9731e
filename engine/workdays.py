"""Working days of one region, as a text of the shelf; the engine never imports a holiday library."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Calendar:
    """Public holidays and make-up working days by local date; weekends are Saturday and Sunday."""

    name: str
    digest: str
    holidays: frozenset[date] = frozenset()
    working: frozenset[date] = frozenset()
    """Weekend days that are worked (make-up days)."""
    covers: tuple[int, ...] = ()
    """The years it speaks of; a day outside is an error, never silently a working day."""
