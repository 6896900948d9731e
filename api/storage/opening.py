"""When an account's case opens: told by the engine after each entry, carried out here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.storage import outbox
from api.storage.errors import PolicyRefused
from api.storage.library import Library
from api.storage.session import Work
from api.storage.tables import AccountRow, CaseRow
from engine.ladder import CollectionsPolicy, Position, Taken, watch_on
from engine.ledger.account import AccountPosition, Debt
from engine.ledger.entries import Entry, Hold
from engine.text import Period
from engine.workdays import DayNotCovered
from workflows.ids import case_id
from workflows.messages import CaseStart
from workflows.ports import PolicyNotFound

log = logging.getLogger("forbear.opening")


class Opening:
    """Keeps each account's `watch_on`, and opens its case when that has come."""

    def __init__(self, library: Library, offset: Callable[[datetime], timedelta]) -> None:
        self._library = library
        self._offset = offset

    def watch(
        self, work: Work, row: AccountRow, account: AccountPosition, at: datetime, *, opens: bool
    ) -> bool:
        """Set when the account must be looked at; open its case if that is now. Tell whether it did."""
        previous = _last_case(work.session, row)
        try:
            policy = self._library.collections_for(work.session, row, account.today)
            account_now = _new_debts(account, previous)
            row.watch_on = self._when(work.session, row, policy, account_now, at)
            row.trouble = "" if policy else self._untreated(work.session, row, account_now)
        except (PolicyNotFound, PolicyRefused, DayNotCovered) as error:
            # News is never lost because a text is missing: the account is looked at again tomorrow.
            log.error("Account %s cannot be watched: %s", row.id, error)
            row.trouble, row.watch_on = str(error), at + timedelta(days=1)
            return False
        if not opens or policy is None or row.watch_on is None or row.watch_on > at:
            return False
        self._open(work, row, policy, previous, account, at)
        return True

    def lasts(self, session: Session, row: AccountRow, entry: Entry) -> Mapping[str, Period]:
        """Return after how long holds without an end are over, by the policy that treats the account."""
        if not isinstance(entry, Hold):
            return {}
        last = _last_case(session, row)
        try:
            if row.open_case is not None and last is not None:
                policy: CollectionsPolicy | None = self._library.collections(session, last.policy)
            else:
                policy = self._library.collections_for(session, row, entry.value_date)
        except (PolicyNotFound, PolicyRefused):
            return {}  # the account is in trouble already; nothing ends by itself then
        return {kind: rules.lasts for kind, rules in policy.holds.items() if rules.lasts} if policy else {}

    def _when(
        self, session: Session, row: AccountRow, policy: CollectionsPolicy | None, account: AccountPosition,
        at: datetime,
    ) -> datetime | None:  # fmt: skip
        """Return when to look: when the policy of today says so, or when another one comes into force."""
        if policy:
            found = watch_on(policy, self._around(session, policy, account), at)
        else:
            found = _first_overdue(account)
        change = self._library.next_change(session, row, account.today)
        if change is None or not account.debts:
            return found
        start = datetime.combine(change, time(), ZoneInfo(row.timezone))
        return min(found, start) if found else start

    def _untreated(self, session: Session, row: AccountRow, account: AccountPosition) -> str:
        """Return why nothing will be done about what is overdue; empty while nothing is."""
        if not any(debt.due_date < account.today for debt in _asked_for(account)):
            return ""
        why = self._library.why_untreated(session, row, account.today)
        return f"It is overdue, and no policy treats it. {why}"

    def _around(self, session: Session, policy: CollectionsPolicy, account: AccountPosition) -> Position:
        law = self._library.law(session, policy.regulation, account.today)
        calendar = self._library.calendar(session, policy.calendar, account.today)
        return Position(account, law, calendar)

    def _open(
        self, work: Work, row: AccountRow, policy: CollectionsPolicy, previous: CaseRow | None,
        account: AccountPosition, at: datetime,
    ) -> None:  # fmt: skip
        number = row.cases + 1
        workflow = case_id(row.id, number)
        offset = self._offset(at)
        start = CaseStart(
            account=row.id,
            number=number,
            policy=policy.digest,
            clock_offset=offset,
            previous=_revivable(policy, previous, account),
        )
        work.session.add(
            CaseRow(
                account=row.id, number=number, workflow=workflow, policy=policy.digest, opened_at=at,
                offset_us=offset // timedelta(microseconds=1),
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
        row.cases, row.open_case, row.watch_on = number, number, None
        work.audit("case", workflow, at, policy.digest)


def _asked_for(account: AccountPosition) -> list[Debt]:
    return [debt for debt in account.debts if debt.open > debt.disputed and not debt.written_off]


def _first_overdue(account: AccountPosition) -> datetime | None:
    """Return when a debt may become overdue: the account must be looked at though no policy says so."""
    next_day = timedelta(days=1)
    days = [debt.due_date + next_day for debt in _asked_for(account) if debt.due_date >= account.today]
    days += [account.next_value_date] if account.next_value_date else []
    return datetime.combine(min(days), time(), ZoneInfo(account.terms.timezone)) if days else None


def _last_case(session: Session, row: AccountRow) -> CaseRow | None:
    return session.get(CaseRow, (row.id, row.cases)) if row.cases else None


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
