"""Levels of service that others demand (rule 5): the receiver is told when the most severe in force changes.

An entry that says so and the message are one transaction with the account locked. A demand that begins on a
later day, and a message that nobody confirms, are looked at by the sweep. What cases demand is read from what
was asked for them and told, so that a case that is just acting is seen as it stands.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.storage import outbox
from api.storage.accounts import lock_account, terms_of
from api.storage.actions import NO_CASE, action_of
from api.storage.asking import row_of
from api.storage.errors import PolicyRefused
from api.storage.events import action_event
from api.storage.levels_told import demands_of_cases, last_words, messages_of, renew, told_of
from api.storage.library import Library
from api.storage.positions import Positions
from api.storage.session import Work
from api.storage.tables import AccountRow, ActionRow
from api.storage.tasks import add_task
from engine.ladder import CollectionsPolicy
from engine.ladder.actions import restoring_within
from engine.ladder.levels import (
    ALL,
    SOURCE,
    Confirming,
    begins_later,
    corrected,
    corrections_of,
    ended_by,
    is_demand,
    level_news,
    levels_in_force,
)
from engine.ladder.memory import GONE, LOST, do_of
from engine.ladder.model import ConfirmRules
from engine.ladder.state import Action
from engine.ledger import Entry
from engine.ledger.account import AccountPosition, Level
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
        said = action_of(action)
        _, levels = self._now(session, row, at)
        level = levels.get(said.service, levels[ALL])
        return "" if level == said.level else f"The level in force is `{level}` by now."

    def answered(self, work: Work, row: AccountRow, key: str, status: str, at: datetime) -> None:
        """Take in that a message about a level had no effect: what the receiver was told last may be wrong.

        A person hears at once of what somebody else demanded and the receiver could not do.
        """
        if status not in GONE or do_of(key) not in ("service", "terminate"):
            return
        asked = row_of(work.session, ActionRow, key)
        if asked is None:
            return
        said = action_of(asked)
        words = last_words(work.session, row)
        if not is_demand(key):
            last = words.get(said.service)
            if last is not None and is_demand(last.key):
                self._correct(work, row, last, last.level, at)
        elif status != "withdrawn":
            self._ask_people(work, row, at)
        elif said.service not in words:
            self._correct(work, row, said, "open", at)
        elif (last := words[said.service]) is not None:
            self._correct(work, row, said, last.level, at)

    def _now(
        self, session: Session, row: AccountRow, at: datetime
    ) -> tuple[AccountPosition, dict[str, Level]]:
        position = position_at(terms_of(row), self._positions.entries(session, row), at)
        return position, levels_in_force((*position.demands, *demands_of_cases(session, row, position)))

    def _correct(self, work: Work, row: AccountRow, about: Action, known: Level | None, at: datetime) -> None:
        """Tell the level in force under another key where the receiver knows a different one."""
        position, levels = self._now(work.session, row, at)
        level = levels.get(about.service, levels[ALL])
        over = {about.service, ALL} & ended_by(told_of(work.session, row), position)
        if level == known or (over and level != "terminated"):
            return
        policy, confirming = self._rules(work.session, row, position.today)
        keys = corrections_of(about, level)
        key = next(key for key in keys if work.session.get(ActionRow, key) is None)
        action = corrected(about, key, levels, known or "open", at, confirming)
        self._ask(work, row, policy, action, at)
        row.level_on = min(filter(None, (row.level_on, action.confirm_by)))
        work.session.add(row)

    def _tell(
        self, work: Work, row: AccountRow, known: Sequence[Entry], since: datetime,
        entries: Sequence[Entry], at: datetime,
    ) -> int:  # fmt: skip
        terms = terms_of(row)
        before, after = position_at(terms, known, since), position_at(terms, entries, at)
        cases = demands_of_cases(work.session, row, after)
        policy, confirming = self._rules(work.session, row, after.today)
        told = told_of(work.session, row)
        asked = 0
        ended, named = ended_by(told, after), last_words(work.session, row)
        for action in level_news(before, after, cases, entries, confirming, ended, named):
            if work.session.get(ActionRow, action.key) is None:
                self._ask(work, row, policy, action, at)
                asked += 1
        if before.demands != after.demands:
            renew(work, row, (*after.demands, *cases), at)
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
        last = {action_of(known).service: known for known in messages_of(work.session, row)}
        for known in last.values():  # an earlier message about a service need not be seen to
            said = action_of(known)
            late = known.state == "requested" and said.confirm_by is not None and said.confirm_by <= at
            if not late and known.state not in LOST:
                continue
            what = "missing_receipt" if late else "undone"
            key = f"{known.key.rsplit('/', 2)[0]}/task.{what}.{said.level}/do"
            task = Action(key=key, do="task", args=(what, str(said.level)), step=said.step)
            add_task(work, row.id, NO_CASE, task, known.detail, at)
            asked += 1
        return asked

    def _next(
        self, session: Session, row: AccountRow, entries: Sequence[Entry], at: datetime
    ) -> datetime | None:
        zone = ZoneInfo(row.timezone)
        day = begins_later(entries, at.astimezone(zone).date())
        found = [datetime.combine(day, time(), zone)] if day else []
        waits = (action_of(one).confirm_by for one in messages_of(session, row) if one.state == "requested")
        found += [until for until in waits if until is not None and until > at]
        return min(found, default=None)
