"""The courier: takes an account's messages to the receiver, in order, each while its ground still holds."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from api.relay.mailer import Mail, Mailer, subject_and_text
from api.relay.receiver import Answer, Receiver
from api.relay.together import gather, joined, joined_text
from api.storage import outbox
from api.storage.accounts import lock_account
from api.storage.acting import Acting, receipt_id
from api.storage.actions import FINAL, action_of, get_action, happened_at
from api.storage.brakes import BRAKED
from api.storage.contacts import hold_customer
from api.storage.customers import fact_rows, latest_facts
from api.storage.errors import StorageError
from api.storage.fact_notes import EMAIL
from api.storage.ledger import LedgerWriter
from api.storage.mailed import TOGETHER
from api.storage.pokes import poke_cases
from api.storage.session import Database, Work
from api.storage.stopped import Stopped
from api.storage.tables import AccountRow, ActionRow, OutboxRow
from engine.ladder.notices import notice_text
from engine.ledger.entries import Receipt
from engine.model import Model
from workflows.messages import ActionState

log = logging.getLogger("forbear.courier")

PAUSES = tuple(
    timedelta(seconds=s) for s in (5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long to wait after each failed attempt; after the last one the message is dead: some three days."""
JITTER = 0.2
EMAILED = "%/notify.email.%/do"
"""The keys of notices by e-mail, as a pattern of SQL."""


class SaidReceipt(Model):
    """A receiver's word in its answer: what became of the action, and when."""

    status: Literal["done", "failed", "suppressed"]
    at: AwareDatetime | None = None
    detail: str = ""
    until: date | None = None


_Said: TypeAdapter[SaidReceipt] = TypeAdapter(SaidReceipt)


@dataclass(frozen=True, slots=True)
class _Beside:
    number: int
    account: str
    key: str


@dataclass(frozen=True, slots=True)
class _Send:
    number: int
    key: str
    body: bytes
    attempt: int
    traceparent: str
    mail: Mail | None = None
    more: tuple[_Beside, ...] = ()
    """Notices that go out with it, in one message."""
    name: str = ""
    """The message's id, the same for each attempt: the key of the first notice in it, whoever sends it."""


@dataclass(frozen=True, slots=True)
class _Wait:
    until: datetime


_Next: TypeAlias = "_Send | _Wait | Literal['again', 'nothing']"


