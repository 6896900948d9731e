"""What workflows need of the world, as Protocols; `api/storage` implements them.

All methods are synchronous: activities run in threads. Instants are always arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Protocol

from engine.credit.decision import Fact
from engine.ladder.law import LawPack
from engine.ladder.state import Position
from engine.policy import Manifest
from workflows.messages import (
    ActRequest,
    ActResult,
    AssessmentRecord,
    AssessmentRequest,
    CloseRequest,
    DepositRecord,
    ReminderRecord,
    ReviewChunk,
    StepRecord,
    TroubleNote,
)


class PolicyNotFound(LookupError):
    """No policy with this digest, or none of this name in force on the day, is on the shelf."""

    def __init__(self, wanted: str, near: str = "") -> None:
        name, paren, which = wanted.partition(" (")
        said = f"`{name}`{paren}{which}"
        then = f"Did you mean `{near}`?" if near else "Publish it first: `forbear publish`."
        super().__init__(f"No policy {said} is on the shelf. {then}")
        self.wanted = wanted


class TextNotFound(LookupError):
    """No text with this digest is on the shelf."""

    def __init__(self, digest: str) -> None:
        super().__init__(f"No text `{digest}` is on the shelf.")
        self.digest = digest


class AccountNotFound(LookupError):
    """There is no account of this id."""

    def __init__(self, account: str) -> None:
        super().__init__(f"There is no account `{account}`. Create it with `POST /v1/accounts` first.")
        self.account = account


class InForce(Protocol):
    """Which text of a name is in force."""

    @property
    def digest(self) -> str:
        """Return the policy's digest."""
        ...


class PolicyShelf(Protocol):
    """Texts by digest, for ever."""

    def texts(self, policy: str) -> tuple[Manifest, dict[str, bytes]]:
        """Return the manifest and raw texts of the policy with this digest; raise PolicyNotFound."""
        ...

    def law(self, name: str, on: date) -> LawPack:
        """Return the law pack of that name in force on a day."""
        ...

    def in_force(self, kind: str, name: str, on: date) -> InForce:
        """Return which text of a name is in force on a day; raise PolicyNotFound."""
        ...

    def text(self, digest: str) -> bytes:
        """Return one text by its digest; raise TextNotFound."""
        ...


class Ledger(Protocol):
    """Positions and facts of accounts, as known at an instant."""

    def position(self, account: str, at: datetime, regulation: str, calendar: str) -> Position:
        """Return the account's position at `at`, with the law and calendar in force that day."""
        ...

    def facts(self, customer: str, account: str, as_of: date, at: datetime, currency: str) -> dict[str, Fact]:
        """Gather the facts for grading from master data and ledger, each with source and day.

        Amounts count the accounts in `currency`, the policy's; what is known only in another currency is
        told as `Money` of that one. All other facts count every account.
        """
        ...

    def facts_of(
        self, customers: Sequence[tuple[str, str]], as_of: date, at: datetime
    ) -> list[dict[str, Fact]]:
        """Gather the facts of many (customer, currency) at once, in their order; each as `facts` would."""
        ...

    def customers_after(self, cursor: str, limit: int) -> list[tuple[str, str]]:
        """Return (customer, segment) after the cursor, in order of id."""
        ...


class CaseBook(Protocol):
    """What cases write: steps, actions, ends."""

    def note_step(self, record: StepRecord) -> None:
        """Keep the latest step of a case for lists and for the relay; idempotent.

        A record with an earlier `at` than the one kept changes nothing; a new one takes back a trouble.
        """
        ...

    def note_trouble(self, note: TroubleNote) -> None:
        """Keep why a case cannot go on, for lists and for readiness; idempotent."""
        ...

    def act(self, request: ActRequest) -> ActResult:
        """Derive the step again with the account locked and put what still holds into the outbox.

        One transaction; idempotent by action key. What no longer holds is withdrawn, with a `withdrawn`
        receipt in the ledger, so that the next step sees it; a key that was asked for before is answered
        as requested and changes nothing.
        """
        ...

    def close(self, request: CloseRequest) -> None:
        """Mark the case ended and set the account's next `watch_on`; idempotent."""
        ...

    def due_accounts(self, at: datetime, after: str, limit: int) -> list[str]:
        """Return accounts that are due: a case may open, or a bill is to be announced before its due date."""
        ...

    def open_cases(self, accounts: Sequence[str], at: datetime) -> int:
        """Put the starts of the next cases of these accounts into the outbox, in one transaction.

        Returns how many were opened. Open cases whose text another one follows now are told to look.
        """
        ...

    def regrade(self, at: datetime, limit: int, account: str = "") -> int:
        """Ask for new grades that time has brought, each once; return how many were asked for.

        `account`: only of its customer.
        """
        ...

    def review_deposits(self, accounts: Sequence[str], at: datetime) -> list[DepositRecord]:
        """Ask for what the rules of deposits say of these accounts, each thing once.

        Returns a record for each account of whose deposit something was asked.
        """
        ...

    def deposits_asked(self, since: datetime, after: str) -> list[DepositRecord]:
        """Return the looks at deposits from an instant on that asked for something, of accounts after one."""
        ...

    def review_levels(self, accounts: Sequence[str], at: datetime) -> int:
        """Tell of the levels of service that others demand of these accounts, each once, where that is due.

        Returns how many messages and tasks came of it.
        """
        ...

    def remind(self, accounts: Sequence[str], at: datetime) -> list[ReminderRecord]:
        """Put the notices that announce bills of these accounts before their due date into the outbox.

        Each notice once for ever; returns a record for each account that was told.
        """
        ...


class Courier(Protocol):
    """Carries what is in the outbox to its receiver."""

    def deliver(self, account: str, at: datetime) -> datetime | None:
        """Try the account's pending webhooks now, in order, once each, at business time `at`.

        A receiver that confirms in its answer is recorded as a receipt at once. Returns the instant at
        which the first one that has to wait (allowed hours, a retry) may be tried; None: nothing waits.
        Each is withdrawn if its reason is gone; a severe one is derived again each time.
        """
        ...


class DecisionBook(Protocol):
    """Where decisions are kept."""

    def find(self, request: str) -> AssessmentRecord | None:
        """Return the decision already taken for a request."""
        ...

    def keep(
        self, record: AssessmentRecord, trace: bytes, run: tuple[str, str] | None = None
    ) -> AssessmentRecord:
        """Keep a decision, and what must be told of it, and return the one that counts for its request.

        Idempotent by `request`: what was stored first stays, and is returned. `trace` is the text that the
        record's `trace_digest` is of. `run` (workflow and run) registers, in the same transaction, the
        assessment's run as evidence that must be exported. All is committed when this returns.
        """
        ...

    def record(self, records: Iterable[AssessmentRecord]) -> None:
        """Keep decisions as `keep` does, all or none of them."""
        ...

    def refused(self, request: AssessmentRequest, why: str) -> None:
        """Note that a request will never be answered, and why; idempotent, nothing if it was answered."""
        ...

    def note_chunk(self, run: str, chunk: ReviewChunk) -> None:
        """Keep what a chunk of a review did; idempotent by run and cursor."""
        ...


class Evidence(Protocol):
    """Histories that outlive retention."""

    def register(self, workflow: str, run: str, kind: str, at: datetime) -> None:
        """Note that a run exists and must be exported before retention; idempotent."""
        ...


class Clock(Protocol):
    """The system clock, for the one check that may ask it: whether a severe action is of today."""

    def refuses(self, at: datetime) -> str:
        """Return why an action decided at `at` must not be carried out now; empty: it may."""
        ...
