"""The book of an account: debts, money received, and which money paid which debt."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from engine.ledger import plans, refunds
from engine.ledger.allocation import FEES, PRINCIPAL_FIRST, AllocationRule
from engine.ledger.book_states import ZERO, Cause, DebtState, DisputeState, Fund, PlanState, RefundState
from engine.ledger.entries import Bill, Dispute

__all__ = ["FEES", "ZERO", "Book", "DebtState", "Fund"]


class Book:
    """Debts by due date, money by value date; every method is one thing that can happen."""

    def __init__(self, allocation: AllocationRule = PRINCIPAL_FIRST) -> None:
        self._passes: dict[str, tuple[Callable[[str, str], bool], ...]] = {}
        self._allocation = allocation
        self.debts: dict[str, DebtState] = {}
        self.bills: dict[str, list[DebtState]] = {}
        self.order: list[DebtState] = []
        self.funds: dict[str, Fund] = {}
        self.disputes: dict[str, DisputeState] = {}
        self.plans: dict[str, PlanState] = {}
        self.refunds: list[RefundState] = []
        """Refunds for which no money is there: they wait for it, and count nowhere."""
        self.deposit = ZERO
        self._purse: list[Fund] = []
        self._waiting: dict[str, list[tuple[Fund, Decimal]]] = {}

    # debts

    def find(self, reference: str) -> list[DebtState]:
        """Return the debts of a bill, or the one debt that the reference names.

        A plan that was given up stands for the bills which it had replaced.
        """
        found = self.bills.get(reference) or [d for d in (self.debts.get(reference),) if d]
        plan = self.plans.get(found[0].bill) if self.plans and found else None
        if plan and plan.over:
            return [debt for debt in found if debt.open] or plan.covered
        return found

    def add_bill(self, bill: Bill, day: date, known_at: datetime) -> None:
        """Let a bill become debt: one, or one for each instalment; credit that waits pays it."""
        parts = [(bill.id, bill.due_date, bill.amount)]
        if bill.instalments:
            parts = [
                (f"{bill.id}/{n}", i.due_date, i.amount) for n, i in enumerate(bill.instalments, 1)
            ]  # fmt: skip
        born = [
            DebtState(name, bill.id, bill.category, bill.service, day, due, known_at, amount, amount)
            for name, due, amount in parts
        ]
        self.bills[bill.id] = born
        for debt in born:
            self.debts[debt.id] = debt
            insort(self.order, debt)
        if bill.replaces:
            plans.begin(self, bill, day)
        if self.plans:
            plans.meet(self, {bill.id, *(debt.id for debt in born)}, day)
        if self._waiting:
            for reference in (bill.id, *(debt.id for debt in born)):
                self.pay_waiting(reference, day)
        self.use_credit(day)

    def end_plan(self, plan: str, day: date) -> None:
        """Give a plan up: its bills come back at their own age, and what was paid under it pays them."""
        if plan in self.plans:
            plans.end(self, self.plans[plan], day)

    def close_day(self, day: date) -> None:
        """End a value date: plans that were made on it ask for what they took over, and for no more.

        Refunds that wait for money go out, if it is there now.
        """
        for plan in self.plans.values():
            if plan.fresh:
                plans.settle(self, plan, day)
        if self.refunds:
            refunds.retry(self, day)

    def lower(self, reference: str, amount: Decimal, day: date) -> None:
        """Correct a bill downwards: what is still owed, then what was given up, then what was paid.

        What was paid too much becomes credit. Of a bill under a plan the plan asks for less. More than the
        bill asks for is kept for a later correction upwards, and is nobody's money.
        """
        debts = sorted(self.find(reference))
        if plan := self.plan_of(debts):
            rest = plans.lower(self, plan, reference, amount, day)
        else:
            rest = self._lower_bill(debts, amount, day)
        if debts and rest:
            debts[-1].over += rest

    def _lower_bill(self, debts: list[DebtState], amount: Decimal, day: date) -> Decimal:
        for debt in debts:
            cut = min(amount, debt.open)
            debt.amount -= cut
            debt.correct(cut, day)
            debt.unask(cut)
            amount -= cut
        for debt in reversed(debts):
            if cut := min(amount, debt.moved):
                plans.let_off(self, debt, cut, day)
                amount -= cut
        for debt in reversed(debts):
            cut = min(amount, debt.given_up)
            debt.take_back(cut)
            amount -= cut
        for debt in reversed(debts):
            cut = min(amount, debt.amount - debt.open - debt.moved)
            debt.unask(cut)
            amount -= cut
            self.release(debt, cut)
        return amount

    def raise_(self, reference: str, amount: Decimal, day: date) -> None:
        """Correct a bill upwards; with instalments the last one carries it."""
        debts = self.find(reference)
        if not debts:
            return
        debt = max(debts)
        part = min(amount, debt.over)
        debt.over -= part
        debt.revise(part - amount, day)
        self.use_credit(day)

    def release(self, debt: DebtState, amount: Decimal) -> None:
        """Let a debt ask for less than was paid: the money is free again, the last first."""
        debt.amount -= amount
        for fund in sorted((f for f in self.funds.values() if debt.id in f.parts), reverse=True):
            freed = min(amount, fund.parts[debt.id])
            if freed:
                amount -= freed
                self.shrink(fund, debt.id, freed)
                debt.uncount(freed)
                self.free(fund, freed)

    def write_down(self, reference: str, amount: Decimal, day: date) -> Decimal:
        """Give up a part of what is still owed of a bill; what is paid stays paid. Return what exceeds it."""
        debts = sorted(self.find(reference))
        if plan := self.plan_of(debts):
            return plans.lower(self, plan, reference, amount, day, given_up=True)
        for debt in debts:
            cut = min(amount, debt.open)
            debt.revise(cut, day)
            amount -= cut
        for debt in reversed(debts):
            cut = plans.pull(self, debt, amount, day)
            debt.revise(cut, day)
            amount -= cut
        return amount

    def paid_of(self, reference: str) -> Decimal:
        """Return how much money has paid a bill, also under its plan."""
        found = ZERO
        for debt in self.find(reference):
            found += debt.amount - debt.open - debt.moved
            if debt.moved:
                found += max(ZERO, debt.moved - sum((p.open for p in self.plans[debt.plan].parts), ZERO))
        return found

    def plan_of(self, debts: list[DebtState]) -> PlanState | None:
        """Return the plan of which these debts are instalments."""
        return self.plans.get(debts[0].bill) if debts else None

    # money

    def receive(self, fund: Fund, day: date) -> None:
        """Take money in: named shares first, then principal and fees, undisputed before disputed."""
        self.funds[fund.key] = fund
        for share in fund.named:
            part = min(share.amount, fund.free)
            if debts := self.find(share.bill):
                self._pay(fund, debts, part, day)
            else:
                fund.free -= part
                fund.reserved += part
                self._waiting.setdefault(share.bill, []).append((fund, part))
        self.free(fund, ZERO)
        self.use_credit(day)

    def recover(self, fund: Fund, day: date) -> None:
        """Take money in for what was written off: unless it names a bill, it pays that before all else."""
        for debt in self.order if not fund.named else ():
            if debt.written_off and (part := min(debt.open, fund.free)):
                self.take(fund, debt, part, day)
        self.receive(fund, day)

    def pay_waiting(self, reference: str, day: date) -> None:
        """Let the money that waits for a debt pay it."""
        for fund, amount in self._waiting.pop(reference, ()):
            part = min(amount, fund.reserved)
            fund.reserved -= part
            self.free(fund, part)
            self._pay(fund, self.find(reference), part, day)

    def _pay(self, fund: Fund, debts: list[DebtState], amount: Decimal, day: date) -> None:
        for debt in sorted(debts):
            part = min(amount, debt.open, fund.free)
            if part:
                self.take(fund, debt, part, day)
                amount -= part

    def take(self, fund: Fund, debt: DebtState, amount: Decimal, day: date) -> None:
        """Let money that is free pay a debt."""
        fund.free -= amount
        fund.parts[debt.id] = fund.parts.get(debt.id, ZERO) + amount
        debt.change(amount, day)

    def shrink(self, fund: Fund, debt: str, amount: Decimal) -> None:
        """Let money have paid less of a debt."""
        left = fund.parts[debt] - amount
        if left:
            fund.parts[debt] = left
        else:
            del fund.parts[debt]

    def free(self, fund: Fund, amount: Decimal) -> None:
        """Let money be free for what comes next."""
        fund.free += amount
        if fund.free and fund not in self._purse:
            insort(self._purse, fund)

    def use_credit(self, day: date) -> None:
        """Let money that no debt has taken pay what is open."""
        if not self._purse:
            return
        for fund in self._purse:
            self.spread(fund, self.order, day)
        self._purse = [fund for fund in self._purse if fund.free]

    def spread(self, fund: Fund, debts: list[DebtState], day: date) -> None:
        """Let free money pay debts by the account's rule: what is undisputed before what is disputed."""
        if fund.service not in self._passes:
            self._passes[fund.service] = self._allocation.passes(fund.service)
        for disputed_too in (False, True):
            for takes in self._passes[fund.service]:
                for debt in debts:
                    if not fund.free:
                        return
                    if not debt.open or debt.written_off or not takes(debt.service, debt.category):
                        continue
                    payable = debt.open if disputed_too else debt.open - debt.disputed
                    if payable:
                        self.take(fund, debt, min(payable, fund.free), day)

    def give_back(self, fund: Fund, debt: DebtState, amount: Decimal, day: date, why: Cause) -> None:
        """Take money from a debt again: it is open as before, at its own age."""
        was_settled = not debt.open
        self.shrink(fund, debt.id, amount)
        debt.change(-amount, day)
        if was_settled:
            debt.reopened_on, debt.reopened_by = day, why

    def return_fund(self, fund: Fund, return_id: str, day: date, known_at: datetime) -> None:
        """Let a payment come back: what it paid is open again, what it left as credit is gone.

        What was refunded of it went out twice, and is owed.
        """
        if fund.return_id:
            return
        fund.before = {name: (part, self.debts[name].settled_on) for name, part in fund.parts.items()}
        for name, part in list(fund.parts.items()):
            if self.debts[name].open:
                self.debts[name].returned[return_id] = (fund.on, day)
            self.give_back(fund, self.debts[name], part, day, "chargeback")
        fund.free = fund.reserved = ZERO
        fund.return_id = return_id
        self._purse = [other for other in self._purse if other is not fund]
        for refund, part in fund.refunds:
            refunds.owe(self, refund, part, day, max(known_at, refund.known_at), "chargeback")
        self.use_credit(day)

    def stand_again(self, return_id: str, day: date) -> None:
        """Undo a return: the payment pays what it had paid, as far as that is still open."""
        fund = next((f for f in self.funds.values() if f.return_id == return_id), None)
        if fund is None:
            return
        fund.return_id = ""
        fund.free = fund.amount - fund.given_back
        for refund, part in fund.refunds:
            refunds.no_longer_owed(self, refund, part, day)
        for share in fund.named:
            if not self.find(share.bill):
                part = min(share.amount, fund.free)
                fund.free -= part
                fund.reserved += part
        for name, (amount, settled_on) in fund.before.items():
            debt = self.debts[name]
            debt.returned.pop(return_id, None)
            part = min(amount, debt.open, fund.free)
            if part:
                self.take(fund, debt, part, day)
            if not debt.open and settled_on and debt.reopened_by == "chargeback":
                debt.settled_on, debt.reopened_on, debt.reopened_by = settled_on, None, ""
        fund.before = {}
        self.free(fund, ZERO)
        self.use_credit(day)

    def refund(self, refund: RefundState, day: date) -> None:
        """Give money back; where there is none, the refund waits for it."""
        if not refunds.pay_out(self, refund, day):
            self.refunds.append(refund)

    @property
    def credit(self) -> Decimal:
        """Money that no debt has taken."""
        return sum((f.free + f.reserved for f in self.funds.values() if not f.return_id), ZERO)

    def waiting(self) -> list[tuple[str, Decimal]]:
        """Return the bills that have not come, each with the money that names it and waits for it."""
        found = []
        for reference, shares in sorted(self._waiting.items()):
            amount = sum((min(part, fund.reserved) for fund, part in shares), ZERO)
            if amount:
                found.append((reference, amount))
        return found

    # disputes and marks

    def contest(self, entry: Dispute) -> None:
        """Open a dispute on a bill or one instalment."""
        self.disputes[entry.id] = DisputeState(entry, tuple(sorted(self.find(entry.bill))))
        self.recontest()

    def resolve(self, dispute: str, outcome: Literal["upheld", "rejected", "withdrawn"], day: date) -> None:
        """End a dispute once; a second end is not heard."""
        state = self.disputes[dispute]
        if not state.outcome:
            state.outcome, state.resolved_on = outcome, day
            self.recontest()
            self.use_credit(day)

    def note_credited(self, reference: str, amount: Decimal) -> None:
        """Let a credit note on a bill cover the disputes on it, oldest first; a plan's on its bills, too."""
        if not self.disputes:
            return
        touched = {debt.id for debt in self.find(reference)}
        for plan in self.plans.values():
            parts, covered = {p.id for p in plan.parts}, {d.id for d in plan.covered if d.moved}
            touched |= (covered if touched & parts else set()) | (parts if touched & covered else set())
        for state in self.disputes.values():
            if amount and any(debt.id in touched for debt in self.find(state.entry.bill)):
                part = min(amount, state.remaining)
                state.credited += part
                amount -= part
        self.recontest()

    def recontest(self) -> None:
        """Say anew what disputes claim: of their bill, else of the plan in its place, from its last part."""
        if not self.disputes:
            return
        for debt in self.order:
            debt.contested = ZERO
        for state in self.disputes.values():
            mine = sorted(self.find(state.entry.bill), reverse=bool(self.plan_of(list(state.debts))))
            left, state.touches = state.remaining, {}
            under = plans.claims(self, mine)
            # What is paid now can be owed again: the claim on it stands then.
            for debt, most in (*((d, d.open) for d in mine), *under, *((d, d.amount) for d in mine)):
                part = max(ZERO, min(left, most - debt.contested))
                debt.contested += part
                left -= part
                if part:
                    state.touches[debt.id] = state.touches.get(debt.id, ZERO) + part

    def instead_of(self, state: DisputeState) -> tuple[tuple[str, Decimal], ...]:
        """Return what stands in the place of what a dispute names, each with the most that it claims."""
        found: dict[str, Decimal] = {}
        for debt in self.find(state.entry.bill):
            if all(debt is not named for named in state.debts):
                found[debt.id] = debt.amount
            elif debt.moved:
                found[debt.plan] = found.get(debt.plan, ZERO) + debt.moved
        return tuple(found.items())

    def mark(self, reference: str, marked: bool, day: date) -> None:
        """Set or remove a write-off mark on one bill, or on all that is owed now.

        A bill that is marked leaves its plan with what is still owed of it, and comes back under it.
        """
        owed = (debt for debt in self.order if plans.is_owed(self, debt) or not marked)
        for debt in self.find(reference) if reference else list(owed):
            debt.write_off(day if marked else None)
            if marked and reference:
                debt.pulled += plans.pull(self, debt, debt.moved, day, for_now=True)
            elif not marked:
                plans.put_back(self, debt, day)
        if not marked:
            self.use_credit(day)

    def give_up(self, day: date) -> None:
        """Take out what is past due: the ladder wrote it off, or sold it."""
        for debt in self.order:
            if debt.due_date < day and debt.open:
                debt.write_off(day)
