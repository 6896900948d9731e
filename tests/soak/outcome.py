"""What a run led to, in terms that two runs of one seed have in common: dates, never instants."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from api.storage.accounts import terms_of
from api.storage.audit import verify
from api.storage.session import Database
from api.storage.tables import AccountRow, ActionRow, CaseRow, EntryRow, OutboxRow, TaskRow
from engine.ledger import EntryAdapter, position_at
from engine.ledger.entries import Entry
from workflows.messages import TroubleNote

Asked = tuple[int, dict[str, Any], int]
"""What the receiver was asked for: its place, the event, how often it was told."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that two runs must agree on, and what is wrong with one by itself."""

    entries: Mapping[str, str]
    """Ledger entries by account, kind and id, without their instants; receipts by action and status."""
    positions: Mapping[str, str]
    actions: Mapping[str, str]
    """Steps taken: each action by its key, its state and the local dates on which it was asked and done."""
    effects: Mapping[str, str]
    """What the receiver was asked for, by id."""
    cases: Mapping[str, str]
    tasks: Mapping[str, str]
    wrong: tuple[str, ...] = ()
    """What must not be, whatever another run led to."""
    repeats: int = 0
    """Messages that were told again; the receiver did them once."""


@dataclass(slots=True)
class _Reading:
    session: Session
    zones: Mapping[str, str]
    horizon: datetime
    wrong: list[str] = field(default_factory=list)

    def day(self, account: str, at: datetime | None) -> str:
        return at.astimezone(ZoneInfo(self.zones[account])).date().isoformat() if at else "-"


def read_outcome(url: str, zones: Mapping[str, str], horizon: datetime, asked: Iterable[Asked]) -> Outcome:
    """Read what a run led to from its database and from the receiver's file."""
    database = Database(url, durable=False)
    told = list(asked)
    try:
        with database.read() as session:
            reading = _Reading(session, zones, horizon)
            entries = _entries(session)
            outcome = Outcome(
                entries=_named(reading, entries),
                positions=_positions(reading, entries),
                actions=_actions(reading),
                effects={event["id"]: _said(event) for _, event, _ in told},
                cases=_cases(reading),
                tasks={
                    row.key: f"{row.do} {row.state} {row.outcome} {reading.day(row.account, row.created_at)}"
                    for row in session.exec(select(TaskRow))
                },
                repeats=sum(times - 1 for _, _, times in told),
            )
            reading.wrong += _told_twice(told) + _unlike(session, told)
            reading.wrong += _suspended_without_debt(reading, told, entries)
            length, broken = verify(session)
            if broken is not None:
                reading.wrong.append(f"the audit chain of {length} links breaks: {broken.why}")
    finally:
        database.close()
    return replace(outcome, wrong=tuple(reading.wrong))


def _entries(session: Session) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for row in session.exec(select(EntryRow).order_by(EntryRow.account, EntryRow.seq)):  # type: ignore[arg-type]
        found.setdefault(row.account, []).append(EntryAdapter.validate_json(row.body))
    return found


def _named(reading: _Reading, entries: Mapping[str, list[Entry]]) -> dict[str, str]:
    named: dict[str, str] = {}
    receipts: Counter[str] = Counter()
    for account, told in entries.items():
        for entry in told:
            said = entry.model_dump(mode="json", exclude={"received_at", "id", "at"})
            if entry.kind == "receipt":
                name = f"{account} receipt {entry.key} {entry.status}"
                receipts[name] += 1
                said["detail"] = ""  # may name an instant
            else:
                name = f"{account} {entry.kind} {entry.id}"
            named[name] = json.dumps(said, sort_keys=True)
    reading.wrong += [f"{count} times: {name}" for name, count in receipts.items() if count > 1]
    return named


def _positions(reading: _Reading, entries: Mapping[str, list[Entry]]) -> dict[str, str]:
    found = {}
    for row in reading.session.exec(select(AccountRow)):
        position = position_at(terms_of(row), entries.get(row.id, []), reading.horizon)
        debts = [(debt.id, str(debt.open), str(debt.disputed), str(debt.due_date)) for debt in position.debts]
        found[row.id] = json.dumps(
            {"debts": debts, "level": row.level, "cases": row.cases, "open_case": row.open_case,
             "trouble": row.trouble}
        )  # fmt: skip
    return found


def _actions(reading: _Reading) -> dict[str, str]:
    found = {}
    for row in reading.session.exec(select(ActionRow)):
        days = [reading.day(row.account, at) for at in (row.requested_at, row.settled_at)]
        found[row.key] = f"{row.do} {row.state}, asked {days[0]}, settled {days[1]}"
    return found


def _cases(reading: _Reading) -> dict[str, str]:
    found = {}
    for row in reading.session.exec(select(CaseRow)):
        days = [reading.day(row.account, at) for at in (row.opened_at, row.ended_at)]
        found[row.workflow] = f"{row.state} {row.ended}, reached {row.reached}, from {days[0]} to {days[1]}"
        if row.trouble:
            note = TroubleNote.model_validate_json(row.trouble)
            reading.wrong.append(f"{row.workflow} cannot go on: {note.problem.detail}")
    return found


def _said(event: dict[str, Any]) -> str:
    data = event["data"]
    kept = {name: data[name] for name in ("account", "do", "args", "step", "undo", "level", "amount")}
    return json.dumps(kept, sort_keys=True)


def _told_twice(told: Iterable[Asked]) -> list[str]:
    """Find the same effect under two ids: same account, case, step and entry, same words."""
    seen: Counter[str] = Counter()
    for _, event, _ in told:
        seen[f"{'/'.join(event['id'].split('/')[:6])} {_said(event)}"] += 1
    return [f"{count} times under different ids: {name}" for name, count in seen.items() if count > 1]


def _unlike(session: Session, told: Iterable[Asked]) -> list[str]:
    """Compare what the outbox says was delivered with what the receiver has."""
    heard = {event["id"] for _, event, _ in told}
    wrong = []
    for row in session.exec(select(OutboxRow).where(OutboxRow.channel == "webhook")):
        if row.state == "delivered" and row.subject not in heard:
            wrong.append(f"{row.subject} is said to be delivered, and the receiver has not heard of it")
        if row.state == "pending":
            wrong.append(f"{row.subject} still waits to be told")
        heard.discard(row.subject)
    wrong += [f"the receiver was told of {key}, and the outbox does not know it" for key in sorted(heard)]
    untold = select(OutboxRow).where(OutboxRow.channel == "case", OutboxRow.state == "pending")
    wrong += [f"{row.subject} has not been told its news {row.once}" for row in session.exec(untold)]
    return wrong


def _suspended_without_debt(
    reading: _Reading, told: Iterable[Asked], entries: Mapping[str, list[Entry]]
) -> list[str]:
    """Find interruptions of accounts that, by what was known at that instant, owed nothing that was due."""
    wrong = []
    rows = {row.id: row for row in reading.session.exec(select(AccountRow))}
    for _, event, _ in told:
        data = event["data"]
        if data["do"] != "service" or data["undo"]:
            continue
        at = datetime.fromisoformat(event["time"])
        row = rows[data["account"]]
        known = [entry for entry in entries[row.id] if entry.received_at <= at]
        position = position_at(terms_of(row), known, at)
        due = sum((d.open - d.disputed for d in position.debts if d.due_date < position.today), Decimal(0))
        if due <= 0:
            wrong.append(f"{event['id']} at {at}: {row.id} owed nothing that was due")
    return wrong
