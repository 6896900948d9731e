"""Levels of service that others demand (rule 5): the receiver is told when the most severe in force changes.

An entry that says so and the message are one transaction with the account locked. A demand that begins on a
later day, and a message that nobody confirms, are looked at by the sweep. What cases demand is read from what
was asked for them and told, so that a case that is just acting is seen as it stands.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from api.storage import outbox
from api.storage.accounts import lock_account, terms_of
from api.storage.actions import NO_CASE, action_of
from api.storage.beside import is_told
from api.storage.errors import PolicyRefused
from api.storage.events import action_event
from api.storage.library import Library
from api.storage.positions import Positions
from api.storage.session import Work
from api.storage.tables import AccountRow, ActionRow, OutboxRow
from api.storage.tasks import add_task
from engine.ladder import CollectionsPolicy
from engine.ladder.actions import restoring_within
from engine.ladder.levels import (
    ALL,
    SOURCE,
    Confirming,
    begins_later,
    ended_by,
    is_demand,
    lets_go_on,
    level_news,
    levels_in_force,
)
from engine.ladder.memory import most_severe
from engine.ladder.model import ConfirmRules
from engine.ladder.state import Action
from engine.ledger import Entry
from engine.ledger.account import AccountPosition, DemandedLevel, Level
from engine.ledger.entries import Demand
from engine.ledger.position import position_at
from engine.model import canonical, digest
from workflows.ports import PolicyNotFound

log = logging.getLogger("forbear.levels")
MOMENT = timedelta(microseconds=1)


def note_demands(row: AccountRow, fresh: Sequence[Entry]) -> None:
    """Let the next sweep tell of the demands among entries that were added to a locked account."""
    found = [entry.received_at for entry in fresh if isinstance(entry, Demand)]
    if found:
        row.level_on = min([*found, *([row.level_on] if row.level_on else [])])


class Levels:
    """Tells the receiver of an account's level of service when somebody else's demand comes or goes."""

    def __init__(self, library: Library, positions: Positions) -> None:
        self._library = library
        self._positions = positions

    def booked(self, work: Work, row: AccountRow, entries: Sequence[Entry], fresh: Sequence[Entry]) -> None:
        """Tell what follows from entries just added to a locked account; `entries`: all, these included."""
        if not any(isinstance(entry, Demand) for entry in fresh):
            return
        at = fresh[-1].received_at
        new = {(entry.kind, entry.id) for entry in fresh}
        known = [entry for entry in entries if (entry.kind, entry.id) not in new]
        if row.level_on is not None and row.level_on <= at:
            self._tell(work, row, known, row.level_on - MOMENT, known, at)
        self._tell(work, row, known, at, entries, at)
        row.level_on = self._next(work.session, row, entries, at)
        work.session.add(row)

    def review(self, work: Work, account: str, at: datetime) -> int:
        """Look at an account's levels if they are due; return how many messages and tasks came of it."""
        row = lock_account(work.session, account)
        if row.level_on is None or row.level_on > at:
            return 0
        at = max(at, row.last_received or at)
        entries = self._positions.entries(work.session, row)
        told = self._tell(work, row, entries, row.level_on - MOMENT, entries, at)
        asked = self._ask_people(work, row, at)
        row.level_on = self._next(work.session, row, entries, at)
        work.session.add(row)
        return told + asked

    def gone(self, session: Session, row: AccountRow, action: ActionRow, at: datetime) -> str:
        """Derive a message that waits to be sent again; return why it must not go any more, or nothing."""
        position = position_at(terms_of(row), self._positions.entries(session, row), at)
        levels = levels_in_force((*position.demands, *_of_cases(session, row, position)))
        said = action_of(action)
        level = levels.get(said.service, levels[ALL])
        return "" if level == said.level else f"The level in force is `{level}` by now."

    def _tell(
        self, work: Work, row: AccountRow, known: Sequence[Entry], since: datetime,
        entries: Sequence[Entry], at: datetime,
    ) -> int:  # fmt: skip
        terms = terms_of(row)
        before, after = position_at(terms, known, since), position_at(terms, entries, at)
        cases = _of_cases(work.session, row, after)
        policy, confirming = self._rules(work.session, row, after.today)
        told = _told(work.session, row)
        asked = 0
        for action in level_news(before, after, cases, entries, confirming, ended_by(told, after)):
            if work.session.get(ActionRow, action.key) is None:
                self._ask(work, row, policy, action, at)
                asked += 1
        if before.demands != after.demands:
            _renew(work, row, (*after.demands, *cases), at)
        return asked

    def _ask(
        self, work: Work, row: AccountRow, policy: CollectionsPolicy | None, action: Action, at: datetime
    ) -> None:
        text = policy.digest if policy else ""
        work.insert(
            ActionRow,
            {
                "key": action.key, "account": row.id, "number": NO_CASE, "step": action.step,
                "do": action.do, "undo": False, "severe": action.severe, "state": "requested",
                "requested_at": at, "settled_at": None, "detail": "", "policy": text,
                "version": row.version, "chain": "", "body": canonical(action).decode(),
                "taken_before": None,
            },
        )  # fmt: skip
        work.audit("action", action.key, at, digest(action))
        outbox.put(
            work, "webhook", "action", action.key, account=row.id, once=f"action:{action.key}", created_at=at,
            body=action_event(row, f"{SOURCE}/{row.id}", text, action, row.version, at),
        )  # fmt: skip

    def _rules(
        self, session: Session, row: AccountRow, today: date
    ) -> tuple[CollectionsPolicy | None, Confirming]:
        """Return the policy of the day, and how long it waits for receipts; demands need none to be told."""
        try:
            policy = self._library.collections_for(session, row, today)
            if policy is not None:
                law = self._library.law(session, policy.regulation, today)
                return policy, Confirming(policy.confirm.within, restoring_within(policy, law))
        except (PolicyNotFound, PolicyRefused) as error:
            log.warning("Levels of account %s are told without a policy: %s", row.id, error)
        usual = ConfirmRules()
        return None, Confirming(usual.within, usual.restored_within)

    def _ask_people(self, work: Work, row: AccountRow, at: datetime) -> int:
        """Put before a person, once, what was not confirmed in time or could not be carried out."""
        asked = 0
        for known in _mine(work.session, row):
            said = action_of(known)
            if known.state not in ("requested", "failed", "expired", "suppressed"):
                continue
            if said.confirm_by is None or said.confirm_by > at or not self._is_last(work.session, row, known):
                continue
            what = "missing_receipt" if known.state == "requested" else "undone"
            key = f"{known.key.rsplit('/', 2)[0]}/task.{what}.{said.level}/do"
            task = Action(key=key, do="task", args=(what, str(said.level)), step=said.step)
            add_task(work, row.id, NO_CASE, task, known.detail, at)
            asked += 1
        return asked

    def _is_last(self, session: Session, row: AccountRow, known: ActionRow) -> bool:
        """Tell whether no later message speaks of the same service: an earlier one need not be seen to."""
        said = action_of(known)
        later = (one for one in _mine(session, row) if one.requested_at > known.requested_at)
        return not any(action_of(one).service == said.service for one in later)

    def _next(
        self, session: Session, row: AccountRow, entries: Sequence[Entry], at: datetime
    ) -> datetime | None:
        zone = ZoneInfo(row.timezone)
        day = begins_later(entries, at.astimezone(zone).date())
        found = [datetime.combine(day, time(), zone)] if day else []
        waits = (action_of(one).confirm_by for one in _mine(session, row) if one.state == "requested")
        found += [until for until in waits if until is not None and until > at]
        return min(found, default=None)


