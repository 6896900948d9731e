"""What the ledger itself reports to watching, in the transaction of the write that caused it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlmodel import Session, col, select

from api.storage.accounts import terms_of
from api.storage.customers import SaidFact, fact_rows, latest_facts
from api.storage.library import Library
from api.storage.session import Work
from api.storage.standing import latest_bodies
from api.storage.tables import AccountRow
from api.storage.watch_actions import note_undone
from api.storage.watch_events import Told, WatchEvents
from engine.ladder.clock import promise_states
from engine.ledger import Entry, Terms
from engine.ledger.entries import ReturnReversed
from engine.ledger.open_items import open_items_at
from engine.watch.from_ledger import (
    LEDGER_EVENTS,
    WHO,
    broken_events,
    crossed_event,
    entry_events,
    event_id,
    happened,
    opened_event,
    settled_events,
    told_later,
)
from workflows.messages import StepRecord

_SETTLES = frozenset(
    {
        "payment",
        "return_reversed",
        "credit_note",
        "adjustment",
        "deposit",
        "bill",
        "bill_issued",
        "recovery",
        "fee_waived",
        "write_down",
    }
)
_BILLS = frozenset({"bill", "bill_issued"})
"""These settle nothing but themselves, by credit that waits."""
_RAISES = frozenset({"bill", "bill_issued", "adjustment", "payment_returned", "refund", "plan_ended"})
"""Entries after which an account may owe more."""


@dataclass(frozen=True, slots=True)
class Written:
    """An account to which entries were added: all that are known of it, and which of them are new."""

    row: AccountRow
    entries: Sequence[Entry]
    fresh: Sequence[Entry]

    @property
    def at(self) -> datetime:
        """When the last of them became known."""
        return self.fresh[-1].received_at


class LedgerNews:
    """Turns what was written to ledgers into events, where a policy in force wants them."""

    def __init__(self, events: WatchEvents, library: Library) -> None:
        self._events = events
        self._library = library

    def listens(self, session: Session, at: datetime) -> bool:
        """Tell whether any policy in force wants something that the ledger tells."""
        return any(kind in LEDGER_EVENTS for p in self._events.policies(session, at) for kind in p.types)

    def entries(self, work: Work, written: Sequence[Written]) -> list[Told]:
        """Return what new entries of accounts tell."""
        hears = self._hears(work.session, written)
        limits = self._limits(work.session, [one.row for one in written if _raises(one, hears[one.row.id])])
        found: list[Told] = []
        for one in written:
            for entry in one.fresh:
                if isinstance(entry, ReturnReversed):
                    event = event_id(one.row.id, "payment_returned", entry.returned)
                    note_undone(work, one.row, event, one.at)
            wanted = hears[one.row.id]
            if not wanted.isdisjoint(LEDGER_EVENTS):
                terms = terms_of(one.row)
                for entry in one.fresh:
                    found += [Told(e, entry.received_at) for e in entry_events(terms, one.entries, entry)]
                limit = limits.get(one.row.id) if _raises(one, wanted) else None
                found += self._open_items_tell(work.session, terms, one, limit, "bill_settled" in wanted)
        return found

    def _open_items_tell(
        self, session: Session, terms: Terms, one: Written, limit: Decimal | None, settling: bool
    ) -> Iterator[Told]:
        """Yield the debts that new entries of an account have settled, and that it has crossed its limit."""
        settles = [entry for entry in one.fresh if entry.kind in _SETTLES] if settling else []
        if settles and not self._events.fits(session, "bill_settled", happened(terms, settles[-1]), one.at):
            settles = []
        if not settles and limit is None:
            return
        after = open_items_at(terms, one.entries, one.at)
        before = None
        if (limit is not None and after.owed > limit) or any(e.kind not in _BILLS for e in settles):
            new = {id(entry) for entry in one.fresh}
            old = [entry for entry in one.entries if id(entry) not in new]
            before = open_items_at(terms, old, one.at)
        if settles:
            yield from (Told(event, one.at) for event in settled_events(before, after, settles))
        if before is not None and limit is not None:
            ref = [entry.id for entry in one.fresh if entry.kind in _RAISES][-1]
            if crossed := crossed_event(before, after, limit, ref):
                yield Told(crossed, one.at)

    def opened(self, session: Session, row: AccountRow, at: datetime) -> list[Told]:
        """Return that an account was opened, with the document, device, dealer and address known by then."""
        if not self._events.wants(session, "account_opened", at):
            return []
        facts = _who(fact_rows(session, [row.customer], at))
        return [Told(opened_event(terms_of(row), facts, at), at)]

    def wants(self, session: Session, kind: str, at: datetime) -> bool:
        """Tell whether any watch policy in force knows this type of event."""
        return self._events.wants(session, kind, at)

    def told(self, session: Session, new: Mapping[str, Collection[str]], at: datetime) -> list[Told]:
        """Return accounts opened earlier whose document, device, dealer or address is told only now.

        `new`: names of facts that are new, by customer. Each joins all windows of what is known by now, as if
        it had been known when the account was opened; there it takes the place of what was told before.
        """
        if not any(not set(WHO).isdisjoint(names) for names in new.values()):
            return []
        if not self._events.wants(session, "account_opened", at):
            return []
        found = []
        for customer in sorted(new):
            names = frozenset(new[customer]) & frozenset(WHO)
            query = select(AccountRow).where(AccountRow.customer == customer, col(AccountRow.created_at) < at)
            rows = session.exec(query.order_by(AccountRow.id)).all() if names else ()
            said = fact_rows(session, [customer], at) if rows else []
            before, known = (_who(fact for fact in said if fact.received_at < at), _who(said))
            changed = any(known.get(name) != before.get(name) for name in names)
            for row in rows if changed else ():
                found.append(Told(told_later(terms_of(row), known, row.created_at, at), at))
        return found

    def step(self, work: Work, record: StepRecord) -> list[str]:
        """Keep the promises that a look at a case has found broken, each once; return them all."""
        position = record.position
        if not position.promises:
            return []
        policy = self._library.collections(work.session, record.policy)
        broken = [
            (found.promise.id, found.last + timedelta(days=1))
            for found in promise_states(policy, position, position.today)
            if found.state == "broken"
        ]
        if self._events.wants(work.session, "promise_broken", record.at):
            self.keep(work, [Told(e, record.at) for e in broken_events(position.terms, broken, record.at)])
        return [promise for promise, _ in broken]

    def keep(self, work: Work, told: Sequence[Told]) -> None:
        """Keep events in the transaction: all of them at once and last, so that everybody locks alike."""
        if told:
            self._events.note(work, told)

    def _hears(self, session: Session, written: Sequence[Written]) -> dict[str, frozenset[str]]:
        """Return by account the types of events that some policy in force then knows."""
        by_day: dict[date, frozenset[str]] = {}
        for one in written:
            if (day := one.at.astimezone(UTC).date()) not in by_day:
                known = (kind for policy in self._events.policies(session, one.at) for kind in policy.types)
                by_day[day] = frozenset(known)
        return {one.row.id: by_day[one.at.astimezone(UTC).date()] for one in written}

    def _limits(self, session: Session, rows: Sequence[AccountRow]) -> dict[str, Decimal]:
        """Return the credit limits of the last decisions on customers, by account and in its currency."""
        found: dict[str, Decimal] = {}
        bodies = latest_bodies(session, {row.customer for row in rows})
        for row in rows:
            if body := bodies.get(row.customer):
                limit = json.loads(body)["decision"]["outcome"].get("credit_limit")
                if isinstance(limit, dict) and limit.get("unit", row.currency) == row.currency:
                    found[row.id] = Decimal(str(limit["value"]))
        return found


def _raises(one: Written, wanted: frozenset[str]) -> bool:
    return "limit_crossed" in wanted and any(entry.kind in _RAISES for entry in one.fresh)


def _who(said: Iterable[SaidFact]) -> dict[str, object]:
    """Return the last word on document, device, dealer and address."""
    known = latest_facts(said)
    return {name: known[name].value for name in WHO if name in known}
