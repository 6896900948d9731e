"""Late fees: accrued by the day on undisputed principal, exact, stated and counted; booked by billing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import pairwise

from engine.ladder.case import Case
from engine.ladder.clock import FOREVER, Days, lost, merged
from engine.ladder.measure import OUTSIDE
from engine.ladder.memory import GONE
from engine.ladder.model import LateFeeRules
from engine.ladder.state import BookedFee
from engine.ledger.account import Debt

ZERO = Decimal(0)
LATE_FEE = "late_fee"
"""The step under which late fees are asked for; no row of a ladder has this name."""
CENT = Decimal("0.01")
_ROUNDING = Context(prec=60)
"""Rounding a fee is meant; the ladder's own arithmetic traps everything inexact."""


def counted_fees(case: Case, day: int, what: str) -> Decimal:
    """Return the fees that count for `closes` or `release`: those billed and past due, less credit.

    For `closes` also those that grow; nobody can pay what was not billed, so no level waits for them.
    """
    rules = case.policy.late_fee
    if rules is None or what not in rules.counts_for:
        return ZERO
    growing = accrued(case, day) if what == "closes" else ZERO
    billed = sum((amount for due, amount in case.view.fees if due < day), ZERO)
    return max(ZERO, billed + growing - case.account.credit)


def is_settled(case: Case, debt: Debt) -> bool:
    """Tell whether so little is open that nothing is done for it: of the debt, or of all that is past due."""
    if debt.open < max(case.policy.case.ignore_below, CENT):
        return True
    return debt.due_date.toordinal() < case.today and owes_only_fees(case)


def owes_only_fees(case: Case) -> bool:
    """Tell whether the principal that is past due, disputed and held parts included, lets the case close."""
    owed = sum((part.amount for part in case.view.slices if part.due < case.today), ZERO)
    return case.policy.case.closes.holds(case.view.kept(case.today).values(owed))


def accrued(case: Case, day: int) -> Decimal:
    """Return the late fees that have grown up to a day, less those that billing has answered for."""
    rules = case.policy.late_fee
    if rules is None:
        return ZERO
    return sum((_growing(case, rules, debt, day) for debt in _late(case)), ZERO)


def _growing(case: Case, rules: LateFeeRules, debt: Debt, day: int) -> Decimal:
    answered = sum((fee.amount for fee in _booked(case, debt) if _answered(case, fee, day)), ZERO)
    return max(ZERO, fee_of(case, rules, debt, day) - answered)


def _late(case: Case) -> Iterator[Debt]:
    """Yield the debts whose late fees are this case's: open ones, and those settled since it opened."""
    for debt in case.account.debts:
        late = debt.open > 0 or (debt.settled_on is not None and _moved_on(debt) >= case.taken.opened_on)
        if late and debt.category not in OUTSIDE and not debt.written_off:
            yield debt


def _moved_on(debt: Debt) -> date:
    """Return the last day on which something settled a debt: also a payment that stands again."""
    return max([debt.settled_on or debt.due_date, *(on for on, _ in debt.moved)])


def _word(case: Case, fee: BookedFee) -> str:
    receipt = case.receipts.get(fee.key)
    return receipt.status if receipt else "requested"


def _is_own(case: Case, fee: BookedFee) -> bool:
    return fee.key.startswith(f"{case.taken.case}/")


def _booked(case: Case, debt: Debt) -> list[BookedFee]:
    """Return what billing was asked to book for a debt: what it refused to this case is not asked again."""
    found = [fee for fee in case.taken.fees if fee.debt == debt.id]
    refused = GONE - {"withdrawn"}
    return [
        fee for fee in found
        if (word := _word(case, fee)) not in GONE or (word in refused and _is_own(case, fee))
    ]  # fmt: skip


def _answered(case: Case, fee: BookedFee, day: int) -> bool:
    """Tell whether billing has said what became of a fee, or had its time to say so."""
    patience = case.policy.confirm.within.days
    return _word(case, fee) != "requested" or day > fee.asked_on.toordinal() + patience


