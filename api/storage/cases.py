"""Cases: the latest look at each, its story, its opening and its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, sql
from sqlmodel import Session, col, select

from api.storage.accounts import get_account, lock_account
from api.storage.acting import Acting
from api.storage.announcing import Announcing
from api.storage.beside import open_cases
from api.storage.depositing import asked_since
from api.storage.errors import NotFound
from api.storage.looks import Noted
from api.storage.opening import Opening
from api.storage.positions import Positions
from api.storage.regrading import Regrading
from api.storage.session import Database, Work
from api.storage.tables import AccountRow, CaseRow, CaseStepRow, table_of
from api.storage.tasks import withdraw_approvals
from api.storage.troubles import note_unmatched
from api.storage.watch_ledger import LedgerNews
from engine.ladder import Taken
from engine.ladder.memory import do_of
from engine.model import canonical, digest, digest_bytes
from workflows.messages import (
    ActRequest,
    ActResult,
    CloseRequest,
    DepositRecord,
    ReminderRecord,
    StepRecord,
    TroubleNote,
)

_CASES = table_of(CaseRow).c
_KEPT = sql.select(_CASES.account, _CASES.number, _CASES.looked_at, _CASES.record, _CASES.taken).where(
    _CASES.workflow == bindparam("workflow")
)
_OF_WORKFLOW = select(CaseRow).where(CaseRow.workflow == bindparam("workflow"))


class SqlCaseBook:
    """Cases behind the port `CaseBook`."""

    def __init__(
        self, database: Database, positions: Positions, opening: Opening, acting: Acting, news: LedgerNews,
        announcing: Announcing, regrading: Regrading,
    ) -> None:  # fmt: skip
        self._database = database
        self._news = news
        self._positions = positions
        self._opening = opening
        self._acting = acting
        self._announcing = announcing
        self._regrading = regrading

    def note_step(self, record: StepRecord) -> None:
        """Keep the latest step of a case; an earlier one than the one kept changes nothing."""
        with self._database.write() as work:
            row = work.session.connection().execute(_KEPT, {"workflow": record.case}).one_or_none()
            if row is None:
                raise NotFound("case", record.case)
            if row.looked_at is not None and record.at < row.looked_at:
                return
            looks, body = self._acting.looks, record.model_dump_json()
            if row.record == body:
                return
            if row.record is None or _changes(looks.stored(record.case, row.record), record):
                _tell(work, row.account, row.number, record)
            proposed = _proposals(looks.taken(record.case, row.taken)) if row.taken else set()
            noted = Noted(body, record.taken.model_dump_json(), record)
            work.update(CaseRow, {"account": row.account, "number": row.number}, _columns(noted))
            looks.note(noted)
            if dropped := proposed - _proposals(record.taken):
                withdraw_approvals(work, dropped, record.at)
            for promise in self._news.step(work, record):
                customer = record.position.terms.customer
                self._regrading.note(work, customer, "promise_broken", f"{row.account}/{promise}", record.at)

    def note_trouble(self, note: TroubleNote) -> None:
        """Keep why a case cannot go on, until a step succeeds."""
        with self._database.write() as work:
            row = require_case(work.session, note.case)
            row.trouble = note.model_dump_json()
            work.session.add(row)

    def act(self, request: ActRequest) -> ActResult:
        """Derive the step again with the account locked; put what still holds into the outbox."""
        with self._database.write() as work:
            return self._acting.act(work, request)

    def close(self, request: CloseRequest) -> None:
        """Mark the case ended and set when the account is looked at next; the same again changes nothing."""
        with self._database.write() as work:
            account = lock_account(work.session, request.account)
            row = require_case(work.session, request.case)
            if row.state == "ended":
                return
            row.state, row.ended, row.ended_at = "ended", request.ended, request.at
            row.taken, row.chain = request.taken.model_dump_json(), request.chain
            row.wake_at = row.trouble = None
            work.session.add(row)
            work.audit(
                "case-end", request.case, request.at, digest({"ended": request.ended, "chain": row.chain})
            )
            work.session.flush()
            left = [case.number for case in open_cases(work.session, account)]
            account.open_case = max(left, default=None)
            self._watch(work, account, request.at, opens=False)

    def due_accounts(self, at: datetime, after: str, limit: int) -> list[str]:
        """Return accounts that are due: for a case, a notice, a look at deposit or levels, in order of id."""
        due = (col(AccountRow.watch_on) <= at) | (col(AccountRow.remind_on) <= at)
        due = due | (col(AccountRow.deposit_on) <= at) | (col(AccountRow.level_on) <= at)
        query = select(AccountRow.id).where(due, AccountRow.id > after)
        with self._database.read() as session:
            return list(session.exec(query.order_by(AccountRow.id).limit(limit)))

    def open_case(self, account: str, at: datetime) -> bool:
        """Open the account's next cases if any is due; False if none is."""
        return self.open_cases([account], at) >= 1

    def open_cases(self, accounts: Sequence[str], at: datetime) -> int:
        """Open in one transaction the cases of each account that are due; return how many it opened.

        Of the others it finds out when they are to be looked at. Raises AccountNotFound.
        """
        with self._database.write() as work:
            rows = [lock_account(work.session, account) for account in sorted(accounts)]
            return sum(self._watch(work, row, at, opens=True) for row in rows if _is_watched(row, at))

    def remind(self, accounts: Sequence[str], at: datetime) -> list[ReminderRecord]:
        """Announce the bills of these accounts that fall due soon, each notice once."""
        due = select(AccountRow.id).where(col(AccountRow.id).in_(accounts), col(AccountRow.remind_on) <= at)
        with self._database.read() as session:
            wanted = list(session.exec(due.order_by(AccountRow.id)))
        found = []
        for account in wanted:  # a transaction each, because each holds its customer, too
            with self._database.write() as work:
                record = self._announcing.remind(work, account, at)
            found += [record] if record else []
        return found

    def regrade(self, at: datetime, limit: int, account: str = "") -> int:
        """Ask for new grades that time has brought, each once; return how many were asked for.

        `account`: only of its customer. Raises AccountNotFound.
        """
        with self._database.read() as session:
            customer = get_account(session, account).customer if account else ""
            due = self._regrading.due(session, at, limit, customer)
        asked = 0
        for one in due:  # a transaction each, because each holds its customer's look
            with self._database.write() as work:
                asked += self._regrading.look(work, one, at)
        return asked

    def review_deposits(self, accounts: Sequence[str], at: datetime) -> list[DepositRecord]:
        """Look at the deposits of these accounts that are due; return the looks that asked for something."""
        with self._database.write() as work:
            looks = [self._acting.deposits.review(work, account, at) for account in sorted(accounts)]
        return [record for record in looks if record is not None]

    def deposits_asked(self, since: datetime, after: str) -> list[DepositRecord]:
        """Return the looks at deposits from an instant on that asked for something, of accounts after one."""
        with self._database.read() as session:
            return asked_since(session, since, after)

    def review_levels(self, accounts: Sequence[str], at: datetime) -> int:
        """Look at the levels of service that others demand of these accounts, where that is due."""
        with self._database.write() as work:
            return sum(self._acting.levels.review(work, account, at) for account in sorted(accounts))

    def _watch(self, work: Work, row: AccountRow, at: datetime, *, opens: bool) -> int:
        at = max(at, row.last_received or at)
        entries = self._positions.entries(work.session, row)
        note_unmatched(row, entries)
        position = self._positions.of(work.session, row, entries, at)
        opened = self._opening.watch(work, row, position, at, opens=opens)
        work.session.add(row)
        return opened


