"""A deposit as it stands: what was asked for, what is held, when it may go back, what interest it earned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import pairwise

from engine.ledger.allocation import PRINCIPAL_FIRST, AllocationRule
from engine.ledger.book import ZERO, Book
from engine.ledger.charges import BASES, Basis, Rate, Stretch, grown
from engine.ledger.deposit_moves import IN, counted
from engine.ledger.entries import DepositMoved, DepositReviewed, Entry
from engine.ledger.facts_arrears import claims_on, overdue_spans
from engine.ledger.history import write_book
from engine.ledger.known import counts_by, known_entries, latest_key, of_kind
from engine.ledger.position import PRECISION
from engine.model import Amount, Model
from engine.text.period import Period

CENT = Decimal("0.01")
Word = DepositMoved | DepositReviewed


class Deposit(Model):
    """The deposit of an account as of a local day; amounts in the account's currency."""

    as_of: date
    asked: Amount = ZERO
    """What is to be held: the last request, or what the last review left of it."""
    held: Amount = ZERO
    """What is held, interest with it."""
    interest: Amount = ZERO
    """Interest that was credited, since the beginning."""
    applied: Amount = ZERO
    released: Amount = ZERO
    since: date | None = None
    """The day from which on something has been held without a break; None: nothing is."""
    reviewed_on: date | None = None
    good_since: date | None = None
    """The day from which on months count as good; None: nothing is held, or something is past due."""
    good_months: int = 0
    """Whole months up to `as_of`, while it is held, without a day on which anything was past due."""
    sources: tuple[str, ...] = ()
    """The moves and reviews behind it, `deposit D1`, by value date."""

    @property
    def missing(self) -> Decimal:
        """What is asked for and not held."""
        return max(ZERO, self.asked - self.held)

    def may_be_released(self, months: int) -> bool:
        """Tell whether it goes back after so many good months."""
        return self.held > 0 and self.good_months >= months


def deposit_at(
    entries: Sequence[Entry], as_of: date, at: datetime, *, allocation: AllocationRule = PRINCIPAL_FIRST
) -> Deposit:  # fmt: skip
    """Return the deposit as of a local day, as known at `at`. Debt that is written off stays past due."""
    due, _ = counts_by(known_entries(entries, at), as_of)
    moves = counted(of_kind(due, DepositMoved))
    reviews = of_kind(due, DepositReviewed)
    words: list[Word] = [*moves, *reviews]
    with localcontext() as context:
        context.prec = PRECISION
        since = _since(moves)
        sums = {move: sum((e.amount for e in moves if e.move == move), ZERO) for move in _MOVES}
        good = _good_since(write_book(due, allocation=allocation), since, as_of) if since else None
        held = sums["held"] + sums["topped_up"] + sums["interest"] - sums["released"] - sums["applied"]
        return Deposit(
            as_of=as_of, asked=_asked(moves, reviews), held=held, interest=sums["interest"],
            applied=sums["applied"], released=sums["released"], since=since,
            reviewed_on=max((e.value_date for e in reviews), default=None),
            good_since=good if good and good <= as_of else None,
            good_months=_months(good, as_of) if good else 0,
            sources=tuple(f"{e.kind} {e.id}" for e in sorted(words, key=_order)),
        )  # fmt: skip


_MOVES = ("requested", *IN, "released", "applied")


def _order(entry: Word) -> tuple[date, str, str]:
    return (entry.value_date, entry.kind, entry.id)


def _asked(moves: Sequence[DepositMoved], reviews: Sequence[DepositReviewed]) -> Decimal:
    words: list[Word] = [*reviews, *(move for move in moves if move.move == "requested")]
    return max(words, key=latest_key).amount if words else ZERO


def _since(moves: Sequence[DepositMoved]) -> date | None:
    held, since = ZERO, None
    for day in sorted({move.value_date for move in moves}):
        for move in moves:
            if move.value_date == day and move.move != "requested":
                held += move.amount if move.move in IN else -move.amount
        if held <= 0:
            since = None
        elif since is None:
            since = day
    return since


def _good_since(book: Book, since: date, as_of: date) -> date:
    """Return the day after the last one on which anything was past due, or on which holding began."""
    claims = claims_on(book)
    spans = [span for debt in book.order for span in overdue_spans(debt, as_of, claims.get(debt.id, ()))]
    last = max((day for _, day in spans), default=None)
    return since if last is None or last < since else last + timedelta(days=1)


def _months(first: date, as_of: date) -> int:
    months = 0
    while Period(months=months + 1).after(first) <= as_of:
        months += 1
    return months


def deposit_interest(
    entries: Sequence[Entry], until: date, at: datetime, *, rate: Decimal | tuple[Rate, ...],
    basis: Basis = "act/365", rounding: Decimal = CENT,
) -> Decimal:  # fmt: skip
    """Return the interest that a deposit has earned and was not credited, up to the day before `until`.

    `rate` is a share of 1 a year, or each with its first day; simple, on what was taken in and not yet given
    back or applied; credited interest earns none. Rounded half even to `rounding`.
    """
    rates = rate if isinstance(rate, tuple) else (Rate(date.min, rate),)
    due, _ = counts_by(known_entries(entries, at), until)
    moves = counted(of_kind(due, DepositMoved))
    stretches: list[Stretch] = []
    principal, last = ZERO, until
    with localcontext() as context:
        context.prec = PRECISION
        for move in moves:
            if move.move in ("requested", "interest"):
                continue
            stretches += _stretches(principal, last, move.value_date, rates)
            principal = max(ZERO, principal + (move.amount if move.move in IN else -move.amount))
            last = move.value_date
        earned = grown(basis, rates, iter([*stretches, *_stretches(principal, last, until, rates)]), None)
        credited = sum((e.amount for e in moves if e.move == "interest"), ZERO)
        total = (earned / BASES[basis]).quantize(rounding, ROUND_HALF_EVEN)
    return max(ZERO, total - credited)


def _stretches(principal: Decimal, first: date, last: date, rates: tuple[Rate, ...]) -> list[Stretch]:
    """Return the days `[first, last)` of one principal, cut where a rate begins."""
    if principal <= 0 or last <= first:
        return []
    cuts = {first.toordinal(), last.toordinal(), *(rate.since.toordinal() for rate in rates)}
    inside = sorted(cut for cut in cuts if first.toordinal() <= cut <= last.toordinal())
    return [Stretch(start, end, principal) for start, end in pairwise(inside)]
