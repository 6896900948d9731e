"""When an account's case opens: told by the engine after each entry, carried out here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from api.storage import outbox
from api.storage.actions import NO_CASE
from api.storage.beside import OpenCase, last_case, open_cases
from api.storage.errors import PolicyRefused
from api.storage.library import Library
from api.storage.pokes import poke
from api.storage.session import Work
from api.storage.tables import AccountRow, ActionRow, CaseRow
from engine.ladder import CollectionsPolicy, Position, Taken, watch_on
from engine.ladder.before_due import is_reminder, reminders
from engine.ladder.scope import WHOLE, can_stand_beside, is_divided, items
from engine.ledger.account import AccountPosition, Debt
from engine.ledger.entries import Entry, Hold
from engine.text import Period
from engine.workdays import DayNotCovered
from workflows.ids import case_id
from workflows.messages import CaseStart
from workflows.ports import PolicyNotFound

log = logging.getLogger("forbear.opening")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a case can be opened about, when, and the last one that there was about it."""

    item: str
    on: datetime | None
    previous: CaseRow | None


def reminded(session: Session, account: str) -> frozenset[str]:
    """Return the keys of the notices before due dates that were asked for."""
    mine = select(ActionRow.key).where(ActionRow.account == account, ActionRow.number == NO_CASE)
    return frozenset(key for key in session.exec(mine) if is_reminder(key))


class Opening:
    """Keeps each account's `watch_on` and `remind_on`, and opens its cases when they have come."""

    def __init__(self, library: Library, offset: Callable[[datetime], timedelta]) -> None:
        self._library = library
        self._offset = offset

    def listens(self, session: Session, row: AccountRow, today: date) -> bool:
        """Tell whether more than its open case wants to hear of an account's news."""
        if row.open_case is None:
            return True
        try:
            policy = self._library.collections_for(session, row, today)
        except (PolicyNotFound, PolicyRefused):
            return False
        return policy is not None and (is_divided(policy.case) or bool(policy.before_due))

    def watch(
        self, work: Work, row: AccountRow, account: AccountPosition, at: datetime, *, opens: bool
    ) -> int:
        """Set when the account must be looked at; open its cases that are due. Return how many it opened."""
        try:
            policy = self._library.collections_for(work.session, row, account.today)
            beside = open_cases(work.session, row)
            self._go_over(work, row, beside, account, at)
            wanted = self._wanted(work.session, row, policy, beside, account, at)
            row.watch_on = self._when(work.session, row, policy, beside, account, wanted)
            row.remind_on = self._remind_on(work.session, row, policy, account, at)
            if not beside:
                dealt = _new_debts(account, last_case(work.session, row, WHOLE))
                row.trouble = "" if policy else self._untreated(work.session, row, dealt)
        except (PolicyNotFound, PolicyRefused, DayNotCovered) as error:
            # News is never lost because a text is missing: the account is looked at again tomorrow.
            log.error("Account %s cannot be watched: %s", row.id, error)
            row.trouble, row.watch_on = str(error), at + timedelta(days=1)
            return 0
        due = [one for one in wanted if one.on is not None and one.on <= at]
        if not opens or policy is None or not due:
            return 0
        for one in due:
            self._open(work, row, policy, one, account, at)
        opened = open_cases(work.session, row)
        wanted = self._wanted(work.session, row, policy, opened, account, at)
        row.watch_on = self._when(work.session, row, policy, opened, account, wanted)
        return len(due)

    def lasts(self, session: Session, row: AccountRow, entry: Entry) -> Mapping[str, Period]:
        """Return after how long holds without an end are over, by the policy that treats the account."""
        if not isinstance(entry, Hold):
            return {}
        try:
            if opened := open_cases(session, row):
                policy: CollectionsPolicy | None = self._library.collections(session, opened[-1].policy)
            else:
                policy = self._library.collections_for(session, row, entry.value_date)
        except (PolicyNotFound, PolicyRefused):
            return {}  # the account is in trouble already; nothing ends by itself then
        return {kind: rules.lasts for kind, rules in policy.holds.items() if rules.lasts} if policy else {}

    def around(self, session: Session, policy: CollectionsPolicy, account: AccountPosition) -> Position:
        """Return an account's position with the law and the calendar of its day."""
        law = self._library.law(session, policy.regulation, account.today)
        calendar = self._library.calendar(session, policy.calendar, account.today)
        return Position(account, law, calendar)

    def _go_over(
        self, work: Work, row: AccountRow, beside: Sequence[OpenCase], account: AccountPosition, at: datetime
    ) -> None:
        """Tell open cases to look whose text is followed by another one now, each once."""
        for case in beside:
            old = self._library.collections(work.session, case.policy)
            new = self._library.in_force(work.session, "collections", old.name, account.today)
            if new is None or old.case.binding != "adopt" or new.digest == old.digest:
                continue
            poke(work, row.id, case.number, f"{case.workflow}:{new.digest}", "policy", at)

    def _wanted(
        self, session: Session, row: AccountRow, policy: CollectionsPolicy | None,
        beside: Sequence[OpenCase], account: AccountPosition, at: datetime,
    ) -> list[_Wanted]:  # fmt: skip
        """Return what cases can be opened about, and when; nothing beside a case that covers it already."""
        if policy is None or not self._may_open(session, policy, beside):
            return []
        known = {case.item for case in beside}
        found = []
        for item in items(policy.case, account):
            if item not in known:
                previous = last_case(session, row, item)
                mine = _new_debts(account, previous)
                on = watch_on(policy, self.around(session, policy, mine), at, item)
                found.append(_Wanted(item, on, previous))
        return found

    def _may_open(self, session: Session, policy: CollectionsPolicy, beside: Sequence[OpenCase]) -> bool:
        """Tell whether another case may be opened beside those that are open: about a part, as they are."""
        return all(
            can_stand_beside(policy.case, self._library.collections(session, case.policy).case)
            for case in beside
        )

    def _when(
        self, session: Session, row: AccountRow, policy: CollectionsPolicy | None,
        beside: Sequence[OpenCase], account: AccountPosition, wanted: Sequence[_Wanted],
    ) -> datetime | None:  # fmt: skip
        """Return when to look: when the policy of today says so, or when another one comes into force."""
        if policy:
            found = min((one.on for one in wanted if one.on is not None), default=None)
        else:
            found = _first_overdue(_new_debts(account, last_case(session, row, WHOLE)))
        change = self._library.next_change(session, row, account.today)
        followed = [c for c in beside if self._library.collections(session, c.policy).case.binding == "adopt"]
        if change is None or not account.debts or (beside and not followed):
            return found
        start = datetime.combine(change, time(), ZoneInfo(row.timezone))
        return min(found, start) if found else start

    def _remind_on(
        self, session: Session, row: AccountRow, policy: CollectionsPolicy | None,
        account: AccountPosition, at: datetime,
    ) -> datetime | None:  # fmt: skip
        if policy is None or not policy.before_due:
            return None
        found = reminders(policy, self.around(session, policy, account), at, reminded(session, row.id))
        return at if found.actions else found.look_at

    def _untreated(self, session: Session, row: AccountRow, account: AccountPosition) -> str:
        """Return why nothing will be done about what is overdue; empty while nothing is."""
        if not any(debt.due_date < account.today for debt in _asked_for(account)):
            return ""
        why = self._library.why_untreated(session, row, account.today)
        return f"It is overdue, and no policy treats it. {why}"

    def _open(
        self, work: Work, row: AccountRow, policy: CollectionsPolicy, wanted: _Wanted,
        account: AccountPosition, at: datetime,
    ) -> None:  # fmt: skip
        number = row.cases + 1
        workflow = case_id(row.id, number)
        offset = self._offset(at)
        start = CaseStart(
            account=row.id,
            number=number,
            policy=policy.digest,
            item=wanted.item,
            clock_offset=offset,
            previous=_revivable(policy, wanted.previous, account),
        )
        work.session.add(
            CaseRow(
                account=row.id, number=number, workflow=workflow, item=wanted.item, policy=policy.digest,
                opened_at=at, offset_us=offset // timedelta(microseconds=1),
            )
        )  # fmt: skip
        work.session.flush()
        outbox.put(
            work,
            "case",
            "start",
            workflow,
            account=row.id,
            once=f"start:{workflow}",
            created_at=at,
            body=start,
        )
        row.cases, row.open_case = number, number
        work.audit("case", workflow, at, policy.digest)


