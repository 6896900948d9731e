"""The book of an account: debts, money received, and which money paid which debt."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from engine.ledger.allocation import FEES, PRINCIPAL_FIRST, AllocationRule
from engine.ledger.book_states import ZERO, Cause, DebtState, DisputeState, Fund
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
        self.overdrawn = ZERO
        """Refunds that no credit and no payment covered; the next credit does."""
        self.deposit = ZERO
        self._purse: list[Fund] = []
        self._planned: dict[str, str] = {}
        self._waiting: dict[str, list[tuple[Fund, Decimal]]] = {}

    # debts

    def find(self, reference: str) -> list[DebtState]:
        """Return the debts of a bill, or the one debt that the reference names."""
        if reference in self.bills:
            return self.bills[reference]
        return [self.debts[reference]] if reference in self.debts else []

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
        for reference in bill.replaces:
            self._planned[reference] = bill.id
        for reference in (*bill.replaces, bill.id, *(debt.id for debt in born)):
            if self._planned and (plan := self._planned.get(reference)):
                for debt in self.find(reference):
                    self._move(debt, plan, day)
        if self._waiting:
            for reference in (bill.id, *(debt.id for debt in born)):
                self._pay_waiting(reference, day)
        self.use_credit(day)

    def _move(self, debt: DebtState, plan: str, day: date) -> None:
        if debt.bill != plan:
            debt.plan, debt.moved = plan, debt.moved + debt.open
            debt.change(debt.open, day)

    def end_plan(self, plan: str, day: date) -> None:
        """Bring the bills that a plan replaced back, less what was paid under it, oldest first."""
        paid = ZERO
        self._planned = {bill: by for bill, by in self._planned.items() if by != plan}
        for debt in self.bills.get(plan, ()):
            paid += debt.amount - debt.open
            debt.amount -= debt.open
            debt.correct(debt.open, day)
        for debt in self.order:
            if debt.plan == plan:
                covered = min(paid, debt.moved)
                paid -= covered
                debt.amount -= covered
                debt.change(covered - debt.moved, day)
                debt.plan, debt.moved = "", ZERO
        self.use_credit(day)

    def lower(self, reference: str, amount: Decimal, day: date) -> Decimal:
        """Correct a bill downwards; what was already paid becomes credit. Return what exceeds the bill."""
        debts = self.find(reference)
        for debt in sorted(debts):
            cut = min(amount, debt.open)
            debt.amount -= cut
            debt.correct(cut, day)
            debt.unask(cut)
            amount -= cut
        for debt in sorted(debts, reverse=True):
            cut = min(amount, debt.moved)
            debt.moved -= cut
            debt.amount -= cut
            amount -= cut
            cut = min(amount, debt.amount - debt.open)
            debt.amount -= cut
            debt.unask(cut)
            amount -= cut
            self._release(debt, cut, day)
        return amount

    def raise_(self, reference: str, amount: Decimal, day: date) -> None:
        """Correct a bill upwards; with instalments the last one carries it."""
        debt = max(self.find(reference))
        debt.revise(-amount, day)
        self.use_credit(day)

    def _release(self, debt: DebtState, amount: Decimal, day: date) -> None:
        for fund in sorted((f for f in self.funds.values() if debt.id in f.parts), reverse=True):
            freed = min(amount, fund.parts[debt.id])
            if freed:
                amount -= freed
                self._shrink(fund, debt.id, freed)
                debt.uncount(freed)
                self._free(fund, freed)

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
        self._free(fund, ZERO)
        self.use_credit(day)

    def recover(self, fund: Fund, day: date) -> None:
        """Take money in for what was written off: unless it names a bill, it pays that before all else."""
        for debt in self.order if not fund.named else ():
            if debt.written_off and (part := min(debt.open, fund.free)):
                self._take(fund, debt, part, day)
        self.receive(fund, day)

    def write_down(self, reference: str, amount: Decimal, day: date) -> Decimal:
        """Give up a part of what is still owed of a bill; what is paid stays paid. Return what exceeds it."""
        for debt in sorted(self.find(reference)):
            cut = min(amount, debt.open)
            debt.revise(cut, day)
            amount -= cut
        return amount

    def _pay_waiting(self, reference: str, day: date) -> None:
        for fund, amount in self._waiting.pop(reference, ()):
            part = min(amount, fund.reserved)
            fund.reserved -= part
            self._free(fund, part)
            self._pay(fund, self.find(reference), part, day)

    def _pay(self, fund: Fund, debts: list[DebtState], amount: Decimal, day: date) -> None:
        for debt in sorted(debts):
            part = min(amount, debt.open, fund.free)
            if part:
                self._take(fund, debt, part, day)
                amount -= part

    def _take(self, fund: Fund, debt: DebtState, amount: Decimal, day: date) -> None:
        fund.free -= amount
        fund.parts[debt.id] = fund.parts.get(debt.id, ZERO) + amount
        debt.change(amount, day)

    def _shrink(self, fund: Fund, debt: str, amount: Decimal) -> None:
        left = fund.parts[debt] - amount
        if left:
            fund.parts[debt] = left
        else:
            del fund.parts[debt]

    def _free(self, fund: Fund, amount: Decimal) -> None:
        fund.free += amount
        if fund.free and fund not in self._purse:
            insort(self._purse, fund)

    def use_credit(self, day: date) -> None:
        """Let money that no debt has taken pay what is open."""
        if not self._purse:
            return
        for fund in self._purse:
            if self.overdrawn:
                part = min(fund.free, self.overdrawn)
                fund.free -= part
                fund.given_back += part
                self.overdrawn -= part
            self._spread(fund, day)
        self._purse = [fund for fund in self._purse if fund.free]

    def _spread(self, fund: Fund, day: date) -> None:
        """Let free money pay by the account's rule: what is undisputed before what is disputed."""
        if fund.service not in self._passes:
            self._passes[fund.service] = self._allocation.passes(fund.service)
        for disputed_too in (False, True):
            for takes in self._passes[fund.service]:
                for debt in self.order:
                    if not fund.free:
                        return
                    if not debt.open or debt.written_off or not takes(debt.service, debt.category):
                        continue
                    payable = debt.open if disputed_too else debt.open - debt.disputed
                    if payable:
                        self._take(fund, debt, min(payable, fund.free), day)

    def give_back(self, fund: Fund, debt: DebtState, amount: Decimal, day: date, why: Cause) -> None:
        """Take money from a debt again: it is open as before, at its own age."""
        was_settled = not debt.open
        self._shrink(fund, debt.id, amount)
        debt.change(-amount, day)
        if was_settled:
            debt.reopened_on, debt.reopened_by = day, why

    def return_fund(self, fund: Fund, return_id: str, day: date) -> None:
        """Let a payment come back: what it paid is open again, what it left as credit is gone."""
        if fund.return_id:
            return
        fund.before = {name: (part, self.debts[name].settled_on) for name, part in fund.parts.items()}
        for name, part in list(fund.parts.items()):
            self.give_back(fund, self.debts[name], part, day, "chargeback")
        fund.free = fund.reserved = ZERO
        fund.return_id = return_id
        self._purse = [other for other in self._purse if other is not fund]
        self.use_credit(day)

    def stand_again(self, return_id: str, day: date) -> None:
        """Undo a return: the payment pays what it had paid, as far as that is still open."""
        fund = next((f for f in self.funds.values() if f.return_id == return_id), None)
        if fund is None:
            return
        fund.return_id = ""
        fund.free = fund.amount - fund.given_back
        for share in fund.named:
            if not self.find(share.bill):
                part = min(share.amount, fund.free)
                fund.free -= part
                fund.reserved += part
        for name, (amount, settled_on) in fund.before.items():
            debt = self.debts[name]
            part = min(amount, debt.open, fund.free)
            if part:
                self._take(fund, debt, part, day)
            if not debt.open and settled_on and debt.reopened_by == "chargeback":
                debt.settled_on, debt.reopened_on, debt.reopened_by = settled_on, None, ""
        fund.before = {}
        self._free(fund, ZERO)
        self.use_credit(day)

    def refund(self, amount: Decimal, named: Fund | None, day: date) -> None:
        """Give money back: from credit first, then from what the named (or the last) payment paid."""
        standing = sorted(fund for fund in self.funds.values() if not fund.return_id)
        for fund in [named, *standing] if named else standing:
            part = min(amount, fund.free)
            fund.free -= part
            fund.given_back += part
            amount -= part
        for fund in [named] if named else reversed(standing):
            for name, paid in reversed(list(fund.parts.items())):
                part = min(amount, paid)
                if part:
                    self.give_back(fund, self.debts[name], part, day, "refund")
                    fund.given_back += part
                    amount -= part
        self.overdrawn += amount

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
        self._contested(entry.bill)

    def resolve(self, dispute: str, outcome: Literal["upheld", "rejected", "withdrawn"], day: date) -> None:
        """End a dispute once; a second end is not heard."""
        state = self.disputes[dispute]
        if not state.outcome:
            state.outcome, state.resolved_on = outcome, day
            self._contested(state.entry.bill)
            self.use_credit(day)

    def note_credited(self, reference: str, amount: Decimal) -> None:
        """Let a credit note on a bill cover the disputes on it, oldest first."""
        touched = {debt.id for debt in self.find(reference)}
        for state in self.disputes.values():
            if amount and any(debt.id in touched for debt in state.debts):
                part = min(amount, state.remaining)
                state.credited += part
                amount -= part
                self._contested(state.entry.bill)

    def _contested(self, reference: str) -> None:
        touched = self.find(reference)
        for debt in touched:
            debt.contested = ZERO
        names = {debt.id for debt in touched}
        for state in self.disputes.values():
            left = state.remaining
            mine = [debt for debt in state.debts if debt.id in names]
            # What is paid or under a plan now can be owed again: the claim on it stands then.
            for debt, most in (*((d, d.open) for d in mine), *((d, d.amount) for d in mine)):
                part = max(ZERO, min(left, most - debt.contested))
                debt.contested += part
                left -= part

    def mark(self, reference: str, marked: bool, day: date) -> None:
        """Set or remove a write-off mark on one bill, or on all that is owed now."""
        for debt in self.find(reference) if reference else self.order:
            debt.write_off(day if marked else None)
        if not marked:
            self.use_credit(day)

    def give_up(self, day: date) -> None:
        """Take out what is past due: the ladder wrote it off, or sold it."""
        for debt in self.order:
            if debt.due_date < day and debt.open:
                debt.write_off(day)
