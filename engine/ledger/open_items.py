"""What is open on an account and what it owes: the small part of a position, for news of many accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, Inexact, localcontext
from zoneinfo import ZoneInfo

from engine.ledger.account import Terms
from engine.ledger.entries import Entry
from engine.ledger.history import write_book
from engine.ledger.known import counts_by, known_entries
from engine.ledger.position import PRECISION

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OpenItems:
    """The debts of an account on which something is open at an instant, and what it owes."""

    terms: Terms
    at: datetime
    debts: frozenset[str]
    owed: Decimal
    """Open, not written off, what is disputed included, credit taken off; in the account's currency."""


def open_items_at(terms: Terms, entries: Sequence[Entry], at: datetime) -> OpenItems:
    """Return what `position_at` would find open at an instant, without the rest of a position.

    Raises `decimal.Inexact` for amounts of more than 60 digits.
    """
    due, _ = counts_by(known_entries(entries, at), at.astimezone(ZoneInfo(terms.timezone)).date())
    with localcontext() as context:
        context.prec, context.traps[Inexact] = PRECISION, True
        book = write_book(due, allocation=terms.allocation)
        open_ = frozenset(debt.id for debt in book.order if debt.open > 0)
        claimed = sum((debt.open for debt in book.order if not debt.written_off), ZERO)
        return OpenItems(terms, at, open_, max(claimed - book.credit, ZERO))
