"""Open the cases of accounts whose day has come."""

from __future__ import annotations

from temporalio import activity

from workflows import effects
from workflows.activities.registering import Registering
from workflows.messages import DepositRecord, PageRequest, PageResult, ReminderRecord
from workflows.ports import CaseBook, Evidence
from workflows.recorded import recorded_digest

TOGETHER = 20
"""Accounts of one transaction."""


class OpenDue:
    """Goes through one page of due accounts."""

    def __init__(self, cases: CaseBook, evidence: Evidence) -> None:
        self._cases = cases
        self._runs = Registering(evidence)

    @activity.defn(name=effects.OPEN_DUE)
    def open_due(self, request: PageRequest) -> PageResult:
        """Put the start of each due account's case into the outbox; the same again opens nothing twice.

        Taken up after a crash it goes through the page again: an account whose case was opened is no
        longer due. The looks at deposits that the crash has cut off asked for what they asked for, so the
        page names them.
        """
        self._runs.register("sweep", request.at)
        if not request.after:
            self._cases.regrade(request.at, request.limit)
        due = self._cases.due_accounts(request.at, request.after, request.limit)
        opened = 0
        told: list[ReminderRecord] = []
        again = activity.info().attempt > 1
        looked = self._cases.deposits_asked(request.at, request.after) if again else list[DepositRecord]()
        for start in range(0, len(due), TOGETHER):
            some = due[start : start + TOGETHER]
            opened += self._cases.open_cases(some, request.at)
            told += self._cases.remind(some, request.at)
            self._cases.review_levels(some, request.at)
            looked += self._cases.review_deposits(some, request.at)
            activity.heartbeat()
        reminded = tuple((record.account, recorded_digest(record)) for record in told)
        deposited = tuple((record.terms.account, recorded_digest(record)) for record in looked)
        return PageResult(
            last=due[-1] if due else "", seen=len(due), opened=opened, reminded=reminded,
            deposited=deposited,
        )  # fmt: skip
