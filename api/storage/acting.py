"""Acting: the step derived again with the account locked; what still holds goes into the outbox (rule 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.storage import brakes, outbox
from api.storage.accounts import lock_account
from api.storage.actions import action_of, add_action, case_number, note_receipt
from api.storage.asking import row_of
from api.storage.beside import with_demands_beside
from api.storage.contacts import hold_customer
from api.storage.depositing import Depositing, is_deposit
from api.storage.entries import insert_entries
from api.storage.events import action_event
from api.storage.levels import Levels
from api.storage.library import Library
from api.storage.looks import Derived, Looks
from api.storage.positions import Positions
from api.storage.session import Work
from api.storage.tables import AccountRow, ActionRow, OutboxRow
from api.storage.tasks import FOR_PEOPLE, add_task
from engine.ladder import CollectionsPolicy, Position, Taken, open_case, step, still_due
from engine.ladder.before_due import is_reminder, reminder_void
from engine.ladder.contact import contact_from
from engine.ladder.levels import is_demand
from engine.ladder.notices import notice_text
from engine.ladder.state import Action
from engine.ledger.entries import Receipt
from engine.model import digest
from workflows.ids import case_id
from workflows.messages import ActionState, ActRequest, ActResult


class Acting:
    """Carries out what a step asks for, if it still follows from what is known now."""

    def __init__(self, positions: Positions, library: Library, looks: Looks | None = None) -> None:
        self.looks = looks or Looks()
        """The last looks at cases; shared with who notes them."""
        self._positions = positions
        self._library = library
        self.deposits = Depositing(library, positions)
        self.levels = Levels(library, positions)

    def act(self, work: Work, request: ActRequest) -> ActResult:
        """Ask for each action that still holds, withdraw the others; answer known keys as before."""
        session = work.session
        if any(action.do == "notify" for action in request.actions):
            hold_customer(session, request.account)
        row = lock_account(session, request.account)
        at = max(request.at, row.last_received or request.at)
        policy = self._library.collections(session, request.policy)
        position = self.position(session, row, policy, at)
        before = request.taken_before or open_case(
            policy, request.case, position, at, request.previous, request.item, care=request.care
        )
        due = self.looks.asked(request, position, at)
        if due is None:
            due = {action.key: action for action in step(policy, before, position, at).actions}
        self.looks.derive(request.case, Derived(request.policy, before, position, at, due.keys()))
        requested, withdrawn = [], []
        for action in request.actions:
            known = row_of(session, ActionRow, action.key)
            if known is not None:
                why = known.detail if known.state == "withdrawn" else ""
            elif action.key in due:
                why = ""
                self._ask(work, row, request, before, due[action.key], position, at)
                number, counted = case_number(request.case), due[action.key]
                brakes.count(work, policy, row.id, number, counted, at, self._has_brake(session))
            else:
                why = still_due(policy, before, position, at, action.key)[1]
                self._withdraw(work, row, request, before, action, position, at, why)
            if why:
                withdrawn.append((action.key, why))
            else:
                requested.append(action.key)
        if policy.brake is not None:
            brakes.look_again(work, row.id)
        return ActResult(
            requested=tuple(requested), withdrawn=tuple(withdrawn), version=position.account.version
        )

    def _has_brake(self, session: Session) -> Callable[[str], bool]:
        return lambda text: self._library.collections(session, text).brake is not None

    def policy(self, session: Session, digest: str) -> CollectionsPolicy:
        """Return the policy that an action follows from, as its case is pinned to it."""
        return self._library.collections(session, digest)

    def position(
        self, session: Session, row: AccountRow, policy: CollectionsPolicy, at: datetime
    ) -> Position:
        """Return the account's position with the law and calendar of the day."""
        account = self._positions.position(session, row, at)
        account = with_demands_beside(session, self._library, row, account)
        law = self._library.law(session, policy.regulation, account.today)
        calendar = self._library.calendar(session, policy.calendar, account.today)
        return Position(account, law, calendar)

    def reason_gone(self, session: Session, row: AccountRow, action: ActionRow, at: datetime) -> str:
        """Derive an action again; return why it is no longer due, or nothing."""
        if is_deposit(action.key):
            return self.deposits.gone(session, row, action, at)
        if is_demand(action.key):
            return self.levels.gone(session, row, action, at)
        policy = self._library.collections(session, action.policy)
        position = self.position(session, row, policy, at)
        if is_reminder(action.key):
            return reminder_void(policy, position, at, action.key)
        assert action.taken_before is not None, "kept for all that is derived again"
        before = Taken.model_validate_json(action.taken_before)
        case = case_id(row.id, action.number)
        if action.severe and self.looks.is_due(case, action.key, action.policy, before, position, at):
            return ""
        due, why = still_due(policy, before, position, at, action.key, any_hour=not action.severe)
        return "" if due else why

    def ground_gone(self, session: Session, row: AccountRow, action: ActionRow, at: datetime) -> str:
        """Return why a message that waits is not due any more, or nothing; read before every attempt.

        What is severe is derived again each time. All else but what takes something back is derived again
        once there is news of the account or its customer, or another day has come: nothing else changes it.
        """
        if not (action.severe or is_demand(action.key)):
            zone = ZoneInfo(row.timezone)
            same_day = at.astimezone(zone).date() == action.requested_at.astimezone(zone).date()
            if action.taken_before is None or (same_day and row.version == action.version):
                return ""
        return self.reason_gone(session, row, action, at)

    def waits(self, work: Work, action: ActionRow, head: OutboxRow, at: datetime) -> datetime | None:
        """Return when to look again at what the brake holds back; None: it may go.

        The brake is the ladder's: what a fraud desk or a customer demands does not wait for it.
        """
        if is_demand(action.key):
            return None
        return brakes.waits(work, self._library.collections(work.session, action.policy), action, head, at)

    def speaks_from(self, session: Session, row: AccountRow, action: ActionRow, at: datetime) -> datetime:
        """Return from when on a notice may reach its customer: `at`, or the end of quiet hours."""
        if action.do != "notify":
            return at
        policy = self._library.collections(session, action.policy)
        hours = policy.contact.quiet is not None or bool(
            self._library.law(session, policy.regulation, at.date()).clauses_on("contact_hours")
        )
        if not hours:
            return at
        return contact_from(policy, self.position(session, row, policy, at), action_of(action).args[0], at)

    def _ask(
        self, work: Work, row: AccountRow, request: ActRequest, before: Taken, action: Action,
        position: Position, at: datetime,
    ) -> None:  # fmt: skip
        version = position.account.version
        text = notice_text(self._library.collections(work.session, request.policy), action)
        add_action(work, request, before, action, at, "requested", version=version)
        work.audit("action", action.key, at, digest(action))
        if action.do in FOR_PEOPLE:
            add_task(work, row.id, case_number(request.case), action, "", at)
        outbox.put(
            work, "webhook", "action", action.key, account=row.id, once=f"action:{action.key}", created_at=at,
            not_before=action.not_before, not_after=action.not_after,
            body=action_event(row, request.case, request.policy, action, version, at, text),
            cause=outbox.latest_cause(work.session, row.id, datetime.now(UTC)),
        )  # fmt: skip

    def _withdraw(
        self, work: Work, row: AccountRow, request: ActRequest, before: Taken, action: Action,
        position: Position, at: datetime, why: str,
    ) -> None:  # fmt: skip
        version = position.account.version
        add_action(work, request, before, action, at, "withdrawn", version=version, detail=why)
        self.end(work, row, action.key, "withdrawn", why, at)

    def end(
        self, work: Work, row: AccountRow, key: str, status: ActionState, why: str, at: datetime
    ) -> Receipt:
        """Write what became of an action as a receipt in the ledger, so that the next step sees it."""
        receipt = Receipt(
            id=receipt_id(key, status, at),
            value_date=at.astimezone(ZoneInfo(row.timezone)).date(),
            received_at=at, key=key, status=status, at=at, detail=why[:500],
        )  # fmt: skip
        insert_entries(work, row, [receipt])
        note_receipt(work, row, receipt)
        self.levels.answered(work, row, key, status, at)
        work.session.add(row)
        work.audit(f"action-{status}", key, at, digest({"why": why}))
        return receipt


def receipt_id(key: str, status: str, at: datetime | None = None) -> str:
    """Return the id of a receipt that nobody else named: the same news has the same id."""
    text = "\n".join((key, status, at.astimezone(UTC).isoformat() if at else ""))
    return f"own-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
