"""Entries that name something that has not come: they are kept, wait for it, and count nowhere until then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, localcontext

from engine.ledger.account import Terms
from engine.ledger.book_states import REFUND
from engine.ledger.deposit_moves import moved_on
from engine.ledger.entries import Bill, DepositMoved, Entry, Payment, Refund
from engine.ledger.history import write_book
from engine.ledger.position import PRECISION
from engine.model import Amount, Model

_NAMES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "bill_issued": (("bill", "bill"),),
    "payment_returned": (("payment", "payment"),),
    "return_reversed": (("returned", "payment_returned"),),
    "refund": (("payment", "payment"),),
    "credit_note": (("bill", "bill"),),
    "adjustment": (("bill", "bill"),),
    "fee_waived": (("bill", "bill"),),
    "write_down": (("bill", "bill"),),
    "recovery": (("bill", "bill"),),
    "plan_ended": (("plan", "bill"),),
    "dispute": (("bill", "bill"),),
    "dispute_resolved": (("dispute", "dispute"),),
    "promise_withdrawn": (("promise", "promise"),),
    "hold": (("bill", "bill"),),
    "hold_released": (("hold", "hold"),),
    "write_off_mark": (("bill", "bill"),),
}
"""For each kind of entry its fields that name another entry, and the kind of that one."""


class Unmatched(Model):
    """An entry that waits for another one."""

    kind: str
    id: str
    field: str
    """Where it names what has not come."""
    names: str
    """The kind of entry that it waits for: `bill`, `payment` ..."""
    wanted: str
    """The id of the entry that it waits for; empty: for any that brings so much money."""
    since: datetime


def unmatched(entries: Iterable[Entry]) -> tuple[Unmatched, ...]:
    """Return what waits for an entry that is not among these, in the order in which it was received."""
    known = list(entries)
    waits = [*_not_there(known), *_without_money(known)]
    return tuple(sorted(waits, key=lambda wait: (wait.since, wait.kind, wait.id, wait.field)))


def _not_there(known: list[Entry]) -> Iterator[Unmatched]:
    there: set[tuple[str, str]] = {(entry.kind, entry.id) for entry in known}
    bills = (entry for entry in known if isinstance(entry, Bill))
    there |= {("bill", f"{bill.id}/{n}") for bill in bills for n in range(1, len(bill.instalments) + 1)}
    for e in known:
        for field, kind, wanted in _named(e):
            if not _is_there(there, kind, wanted):
                yield Unmatched(
                    kind=e.kind, id=e.id, field=field, names=kind, wanted=wanted, since=e.received_at
                )  # fmt: skip


def _without_money(known: list[Entry]) -> Iterator[Unmatched]:
    """Yield what goes out of nothing: refunds of more than the money received, deposits that are not held."""
    moves = [entry for entry in known if isinstance(entry, DepositMoved)]
    days = moved_on(moves)
    for move in moves:
        if move.id not in days:
            yield Unmatched(
                kind=move.kind, id=move.id, field="move", names="deposit", wanted="", since=move.received_at
            )  # fmt: skip
    if any(isinstance(entry, Refund) for entry in known):
        with localcontext() as context:
            context.prec = PRECISION
            refunds = write_book(known).refunds
        for refund in refunds:
            yield Unmatched(
                kind="refund", id=refund.id, field="amount", names="payment", wanted="",
                since=refund.known_at,
            )  # fmt: skip


class Misfit(Model):
    """A plan that is not what it takes the place of: late news made its bills ask for something else."""

    plan: str
    excess: Amount = Decimal(0)
    """What it asks for more than is open of its bills; that much of it is not owed."""
    left: Amount = Decimal(0)
    """What it leaves of its bills; that is owed at its own age."""
    since: datetime


def misfits(terms: Terms, entries: Iterable[Entry]) -> tuple[Misfit, ...]:
    """Return the plans that differ from what they replace, in the order of their names."""
    known = list(entries)
    if not any(isinstance(entry, Bill) and entry.replaces for entry in known):
        return ()
    with localcontext() as context:
        context.prec = PRECISION
        plans = write_book(known, allocation=terms.allocation).plans
    return tuple(
        Misfit(
            plan=plan.id, excess=plan.excess, left=max(Decimal(0), plan.left - plan.down_payment),
            since=plan.known_at,
        )
        for _, plan in sorted(plans.items())
        if not plan.fits
    )  # fmt: skip


def _named(entry: Entry) -> Iterator[tuple[str, str, str]]:
    for field, kind in _NAMES.get(entry.kind, ()):
        if wanted := getattr(entry, field):
            yield field, kind, wanted
    if isinstance(entry, Payment):
        for place, share in enumerate(entry.pays):
            yield f"pays/{place}/bill", "bill", share.bill
    if isinstance(entry, Bill):
        for place, bill in enumerate(entry.replaces):
            yield f"replaces/{place}", "bill", bill


def _is_there(there: set[tuple[str, str]], kind: str, wanted: str) -> bool:
    """Tell whether an entry is known; of a bill with instalments also `B1/2`, if it has so many.

    Money is named as a payment, also where it is a recovery; a refund that is owed as a bill, `refund:Z1`.
    """
    if (kind, wanted) in there:
        return True
    if kind == "payment":
        return ("recovery", wanted) in there
    if kind == "bill" and wanted.startswith(REFUND):
        return ("refund", wanted.removeprefix(REFUND)) in there
    return False
