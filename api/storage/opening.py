"""When an account's case opens: told by the engine after each entry, carried out here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, sql
from sqlmodel import Session

from api.storage import outbox
from api.storage.actions import NO_CASE
from api.storage.beside import OpenCase, ended_since, last_case, open_cases
from api.storage.contacts import with_contacts
from api.storage.errors import PolicyRefused
from api.storage.library import Library
from api.storage.pokes import poke
from api.storage.session import Work
from api.storage.tables import AccountRow, ActionRow, CaseRow, table_of
from engine.ladder import CollectionsPolicy, Position, Taken, watch_on
from engine.ladder.aftercare import care_on
from engine.ladder.before_due import is_reminder, reminders
from engine.ladder.scope import can_stand_beside, is_divided, items
from engine.ledger.account import AccountPosition, Debt
from engine.ledger.entries import Entry, Hold
from engine.ledger.position import SETTLED_DAYS
from engine.text import Period
from engine.workdays import DayNotCovered
from workflows.ids import case_id
from workflows.messages import CaseStart
from workflows.ports import PolicyNotFound

log = logging.getLogger("forbear.opening")
_ACTIONS = table_of(ActionRow).c
_OF_NO_CASE = sql.select(_ACTIONS.key).where(
    _ACTIONS.account == bindparam("account"), _ACTIONS.number == NO_CASE
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a case can be opened about, when, and the last one that there was about it."""

    item: str
    on: datetime | None
    previous: CaseRow | None
    policy: CollectionsPolicy
    care: bool = False
    """It is to look after the last one, under that one's text."""


def reminded(session: Session, account: str) -> frozenset[str]:
    """Return the keys of the notices before due dates that were asked for."""
    found = session.connection().execute(_OF_NO_CASE, {"account": account}).scalars()
    return frozenset(key for key in found if is_reminder(key))


def treating(session: Session, library: Library, row: AccountRow, on: date) -> CollectionsPolicy | None:
    """Return the policy that treats an account: its open case's, else that of the day; None: none does."""
    try:
        if opened := open_cases(session, row):
            return library.collections(session, opened[-1].policy)
        return library.collections_for(session, row, on)
    except (PolicyNotFound, PolicyRefused):
        return None  # the account is in trouble already, and says so


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
                row.trouble = "" if policy else self._untreated(work.session, row, account)
        except (PolicyNotFound, PolicyRefused, DayNotCovered) as error:
            # News is never lost because a text is missing: the account is looked at again tomorrow.
            log.error("Account %s cannot be watched: %s", row.id, error)
            row.trouble, row.watch_on = str(error), at + timedelta(days=1)
            return 0
        due = [one for one in wanted if one.on is not None and one.on <= at]
        if not opens or not due:
            return 0
        for one in due:
            self._open(work, row, one, at)
        opened = open_cases(work.session, row)
        wanted = self._wanted(work.session, row, policy, opened, account, at)
        row.watch_on = self._when(work.session, row, policy, opened, account, wanted)
        return len(due)

    def lasts(self, session: Session, row: AccountRow, entry: Entry) -> Mapping[str, Period]:
        """Return after how long holds without an end are over, by the policy that treats the account."""
        if not isinstance(entry, Hold):
            return {}
        policy = treating(session, self._library, row, entry.value_date)
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
        known = {case.item for case in beside}
        found: list[_Wanted] = []
        if policy is not None and self._may_open(session, policy, beside):
            around = self.around(session, policy, account)
            for item in items(policy.case, account):
                if item not in known:
                    on = watch_on(policy, around, at, item)
                    found.append(_Wanted(item, on, last_case(session, row, item), policy))
        known |= {one.item for one in found if one.on is not None and one.on <= at}
        return [*found, *self._to_look_after(session, row, known, account, at)]

    def _to_look_after(
        self, session: Session, row: AccountRow, known: Set[str], account: AccountPosition, at: datetime
    ) -> Iterator[_Wanted]:
        """Yield the ended cases of which late news can still be heard, and when somebody has to look."""
        for item, last in ended_since(session, row, at - timedelta(days=SETTLED_DAYS)).items():
            if item not in known and (taken := _handed_on(last)):
                policy = self._library.collections(session, last.policy)
                on = care_on(policy, self.around(session, policy, account), at, taken)
                yield _Wanted(item, on, last, policy, care=True)

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
        found = min((one.on for one in wanted if one.on is not None), default=None)
        if policy is None:
            found = min((on for on in (_first_overdue(account), found) if on), default=None)
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
        beside = with_contacts(session, row, account)
        found = reminders(policy, self.around(session, policy, beside), at, reminded(session, row.id))
        return at if found.actions else found.look_at

    def _untreated(self, session: Session, row: AccountRow, account: AccountPosition) -> str:
        """Return why nothing will be done about what is overdue; empty while nothing is."""
        if not any(debt.due_date < account.today for debt in _asked_for(account)):
            return ""
        why = self._library.why_untreated(session, row, account.today)
        return f"It is overdue, and no policy treats it. {why}"

    def _open(self, work: Work, row: AccountRow, wanted: _Wanted, at: datetime) -> None:
        number = row.cases + 1
        workflow = case_id(row.id, number)
        offset = self._offset(at)
        start = CaseStart(
            account=row.id,
            number=number,
            policy=wanted.policy.digest,
            item=wanted.item,
            clock_offset=offset,
            previous=_handed_on(wanted.previous),
            care=wanted.care,
        )
        work.session.add(
            CaseRow(
                account=row.id, number=number, workflow=workflow, item=wanted.item,
                policy=wanted.policy.digest,
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
        work.audit("case", workflow, at, wanted.policy.digest)


def _asked_for(account: AccountPosition) -> list[Debt]:
    return [debt for debt in account.debts if debt.open > debt.disputed and not debt.written_off]


def _first_overdue(account: AccountPosition) -> datetime | None:
    """Return when a debt may become overdue: the account must be looked at though no policy says so."""
    next_day = timedelta(days=1)
    days = [debt.due_date + next_day for debt in _asked_for(account) if debt.due_date >= account.today]
    days += [account.next_value_date] if account.next_value_date else []
    return datetime.combine(min(days), time(), ZoneInfo(account.terms.timezone)) if days else None


def _handed_on(previous: CaseRow | None) -> Taken | None:
    """Return what the earlier case had done, with the text that it was bound to."""
    if previous is None or previous.taken is None:
        return None
    return Taken.model_validate_json(previous.taken).model_copy(update={"text": previous.policy})