class Courier:
    """Carries what is in the outbox to its receiver; without one everything is kept and shown."""

    def __init__(
        self, database: Database, acting: Acting, writer: LedgerWriter, receiver: Receiver | None,
        now: Callable[[], datetime], stopped: Stopped, mailer: Mailer | None = None,
    ) -> None:  # fmt: skip
        self._mailer = mailer
        self._database = database
        self._acting = acting
        self._writer = writer
        self._receiver = receiver
        self._now = now
        self._stopped = stopped

    @property
    def sends(self) -> bool:
        """Tell whether there is a receiver that still wants to be told."""
        return self._mailer is not None or (self._receiver is not None and not self.gone)

    @property
    def gone(self) -> bool:
        """Tell whether the receiver has said that it wants nothing more (410)."""
        return self._stopped.since() is not None

    @property
    def only(self) -> str:
        """What alone is taken out of the outbox, as a pattern of subjects: e-mail, if nobody else is told."""
        return self._only(self.gone)

    def _only(self, gone: bool) -> str:
        return "" if self._receiver is not None and not gone else EMAILED

    def _pending(self, account: str) -> tuple[str, OutboxRow] | None:
        """Return what may be sent at all, as `only`, and an account's first message of it, or None.

        Only read: most looks find nothing left, and nobody should have to wait for them.
        """
        with self._database.read() as session:
            gone = self._receiver is None or self._stopped.since(session) is not None
            if gone and self._mailer is None:
                return None
            only = self._only(gone)
            head = outbox.head_of(session, account, "webhook", only)
        return (only, head) if head else None

    def deliver(self, account: str, at: datetime, *, pokes: bool = False) -> datetime | None:
        """Try the account's pending messages now, in order, once each; see the port `Courier`.

        `pokes`: wake the case by what comes of it; the workflow's own activity looks again by itself.
        """
        while pending := self._pending(account):
            found = self._next(account, at, pokes, pending[0])
            if found == "nothing":
                return None
            if isinstance(found, _Wait):
                return found.until
            if isinstance(found, _Send) and not self._send(account, found, at, pokes):
                left = self._pending(account)
                return left[1].next_at if left else None
        return None

    def _next(self, account: str, at: datetime, pokes: bool, only: str) -> _Next:
        """Take the first message if it may go; withdraw or expire it if it may never."""
        with self._database.write() as work:
            head = outbox.head_of(work.session, account, "webhook", only, at)
            head = head or outbox.head_of(work.session, account, "webhook", only)
            if head is None:
                return "nothing"
            assert head.id is not None
            if "/notify." in head.subject:
                hold_customer(work.session, account)
            row = lock_account(work.session, account)
            at = max(at, row.last_received or at)
            wait = max((i for i in (head.next_at, head.not_before) if i is not None), default=at)
            if wait > at:
                return _Wait(wait)
            action = get_action(work.session, head.subject)
            if action.state in FINAL and not head.replayed:
                outbox.settle(work, head.id, "withdrawn", at, f"it is {action.state} already")
                return "again"
            if head.not_after is not None and at > head.not_after:
                why = f"It could be carried out until {head.not_after.isoformat()}; then nobody had taken it."
                status: Literal["withdrawn", "expired"] = "expired"
                if head.error.startswith(BRAKED):  # nobody failed: it is asked for again on another day
                    status, why = "withdrawn", head.error
                return self._drop(work, row, head, action, status, why, at, pokes)
            if why := self._acting.ground_gone(work.session, row, action, at):
                return self._drop(work, row, head, action, "withdrawn", why, at, pokes)
            if self._acting.waits(work, action, head, at) is not None:
                return "again"
            speaks = self._acting.speaks_from(work.session, row, action, at)
            if speaks > at:
                outbox.wait_until(work, head.id, speaks)
                return "again"
            now = self._now()
            if not outbox.lease(work, head.id, now):
                return _Wait(at + outbox.LEASE)
            more = gather(work, self._acting, row, head, action, at, now)
            first, *others = sorted([head, *more], key=lambda one: one.id or 0)
            body = joined(outbox.with_cause(first, sequence=f"{first.id:012d}"), others)
            mail = self._mail(work, row, action)
            if mail is not None and more:
                texts = [json.loads(one.body)["data"].get("text", "") for one in more]
                mail = replace(mail, key=first.subject, text=joined_text([mail.text, *filter(None, texts)]))
            beside = tuple(_Beside(one.id or 0, one.account, one.subject) for one in more)
            attempt, trace = head.attempts + 1, head.traceparent
            return _Send(head.id, action.key, body, attempt, trace, mail, beside, first.subject)

    def _mail(self, work: Work, row: AccountRow, stored: ActionRow) -> Mail | None:
        """Return a notice by e-mail as its customer gets it; None for what the receiver is told."""
        action = action_of(stored)
        if self._mailer is None or action.do != "notify" or action.args[:1] != ("email",) or action.undo:
            return None
        policy = self._acting.policy(work.session, stored.policy)
        text = notice_text(policy, action)
        if not text:
            return None  # the receiver holds the text
        known = latest_facts(fact_rows(work.session, [row.customer]))
        to = str(known[EMAIL].value) if EMAIL in known else ""
        subject, text = subject_and_text(text, action.language, row.id)
        return Mail(action.key, to, subject, text, action.language)

    def _drop(
        self, work: Work, row: AccountRow, head: OutboxRow, action: ActionRow,
        status: Literal["withdrawn", "expired"], why: str, at: datetime, pokes: bool,
    ) -> Literal["again"]:  # fmt: skip
        assert head.id is not None
        outbox.settle(work, head.id, status, at, why)
        self._end(work, row, action.key, status, why, at, pokes)
        return "again"

    def _end(
        self, work: Work, row: AccountRow, key: str, status: ActionState, why: str, at: datetime, pokes: bool
    ) -> None:
        self._acting.end(work, row, key, status, why, at)
        if row.open_case is None:
            row.watch_on = at  # the sweep sees whether an ended case has to be looked after
        if pokes:
            poke_cases(work, row, "receipt", at)

    def _send(self, account: str, message: _Send, at: datetime, pokes: bool) -> bool:
        """Send a message and keep what came of it; tell whether the next one may follow."""
        if message.mail is not None and self._mailer is not None:
            answer = self._mailer.send(message.mail, at)
        else:
            assert self._receiver is not None
            answer = self._receiver.send(message.name, message.body, self._now(), message.traceparent)
        if answer.status == 410:
            log.error("The receiver answered 410 Gone: nothing more is sent until `POST /v1/webhook/resume`.")
            self._stopped.stop(self._now())
        said = said_in(answer) if answer.ok else None
        try:
            self._note(account, message, answer, said, at, pokes)
        except (StorageError, ValidationError) as error:
            if said is None:
                raise
            log.warning("The receipt in the answer to %s cannot be used: %s", message.key, error)
            self._note(account, message, answer, None, at, pokes)
        return answer.ok

    def _note(
        self,
        account: str,
        message: _Send,
        answer: Answer,
        said: SaidReceipt | None,
        at: datetime,
        pokes: bool,
    ) -> None:
        """Keep what came of a message, the receipt in one transaction with the delivery.

        A process that dies before has not delivered it, and asks again.
        """
        until = at + pause(message.attempt) if message.attempt <= len(PAUSES) else None
        with self._database.write() as work:
            if message.more:
                hold_customer(work.session, account)
            told = (message.number, message.key)
            self._settle(work, account, told, message, answer, said, at, until, pokes)
            for one in message.more:
                told = (one.number, one.key)
                self._settle(work, one.account, told, message, answer, said, at, until, pokes=True)

    def _settle(
        self, work: Work, account: str, told: tuple[int, str], message: _Send, answer: Answer,
        said: SaidReceipt | None, at: datetime, until: datetime | None, pokes: bool,
    ) -> None:  # fmt: skip
        number, key = told
        row = lock_account(work.session, account)
        at = max(at, row.last_received or at)
        if answer.ok:
            note = "" if key == message.name else f"{TOGETHER}{message.name}"
            outbox.settle(work, number, "delivered", at, note)
        elif until is None:
            why = f"After {message.attempt} attempts: {answer.error}"
            outbox.settle(work, number, "dead", at, why)
            self._end(work, row, key, "failed", why, at, pokes)
        else:
            outbox.put_off(work, number, until, answer.error)
        if said is not None:
            asked = get_action(work.session, key)
            receipt = _receipt(row, key, said, at, happened_at(asked, min(said.at or at, at)))
            self._writer.post(work, account, receipt, clamp=True, pokes=pokes)


def _receipt(
    row: AccountRow, key: str, said: SaidReceipt, at: datetime, done_at: datetime
) -> Receipt:  # fmt: skip
    return Receipt(
        id=receipt_id(key, said.status, done_at),
        value_date=done_at.astimezone(ZoneInfo(row.timezone)).date(),
        received_at=at, key=key, status=said.status, at=done_at, detail=said.detail[:500], until=said.until,
    )  # fmt: skip


def said_in(answer: Answer) -> SaidReceipt | None:
    """Return a receiver's word in its answer; None if it said none that can be read."""
    receipt = answer.body.get("receipt") if isinstance(answer.body, dict) else None
    if receipt is None:
        return None
    try:
        return _Said.validate_python(receipt)
    except ValidationError as error:
        log.warning("The answer's receipt cannot be read: %s", error)
        return None


def pause(attempt: int) -> timedelta:
    """Return how long to wait after the n-th failed attempt."""
    base = PAUSES[attempt - 1]
    return base * (1 + random.uniform(-JITTER, JITTER))  # spreads load, keeps no secret
