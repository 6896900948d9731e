"""Bills announced before they are due: the notices go into the outbox once, with what they follow from."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from api.storage import outbox
from api.storage.accounts import lock_account
from api.storage.acting import Acting
from api.storage.actions import NO_CASE
from api.storage.contacts import hold_customer
from api.storage.errors import PolicyRefused
from api.storage.events import action_event
from api.storage.library import Library
from api.storage.opening import reminded
from api.storage.session import Work
from api.storage.tables import AccountRow, ActionRow
from engine.ladder.before_due import reminder_source
from engine.ladder.notices import notice_text
from engine.ladder.state import Action
from engine.model import canonical, digest
from engine.workdays import DayNotCovered
from workflows.announcing import announced
from workflows.messages import ReminderRecord
from workflows.ports import PolicyNotFound

log = logging.getLogger("forbear.announcing")


class Announcing:
    """Puts notices before due dates into the outbox; no case is opened for them."""

    def __init__(self, library: Library, acting: Acting) -> None:
        self._library = library
        self._acting = acting

    def remind(self, work: Work, account: str, at: datetime) -> ReminderRecord | None:
        """Announce what is due to be announced of an account, and set when the next notice is.

        Returns the record of what was asked for; None when nothing was. Raises AccountNotFound.
        """
        hold_customer(work.session, account)
        row = lock_account(work.session, account)
        if row.remind_on is None or row.remind_on > at:
            return None
        at = max(at, row.last_received or at)
        work.session.add(row)
        try:
            record = self._look(work, row, at)
        except (PolicyNotFound, PolicyRefused, DayNotCovered) as error:
            log.error("Bills of account %s cannot be announced: %s", row.id, error)
            row.remind_on = at + timedelta(days=1)
            return None
        row.remind_on = record.look_at if record else None
        if record is None or not record.actions:
            return None
        for action in record.actions:
            self._ask(work, row, record, action)
        return record

    def _look(self, work: Work, row: AccountRow, at: datetime) -> ReminderRecord | None:
        today = at.astimezone(ZoneInfo(row.timezone)).date()
        policy = self._library.collections_for(work.session, row, today)
        if policy is None or not policy.before_due:
            return None
        position = self._acting.position(work.session, row, policy, at)
        return announced(policy, position, at, reminded(work.session, row.id))

    def _ask(self, work: Work, row: AccountRow, record: ReminderRecord, action: Action) -> None:
        version, at = record.position.version, record.at
        text = notice_text(self._library.collections(work.session, record.policy), action)
        work.insert(
            ActionRow,
            {
                "key": action.key, "account": row.id, "number": NO_CASE, "step": action.step,
                "do": action.do, "undo": False, "severe": action.severe, "state": "requested",
                "requested_at": at, "settled_at": None, "detail": "", "policy": record.policy,
                "version": version, "chain": "", "body": canonical(action).decode(),
                "taken_before": record.model_dump_json(),
            },
        )  # fmt: skip
        work.audit("action", action.key, at, digest(action))
        outbox.put(
            work, "webhook", "action", action.key, account=row.id, once=f"action:{action.key}", created_at=at,
            not_before=action.not_before, not_after=action.not_after,
            body=action_event(row, reminder_source(row.id), record.policy, action, version, at, text),
        )  # fmt: skip