def _asked_for(account: AccountPosition) -> list[Debt]:
    return [debt for debt in account.debts if debt.open > debt.disputed and not debt.written_off]


def _first_overdue(account: AccountPosition) -> datetime | None:
    """Return when a debt may become overdue: the account must be looked at though no policy says so."""
    next_day = timedelta(days=1)
    days = [debt.due_date + next_day for debt in _asked_for(account) if debt.due_date >= account.today]
    days += [account.next_value_date] if account.next_value_date else []
    return datetime.combine(min(days), time(), ZoneInfo(account.terms.timezone)) if days else None


def _new_debts(account: AccountPosition, previous: CaseRow | None) -> AccountPosition:
    """Leave out the debts that a case has dealt with for good: only newer ones open another.

    A cured case has dealt with nothing for good; a person who resumes one wants it looked at again.
    """
    if previous is None or previous.ended_at is None or previous.ended == "cured":
        return account
    ended = previous.ended_at
    if any(act.act == "resume" and act.received_at > ended for act in account.acts):
        return account
    return account.model_copy(update={"debts": tuple(d for d in account.debts if d.known_at > ended)})


def _revivable(
    policy: CollectionsPolicy, previous: CaseRow | None, account: AccountPosition
) -> Taken | None:  # fmt: skip
    """Return what the earlier case had done, if it was cured recently enough to be revived."""
    if previous is None or previous.taken is None or previous.ended != "cured" or not policy.case.revive:
        return None
    taken = Taken.model_validate_json(previous.taken)
    if taken.ended_on is None or policy.case.revive.after(taken.ended_on) < account.today:
        return None
    return taken
