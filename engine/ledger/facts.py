"""Facts for grading, derived from the ledger by stated rules, each with its day and its source.

All of them are of one account as of a local day, as known at an instant. *Twelve months* are the days after
the same day a year before, up to that day. What nobody can know is left out: no rate
without a bill that was due. What is in dispute, or was rightly, is not late from the dispute's day on;
what was disputed in vain was owed all along.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, localcontext

from engine.credit.decision import Fact
from engine.ledger.account import Terms
from engine.ledger.allocation import PRINCIPAL_FIRST, AllocationRule
from engine.ledger.book import ZERO
from engine.ledger.entries import Entry
from engine.ledger.facts_arrears import from_arrears, from_bills
from engine.ledger.facts_events import from_events
from engine.ledger.facts_model import Derived, Found, Trail, Window
from engine.ledger.history import write_book
from engine.ledger.known import counts_by, known_entries
from engine.ledger.position import PRECISION
from engine.text.period import Period

YEAR = Period(months=12)
RULES = {
    "tenure_months": "whole months since the first bill that is no fee and no plan",
    "avg_monthly_bill": "bills of twelve months, corrected, by the number of months that have one",
    "max_dpd_12m": "most days that an undisputed part was past due, by the evenings of twelve months",
    "late_count_12m": "debts due in twelve months with an undisputed part open at any time after that day",
    "arrears_count_12m": "separate stretches of days of twelve months with an undisputed part past due",
    "on_time_rate_12m": "share of the debts due in twelve months with no undisputed part open after that day",
    "overdue_now": "past due, undisputed, not written off",
    "dpd_now": "days past due of the oldest debt that is undisputed and not written off; 0: none is past due",
    "returned_payments_12m": "payments that came back in twelve months, returns that were reversed left out",
    "suspensions_12m": "suspensions for arrears confirmed in twelve months, wrongful ones left out",
    "broken_promises_12m": "promises that ended in twelve months without the money, also of one milestone",
    "kept_promises_12m": "promises that ended in twelve months with the money, milestone by milestone",
    "promises_kept_rate_12m": "share of the promises that ended in twelve months and were kept",
    "contribution_12m": "payments and recoveries of twelve months that did not come back, less refunds",
    "deposit_held": "deposits taken in, with their interest, less what was released or applied",
}
"""Every fact by its name: the rule it follows."""


def facts_at(
    terms: Terms, entries: Sequence[Entry], as_of: date, at: datetime,
    *, tolerance: Decimal = ZERO, grace_days: int = 0,
) -> dict[str, Fact]:  # fmt: skip
    """Return the facts about an account as of a local day, as known at `at`; unknowable ones are left out.

    `tolerance` (a share of 1) and `grace_days` say when a promise counts as broken.
    """
    found, _ = _found(entries, as_of, at, tolerance, grace_days, terms.allocation)
    return {
        name: Fact(value=one.value, as_of=as_of, source=f"ledger of {terms.account}: {one.told}")
        for name, one in sorted(found.items())
    }


def derived_at(
    entries: Sequence[Entry], as_of: date, at: datetime, *, tolerance: Decimal = ZERO, grace_days: int = 0,
    allocation: AllocationRule = PRINCIPAL_FIRST,
) -> dict[str, Derived]:  # fmt: skip
    """Return the same facts, each with its rule and the entries it follows from."""
    found, trail = _found(entries, as_of, at, tolerance, grace_days, allocation)
    explained = {}
    for name, one in sorted(found.items()):
        sources = trail.sources(one.sources())
        explained[name] = Derived(
            value=one.value, as_of=as_of, rule=RULES[name], told=one.told, sources=sources,
            newest=sources[-1].value_date if sources else None,
        )  # fmt: skip
    return explained


def _found(
    entries: Sequence[Entry], as_of: date, at: datetime, tolerance: Decimal, grace_days: int,
    allocation: AllocationRule,
) -> tuple[dict[str, Found], Trail]:  # fmt: skip
    due, _ = counts_by(known_entries(entries, at), as_of)
    with localcontext() as context:
        context.prec = PRECISION
        book = write_book(due, allocation=allocation)
        window = Window(YEAR.before(as_of), as_of)
        trail = Trail({(entry.kind, entry.id): entry for entry in due}, book)
        found = {
            **from_bills(book, window, trail),
            **from_arrears(book, window, trail),
            **from_events(due, book, window, tolerance, grace_days),
        }
    return found, trail
