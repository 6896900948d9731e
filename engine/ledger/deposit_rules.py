"""What a policy's `deposits` ask for on a day: interest, release, refund at the end, a topping up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import Literal

from engine.ledger.account import Terms
from engine.ledger.book import ZERO
from engine.ledger.charges import Basis, Rate
from engine.ledger.deposit import CENT, Deposit, deposit_at, deposit_interest
from engine.ledger.entries import Demand, DepositMoved, Entry
from engine.ledger.history import last_words, write_book
from engine.ledger.known import counts_by, known_entries, latest_key, of_kind
from engine.ledger.position import PRECISION
from engine.text.currency import CODES, decimals
from engine.text.period import Period

What = Literal["interest", "release", "refund", "apply", "top_up"]
ENDED = ("/service.terminated/do", "/terminate.immediate/do", "/terminate.end_of_term/do")
"""How the keys of actions end that end an account."""


@dataclass(frozen=True, slots=True)
class DepositInterest:
    """What a deposit earns, and when it is credited: on each anniversary of its taking in, or at its end."""

    rates: tuple[Rate, ...]
    basis: Basis = "act/365"
    credited: Literal["yearly", "at_release"] = "at_release"


@dataclass(frozen=True, slots=True)
class DepositRules:
    """When a deposit goes back, what it earns, whether it is topped up after a part was applied."""

    good_months: int | None = None
    """Whole consecutive months without anything past due after which it goes back; None: only at the end."""
    interest: DepositInterest | None = None
    top_up: bool = False
    """After it was applied to debt, what is missing of it is asked for again."""
    at_closing: bool = True
    """When the account has ended, it pays what is owed, and the rest goes back."""


@dataclass(frozen=True, slots=True)
class DepositAsk:
    """One thing that is asked for."""

    what: What
    number: int
    """The how many-th of its kind in the ledger's own count: what is booked makes the next one another."""
    amount: Decimal
    why: str


@dataclass(frozen=True, slots=True)
class DepositLook:
    """What is asked for now, and the next day on which that can change if nothing else comes."""

    asks: tuple[DepositAsk, ...] = ()
    next_day: date | None = None


def deposit_look(
    rules: DepositRules, terms: Terms, entries: Sequence[Entry], today: date, at: datetime
) -> DepositLook:
    """Return what `rules` ask for on a local day, as known at `at`; nothing where nothing is held or missing.

    The same ledger asks for the same again until it is booked: the caller keeps what it has asked.
    """
    found = deposit_at(entries, today, at, allocation=terms.allocation)
    due, _ = counts_by(known_entries(entries, at), today)
    counts = {move: len([e for e in of_kind(due, DepositMoved) if e.move == move]) for move in _COUNTED}
    with localcontext() as context:
        context.prec = PRECISION
        if rules.at_closing and is_closed(due):
            return DepositLook(_closing(rules, terms, entries, due, found, counts, today, at))
        earned = rules.interest
        asks = _yearly(earned, terms, entries, found, counts, today, at) if earned else []
        months = rules.good_months
        if months is not None and found.may_be_released(months):
            told = f"{months} good months since {found.good_since}"
            asks = _give_back("release", rules, terms, entries, found, counts, today, at, told)
        elif rules.top_up and counts["applied"] and found.held >= 0 and found.missing > 0:
            told = f"{found.missing} is missing since a part was applied"
            asks.append(DepositAsk("top_up", counts["applied"], found.missing, told))
        return DepositLook(tuple(asks), _next_day(rules, found, today))


_COUNTED = ("interest", "released", "applied")


def is_closed(due: Sequence[Entry]) -> bool:
    """Tell whether an account has ended: by a confirmed termination, or by the customer's own demand."""
    done = (receipt for receipt in last_words(due).values() if receipt.status == "done")
    if any(receipt.key.endswith(ENDED) for receipt in done):
        return True
    demands = {entry.source: entry for entry in sorted(of_kind(due, Demand), key=latest_key)}
    return any(entry.level == "terminated" for entry in demands.values())


def _yearly(
    interest: DepositInterest, terms: Terms, entries: Sequence[Entry], found: Deposit,
    counts: Mapping[str, int], today: date, at: datetime,
) -> list[DepositAsk]:  # fmt: skip
    if interest.credited != "yearly" or found.since is None:
        return []
    day = _anniversary(found.since, today)
    earned = _earned(interest, terms, entries, day, at)
    if day == found.since or earned <= 0:
        return []
    return [DepositAsk("interest", counts["interest"] + 1, earned, f"interest up to {day}")]


def _earned(
    interest: DepositInterest, terms: Terms, entries: Sequence[Entry], until: date, at: datetime
) -> Decimal:
    """Return the interest that was not credited, in the smallest unit of the currency."""
    unit = Decimal(1).scaleb(-decimals(terms.currency)) if terms.currency in CODES else CENT
    return deposit_interest(entries, until, at, rate=interest.rates, basis=interest.basis, rounding=unit)


def _anniversary(since: date, today: date) -> date:
    """Return the last anniversary up to a day; the day itself before the first one."""
    years = today.year - since.year
    day = Period(months=12 * years).after(since)
    return day if day <= today else Period(months=12 * (years - 1)).after(since)


def _give_back(
    what: What, rules: DepositRules, terms: Terms, entries: Sequence[Entry], found: Deposit,
    counts: Mapping[str, int], today: date, at: datetime, why: str,
) -> list[DepositAsk]:  # fmt: skip
    """Return that all of it goes back, with the interest that was not credited yet."""
    earned = _earned(rules.interest, terms, entries, today, at) if rules.interest else ZERO
    told = f"interest up to {today}"
    asks = [DepositAsk("interest", counts["interest"] + 1, earned, told)] if earned > 0 else []
    return [*asks, DepositAsk(what, counts["released"] + 1, found.held + earned, why)]


def _closing(
    rules: DepositRules, terms: Terms, entries: Sequence[Entry], due: Sequence[Entry], found: Deposit,
    counts: Mapping[str, int], today: date, at: datetime,
) -> tuple[DepositAsk, ...]:  # fmt: skip
    if found.held <= 0:
        return ()
    book = write_book(due, allocation=terms.allocation)
    owed = sum((d.open - d.disputed for d in book.order if not d.written_off), ZERO)
    if owed > 0:
        told = f"the account has ended and owes {owed}"
        return (DepositAsk("apply", counts["applied"] + 1, min(owed, found.held), told),)
    if any(debt.disputed for debt in book.order if not debt.written_off):
        return ()  # what is disputed may still be owed
    told = "the account has ended and owes nothing"
    return tuple(_give_back("refund", rules, terms, entries, found, counts, today, at, told))


def _next_day(rules: DepositRules, found: Deposit, today: date) -> date | None:
    days: list[date] = []
    if found.held <= 0 or found.since is None:
        return None
    if rules.good_months is not None and found.good_since:
        days.append(Period(months=rules.good_months).after(found.good_since))
    if rules.interest and rules.interest.credited == "yearly":
        days.append(Period(months=12).after(_anniversary(found.since, today)))
    return min((day for day in days if day > today), default=None)
