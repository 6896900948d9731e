"""Where an account stands: a pure function of the entries that were known at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, Inexact, localcontext
from zoneinfo import ZoneInfo

from engine.ledger.account import (
    AccountPosition,
    Contacted,
    DatedFact,
    Debt,
    DemandedLevel,
    DisputedPart,
    HeldInterval,
    Promised,
    Received,
    Terms,
)
from engine.ledger.allocation import AllocationRule
from engine.ledger.book import ZERO, Book, DebtState
from engine.ledger.entries import (
    Act,
    Contact,
    CreditNote,
    Demand,
    Entry,
    FactSet,
    FeedComplete,
    Hold,
    HoldReleased,
    Payment,
    Promise,
    PromiseWithdrawn,
    Scalar,
)
from engine.ledger.history import RANK, last_words, write_book
from engine.ledger.known import counts_by, known_entries, latest_key, of_kind

SETTLED_DAYS = 92
"""A debt that was settled late stays in the position this long: it can bounce, and its notices count."""
CONTACT_DAYS = 92
"""Contacts stay in the position this long; no cap counts over a longer time."""
RECEIPT_DAYS = 400
"""Receipts and acts stay in the position this long; a case absorbs them when they come."""
PRECISION = 60
"""Digits of amounts in the ledger's arithmetic; a sum that does not fit raises `decimal.Inexact`."""


def position_at(
    terms: Terms, entries: Sequence[Entry], at: datetime, *, as_of: date | None = None
) -> AccountPosition:  # fmt: skip
    """Return the account's position at `at`: what was received by then and dated up to that local day.

    With `as_of` it is the position of that local day instead, as known at `at`. Any order and any doubling
    of the entries give the same position. Raises `decimal.Inexact` for amounts of more than 60 digits.
    """
    known = known_entries(entries, at)
    today = as_of or at.astimezone(ZoneInfo(terms.timezone)).date()
    due, later = counts_by(known, today)
    with localcontext() as context:
        context.prec, context.traps[Inexact] = PRECISION, True
        book = write_book(due, allocation=terms.allocation)
        strict = _without_unnamed_credit(due, terms.allocation)
        debts = _debts(book, strict, today, _late_news(due, terms, today))
        holds = _holds(due, debts, today)
        return AccountPosition(
            terms=terms,
            at=at,
            today=today,
            version=len(known),
            facts=_facts(due),
            dated_facts=_dated_facts(due, terms, today),
            debts=debts,
            credit=book.credit,
            waiting=tuple(book.waiting()),
            deposit=book.deposit,
            holds=holds,
            disputes=_disputes(book),
            promises=_promises(due, book, today),
            receipts=_receipts(due, today),
            acts=_acts(due, today),
            feeds=_feeds(due),
            demands=_demands(due),
            contacts=_contacts(due, today),
            next_value_date=later,
        )


def _without_unnamed_credit(due: list[Entry], allocation: AllocationRule) -> Book | None:
    if any(isinstance(entry, CreditNote) and not entry.bill for entry in due):
        return write_book(due, unnamed_credit=False, allocation=allocation)
    return None


def _debts(
    book: Book, strict: Book | None, today: date, late: list[tuple[date, date]]
) -> tuple[Debt, ...]:  # fmt: skip
    found = []
    for state in book.order:
        other = strict.debts[state.id] if strict else state
        if state.open or other.open or _can_matter(state, today, late):
            found.append(_debt(state, other))
    return tuple(found)


def _late_news(due: list[Entry], terms: Terms, today: date) -> list[tuple[date, date]]:
    """Return value date and day of arrival of what became known late in the last SETTLED_DAYS days."""
    zone, oldest = ZoneInfo(terms.timezone), today - timedelta(days=SETTLED_DAYS)
    news = ((e.value_date, e.received_at.astimezone(zone).date()) for e in due if e.kind in RANK)
    return [(value_date, heard) for value_date, heard in news if heard > value_date and heard >= oldest]


