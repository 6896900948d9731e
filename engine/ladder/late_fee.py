"""Late fees and interest: accrued on undisputed principal, exact, stated and counted; booked by billing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from engine.ladder.case import Case
from engine.ladder.clock import FOREVER, Days, merged
from engine.ladder.disputed import taken_out
from engine.ladder.measure import OUTSIDE
from engine.ladder.memory import GONE
from engine.ladder.model import LateFeeRules
from engine.ladder.state import BookedFee
from engine.ledger.account import Debt, DisputedPart
from engine.ledger.charges import BASES, Stretch, grown, rate_on, rounded

ZERO = Decimal(0)
LATE_FEE = "late_fee"
CHARGES = (LATE_FEE, "interest")
"""The steps under which late fees and interest are asked for; no row of a ladder has these names."""
CENT = Decimal("0.01")


def counted_fees(case: Case, day: int, what: str) -> Decimal:
    """Return the fees that count for `closes` or `release`: those billed and past due, less credit.

    For `closes` also those that grow; nobody can pay what was not billed, so no level waits for them.
    """
    counting = [rules for rules in case.policy.charges if what in rules.counts_for]
    if not counting:
        return ZERO
    growing = sum((_all_growing(case, rules, day) for rules in counting), ZERO) if what == "closes" else ZERO
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


def accrued(case: Case, day: int, kind: str = LATE_FEE) -> Decimal:
    """Return the late fees, or the interest, grown up to a day, less what billing has answered for."""
    found = (_all_growing(case, rules, day) for rules in case.policy.charges if rules.kind == kind)
    return sum(found, ZERO)


def _all_growing(case: Case, rules: LateFeeRules, day: int) -> Decimal:
    return sum((_growing(case, rules, debt, day) for debt in _late(case)), ZERO)


def _growing(case: Case, rules: LateFeeRules, debt: Debt, day: int) -> Decimal:
    booked = _booked(case, debt, rules.kind)
    answered = sum((fee.amount for fee in booked if _answered(case, fee, day)), ZERO)
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


def _standing(case: Case) -> list[BookedFee]:
    return [fee for fee in case.taken.fees if fee.reversed_on is None]


def kind_of(fee: BookedFee) -> str:
    """Return what was booked: `late_fee` or `interest`, as its key says."""
    return fee.key.rsplit("/", 4)[1]


def _booked(case: Case, debt: Debt, kind: str) -> list[BookedFee]:
    """Return what billing was asked to book for a debt: what it refused to this case is not asked again."""
    found = [fee for fee in _standing(case) if fee.debt == debt.id and kind_of(fee) == kind]
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
    kind: str
    wrong: tuple[BookedFee, ...] = ()


def fees_to_book(case: Case, day: int) -> list[Booking]:
    """Return what billing is to book for the debts settled in this case, beside what it was asked before.

    A debt that is settled again after its payment came back is charged for the days on which it was open,
    each of them once.
    """
    if not case.policy.charges:
        return []
    own = {fee.debt for fee in _standing(case) if _is_own(case, fee)}
    late = set() if case.taken.care_of else {debt.id for debt in _late(case)} | own
    before = {fee.debt for fee in _standing(case) if not fee.foreign} - late
    settled = [d for d in case.account.debts if d.id in late | before and is_settled(case, d)]
    reckoned = (_booking(case, rules, debt, day) for debt in settled for rules in case.policy.charges)
    found = [booking for booking in reckoned if booking]
    # Of what an earlier case has settled, too much is given back; nothing is added to it.
    return [booking for booking in found if booking.debt.id in late or booking.wrong]


def _booking(case: Case, rules: LateFeeRules, debt: Debt, day: int) -> Booking | None:
    booked = _booked(case, debt, rules.kind)
    missing = fee_of(case, rules, debt, day) - sum((fee.amount for fee in booked), ZERO)
    if missing > 0:
        return Booking(debt, missing, rules.kind)
    wrong = tuple(fee for fee in booked if not fee.foreign and _word(case, fee) not in GONE)
    if missing == 0 or not wrong:
        return None
    return Booking(debt, max(ZERO, missing + sum((fee.amount for fee in wrong), ZERO)), rules.kind, wrong)


def fee_key(case: Case, debt: str, kind: str = LATE_FEE) -> str:
    """Return the key of the next late fee of a debt: the first is 1, that after a bounced payment 2."""
    number = case.entries.get(f"{kind}/{debt}", 0) + 1
    case.entries[f"{kind}/{debt}"] = number
    return f"{case.taken.case}/{debt}/{kind}/{number}/fee.{kind}/do"


def fee_of(case: Case, rules: LateFeeRules, debt: Debt, day: int) -> Decimal:
    """Return the charge of one debt up to and including a day: rate x undisputed balance x days, capped.

    The day of a payment still counts at the balance before it; what is settled grows no more, though less
    than `ignore_below` is left of it. Nothing grows on what was not asked for yet: an adjustment, a draft.
    """
    first, end = _span(case, rules, debt, day)
    stretches = _stretches(case, rules, debt, first, end)
    total = grown(rules.basis, rules.every, stretches, _lawful_most(case, rules))
    most = _cap(rules, debt)
    if most is not None:
        total = min(total, most * BASES[rules.basis])
    return rounded(total, rules.basis, rules.rounding)


def _span(case: Case, rules: LateFeeRules, debt: Debt, day: int) -> Days:
    since = max(debt.due_date, debt.invoice_date)
    starts = [rules.grace, *(c.grace for c in case.law.clauses_on("late_fee") if c.grace)]
    first = max(grace.after(since) for grace in starts)
    if is_settled(case, debt):
        last = max((on for on, by in debt.moved if by > 0), default=debt.due_date)
        day = min(day, last.toordinal())
    if rules.lasts is not None:
        day = min(day, rules.lasts.after(first).toordinal() - 1)
    return first.toordinal(), day + 1


def _stretches(case: Case, rules: LateFeeRules, debt: Debt, first: int, last: int) -> Iterator[Stretch]:
    """Yield the days on which it grows, cut where a balance, a rate, a dispute or a hold changes."""
    disputes, stops = _disputed(case, debt), _stops(case, rules)
    cuts = {first, last, *(on.toordinal() + 1 for on, _ in debt.moved)}
    cuts |= {edge for days, _ in disputes for edge in days} | {edge for days in stops for edge in days}
    cuts |= {rate.since.toordinal() for rate in rules.every}
    for start, end in pairwise(sorted(cut for cut in cuts if first <= cut <= last)):
        if not any(held[0] <= start < held[1] for held in stops):
            balance = _balance(debt, start)
            balance -= sum((amount for days, amount in disputes if days[0] <= start < days[1]), ZERO)
            yield Stretch(start, end, balance)


def _cap(rules: LateFeeRules, debt: Debt) -> Decimal | None:
    if rules.cap_amount is not None:
        return rules.cap_amount
    share = rules.cap_share if rules.cap_principal or rules.cap_share != 1 else None
    if share is None:
        return None
    return share * (debt.amount + sum((by for _, by in debt.revised if by > 0), ZERO))


def _lawful_most(case: Case, rules: LateFeeRules) -> Decimal | None:
    """Return the most that the law in force allows of the rate; it says so for a day."""
    limits = [clause.rate for clause in case.law.clauses_on("late_fee") if clause.rate is not None]
    return min(limits) * BASES[rules.basis] if limits else None


def fee_notes(case: Case) -> Iterator[str]:
    """Yield the clauses of the law in force that lower the policy's late fee or interest, in words."""
    day = case.today
    for rules in case.policy.charges:
        for clause in case.law.clauses_on("late_fee"):
            share = rate_on(rules.every, day, None)
            if clause.rate is not None and clause.rate * BASES[rules.basis] < share:
                time = "day" if rules.basis == "day" else "year"
                most = clause.rate * BASES[rules.basis]
                name = "late fee" if rules.kind == LATE_FEE else "interest"
                yield f"{case.law.cited(clause)}: the {name} is {most} a {time}, not {share}"