def _mine(session: Session, row: AccountRow) -> list[ActionRow]:
    """Return what an account's receiver was asked for because of others' demands, in order."""
    query = select(ActionRow).where(ActionRow.account == row.id, ActionRow.number == NO_CASE)
    query = query.where(ActionRow.do == "service")
    rows = session.exec(query.order_by(col(ActionRow.requested_at), ActionRow.key)).all()
    return [one for one in rows if is_demand(one.key)]


def _told(session: Session, row: AccountRow) -> list[tuple[Action, date]]:
    zone = ZoneInfo(row.timezone)
    return [
        (action_of(one), one.requested_at.astimezone(zone).date())
        for one in _mine(session, row) if is_told(session, one)
    ]  # fmt: skip


def _of_cases(session: Session, row: AccountRow, position: AccountPosition) -> tuple[DemandedLevel, ...]:
    """Return what each case has asked of service and has not taken back; of cuts, those that were told."""
    if not row.cases:
        return ()
    query = select(ActionRow).where(ActionRow.account == row.id, ActionRow.number != NO_CASE)
    query = query.where(col(ActionRow.do).in_(("service", "terminate")))
    found: dict[str, DemandedLevel] = {}
    order = (col(ActionRow.requested_at), col(ActionRow.undo), ActionRow.key)
    for asked in session.exec(query.order_by(*order)).all():
        said, day = action_of(asked), asked.requested_at.astimezone(ZoneInfo(row.timezone)).date()
        case, own = _case_of(row, asked.key), _own(said)
        if asked.undo and asked.state != "withdrawn":
            level = own
        elif not asked.undo and is_told(session, asked) and not _is_over(own, day, position):
            level = most_severe([own, found[case].level if case in found else "open"])
        else:
            continue
        found[case] = DemandedLevel(
            source=case, level=level, reason="arrears", since=day, service=said.service
        )
    return tuple(demand for demand in found.values() if demand.level != "open")


def _is_over(level: Level, day: date, position: AccountPosition) -> bool:
    return level == "terminated" and any(lets_go_on(act, day) for act in position.acts)


def _case_of(row: AccountRow, key: str) -> str:
    """Return the case of which an action is, by its key; its undoing can be asked for by a later one."""
    head = f"case/{row.id}/"
    return head + key.removeprefix(head).partition("/")[0]


def _own(action: Action) -> Level:
    """Return what a case itself demands by an action."""
    if action.do == "terminate":
        return "terminated"
    found: dict[str, Level] = {
        "open": "open", "outgoing_barred": "outgoing_barred", "suspended": "suspended",
        "terminated": "terminated",
    }  # fmt: skip
    return found[action.args[0]]


def _renew(work: Work, row: AccountRow, demands: Sequence[DemandedLevel], at: datetime) -> None:
    """Let what cases have asked for, and nobody was told yet, tell the level that is in force now."""
    query = select(OutboxRow, ActionRow).join(ActionRow, col(ActionRow.key) == col(OutboxRow.subject))
    query = query.where(OutboxRow.account == row.id, OutboxRow.channel == "webhook")
    query = query.where(OutboxRow.state == "pending", OutboxRow.attempts == 0, ActionRow.state == "requested")
    query = query.where(col(ActionRow.do).in_(("service", "terminate")), ActionRow.number != NO_CASE)
    for waiting, asked in work.session.exec(query.order_by(col(OutboxRow.id))).all():
        action, case = action_of(asked), _case_of(row, asked.key)
        others = (d.level for d in demands if d.source != case and d.service in (ALL, action.service))
        level = most_severe([_own(action), *others])
        if level == action.level:
            continue
        action = action.model_copy(update={"level": level})
        event = json.loads(waiting.body)
        event["data"]["level"] = level
        asked.body, waiting.body = canonical(action).decode(), canonical(event).decode()
        work.session.add_all([asked, waiting])
        work.audit("action-level", action.key, at, digest(action))
