"""Deposits reviewed by their policy's rule: what is due is asked for once, and confirmed by receipt.

The ledger of an account that holds a deposit says on which day to look; news brings the day forward, the
sweep looks. A look is a pure function of what is stored, and its action has one key for each time: a kill
leaves the account due, and looking again asks for nothing twice. Billing books what it carries out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from api.storage import outbox
from api.storage.accounts import lock_account, terms_of
from api.storage.actions import NO_CASE
from api.storage.errors import PolicyRefused
from api.storage.events import action_event
from api.storage.library import Library
from api.storage.positions import Positions
from api.storage.session import Work
from api.storage.tables import AccountRow, ActionRow
from api.storage.tasks import add_task
from engine.ladder import CollectionsPolicy
from engine.ladder.state import Action
from engine.ledger import Entry
from engine.ledger.deposit_rules import DepositAsk, DepositLook
from engine.model import canonical, digest
from workflows.depositing import SOURCE, deposit_asks, deposited, key_of
from workflows.messages import DepositRecord
from workflows.ports import PolicyNotFound

log = logging.getLogger("forbear.depositing")
KINDS = frozenset({"deposit", "deposit_review"})
SELDOM = timedelta(days=31)
"""An account that holds a deposit is looked at as often, though its rule names no day."""
LOST = frozenset({"failed", "expired", "suppressed"})


def note_deposit(row: AccountRow, fresh: Sequence[Entry]) -> None:
    """Let the next sweep look at the deposit of a locked account to which entries were added."""
    if row.deposit_on is not None or any(entry.kind in KINDS for entry in fresh):
        at = fresh[-1].received_at
        row.deposit_on = at if row.deposit_on is None else min(row.deposit_on, at)


def is_deposit(key: str) -> bool:
    """Tell whether an action's key is of a deposit that is reviewed."""
    return key.startswith(f"{SOURCE}/")


def asked_since(session: Session, since: datetime, after: str) -> list[DepositRecord]:
    """Return the looks from an instant on that asked for something, of the accounts after one, each once."""
    query = select(ActionRow).where(
        ActionRow.number == NO_CASE, col(ActionRow.requested_at) >= since, col(ActionRow.account) > after
    )
    rows = session.exec(query.order_by(ActionRow.account, col(ActionRow.requested_at), ActionRow.key))
    looks = dict.fromkeys(row.taken_before or "" for row in rows if is_deposit(row.key))
    return [DepositRecord.model_validate_json(look) for look in looks]


class Depositing:
    """Looks at deposits and puts into the outbox what their rule asks for."""

    def __init__(self, library: Library, positions: Positions) -> None:
        self._library = library
        self._positions = positions

    def review(self, work: Work, account: str, at: datetime) -> DepositRecord | None:
        """Look at an account's deposit if it is due; return the look if it asked for something."""
        row = lock_account(work.session, account)
        if row.deposit_on is None or row.deposit_on > at:
            return None
        at = max(at, row.last_received or at)
        work.session.add(row)
        try:
            return self._look(work, row, at)
        except (PolicyNotFound, PolicyRefused) as error:
            log.error("The deposit of account %s cannot be reviewed: %s", row.id, error)
            row.deposit_on = at + timedelta(days=1)
            return None

    def gone(self, session: Session, row: AccountRow, action: ActionRow, at: datetime) -> str:
        """Derive an action that waits to be sent again; return why it is no longer due, or nothing."""
        policy = self._library.collections_for(session, row, _day(row, at))
        entries = self._positions.entries(session, row)
        body = Action.model_validate_json(action.body)
        asks = deposit_asks(policy, terms_of(row), entries, at).asks if policy else ()
        states = {key: known.state for key, known in _known(session, row).items()}
        if any(key_of(row.id, ask, states) == action.key and ask.amount == body.amount for ask in asks):
            return ""
        return "The ledger does not ask for it any more."

    def _look(self, work: Work, row: AccountRow, at: datetime) -> DepositRecord | None:
        policy = self._library.collections_for(work.session, row, _day(row, at))
        entries, terms = self._positions.entries(work.session, row), terms_of(row)
        found = deposit_asks(policy, terms, entries, at) if policy else DepositLook()
        if policy is None or (not found.asks and found.next_day is None):
            holds = any(entry.kind in KINDS for entry in entries)
            row.deposit_on = at + SELDOM if holds else None
            return None
        looks = [_morning(policy, row, found.next_day)] if found.next_day else [at + SELDOM]
        known = _known(work.session, row)
        states = {key: one.state for key, one in known.items()}
        for ask in found.asks:
            one = known.get(key_of(row.id, ask, states))
            if one is None:
                looks.append(at + policy.confirm.within)
            elif waits := _waits(policy, one, at):
                looks.append(waits)
            else:
                self._tell(work, row, policy, ask, one, at)
        row.deposit_on = min(look for look in looks if look > at)
        record = deposited(policy, terms, entries, at, states)
        for action in record.actions:
            self._ask(work, row, record, action)
        return record if record.actions else None

    def _ask(self, work: Work, row: AccountRow, record: DepositRecord, action: Action) -> None:
        work.insert(
            ActionRow,
            {
                "key": action.key, "account": row.id, "number": NO_CASE, "step": action.step,
                "do": action.do, "undo": False, "severe": True, "state": "requested",
                "requested_at": record.at, "settled_at": None, "detail": "", "policy": record.policy,
                "version": row.version, "chain": "", "body": canonical(action).decode(),
                "taken_before": record.model_dump_json(),
            },
        )  # fmt: skip
        work.audit("action", action.key, record.at, digest(action))
        body = action_event(row, f"{SOURCE}/{row.id}", record.policy, action, row.version, record.at)
        outbox.put(
            work, "webhook", "action", action.key, account=row.id, once=f"action:{action.key}",
            created_at=record.at, body=body,
        )  # fmt: skip

    def _tell(
        self, work: Work, row: AccountRow, policy: CollectionsPolicy, ask: DepositAsk, known: ActionRow,
        at: datetime,
    ) -> None:  # fmt: skip
        """Put before a person, once, what was not confirmed, not carried out, or not booked."""
        what = {"requested": "missing_receipt", "done": "deposit_not_booked"}.get(known.state, "undone")
        head = known.key.rsplit("/", 2)[0]
        action = Action(
            key=f"{head}/task.{what}/do", do="task", args=(what, ask.what), step=ask.what, amount=ask.amount
        )
        add_task(work, row.id, NO_CASE, action, known.detail, at)


def _day(row: AccountRow, at: datetime) -> date:
    return at.astimezone(ZoneInfo(row.timezone)).date()


def _morning(policy: CollectionsPolicy, row: AccountRow, day: date) -> datetime:
    hour = policy.case.hour
    return datetime.combine(day, time(hour.hour, hour.minute), ZoneInfo(row.timezone))


def _known(session: Session, row: AccountRow) -> dict[str, ActionRow]:
    """Return what was asked of an account's deposit before, by key."""
    mine = select(ActionRow).where(ActionRow.account == row.id, ActionRow.number == NO_CASE)
    return {action.key: action for action in session.exec(mine) if is_deposit(action.key)}


def _waits(policy: CollectionsPolicy, known: ActionRow, at: datetime) -> datetime | None:
    """Return until when an answer, or the booking of what was done, is waited for; None: no longer."""
    if known.state in LOST:
        return None
    until = (known.settled_at or known.requested_at) + policy.confirm.within
    return until if until > at else None