def _is_watched(row: AccountRow, at: datetime) -> bool:
    """Tell whether an account has to be looked at: one with an open case only when it is due by itself."""
    return row.open_case is None or (row.watch_on is not None and row.watch_on <= at)


def _proposals(taken: Taken) -> set[str]:
    return {key for kept in taken.rows for key in kept.keys if do_of(key) == "approve"}


def _columns(noted: Noted) -> dict[str, Any]:
    record = noted.record
    return {
        "record": noted.body, "taken": noted.taken, "looked_at": record.at, "reached": record.trace.reached,
        "policy": record.policy, "wake_at": record.wake_at, "trouble": None,
    }  # fmt: skip


def _changes(last: StepRecord, record: StepRecord) -> bool:
    if record.actions or not record.open:
        return True
    return (last.trace.reached, last.trace.notes, last.taken.level, last.taken.rows) != (
        record.trace.reached, record.trace.notes, record.taken.level, record.taken.rows,
    )  # fmt: skip


def _tell(work: Work, account: str, number: int, record: StepRecord) -> None:
    told = {
        "at": record.at, "trace": record.trace, "level": record.taken.level, "open": record.open,
        "ended": record.taken.ended, "wake_at": record.wake_at,
        "actions": [{"key": a.key, "undo": a.undo} for a in record.actions],
    }  # fmt: skip
    body = canonical(told)
    values = {"account": account, "number": number, "at": record.at, "reached": record.trace.reached}
    work.insert_once(CaseStepRow, values | {"body": body.decode(), "digest": digest_bytes(body)})


def require_case(session: Session, workflow: str) -> CaseRow:
    """Return a case by its workflow's id; raise NotFound."""
    row = session.exec(_OF_WORKFLOW, params={"workflow": workflow}).one_or_none()
    if row is None:
        raise NotFound("case", workflow)
    return row


def get_case(session: Session, account: str, number: int) -> CaseRow:
    """Return an account's n-th case; raise NotFound."""
    row = session.get(CaseRow, (account, number))
    if row is None:
        raise NotFound("case", f"{account}/{number}")
    return row


def steps_of(session: Session, account: str, number: int) -> Sequence[CaseStepRow]:
    """Return the looks at a case that changed something, in order."""
    query = select(CaseStepRow).where(CaseStepRow.account == account, CaseStepRow.number == number)
    return session.exec(query.order_by(col(CaseStepRow.seq))).all()


def page_of_cases(
    session: Session, after: tuple[str, int], limit: int, account: str = "", state: str = "",
    *, troubled: bool = False,
) -> Sequence[CaseRow]:  # fmt: skip
    """Return cases after a cursor (account, number); `troubled`: only those that cannot go on."""
    first, second = after
    later = (col(CaseRow.account) > first) | (
        (col(CaseRow.account) == first) & (col(CaseRow.number) > second)
    )
    query = select(CaseRow).where(later)
    if account:
        query = query.where(CaseRow.account == account)
    if state:
        query = query.where(CaseRow.state == state)
    if troubled:
        query = query.where(CaseRow.state == "open", col(CaseRow.trouble).is_not(None))
    return session.exec(query.order_by(CaseRow.account, col(CaseRow.number)).limit(limit)).all()
