"""What a step takes and gives: what was done, what to do, when to look again, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import not_
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from engine.ladder.law import LawPack
from engine.ledger.account import AccountPosition, Level
from engine.model import Amount, Model, digest
from engine.workdays import Calendar


@dataclass(frozen=True, slots=True)
class Position:
    """What `step` reads: the account as known, and the law and calendar of the day."""

    account: AccountPosition
    law: LawPack
    calendar: Calendar


class Action(Model):
    """One effect that is asked for; its key is `case/item/step/entry/action/do|undo` (rule 7)."""

    key: str
    do: Literal[
        "notify", "service", "orders", "billing", "terminate", "fee", "apply", "retry_payment",
        "task", "approve", "place", "recall", "write_off", "recover", "sell", "deposit",
    ]  # fmt: skip
    args: tuple[str, ...] = ()
    """As written in the policy: `notify(sms, reminder)` gives `("sms", "reminder")`."""
    item: str = "account"
    """The debt that it is about, or `account`."""
    service: Annotated[str, Field(exclude_if=not_)] = ""
    """The service that it is limited to; empty: all services of the account."""
    step: str
    undo: bool = False
    severe: bool = False
    """Derived again before every attempt (rule 4): required notices, interruptions, fees, final acts."""
    debts: tuple[str, ...] = ()
    """The debts it is for; a notice names them."""
    amount: Amount = Decimal(0)
    """What it states or asks for: overdue total for a notice, the fee for a fee."""
    level: Level | None = None
    """For `service`: the most severe level in force over all demands, which the receiver is told."""
    figures: dict[str, str] = {}
    """Figures that a template states: total, disputed, last_day, next_step, next_date ..."""
    language: Annotated[str, Field(exclude_if=not_)] = ""
    """For a notice: the language of its text, where the policy says how one is chosen."""
    not_before: AwareDatetime | None = None
    not_after: AwareDatetime | None = None
    """The last instant at which it may still be carried out."""
    confirm_by: AwareDatetime | None = None
    """When a missing receipt becomes a task for a person."""


class TakenRow(Model):
    """One row of the ladder that was done, or is being done, for named debts."""

    step: str
    entry: int
    """The how many-th time in business terms: the second suspension after a chargeback is 2."""
    state: Literal["requested", "done", "failed", "expired", "suppressed", "withdrawn"]
    item: str = "account"
    keys: tuple[str, ...] = ()
    debts: tuple[str, ...] = ()
    requested_at: AwareDatetime
    requested_on: date
    asked_at: AwareDatetime | None = None
    """When what stands behind its approval was asked for, or when a person skipped it; None: with the row."""
    done_at: AwareDatetime | None = None
    done_on: date | None = None
    valid_until: date | None = None
    level: Level | None = None
    undo_keys: tuple[str, ...] = ()
    words: dict[str, str] = {}
    """The last word on each of its keys, undo keys included; none yet: it was asked for."""
    undone_at: AwareDatetime | None = None
    """When its undoing was asked for; its receipt is waited for."""
    left_on: date | None = None
    """The local day on which the level fell below it."""
    tries: int = 1
    """How often in a row it was asked for since it last succeeded."""
    forced: bool = False
    """A person took it out of turn: its own cells do not take it back."""
    skipped: bool = False
    """A person skipped it: it counts as done and had no effect."""
    ladder: str = ""
    """The ladder whose row it was; empty: the one that the case is on."""
    fees_due: tuple[str, ...] = ()
    """Fees of the row that are asked for once its effect is confirmed: `fee.suspension`."""
    last_day: date | None = None
    """For a notice: the last day to pay that it stated; nothing is cut before it is over."""
    stood_on: date | None = None
    """The last day on which it was found due again while in force."""
    wrongful: bool = False
    """By what became known later it was never due: it is withdrawn and its fee reversed (rule 7)."""

    foreign: Annotated[bool, Field(exclude_if=not_)] = False
    """It was taken by an earlier case under another text: whether it was due is asked of the debt alone."""

    due_from: Annotated[date | None, Field(exclude_if=not_)] = None
    """It was not due when it was taken, by what became known later, and is from this day on: for other debts,
    whose notice and waits were over then. What waits for it counts from this day."""

    announces: Annotated[bool, Field(exclude_if=not_)] = False
    """A notice that was sent again for debts that came to its age later, or a placement of debts that could
    not be placed before; it is no step of its own."""

    deposit: Annotated[Amount, Field(exclude_if=not_)] = Decimal(0)
    """The deposit that was applied, as the ledger last said that it was held; 0: nothing is awaited."""


class BookedFee(Model):
    """A late fee that billing was asked to book for one debt."""

    key: str
    debt: str
    amount: Amount
    asked_on: date
    foreign: Annotated[bool, Field(exclude_if=not_)] = False
    """It was reckoned by an earlier case under another text: what is known later does not change it."""
    reversed_on: Annotated[date | None, Field(exclude_if=not_)] = None
    """When billing was asked to take it back; kept until billing has answered or a person has heard of it."""


Ending = Literal["", "cured", "written_off", "sold", "terminated", "stopped"]


class CareOf(Model):
    """The case that had ended, whose late news is heard."""

    case: str
    ended: Ending
    ended_on: date | None = None


class Taken(Model):
    """What a case has done so far: the only memory that a step has besides the position."""

    case: str
    item: Annotated[str, Field(exclude_if=not_)] = ""
    """What the case is about: a bill, an instalment, a service; empty: the whole account."""
    service: Annotated[str, Field(exclude_if=not_)] = ""
    """The service that it may cut; empty: all services of the account."""
    ladder: str = ""
    opened_at: AwareDatetime
    opened_on: date
    opened_anchor: date | None = None
    rows: tuple[TakenRow, ...] = ()
    entries: dict[str, int] = {}
    """How often each step was entered; never falls."""
    moved_up_on: date | None = None
    """Business date of the last row taken: at most one a case and date (rule 2)."""
    level: Level = "open"
    """This case's own demand on service."""
    ended: Ending = ""
    ended_on: date | None = None
    left: tuple[TakenRow, ...] = ()
    """Rows that the level fell below, kept while they can be revived or are being undone."""
    heard: tuple[str, ...] = ()
    """Ids of acts of people that were carried out."""
    fees: tuple[BookedFee, ...] = ()
    """Late fees that billing was asked to book, by this case and by those before it."""
    adopted_at: Annotated[AwareDatetime | None, Field(exclude_if=not_)] = None
    """When the case went over to the text that it is bound to now; None: it opened under it."""
    care_of: Annotated[CareOf | None, Field(exclude_if=not_)] = None
    """It only hears what became known late about a case that has ended: nothing goes up."""
    text: Annotated[str, Field(exclude_if=not_)] = ""
    """Where it is handed to the next case: the digest of the text that it was bound to."""
    told: tuple[str, ...] = ()
    """Keys of actions asked for once that are not rows: tasks for missing receipts and the like."""