def _disputed(case: Case, debt: Debt) -> list[tuple[Days, Decimal]]:
    """Return the days on which parts of a debt were disputed: upheld parts until their credit note."""
    found = []
    for dispute in case.account.disputes:
        upheld = dispute.outcome == "upheld"
        end = dispute.resolved_on.toordinal() if dispute.resolved_on and not upheld else FOREVER
        since = 0 if upheld else dispute.since.toordinal()
        if part := _part_of(dispute, since, debt, case.account.debts):
            found.append(((since, end), part))
    return found


def _part_of(dispute: DisputedPart, since: int, debt: Debt, debts: tuple[Debt, ...]) -> Decimal:
    """Return what a dispute takes out of one debt; what its bill has paid can come back, and is disputed."""
    own = dispute.bill in (debt.bill, debt.id)
    if not own and not {debt.bill, debt.id} & dict(dispute.also).keys():
        return ZERO
    amount = dispute.remaining if dispute.outcome == "upheld" else dispute.amount
    parts = taken_out(dispute, amount, debts, {one.id: _balance(one, since) for one in debts})
    return parts.get(debt.id, ZERO) + (amount - sum(parts.values(), ZERO) if own else ZERO)


def _balance(debt: Debt, day: int) -> Decimal:
    """Return what was open of a debt at the beginning of a day."""
    return debt.open + sum((by for on, by in debt.moved if on.toordinal() >= day), ZERO)


def _stops(case: Case, rules: LateFeeRules) -> tuple[Days, ...]:
    return merged(
        held.days for held in case.view.held if held.rules.kind in rules.stops_in or held.rules.fees_stop
    )
