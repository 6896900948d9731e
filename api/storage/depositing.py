"""Deposits reviewed by their policy's rule: what is due is asked for once, and confirmed by receipt.

The ledger of an account that holds a deposit says on which day to look; news brings the day forward, the
sweep looks. A look is a pure function of what is stored, and its action has one key for each time: a kill
leaves the account due, and looking again asks for nothing twice. Billing books what it carries out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from sqlmodel import Session

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
from engine.ledger.deposit_rules import DepositAsk, deposit_look
from engine.model import canonical, digest
from workflows.ports import PolicyNotFound

log = logging.getLogger("forbear.depositing")
KINDS = frozenset({"deposit", "deposit_review"})
SOURCE = "deposit"
"""What stands in place of `case` in the keys of these actions."""
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


class Depositing:
    """Looks at deposits and puts into the outbox what their rule asks for."""

    def __init__(self, library: Library, positions: Positions) -> None:
        self._library = library
        self._positions = positions

    def review(self, work: Work, account: str, at: datetime) -> int:
        """Look at an account's deposit if it is due; return how many actions were asked for."""
        row = lock_account(work.session, account)
        if row.deposit_on is None or row.deposit_on > at:
            return 0
        at = max(at, row.last_received or at)
        work.session.add(row)
        try:
            return self._look(work, row, at)
        except (PolicyNotFound, PolicyRefused) as error:
            log.error("The deposit of account %s cannot be reviewed: %s", row.id, error)
            row.deposit_on = at + timedelta(days=1)
            return 0

    def gone(self, session: Session, row: AccountRow, action: ActionRow, at: datetime) -> str:
        """Derive an action that waits to be sent again; return why it is no longer due, or nothing."""
        today = _day(row, at)
        policy = self._library.collections_for(session, row, today)
        entries = self._positions.entries(session, row)
        body = Action.model_validate_json(action.body)
        for ask in self._asks(policy, row, entries, today, at)[0]:
            if _latest(session, row, ask)[0] == action.key and ask.amount == body.amount:
                return ""
        return "The ledger does not ask for it any more."

    def _look(self, work: Work, row: AccountRow, at: datetime) -> int:
        today = _day(row, at)
        policy = self._library.collections_for(work.session, row, today)
        entries = self._positions.entries(work.session, row)
        asks, following = self._asks(policy, row, entries, today, at)
        if policy is None or (not asks and following is None):
            holds = any(entry.kind in KINDS for entry in entries)
            row.deposit_on = at + SELDOM if holds else None
            return 0
        looks = [_morning(policy, row, following)] if following else [at + SELDOM]
        asked = 0
        for ask in asks:
            key, known = _latest(work.session, row, ask)
            if known is None:
                self._ask(work, row, policy, ask, key, at)
                asked += 1
                looks.append(at + policy.confirm.within)
            elif waits := _waits(policy, known, at):
                looks.append(waits)
            else:
                self._tell(work, row, policy, ask, known, at)
        row.deposit_on = min(look for look in looks if look > at)
        return asked

    def _asks(
        self, policy: CollectionsPolicy | None, row: AccountRow, entries: Sequence[Entry], today: date,
        at: datetime,
    ) -> tuple[tuple[DepositAsk, ...], date | None]:  # fmt: skip
        if policy is None or policy.deposits is None:
            return (), None
        found = deposit_look(policy.deposits, terms_of(row), entries, today, at)
        return found.asks, found.next_day

    def _ask(
        self, work: Work, row: AccountRow, policy: CollectionsPolicy, ask: DepositAsk, key: str,
        at: datetime,
    ) -> None:  # fmt: skip
        action = Action(
            key=key, do="apply" if ask.what == "apply" else "deposit",
            args=("deposit",) if ask.what == "apply" else (ask.what,), step=ask.what, severe=True,
            amount=ask.amount, figures={"why": ask.why}, confirm_by=at + policy.confirm.within,
        )  # fmt: skip
        work.insert(
            ActionRow,
            {
                "key": key, "account": row.id, "number": NO_CASE, "step": ask.what, "do": action.do,
                "undo": False, "severe": True, "state": "requested", "requested_at": at, "settled_at": None,
                "detail": "", "policy": policy.digest, "version": row.version, "chain": "",
                "body": canonical(action).decode(), "taken_before": None,
            },
        )  # fmt: skip
        work.audit("action", key, at, digest(action))
        outbox.put(
            work, "webhook", "action", key, account=row.id, once=f"action:{key}", created_at=at,
            body=action_event(row, f"{SOURCE}/{row.id}", policy.digest, action, row.version, at),
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


def _latest(session: Session, row: AccountRow, ask: DepositAsk) -> tuple[str, ActionRow | None]:
    """Return the key of what is asked for, and what was asked under it; what was withdrawn is asked anew."""
    token = "apply.deposit" if ask.what == "apply" else f"deposit.{ask.what}"
    for turn in count(1):
        entry = str(ask.number) if turn == 1 else f"{ask.number}-{turn}"
        key = f"{SOURCE}/{row.id}/account/{ask.what}/{entry}/{token}/do"
        known = session.get(ActionRow, key)
        if known is None or known.state != "withdrawn":
            return key, known
    raise AssertionError("counted to the end of all numbers")


def _waits(policy: CollectionsPolicy, known: ActionRow, at: datetime) -> datetime | None:
    """Return until when an answer, or the booking of what was done, is waited for; None: no longer."""
    if known.state in LOST:
        return None
    until = (known.settled_at or known.requested_at) + policy.confirm.within
    return until if until > at else None
