"""What goes into and out of workflows, activities and signals: one class in, one class out."""

from __future__ import annotations

from datetime import date, timedelta
from operator import not_
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from engine.credit.decision import Decision, Fact
from engine.ladder.state import Action, StepTrace, Taken
from engine.ledger import Entry
from engine.ledger.account import AccountPosition, Terms
from engine.model import Model


class Problem(Model):
    """A refusal that a caller can read: its stable type and its sentence."""

    type: str
    detail: str
    extra: dict[str, Any] = {}


class CaseStart(Model):
    """Start (or continue) one arrears case."""

    account: str
    number: int
    policy: str
    """Digest of the collections policy the case is bound to."""
    item: Annotated[str, Field(exclude_if=not_)] = ""
    """What the case is about: a bill, an instalment, a service; empty: the whole account."""
    clock_offset: timedelta = timedelta(0)
    """Business time is workflow time plus this; 0 in production."""
    taken: Taken | None = None
    """None at the first run: the first step opens the case."""
    previous: Taken | None = None
    """The earlier case of the same item, with the text that it was bound to."""
    care: Annotated[bool, Field(exclude_if=not_)] = False
    """It only hears what became known late about the earlier case."""
    chain: str = ""
    """Head of the hash chain of the run before; empty at the first."""
    seen: tuple[str, ...] = ()
    """Ids of the pokes taken last, across runs."""
    steps: int = 0
    """Looks taken in earlier runs."""
    run_length: Annotated[int, Field(ge=2)] = 100
    """Looks after which a run continues anew: a few hundred events, far from Temporal's limits."""


class Poke(Model):
    """News for a case: look again. Its facts come through the position, never through here."""

    id: str
    """The id of the outbox row; a second one with the same id is noted and ignored."""
    reason: str
    """The kind of entry that caused it: payment, receipt, hold ..."""
    sent_at: AwareDatetime


class StepRequest(Model):
    """Ask for one look at a case at `at`."""

    case: str
    account: str
    policy: str
    taken: Taken | None
    previous: Taken | None = None
    at: AwareDatetime
    item: Annotated[str, Field(exclude_if=not_)] = ""
    care: Annotated[bool, Field(exclude_if=not_)] = False


class StepRecord(Model):
    """One look at a case as it stands in the history: what was known, by which texts, what follows."""

    case: str
    at: AwareDatetime
    taken_before: str
    """Digest of the `taken` it started from (`digest(None)` at the look that opens the case)."""
    policy: str
    law: str
    calendar: str
    engine: str
    semantics: int
    position: AccountPosition
    taken: Taken
    actions: tuple[Action, ...]
    wake_at: AwareDatetime | None
    open: bool
    trace: StepTrace
    trace_digest: str
    adopted_from: Annotated[str, Field(exclude_if=not_)] = ""
    """Digest of the text that the case has left in this look, which only went over to `policy`."""


class ActRequest(Model):
    """Carry out the actions of a step: derived again, with the account locked, then into the outbox."""

    case: str
    account: str
    policy: str
    taken_before: Taken | None
    previous: Taken | None = None
    taken: Taken
    actions: tuple[Action, ...]
    at: AwareDatetime
    chain: str
    item: Annotated[str, Field(exclude_if=not_)] = ""
    care: Annotated[bool, Field(exclude_if=not_)] = False


class ActResult(Model):
    """What became of each action: asked for, or withdrawn because its reason was gone."""

    requested: tuple[str, ...] = ()
    withdrawn: tuple[tuple[str, str], ...] = ()
    """Key and reason."""
    version: int
    """The position's version at the re-read."""


class CloseRequest(Model):
    """Say that a case has ended: the account may open another."""

    case: str
    account: str
    number: int
    ended: str
    at: AwareDatetime
    taken: Taken
    chain: str


class TroubleNote(Model):
    """Say that a case cannot go on and why; the next look that succeeds takes it back."""

    case: str
    account: str
    problem: Problem
    at: AwareDatetime
    again_at: AwareDatetime
    """When the case looks again by itself; a poke wakes it earlier."""
    chain: str


class CaseResult(Model):
    """How a case ended."""

    ended: str
    taken: Taken
    chain: str


class CaseView(Model):
    """What a query of a running case answers."""

    business_now: AwareDatetime
    wake_at: AwareDatetime | None
    taken: Taken | None
    steps: int
    chain: str
    idle: bool
    """True when it waits: nothing is being decided or carried out."""
    problem: Problem | None = None
    """Why it cannot go on, if it cannot; a person is needed."""


NAMED: Literal[2] = 2
"""The form of a run that names its record: what is asked for now."""


