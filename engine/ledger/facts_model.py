"""What a derived fact is: its value, the rule it follows, and the entries it was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from engine.ledger.book import Book, DebtState
from engine.ledger.book_states import REFUND
from engine.ledger.entries import (
    Adjustment,
    CreditNote,
    DisputeResolved,
    Entry,
    PaymentReturned,
    ReturnReversed,
    WriteDown,
    is_goodwill,
)
from engine.model import Amount, Model

Name = tuple[str, str]
"""An entry by kind and id."""


@dataclass(frozen=True, slots=True)
class Window:
    """The twelve months up to and including `end`; a day counts when `start < day <= end`."""

    start: date
    end: date

    def holds(self, day: date) -> bool:
        """Tell whether a day is in it."""
        return self.start < day <= self.end


@dataclass(frozen=True, slots=True)
class Found:
    """A fact as it was found; its sources are looked up only for whoever asks."""

    value: int | Decimal
    told: str
    sources: Callable[[], Iterable[Name]]


class Source(Model):
    """One entry from which a fact follows."""

    kind: str
    id: str
    value_date: date


class Derived(Model):
    """A fact about an account with its rule and its source entries."""

    value: int | Amount
    as_of: date
    rule: str
    """The rule in words, the same for every account."""
    told: str
    """What the rule met here: `2 of 3 bills paid by their due date`."""
    sources: tuple[Source, ...] = ()
    """The entries it follows from, by value date; none: it follows from their absence."""
    newest: date | None = None
    """Value date of the latest of them."""

    @property
    def age_days(self) -> int | None:
        """Days from the latest source to the day of the fact; None where there is no source."""
        return None if self.newest is None else (self.as_of - self.newest).days


class Trail:
    """Finds the entries behind debts: bills, what corrected them, and the money that paid them."""

    def __init__(self, entries: Mapping[Name, Entry], book: Book) -> None:
        self._entries = entries
        self._book = book

    def billed(self, debts: Iterable[DebtState], *, let_go: bool = True) -> list[Name]:
        """Return the bills of debts, and what made them ask for more or less.

        Without `let_go` what was given up of a bill that was right is left out.
        """
        references = {name for debt in debts for name in (debt.bill, debt.id)}
        found: list[Name] = [("bill", name) for name in references if ("bill", name) in self._entries]
        found += [("refund", name.removeprefix(REFUND)) for name in references if name.startswith(REFUND)]
        for (kind, name), entry in self._entries.items():
            counts = kind in _CORRECTS and (let_go or not _lets_go(entry))
            if counts and getattr(entry, "bill", "") in references:
                found.append((kind, name))
        return found

    def paid(self, debts: Iterable[DebtState]) -> list[Name]:
        """Return the money that pays debts, and what came back of it."""
        names = {debt.id for debt in debts}
        found: list[Name] = []
        for fund in self._book.funds.values():
            if names & (fund.parts.keys() | fund.before.keys()):
                kind, _, name = fund.key.partition(":")
                found.append((kind, name))
        return [*found, *self._undone({name for kind, name in found if kind in ("payment", "recovery")})]

    def disputed(self, debts: Iterable[DebtState]) -> list[Name]:
        """Return the disputes that take something out of debts, and what upheld them."""
        names = {debt.id for debt in debts}
        standing = {
            state.entry.id
            for state in self._book.disputes.values()
            if names & (state.touches.keys() | {debt.id for debt in state.debts}) and state.remaining
        }
        ended = [e for e in self._entries.values() if isinstance(e, DisputeResolved)]
        upheld = [(e.kind, e.id) for e in ended if e.dispute in standing]
        return [*(("dispute", name) for name in standing), *upheld]

    def _undone(self, payments: set[str]) -> list[Name]:
        """Return how payments came back, and how that was reversed."""
        entries = self._entries.values()
        back = {e.id for e in entries if isinstance(e, PaymentReturned) and e.payment in payments}
        again = [e for e in entries if isinstance(e, ReturnReversed) and e.returned in back]
        return [*(("payment_returned", name) for name in back), *((e.kind, e.id) for e in again)]

    def sources(self, names: Iterable[Name]) -> tuple[Source, ...]:
        """Return entries by name, by value date."""
        known = {name: self._entries[name] for name in names if name in self._entries}
        rows = sorted((entry.value_date, kind, ref) for (kind, ref), entry in known.items())
        return tuple(Source(kind=kind, id=ref, value_date=day) for day, kind, ref in rows)


def _lets_go(entry: Entry) -> bool:
    return isinstance(entry, WriteDown) or (
        isinstance(entry, CreditNote | Adjustment) and is_goodwill(entry.reason)
    )


_CORRECTS = frozenset({"bill_issued", "credit_note", "adjustment", "fee_waived", "write_down"})
