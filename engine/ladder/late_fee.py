"""Late fees: accrued by the day on undisputed principal, exact, stated and counted; booked by billing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import pairwise

from engine.ladder.case import Case
from engine.ladder.clock import FOREVER, Days, lost, merged
from engine.ladder.measure import OUTSIDE
from engine.ladder.model import LateFeeRules
from engine.ledger.account import Debt

ZERO = Decimal(0)
LATE_FEE = "late_fee"
"""The step under which late fees are asked for; no row of a ladder has this name."""
_ROUNDING = Context(prec=60)
"""Rounding a fee is meant; the ladder's own arithmetic traps everything inexact."""


def counted_fees(case: Case, day: int, what: str) -> Decimal:
    """Return the fees that count for `closes` or `release`: those billed and past due, less credit.

    For `closes` also those that grow; nobody can pay what was not billed, so no level waits for them.
    """
    rules = case.policy.late_fee
    if rules is None or what not in rules.counts_for:
        return ZERO
    charged = _charged(case, day) if what == "closes" else ()
    growing = sum((fee_of(case, rules, debt, day) for debt in charged), ZERO)
    billed = sum((amount for due, amount in case.view.fees if due < day), ZERO)
    return max(ZERO, billed + growing - case.account.credit)


def is_settled(case: Case, debt: Debt) -> bool:
    """Tell whether so little of a debt is open that nothing of it ages."""
    return debt.open == 0 or debt.open < case.policy.case.ignore_below


def accrued(case: Case, day: int) -> Decimal:
    """Return the late fees that have grown up to a day in this case and are not booked yet."""
    rules = case.policy.late_fee
    if rules is None:
        return ZERO
    return sum((fee_of(case, rules, debt, day) for debt in _charged(case, day)), ZERO)


def _charged(case: Case, day: int) -> Iterator[Debt]:
    for debt in case.account.debts:
        late = debt.open > 0 or (debt.settled_on is not None and debt.settled_on >= case.taken.opened_on)
        if late and not _booked(case, debt, day) and debt.category not in OUTSIDE and not debt.written_off:
            yield debt


def _booked(case: Case, debt: Debt, day: int) -> bool:
    """Tell whether billing has said what became of the fee, or had its time to say so."""
    key = fee_key(case, debt.id)
    receipt = case.receipts.get(key)
    if receipt is not None and receipt.status != "requested":
        return True
    asked = case.taken.fees.get(key)
    return asked is not None and day > asked.toordinal() + case.policy.confirm.within.days


def fees_to_book(case: Case, day: int) -> list[tuple[Debt, Decimal]]:
    """Return the debts that were settled in this case, each with the late fee that billing is to book."""
    rules = case.policy.late_fee
    if rules is None:
        return []
    settled = [
        d for d in _charged(case, day) if is_settled(case, d) and fee_key(case, d.id) not in case.taken.fees
    ]
    fees = ((debt, fee_of(case, rules, debt, day)) for debt in settled)
    return [(debt, fee) for debt, fee in fees if fee]


def fee_key(case: Case, debt: str) -> str:
    """Return the key under which billing books the late fee of a debt; once for a case."""
    return f"{case.taken.case}/{debt}/{LATE_FEE}/1/fee.{LATE_FEE}/do"


def fee_of(case: Case, rules: LateFeeRules, debt: Debt, day: int) -> Decimal:
    """Return the late fee of one debt up to and including a day: rate x undisputed balance x days, capped.

    The day of a payment still counts at the balance before it.
    """
    first = rules.grace.after(debt.due_date).toordinal()
    disputes = _disputed(case, debt)
    stops = _stops(case, rules)
    cuts = {first, day + 1, *(on.toordinal() + 1 for on, _ in debt.paid)}
    cuts |= {edge for days, _ in disputes for edge in days}
    edges = sorted(cut for cut in cuts if first <= cut <= day + 1)
    total = ZERO
    for start, end in pairwise(edges):
        balance = debt.open + sum((by for on, by in debt.paid if on.toordinal() >= start), ZERO)
        balance -= sum((amount for days, amount in disputes if days[0] <= start < days[1]), ZERO)
        total += rules.rate * max(ZERO, balance) * (end - start - lost(stops, start, end))
    if rules.cap_principal:
        total = min(total, debt.amount)
    return total.quantize(rules.rounding, ROUND_HALF_UP, _ROUNDING)


def _disputed(case: Case, debt: Debt) -> list[tuple[Days, Decimal]]:
    """Return the days on which parts of a debt were disputed: upheld parts until their credit note."""
    found = []
    for dispute in case.account.disputes:
        if dispute.bill in (debt.bill, debt.id):
            end = dispute.resolved_on.toordinal() if dispute.resolved_on else FOREVER
            since = dispute.since.toordinal()
            if dispute.outcome != "upheld":
                found.append(((since, end), dispute.amount))
            elif dispute.remaining:
                found.append(((0, FOREVER), dispute.remaining))
    return found


def _stops(case: Case, rules: LateFeeRules) -> tuple[Days, ...]:
    return merged(
        held.days for held in case.view.held if held.rules.kind in rules.stops_in or held.rules.fees_stop
    )