def _can_matter(state: DebtState, today: date, late: list[tuple[date, date]]) -> bool:
    """Tell whether a settled debt is told to the ladder: settled late, or known late to be settled."""
    if state.settled_on is None:
        return False
    settled = max([state.settled_on, *(day for day, _ in state.changes[-1:])])
    if settled > state.due_date and (today - settled).days <= SETTLED_DAYS:
        return True
    return any(value_date <= settled and heard > state.due_date for value_date, heard in late)


def _debt(state: DebtState, strict: DebtState) -> Debt:
    return Debt(
        id=state.id,
        bill=state.bill,
        category=state.category,
        service=state.service,
        invoice_date=state.invoice_date,
        due_date=state.due_date,
        known_at=state.known_at,
        amount=state.amount,
        open=state.open,
        disputed=state.disputed,
        written_off=state.written_off,
        written_off_on=state.written_off_on,
        settled_on=state.settled_on,
        reopened_on=state.reopened_on,
        reopened_by=state.reopened_by,
        returned=tuple(sorted(state.returned.values())) if state.open else (),
        without_credit=strict.open if strict.open != state.open else None,
        paid=tuple((day, by) for day, by in state.changes if by and day > state.due_date),
        revised=tuple((day, by) for day, by in state.revised if by and day > state.due_date),
    )


def released_on(entries: Iterable[Entry]) -> dict[str, date]:
    """Return the earliest day on which each hold was released."""
    found: dict[str, date] = {}
    for entry in entries:
        if isinstance(entry, HoldReleased):
            found[entry.hold] = min(entry.value_date, found.get(entry.hold, entry.value_date))
    return found


def _holds(due: list[Entry], debts: tuple[Debt, ...], today: date) -> tuple[HeldInterval, ...]:
    released = released_on(due)
    oldest = min((min(d.invoice_date, d.due_date) for d in debts if d.open), default=today)
    horizon = min(oldest, today - timedelta(days=SETTLED_DAYS))
    found = []
    for entry in of_kind(due, Hold):
        ends = [day for day in (entry.until, released.get(entry.id)) if day]
        until = max(entry.value_date, min(ends)) if ends else None
        if until is None or until >= horizon:
            found.append(
                HeldInterval(
                    id=entry.id, kind=entry.hold, since=entry.value_date, until=until, bill=entry.bill,
                    reason=entry.reason, author=entry.author,
                )
            )  # fmt: skip
    return tuple(found)


def _disputes(book: Book) -> tuple[DisputedPart, ...]:
    return tuple(
        DisputedPart(
            id=state.entry.id, bill=state.entry.bill, amount=state.entry.amount,
            since=state.entry.value_date, resolved_on=state.resolved_on, outcome=state.outcome,
            remaining=state.remaining, also=book.instead_of(state),
        )
        for state in sorted(book.disputes.values(), key=lambda s: (s.entry.value_date, s.entry.id))
        if any(debt.open or debt.settled_on for debt in state.debts)
    )  # fmt: skip


def _promises(due: list[Entry], book: Book, today: date) -> tuple[Promised, ...]:
    promises = of_kind(due, Promise)
    if not promises:
        return ()
    withdrawn = {entry.promise: entry.value_date for entry in reversed(of_kind(due, PromiseWithdrawn))}
    payments = [
        (entry.value_date, fund.amount - fund.given_back)
        for entry in of_kind(due, Payment)
        if not (fund := book.funds[f"payment:{entry.id}"]).return_id
    ]
    found = []
    for entry in promises:
        if (today - entry.by).days > 366:
            continue
        paid = tuple((day, amount) for day, amount in payments if day >= entry.value_date)
        found.append(
            Promised(
                id=entry.id, amount=entry.amount, made_on=entry.value_date, by=entry.by,
                paid=sum((amount for _, amount in paid), ZERO), paid_by=paid,
                withdrawn_on=withdrawn.get(entry.id), overdue=overdue_on(book, entry.value_date),
                milestones=tuple(sorted((part.due_date, part.amount) for part in entry.milestones)),
            )
        )  # fmt: skip
    return tuple(found)


