"""What the ledger itself reports to watching, in the transaction of the write that caused it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlmodel import Session, col, select

from api.storage.accounts import terms_of
from api.storage.customers import SaidFact, fact_rows, latest_facts
from api.storage.library import Library
from api.storage.positions import Positions
from api.storage.regrading import latest_decision
from api.storage.session import Work
from api.storage.tables import AccountRow
from api.storage.watch_actions import note_undone
from api.storage.watch_events import Told, WatchEvents
from engine.ladder.clock import promise_states
from engine.ledger import Entry
from engine.ledger.entries import ReturnReversed
from engine.watch.from_ledger import (
    LEDGER_EVENTS,
    WHO,
    broken_events,
    crossed_event,
    entry_events,
    event_id,
    opened_event,
    owed,
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


class LedgerNews:
    """Turns what was written to ledgers into events, where a policy in force wants them."""

    def __init__(self, events: WatchEvents, positions: Positions, library: Library) -> None:
        self._events = events
        self._positions = positions
        self._library = library

    def listens(self, session: Session, at: datetime) -> bool:
        """Tell whether any policy in force wants something that the ledger tells."""
        return any(kind in LEDGER_EVENTS for p in self._events.policies(session, at) for kind in p.types)

    def entries(
        self, work: Work, row: AccountRow, entries: Sequence[Entry], fresh: Sequence[Entry]
    ) -> list[Told]:
        """Return what new entries of an account tell; `entries` are all, these among them."""
        session, at = work.session, fresh[-1].received_at
        for entry in fresh:
            if isinstance(entry, ReturnReversed):
                note_undone(work, row, event_id(row.id, "payment_returned", entry.returned), at)
        wanted = {kind for policy in self._events.policies(session, at) for kind in policy.types}
        if wanted.isdisjoint(LEDGER_EVENTS):
            return []
        terms = terms_of(row)
        found = [Told(e, entry.received_at) for entry in fresh for e in entry_events(terms, entries, entry)]
        settles = [entry for entry in fresh if entry.kind in _SETTLES]
        raises = [entry for entry in fresh if entry.kind in _RAISES]
        settles = settles if "bill_settled" in wanted else []
        limit = self._limit(session, row) if raises and "limit_crossed" in wanted else None
        if not settles and limit is None:
            return found
        after = self._positions.of(session, row, tuple(entries), at)
        new = {id(entry) for entry in fresh}
        old = tuple(entry for entry in entries if id(entry) not in new)
        over = limit is not None and owed(after) > limit
        before = None
        if over or any(entry.kind not in _BILLS for entry in settles):
            before = self._positions.of(session, row, old, at)
        if settles:
            found += [Told(event, at) for event in settled_events(before, after, settles)]
        if before is not None and limit is not None:
            crossed = crossed_event(before, after, limit, raises[-1].id)
            found += [Told(crossed, at)] if crossed else []
        return found

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

    def _limit(self, session: Session, row: AccountRow) -> Decimal | None:
        """Return the credit limit of the customer's last decision, in the account's currency; None: none."""
        decided = latest_decision(session, row.customer)
        if decided is None:
            return None
        limit = json.loads(decided.body)["decision"]["outcome"].get("credit_limit")
        if not isinstance(limit, dict) or limit.get("unit", row.currency) != row.currency:
            return None
        return Decimal(str(limit["value"]))


def _who(said: Iterable[SaidFact]) -> dict[str, object]:
    """Return the last word on document, device, dealer and address."""
    known = latest_facts(said)
    return {name: known[name].value for name in WHO if name in known}