@dataclass(frozen=True, slots=True)
class Booking:
    """What is to be booked for a debt that was settled: a fee, or the reversal of fees that were too much."""

    debt: Debt
    amount: Decimal
    wrong: tuple[BookedFee, ...] = ()


def fees_to_book(case: Case, day: int) -> list[Booking]:
    """Return what billing is to book for the debts settled in this case, beside what it was asked before.

    A debt that is settled again after its payment came back is charged for the days on which it was open,
    each of them once.
    """
    rules = case.policy.late_fee
    if rules is None:
        return []
    own = {fee.debt for fee in case.taken.fees if _is_own(case, fee)}
    late = {debt.id for debt in _late(case)} | own
    settled = [debt for debt in case.account.debts if debt.id in late and is_settled(case, debt)]
    found = (_booking(case, rules, debt, day) for debt in settled)
    return [booking for booking in found if booking]


def _booking(case: Case, rules: LateFeeRules, debt: Debt, day: int) -> Booking | None:
    booked = _booked(case, debt)
    missing = fee_of(case, rules, debt, day) - sum((fee.amount for fee in booked), ZERO)
    if missing > 0:
        return Booking(debt, missing)
    wrong = tuple(fee for fee in booked if _is_own(case, fee) and _word(case, fee) not in GONE)
    if missing == 0 or not wrong:
        return None
    return Booking(debt, max(ZERO, missing + sum((fee.amount for fee in wrong), ZERO)), wrong)


def fee_key(case: Case, debt: str) -> str:
    """Return the key of the next late fee of a debt: the first is 1, that after a bounced payment 2."""
    number = case.entries.get(f"{LATE_FEE}/{debt}", 0) + 1
    case.entries[f"{LATE_FEE}/{debt}"] = number
    return f"{case.taken.case}/{debt}/{LATE_FEE}/{number}/fee.{LATE_FEE}/do"


def fee_of(case: Case, rules: LateFeeRules, debt: Debt, day: int) -> Decimal:
    """Return the late fee of one debt up to and including a day: rate x undisputed balance x days, capped.

    The day of a payment still counts at the balance before it; what is settled grows no more, though less
    than `ignore_below` is left of it. Nothing grows on what was not asked for yet: an adjustment, a draft.
    """
    since = max(debt.due_date, debt.invoice_date)
    starts = [rules.grace, *(c.grace for c in case.law.clauses_on("late_fee") if c.grace)]
    first = max(grace.after(since) for grace in starts).toordinal()
    if is_settled(case, debt):
        last = max((on for on, by in debt.moved if by > 0), default=debt.due_date)
        day = min(day, last.toordinal())
    disputes = _disputed(case, debt)
    stops = _stops(case, rules)
    cuts = {first, day + 1, *(on.toordinal() + 1 for on, _ in debt.moved)}
    cuts |= {edge for days, _ in disputes for edge in days}
    edges = sorted(cut for cut in cuts if first <= cut <= day + 1)
    total = ZERO
    for start, end in pairwise(edges):
        balance = debt.open + sum((by for on, by in debt.moved if on.toordinal() >= start), ZERO)
        balance -= sum((amount for days, amount in disputes if days[0] <= start < days[1]), ZERO)
        total += rate_of(case, rules) * max(ZERO, balance) * (end - start - lost(stops, start, end))
    if rules.cap_principal:
        total = min(total, debt.amount + sum((by for _, by in debt.revised if by > 0), ZERO))
    return total.quantize(rules.rounding, ROUND_HALF_UP, _ROUNDING)


def rate_of(case: Case, rules: LateFeeRules) -> Decimal:
    """Return the share of a day: the policy's, and never more than the law in force allows."""
    limits = (clause.rate for clause in case.law.clauses_on("late_fee") if clause.rate is not None)
    return min([rules.rate, *limits])


def fee_notes(case: Case) -> Iterator[str]:
    """Yield the clauses of the law in force that lower the policy's late fee, in words."""
    rules = case.policy.late_fee
    for clause in case.law.clauses_on("late_fee") if rules else ():
        if rules and clause.rate is not None and clause.rate < rules.rate:
            yield f"{case.law.cited(clause)}: the late fee is {clause.rate} a day, not {rules.rate}"


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