class TraceRow(Model):
    """One ladder row as it was looked at: did its cells hold, and what stood in the way."""

    step: str
    warranted: bool
    reached: bool
    note: str = ""
    """In words: `age 34 is not >= 45`, `waits for P7D since final_notice done 2026-04-02`."""


class StepTrace(Model):
    """Why the step did what it did."""

    ladder: str
    today: date
    anchor: date | None = None
    age: int = 0
    days_past_due: int = 0
    overdue: Amount = Decimal(0)
    disputed: Amount = Decimal(0)
    warranted: str = ""
    """The last row whose debt cells hold today; empty: none."""
    reached: str = ""
    """The last row done; empty: none."""
    rows: tuple[TraceRow, ...] = ()
    notes: tuple[str, ...] = ()
    """Holds, law clauses, calendar shifts, freshness: each in one sentence."""


class Step(Model):
    """The outcome of one look at a case."""

    taken: Taken
    actions: tuple[Action, ...] = ()
    wake_at: AwareDatetime | None = None
    """Next instant on which something can change by itself; None: only news can change it."""
    open: bool = True
    """False: the case has ended (`taken.ended` says how) and nothing is left to be confirmed."""
    trace: StepTrace

    @property
    def trace_digest(self) -> str:
        """The digest of the whole trace, which can be derived again."""
        return digest(self.trace)