class AssessmentRequest(Model):
    """Ask for a grade: facts given, or gathered from the ledger as of a date."""

    request: str
    policy: str
    """Digest of the credit policy."""
    customer: str = ""
    account: str = ""
    as_of: date
    at: AwareDatetime
    facts: dict[str, Fact] = {}
    """Given facts win over gathered ones."""
    regraded_for: Annotated[str, Field(exclude_if=not_)] = ""
    """What has happened since the last decision, in words; empty: nothing led to it but the request."""
    form: Annotated[Literal[1, 2], Field(exclude_if=lambda form: form == 1)] = 1
    """1: the run's result repeats the record. 2: it names it, and what came in is bound into the chain by the
    digest of its bytes."""


class AssessmentRecord(Model):
    """The decision as it stands in the history and in storage."""

    id: str
    request: str
    customer: str
    account: str
    at: AwareDatetime
    decision: Decision
    facts_digest: str
    trace_digest: str
    """Digest of the whole trace, also where only a part of it is kept; empty where none was taken."""
    regraded_for: Annotated[str, Field(exclude_if=not_)] = ""
    """For which causes the customer was graded anew."""


class AssessmentResult(Model):
    """A finished assessment: which decision, and the head of the hash chain over what it consumed."""

    record: Annotated[AssessmentRecord | None, Field(exclude_if=not_)] = None
    """The decision whole, in the first form."""
    id: Annotated[str, Field(exclude_if=not_)] = ""
    """The decision by its id, in the second."""
    chain: str


class ReviewRequest(Model):
    """Grade a whole book, page by page."""

    run: str
    policies: dict[str, str]
    """Digest of the credit policy by segment."""
    as_of: date
    at: AwareDatetime
    after: str = ""
    """Cursor: the last customer done."""
    chunk: int = 500
    chain: str = ""
    counts: dict[str, int] = {}
    """Decisions so far by status and by grade: `decided`, `refused`, `grade:A` ..."""


class ReviewChunk(Model):
    """What one chunk did: counts, cursor, and digests of all inputs and decisions in it."""

    last: str
    """The last customer done; empty when there was none after the cursor."""
    done: int
    counts: dict[str, int]
    inputs_digest: str
    """`running_digest` over `{"customer": id, "facts": facts}` of each customer decided on, in order."""
    decisions_digest: str
    """`running_digest` over the records in order, as they are stored."""
    failures: tuple[tuple[str, str], ...] = ()
    """The first customers on whom no decision could be taken, each with the reason in a sentence."""


class ChunkRequest(Model):
    """Grade the next customers after a cursor."""

    run: str
    policies: dict[str, str]
    as_of: date
    at: AwareDatetime
    after: str
    limit: int
    chain: str


class ReviewResult(Model):
    """A finished review."""

    counts: dict[str, int]
    chain: str


class SweepRequest(Model):
    """Open the cases of all accounts whose `watch_on` has come."""

    clock_offset: timedelta = timedelta(0)
    after: str = ""
    """Cursor: the last account looked at."""
    page: int = 200
    opened: int = 0
    chain: str = ""


class PageRequest(Model):
    """Open the cases of the next due accounts after a cursor."""

    at: AwareDatetime
    after: str
    limit: int
    chain: str


class PageResult(Model):
    """What one page of a sweep did; an empty `last` says that it was the last page."""

    last: str
    seen: int
    opened: int
    reminded: Annotated[tuple[tuple[str, str], ...], Field(exclude_if=not_)] = ()
    """For each account that was told of a bill before its due date: its id and the record's digest."""
    deposited: Annotated[tuple[tuple[str, str], ...], Field(exclude_if=not_)] = ()
    """For each account of whose deposit something was asked: its id and the record's digest."""


class ReminderRecord(Model):
    """One look at an account's bills that are not due yet: what was known, by which texts, what follows."""

    account: str
    at: AwareDatetime
    policy: str
    law: str
    calendar: str
    engine: str
    semantics: int
    position: AccountPosition
    asked: tuple[str, ...]
    """Keys of notices that were asked for before."""
    actions: tuple[Action, ...]
    look_at: AwareDatetime | None


class DepositRecord(Model):
    """One look at an account's deposit: what was known, by which text, what was asked for."""

    at: AwareDatetime
    policy: str
    engine: str
    semantics: int
    terms: Terms
    entries: tuple[Entry, ...]
    """What was known of the account, as far as rules of deposits read it."""
    known: tuple[tuple[str, str], ...]
    """What had become of each action that was asked for before, by key."""
    actions: tuple[Action, ...]


class SweepResult(Model):
    """A finished sweep."""

    opened: int
    chain: str


ActionState = Literal["requested", "done", "failed", "suppressed", "expired", "withdrawn"]
