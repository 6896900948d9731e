"""A plan in its book: what it takes over, what is taken out of it, and what comes back when it is given up.

What is taken off a bill under a plan is taken off the plan, from its last instalment backwards: first what is
still owed, then what was paid, which is free again. So a plan never asks for more than what it stands for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.ledger.book_states import ZERO, DebtState, Fund, PlanState
from engine.ledger.entries import Bill

if TYPE_CHECKING:
    from engine.ledger.book import Book


def begin(book: Book, bill: Bill, day: date) -> None:
    """Let a plan take the place of what is open and undisputed of its bills, oldest first."""
    parts = sorted(book.bills[bill.id])
    principal = max(ZERO, bill.amount - bill.charges)
    plan = book.plans[bill.id] = PlanState(
        id=bill.id, known_at=parts[0].known_at, parts=parts,
        asked={part.id: part.amount for part in parts}, principal=principal,
        down_payment=bill.down_payment, wants=list(bill.replaces), unseen=set(bill.replaces),
        room=principal,
    )  # fmt: skip
    seen = {name for name in plan.wants if book.find(name)}
    plan.unseen -= seen
    plan.fresh |= seen
    _take_over(book, plan, day)


def meet(book: Book, names: set[str], day: date) -> None:
    """Let plans take over a bill for which they waited."""
    for plan in book.plans.values():
        if not plan.over and (came := plan.unseen & names):
            plan.unseen -= came
            plan.fresh |= came
            _take_over(book, plan, day)


def _take_over(book: Book, plan: PlanState, day: date) -> None:
    for debt in _fresh(book, plan):
        part = min(debt.open - debt.disputed, plan.room)
        if part > 0:
            plan.room -= part
            debt.plan, debt.moved = plan.id, debt.moved + part
            debt.change(part, day)
            if all(debt is not other for other in plan.covered):
                plan.covered.append(debt)
    book.recontest()


def _fresh(book: Book, plan: PlanState) -> list[DebtState]:
    """Return the debts which a plan may take over today: no plan's, and under no other plan."""
    named = {debt.id: debt for name in plan.fresh for debt in book.find(name)}
    return sorted(d for d in named.values() if d.bill not in book.plans and d.plan in ("", plan.id))


def settle(book: Book, plan: PlanState, day: date) -> None:
    """Take over what was opened again on the plan's own day, and ask for no more than what it stands for."""
    if not plan.over:
        _take_over(book, plan, day)
        plan.left += sum((debt.open - debt.disputed for debt in _fresh(book, plan)), ZERO)
        if not plan.unseen:
            plan.excess, plan.room = plan.room, ZERO
            shrink(book, plan, plan.excess, day)
    plan.fresh.clear()
    book.use_credit(day)


def shrink(
    book: Book, plan: PlanState, amount: Decimal, day: date, *, first: str = "", given_up: bool = False,
    for_now: bool = False,
) -> Decimal:  # fmt: skip
    """Let a plan ask for less, from the named instalment, then from its last backwards; return the rest.

    `given_up`: it was owed until that day, and only what is owed still; else it never was, and what was paid
    is free again. `for_now`: it can be put back.
    """
    order = sorted(plan.parts, key=lambda part: (part.id != first, -part.due_date.toordinal()))
    for part in order:
        cut = min(amount, part.open)
        if given_up:
            part.revise(cut, day)
        else:
            part.amount -= cut
            part.correct(cut, day)
            part.unask(cut)
        plan.asked[part.id] -= ZERO if for_now else cut
        amount -= cut
    for part in order if not given_up else ():
        cut = min(amount, part.amount - part.open)
        part.unask(cut)
        book.release(part, cut)
        plan.asked[part.id] -= cut
        amount -= cut
    book.recontest()
    return amount


def let_off(book: Book, debt: DebtState, amount: Decimal, day: date, *, first: str = "") -> None:
    """Correct the part of a bill that is under a plan, as if the bill had always asked for less."""
    shrink(book, book.plans[debt.plan], amount, day, first=first)
    debt.moved -= amount
    debt.amount -= amount
    debt.uncount(amount)


def pull(
    book: Book, debt: DebtState, amount: Decimal, day: date, *, first: str = "", for_now: bool = False
) -> Decimal:  # fmt: skip
    """Take a bill's part out of its plan as far as it is still owed there; return how much that is."""
    if not debt.moved or not amount:
        return ZERO
    plan = book.plans[debt.plan]
    part = min(amount, debt.moved, sum((one.open for one in plan.parts), ZERO))
    shrink(book, plan, part, day, first=first, given_up=True, for_now=for_now)
    debt.moved -= part
    debt.change(-part, day)
    return part


