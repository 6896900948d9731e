"""Rows that stand again because the payment that ended them came back soon enough (`revive`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from engine.ladder.case import Case
from engine.ladder.memory import Row
from engine.ladder.state import TakenRow
from engine.ledger.account import AccountPosition
from engine.text import Period

Returned = tuple[date, date]
"""The value dates of a payment and of its return."""


def returned(account: AccountPosition) -> dict[str, list[Returned]]:
    """Return what came back by debt: payments that had settled it, and those that had paid a part of it."""
    found: dict[str, list[Returned]] = {}
    for debt in account.debts:
        if debt.open:
            found[debt.id] = list(debt.returned)
            if debt.reopened_by == "chargeback" and debt.reopened_on:
                found[debt.id].append((date.min, debt.reopened_on))  # settled: all that was paid
    return found


def returned_on(row: Row | TakenRow, back: Mapping[str, Sequence[Returned]]) -> date | None:
    """Return the first day on which money that can have ended a row came back; None: none has."""
    left = row.left_on
    if left is None:
        return None
    days = (day for debt in row.debts for paid, day in back.get(debt, ()) if paid <= left <= day)
    return min(days, default=None)


def revived(case: Case) -> list[Row]:
    """Return rows that stand again because the payment that ended them bounced soon enough."""
    period = case.policy.case.revive
    if period is None or case.terminated:
        return []  # nothing stands again on a contract that is over
    back = returned(case.account)
    found = []
    for row in case.left:
        if row.left_on is None or row.state != "done" or (case.taken_row(row.step) and not row.announces):
            continue
        on = returned_on(row, back)
        if on and on <= period.after(row.left_on):
            found.append(row)
    lifted = [r for r in found if r.lifted and case.definition(r)]
    top = max((_index(case, row) for row in lifted), default=None)
    return [row for row in found if case.definition(row) and (top is None or _index(case, row) < top)]


def has_bounced(account: AccountPosition, rows: Sequence[TakenRow], period: Period) -> bool:
    """Tell whether money came back soon enough that had ended one of the rows of a case."""
    back = returned(account)
    days = ((row.left_on, returned_on(row, back)) for row in rows)
    return any(left and on and on <= period.after(left) for left, on in days)


def _index(case: Case, row: Row) -> int:
    definition = case.definition(row)
    return definition.index if definition else -1