def overdue_on(book: Book, day: date) -> Decimal:
    """Return what was past due and undisputed at the beginning of a day, as the book tells it now."""
    total = ZERO
    for debt in book.order:
        if debt.due_date >= day:
            break
        if debt.invoice_date < day and not debt.written_off:
            moved = (*debt.changes, *debt.revised)
            since = sum((by for changed, by in moved if changed >= day), ZERO)
            about = (d for d in book.disputes.values() if debt in d.debts or debt.id in d.touches)
            claimed = (d.remaining for d in about if d.outcome == "upheld" or d.entry.value_date <= day)
            total += max(ZERO, debt.open + since - min(debt.disputed, sum(claimed, ZERO)))
    return total


def _receipts(due: list[Entry], today: date) -> tuple[Received, ...]:
    recent = {
        key: entry
        for key, entry in last_words(due).items()
        if (today - entry.value_date).days <= RECEIPT_DAYS
    }
    return tuple(
        Received(
            key=entry.key, status=entry.status, at=entry.at, received_at=entry.received_at,
            detail=entry.detail, until=entry.until,
        )
        for _, entry in sorted(recent.items())
    )  # fmt: skip


def _acts(due: list[Entry], today: date) -> tuple[Act, ...]:
    """Return the acts of the last RECEIPT_DAYS days, and a stop of any age that nobody has taken back."""
    acts = sorted((e for e in due if isinstance(e, Act)), key=latest_key)
    last = {act.item: act for act in acts if act.act in ("stop", "resume")}
    stops = {act.id for act in last.values() if act.act == "stop"}
    return tuple(a for a in acts if (today - a.value_date).days <= RECEIPT_DAYS or a.id in stops)


def _facts(due: list[Entry]) -> dict[str, Scalar | tuple[str, ...]]:
    facts = [entry for entry in due if isinstance(entry, FactSet)]
    latest = {entry.name: entry.value for entry in sorted(facts, key=latest_key)}
    return dict(sorted(latest.items()))


def _dated_facts(due: list[Entry], terms: Terms, today: date) -> tuple[DatedFact, ...]:
    zone, oldest = ZoneInfo(terms.timezone), today - timedelta(days=SETTLED_DAYS)
    facts = sorted(of_kind(due, FactSet), key=latest_key)
    heard = ((fact.value_date, fact.received_at.astimezone(zone).date()) for fact in facts)
    if not any(value_date < day and day >= oldest for value_date, day in heard):
        return ()
    before = {fact.name: fact for fact in facts if fact.value_date < oldest}
    kept = [*before.values(), *(fact for fact in facts if fact.value_date >= oldest)]
    return tuple(DatedFact(name=fact.name, since=fact.value_date, value=fact.value) for fact in kept)


def _feeds(due: list[Entry]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for entry in due:
        if isinstance(entry, FeedComplete):
            found[entry.feed] = max(entry.complete_to, found.get(entry.feed, entry.complete_to))
    return dict(sorted(found.items()))


def _contacts(due: list[Entry], today: date) -> tuple[Contacted, ...]:
    made = (entry for entry in of_kind(due, Contact) if (today - entry.value_date).days <= CONTACT_DAYS)
    return tuple(
        Contacted(
            at=entry.at, channel=entry.channel, outcome=entry.outcome, direction=entry.direction,
            bills=entry.bills, consent=entry.consent,
        )
        for entry in sorted(made, key=lambda entry: (entry.at, entry.id))
    )  # fmt: skip


def _demands(due: list[Entry]) -> tuple[DemandedLevel, ...]:
    demands = [entry for entry in due if isinstance(entry, Demand)]
    latest = {entry.source: entry for entry in sorted(demands, key=latest_key)}
    return tuple(
        DemandedLevel(source=source, level=entry.level, reason=entry.reason, since=entry.value_date)
        for source, entry in sorted(latest.items())
        if entry.level != "open"
    )
