"""What a plan may not say beside the bills that it replaces: it takes the place of what is open of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from engine.ledger.account import Terms
from engine.ledger.book import Book
from engine.ledger.book_states import DebtState
from engine.ledger.entries import Bill, Entry
from engine.ledger.refusals_common import ZERO, Finding, book_by


def check_plan(terms: Terms, entries: Sequence[Entry], new: Bill) -> Iterator[Finding]:
    """Yield what is wrong with a plan; one of bills that have not all come is taken, and waits for them."""
    if not new.replaces:
        for field, amount in (("charges", new.charges), ("down_payment", new.down_payment)):
            if amount:
                text = f"Bill `{new.id}` replaces no other bills; `{field}` belongs to a plan."
                yield Finding("not-a-plan", text, field, "remove it, or say what the plan `replaces`")
        return
    if new.charges > new.amount:
        text = f"The charges of plan `{new.id}` are {new.charges}, more than its amount {new.amount}."
        yield Finding("charges-exceed-plan", text, "charges", f"write at most {new.amount}")
        return
    named = set(new.replaces) | {name.rpartition("/")[0] for name in new.replaces}
    days = [e.value_date for e in entries if e.kind == "bill" and e.id in named]
    days += [e.value_date for e in entries if e.kind == "bill_issued" and e.bill in named]
    book = book_by(terms, entries, max((new.value_date, *days)))
    found = {name: book.find(name) for name in new.replaces}
    if any(debt.bill in book.plans for debts in found.values() for debt in debts):
        name = next(name for name, debts in found.items() if debts and debts[0].bill in book.plans)
        text = f"`{name}` is a plan itself; plan `{new.id}` cannot take its place."
        yield Finding(
            "plan-over-plan", text, "replaces", "end that plan, and name the bills that it replaced"
        )
    elif all(found.values()):
        yield from _check_amount(new, book, {debt.id: debt for debts in found.values() for debt in debts})


def _check_amount(new: Bill, book: Book, debts: dict[str, DebtState]) -> Iterator[Finding]:
    under = next((debt for debt in debts.values() if debt.moved), None)
    if under is not None:
        text = f"Bill `{under.bill}` stands under plan `{under.plan}` already."
        yield Finding("already-under-plan", text, "replaces", "end that plan first, or leave the bill out")
        return
    there = sum((debt.open - debt.disputed for debt in debts.values()), ZERO)
    principal = new.amount - new.charges
    if principal + new.down_payment != there:
        disputed = sum((debt.disputed for debt in debts.values()), ZERO)
        asks = f"plan `{new.id}` takes the place of {principal}"
        asks += f" beside {new.charges} of charges" if new.charges else ""
        asks += f" and leaves {new.down_payment} to be paid at once" if new.down_payment else ""
        out = f", without the {disputed} that are disputed" if disputed else ""
        text = f"Of the bills {_named(debts)} {there} are open{out}; {asks}."
        yield Finding("plan-differs", text, "amount", _advice(new, there))


def _named(debts: dict[str, DebtState]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(debt.bill for debt in debts.values()))


def _advice(new: Bill, there: Decimal) -> str:
    fits = there + new.charges - new.down_payment
    if fits <= 0:
        return "leave out what is paid, or remove the plan"
    more = "; say what is interest and fee with `charges`, what is paid at once with `down_payment`"
    return f"let the instalments add up to {fits}{more}"
