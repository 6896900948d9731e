"""Money that goes back: from credit, else from what a payment paid; owed again when that comes back, too.

A refund counts once there is money behind it. When the payment behind it comes back, the customer has the
money twice: then the refund is a debt of its own, `refund:Z1`, of the day on which it went out.
"""

from __future__ import annotations

from bisect import insort
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.ledger.book_states import ZERO, Cause, DebtState, Fund, RefundState

if TYPE_CHECKING:
    from engine.ledger.book import Book


def pay_out(book: Book, refund: RefundState, day: date) -> bool:
    """Give money back: from credit first, then from what the named (or the last) payment paid.

    False: there is not so much money, and nothing happens.
    """
    named = refund.fund
    if named and named.return_id:
        return _pay_out_twice(book, refund, named, day)
    standing = sorted(fund for fund in book.funds.values() if not fund.return_id)
    credit = [named, *(fund for fund in standing if fund is not named)] if named else standing
    spent = [named] if named else standing[::-1]
    there = sum((fund.free for fund in credit), ZERO)
    there += sum((fund.reserved + sum(fund.parts.values(), ZERO) for fund in spent), ZERO)
    if there < refund.amount:
        return False
    left = refund.amount
    for fund in credit:
        left -= _from_credit(refund, fund, min(left, fund.free))
    for fund in spent:
        for name, paid in reversed(list(fund.parts.items())):
            if part := min(left, paid):
                book.give_back(fund, book.debts[name], part, day, "refund")
                fund.free += part
                left -= _from_credit(refund, fund, part)
        part = min(left, fund.reserved)
        fund.free, fund.reserved = fund.free + part, fund.reserved - part
        left -= _from_credit(refund, fund, part)
    return True


def _from_credit(refund: RefundState, fund: Fund, part: Decimal) -> Decimal:
    if part:
        fund.free -= part
        fund.given_back += part
        fund.refunds.append((refund, part))
    return part


def _pay_out_twice(book: Book, refund: RefundState, fund: Fund, day: date) -> bool:
    """Give back what has come back already: it is owed at once."""
    if refund.amount > fund.amount - fund.given_back:
        return False
    fund.given_back += refund.amount
    fund.refunds.append((refund, refund.amount))
    owe(book, refund, refund.amount, day, refund.known_at, "refund")
    book.use_credit(day)
    return True


def retry(book: Book, day: date) -> None:
    """Let refunds that wait for money go out, if it is there now."""
    book.refunds = [refund for refund in book.refunds if not pay_out(book, refund, day)]


def owe(
    book: Book, refund: RefundState, amount: Decimal, day: date, known_at: datetime, why: Cause
) -> None:  # fmt: skip
    """Let a refund be owed, as old as it is: what it gave back came back as well."""
    if debt := book.debts.get(refund.debt):
        debt.revise(-amount, day)
        return
    debt = DebtState(
        refund.debt, refund.debt, "normal", "", day, refund.on, known_at, amount, amount,
        reopened_on=day, reopened_by=why,
    )  # fmt: skip
    book.debts[debt.id] = debt
    insort(book.order, debt)
    book.pay_waiting(debt.id, day)


def no_longer_owed(book: Book, refund: RefundState, amount: Decimal, day: date) -> None:
    """Let the money behind a refund stand again: the refund is no debt, what was paid of it is free."""
    if debt := book.debts.get(refund.debt):
        cut = min(amount, debt.open)
        debt.revise(cut, day)
        book.release(debt, min(amount - cut, debt.amount - debt.open))
