"""Good months: whether an account has paid as it should for so long, as known at an instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import localcontext

from engine.ledger.account import Terms
from engine.ledger.book import ZERO
from engine.ledger.entries import Entry
from engine.ledger.facts_arrears import from_arrears
from engine.ledger.facts_events import from_events
from engine.ledger.facts_model import Trail, Window
from engine.ledger.history import write_book
from engine.ledger.known import counts_by, known_entries
from engine.ledger.position import PRECISION
from engine.text.period import Period

NONE_OF = ("max_dpd_12m", "late_count_12m", "returned_payments_12m", "broken_promises_12m")
"""Facts of which each has to be 0, counted over the months that are asked for instead of twelve."""


def good_months(
    terms: Terms, entries: Sequence[Entry], as_of: date, at: datetime, months: int
) -> bool | None:  # fmt: skip
    """Tell whether in the months up to a local day every debt that fell due was paid on time.

    Nothing was past due on any of these days, no payment came back, no promise was broken. None: nothing
    fell due in that time, so nothing is proved.
    """
    due, _ = counts_by(known_entries(entries, at), as_of)
    with localcontext() as context:
        context.prec = PRECISION
        book = write_book(due, allocation=terms.allocation)
        window = Window(Period(months=months).before(as_of), as_of)
        trail = Trail({(entry.kind, entry.id): entry for entry in due}, book)
        found = from_arrears(book, window, trail) | from_events(due, book, window, ZERO, 0)
    if any(found[name].value for name in NONE_OF if name in found):
        return False
    return True if "on_time_rate_12m" in found else None