def put_back(book: Book, debt: DebtState, day: date) -> None:
    """Bring back under its plan what a mark had taken out of it."""
    plan = book.plans.get(debt.plan)
    if plan and not plan.over:
        for part in plan.parts:
            back = min(debt.pulled, debt.open, plan.asked[part.id] - part.amount)
            if back > 0:
                part.revise(-back, day)
                debt.pulled -= back
                debt.moved += back
                debt.change(back, day)
    debt.pulled = ZERO


def lower(
    book: Book, plan: PlanState, reference: str, amount: Decimal, day: date, *, given_up: bool = False
) -> Decimal:  # fmt: skip
    """Take something off a plan: off its bills, the latest first, then off its charges. Return the rest."""
    for debt in sorted(plan.covered, reverse=True):
        if given_up:
            cut = pull(book, debt, amount, day, first=reference)
            debt.revise(cut, day)
        elif cut := min(amount, debt.moved):
            let_off(book, debt, cut, day, first=reference)
        amount -= cut
    rest = shrink(book, plan, amount, day, first=reference, given_up=given_up)
    plan.room = max(ZERO, plan.room - (amount - rest))
    return rest


def is_owed(book: Book, debt: DebtState) -> bool:
    """Tell whether something of a debt is owed: of itself, or under the plan in its place."""
    return bool(debt.open or (debt.moved and any(part.open for part in book.plans[debt.plan].parts)))


def claims(book: Book, debts: Sequence[DebtState]) -> Iterator[tuple[DebtState, Decimal]]:
    """Yield the instalments out of which a dispute on these debts takes its part, the last first."""
    for debt in debts:
        left = debt.moved
        for part in reversed(book.plans[debt.plan].parts) if left else ():
            most = min(part.open, part.contested + left)
            left -= max(ZERO, most - part.contested)
            yield part, most


def end(book: Book, plan: PlanState, day: date) -> None:
    """Give a plan up: its bills are owed again at their own age, and its money pays them, oldest first.

    An instalment that is written off stays so, as far as the bills are not written off themselves.
    """
    if plan.over:
        return
    stays = _stays(plan)
    money, back = list(_money_of(book, plan, day)), {}
    for debt in sorted(plan.covered, reverse=True):
        kept = ZERO if debt.written_off else min(stays, debt.moved)
        stays -= kept
        back[debt.id] = debt.moved - kept
        debt.change(kept - debt.moved, day)
        debt.moved = kept
    _ask_no_more(plan, sum((debt.moved for debt in plan.covered), ZERO), day)
    plan.over = True
    for debt in plan.covered:
        debt.plan = plan.id if debt.moved else ""
    book.recontest()
    covered = sorted(plan.covered)
    for fund, amount in money:
        held, fund.free = fund.free, amount
        book.spread(fund, covered, day)
        for debt in covered if fund.free else ():
            # It had paid this before the mark came: only what was still owed is written off.
            if debt.written_off and (part := min(fund.free, back[debt.id], debt.open)):
                back[debt.id] -= part
                book.take(fund, debt, part, day)
        book.free(fund, held)
    book.use_credit(day)


def _stays(plan: PlanState) -> Decimal:
    marked = sum((part.open for part in plan.parts if part.written_off), ZERO)
    return max(ZERO, marked - sum((debt.moved for debt in plan.covered if debt.written_off), ZERO))


def _money_of(book: Book, plan: PlanState, day: date) -> Iterator[tuple[Fund, Decimal]]:
    """Take the money from the instalments, and yield it by the day on which it came."""
    names = {part.id for part in plan.parts}
    for fund in sorted(fund for fund in book.funds.values() if names & fund.parts.keys()):
        amount = ZERO
        for part in plan.parts:
            if paid := fund.parts.get(part.id, ZERO):
                book.shrink(fund, part.id, paid)
                part.change(-paid, day)
                # What was paid of a marked instalment was not what is written off of it.
                part.revise(paid, day)
                amount += paid
        yield fund, amount


def _ask_no_more(plan: PlanState, kept: Decimal, day: date) -> None:
    """Let instalments ask for nothing from a day on, but for what is written off of them and stays so."""
    for part in plan.parts:
        stay = min(kept, part.open) if part.written_off else ZERO
        kept -= stay
        part.revise(part.open - stay, day)
