"""Tells the history of an account to its book: what counts on which day, in one order for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from engine.ledger.allocation import PRINCIPAL_FIRST, AllocationRule
from engine.ledger.book import Book, Fund
from engine.ledger.book_states import RefundState
from engine.ledger.deposit_moves import moved_on
from engine.ledger.entries import (
    Adjustment,
    Bill,
    BillIssued,
    CreditNote,
    DepositMoved,
    Dispute,
    DisputeResolved,
    Entry,
    FeeWaived,
    Payment,
    PaymentReturned,
    PlanEnded,
    Receipt,
    Recovery,
    Refund,
    ReturnReversed,
    Share,
    WriteDown,
    WriteOffMark,
    is_goodwill,
)

RANK = {
    "bill": 0, "adjustment": 1, "credit_note": 2, "fee_waived": 3, "dispute": 4, "dispute_resolved": 5,
    "payment": 6, "recovery": 7, "deposit": 8, "payment_returned": 9, "return_reversed": 10, "refund": 11,
    "plan_ended": 12, "write_down": 13, "write_off_mark": 14,
}  # fmt: skip
"""Within one value date: debts before the money that pays them, money before its return."""

GIVEN_UP = ("/write_off/do", "/sell/do")
"""Confirmed actions that take the debt out, as a write-off mark from outside does."""

Index = Mapping[tuple[str, str], Entry]


def write_book(
    entries: Iterable[Entry], *, unnamed_credit: bool = True, allocation: AllocationRule = PRINCIPAL_FIRST
) -> Book:  # fmt: skip
    """Return the book after these entries; all of them count, in whatever order they are given.

    Without `unnamed_credit` credit notes that name no bill are left out.
    """
    index: dict[tuple[str, str], Entry] = {(entry.kind, entry.id): entry for entry in entries}
    issued: dict[str, BillIssued] = {}
    for entry in index.values():
        if isinstance(entry, BillIssued):
            first = issued.get(entry.bill)
            if first is None or (entry.value_date, entry.id) < (first.value_date, first.id):
                issued[entry.bill] = entry
    moves = [entry for entry in index.values() if isinstance(entry, DepositMoved)]
    moved = moved_on(moves) if moves else {}
    timeline: list[tuple[date, int, str, Entry]] = []
    never = _never_returned(index, issued)
    for entry in index.values():
        if entry.kind not in RANK or entry in never:
            continue
        is_move = isinstance(entry, DepositMoved)
        day = moved.get(entry.id) if is_move else _counts_from(entry, index, issued)
        if day:
            timeline.append((day, RANK[entry.kind], entry.id, entry))
    for receipt in last_words(index.values()).values():
        if receipt.status == "done" and receipt.key.endswith(GIVEN_UP):
            timeline.append((receipt.value_date, RANK["write_off_mark"], receipt.key, receipt))
    timeline.sort(key=lambda item: item[:3])
    book = Book(allocation)
    for day, told in groupby(timeline, key=itemgetter(0)):
        for _, _, _, entry in told:
            if unnamed_credit or not isinstance(entry, CreditNote) or entry.bill:
                _tell(book, entry, day, index, issued)
        book.close_day(day)
    return book


def money_named(index: Index, name: str) -> Entry | None:
    """Return the payment of a name; where there is none, the recovery."""
    return index.get(("payment", name)) or index.get(("recovery", name))


def last_words(entries: Iterable[Entry]) -> dict[str, Receipt]:
    """Return the last word on each action; that it was asked for never outweighs what became of it."""
    latest: dict[str, Receipt] = {}
    for entry in entries:
        if isinstance(entry, Receipt):
            other = latest.get(entry.key)
            if other is None or _word(entry) > _word(other):
                latest[entry.key] = entry
    return latest


def _word(entry: Receipt) -> tuple[bool, datetime, datetime, str]:
    return (entry.status != "requested", entry.at, entry.received_at, entry.id)


def _counts_from(entry: Entry, index: Index, issued: Mapping[str, BillIssued]) -> date | None:
    """Return the day from which an entry counts: never before what it speaks of; None: not yet."""
    match entry:
        case Bill(draft=True):
            final = issued.get(entry.id)
            return max(entry.value_date, final.value_date) if final else None
        case CreditNote(bill=""):
            return entry.value_date
        case CreditNote() | Adjustment() | Dispute() | FeeWaived() | WriteDown():
            return _after_bill(entry.value_date, entry.bill, index, issued)
        case PlanEnded():
            return _after_bill(entry.value_date, entry.plan, index, issued)
        case WriteOffMark(bill=bill) if bill:
            return _after_bill(entry.value_date, bill, index, issued)
        case PaymentReturned():
            return _after(entry.value_date, money_named(index, entry.payment), index, issued)
        case ReturnReversed():
            return _after(entry.value_date, index.get(("payment_returned", entry.returned)), index, issued)
        case Refund(payment=payment) if payment:
            return _after(entry.value_date, money_named(index, payment), index, issued)
        case DisputeResolved():
            return _after(entry.value_date, index.get(("dispute", entry.dispute)), index, issued)
        case _:
            return entry.value_date


def _never_returned(index: Index, issued: Mapping[str, BillIssued]) -> list[Entry]:
    """Return the returns that are reversed on their own value date: those payments stood all along.

    A reversal with a later value date leaves the payment away for the days between.
    """
    reversals = [entry for entry in index.values() if isinstance(entry, ReturnReversed)]
    if not reversals:
        return []
    returns: dict[tuple[str, date | None], list[Entry]] = {}
    for entry in sorted(index.values(), key=lambda e: e.id):
        if isinstance(entry, PaymentReturned):
            returns.setdefault((entry.payment, _counts_from(entry, index, issued)), []).append(entry)
    found: list[Entry] = []
    for reversal in reversals:
        day = _counts_from(reversal, index, issued)
        for (_, on), same in returns.items():
            # the first of a day is the one that took the money back; the others found it gone
            if day and on == day and same[0].id == reversal.returned:
                found += same
    return found


def _after(day: date, other: Entry | None, index: Index, issued: Mapping[str, BillIssued]) -> date | None:
    first = _counts_from(other, index, issued) if other else None
    return max(day, first) if first else None


def _after_bill(
    day: date, reference: str, index: Index, issued: Mapping[str, BillIssued]
) -> date | None:  # fmt: skip
    bill = index.get(("bill", reference)) or index.get(("bill", reference.rpartition("/")[0]))
    return _after(day, bill, index, issued)


def _tell(book: Book, entry: Entry, day: date, index: Index, issued: Mapping[str, BillIssued]) -> None:
    match entry:
        case Bill():
            book.add_bill(entry, day, _known_at(entry, issued))
        case Payment():
            fund = Fund(f"payment:{entry.id}", day, entry.amount, entry.amount, entry.pays)
            fund.service = entry.service
            book.receive(fund, day)
        case CreditNote(bill=""):
            book.receive(Fund(f"credit_note:{entry.id}", day, entry.amount, entry.amount), day)
        case CreditNote() | FeeWaived():
            book.note_credited(entry.bill, entry.amount)
            _lower(book, entry, entry.amount, day)
        case Adjustment() if entry.amount > 0:
            book.raise_(entry.bill, entry.amount, day)
        case Adjustment():
            _lower(book, entry, -entry.amount, day)
        case PaymentReturned():
            book.return_fund(_fund(book, index, entry.payment), entry.id, day, entry.received_at)
        case Refund():
            named = _fund(book, index, entry.payment) if entry.payment else None
            book.refund(RefundState(entry.id, entry.amount, day, entry.received_at, named), day)
        case _:
            _tell_rest(book, entry, day)


def _fund(book: Book, index: Index, name: str) -> Fund:
    found = money_named(index, name)
    return book.funds[f"{found.kind if found else 'payment'}:{name}"]


def _lower(
    book: Book, entry: CreditNote | FeeWaived | Adjustment, amount: Decimal, day: date
) -> None:  # fmt: skip
    """Let a bill ask for less; of one that was right (goodwill) what was paid becomes credit of its own."""
    if isinstance(entry, FeeWaived) or not is_goodwill(entry.reason):
        book.lower(entry.bill, amount, day)
    else:
        excess = min(book.write_down(entry.bill, amount, day), book.paid_of(entry.bill))
        if excess:
            book.receive(Fund(f"{entry.kind}:{entry.id}", day, excess, excess), day)
    book.use_credit(day)


def _tell_rest(book: Book, entry: Entry, day: date) -> None:
    match entry:
        case ReturnReversed():
            book.stand_again(entry.returned, day)
        case Dispute():
            book.contest(entry)
        case DisputeResolved():
            book.resolve(entry.dispute, entry.outcome, day)
        case WriteOffMark():
            book.mark(entry.bill, entry.marked, day)
        case PlanEnded():
            book.end_plan(entry.plan, day)
        case Receipt():
            book.give_up(day)
        case WriteDown():
            book.write_down(entry.bill, entry.amount, day)
        case Recovery():
            named = (Share(bill=entry.bill, amount=entry.amount),) if entry.bill else ()
            book.recover(Fund(f"recovery:{entry.id}", day, entry.amount, entry.amount, named), day)
        case DepositMoved(move="requested"):
            pass  # asked for, not there yet
        case DepositMoved(move="held" | "topped_up" | "interest"):
            book.deposit += entry.amount
        case DepositMoved():
            book.deposit -= entry.amount
            if entry.move == "applied":
                book.receive(Fund(f"deposit:{entry.id}", day, entry.amount, entry.amount), day)


def _known_at(bill: Bill, issued: Mapping[str, BillIssued]) -> datetime:
    final = issued.get(bill.id) if bill.draft else None
    return max(bill.received_at, final.received_at) if final else bill.received_at
