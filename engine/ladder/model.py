"""A collections policy, typed: what opens a case, the ladders, the holds, each with its place in the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Literal

from engine.credit.model import FactDefinition
from engine.feel.syntax import UnaryTests
from engine.ladder.brake import BrakeRules
from engine.ladder.threshold import Condition, NumberTest
from engine.ledger.account import LEVELS, Level
from engine.ledger.charges import Basis, Rate
from engine.ledger.deposit_rules import DepositRules
from engine.policy import Manifest
from engine.source import Span
from engine.text import Period

RunDay = int | Literal["month_end"]
"""A day of each month on which a ladder runs; `month_end`: the last one."""
Anchor = Literal["invoice_date", "oldest_due_date", "latest_due_date_at_entry", "entry_date"]
Do = Literal[
    "notify", "service", "orders", "billing", "terminate", "fee", "apply", "retry_payment",
    "task", "approve", "place", "recall", "write_off", "recover", "sell",
]  # fmt: skip

INTERRUPTIONS: frozenset[str] = frozenset(("service", "orders", "billing", "terminate"))
"""Actions that cut what the customer gets."""
PRINCIPAL: frozenset[str] = frozenset(
    ("notify", "service", "orders", "billing", "terminate", "apply", "task", "approve", "place",
     "write_off", "sell", "recall", "recover")
)  # fmt: skip
"""Actions without whose confirmation a row is not done; a fee or a retried payment never holds it up."""
EFFECTS: frozenset[str] = PRINCIPAL - {"notify", "task", "approve"}
"""Actions that change something; a row with one of them stays done without being told again."""
NO_TIME = Period()
FINAL: frozenset[str] = frozenset(("terminate", "write_off", "sell"))


@dataclass(frozen=True, slots=True)
class DoItem:
    """One action of a row: `notify(sms, reminder)`."""

    do: Do
    args: tuple[str, ...]
    span: Span

    @property
    def token(self) -> str:
        """Its part of an action's key: `notify.sms.reminder`."""
        return ".".join((self.do, *self.args))

    @property
    def level(self) -> Level | None:
        """The level of service it demands, if it does."""
        if self.do == "terminate":
            return "terminated"
        if self.do != "service":
            return None
        return next((level for level in LEVELS if level == self.args[0]), None)

    def __str__(self) -> str:
        return f"{self.do}({', '.join(self.args)})" if self.args else self.do


@dataclass(frozen=True, slots=True)
class Release:
    """When a row's effect ends: with the level (`-`), on a condition, by recall, or never (`final`)."""

    kind: Literal["none", "condition", "recall", "final"]
    span: Span
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class FactTest:
    """A cell on a fact of the customer."""

    name: str
    text: str
    span: Span
    tests: UnaryTests


@dataclass(frozen=True, slots=True)
class LadderRow:
    """One row of a ladder: when it is warranted, what must be done before, what it does."""

    step: str
    index: int
    span: Span
    age: NumberTest
    days_past_due: NumberTest
    overdue: NumberTest
    unpaid_bills: NumberTest
    facts: tuple[FactTest, ...]
    after: str
    wait: Period
    do: tuple[DoItem, ...]
    release: Release
    required: bool = False
    """Its notice stands before an interruption, a termination, a placement or a write-off."""
    after_span: Span | None = None
    """The cell that names the step before it."""
    wait_span: Span | None = None
    """The cell that says how long it waits."""

    @property
    def level(self) -> Level:
        """The level of service that the row demands; `open` when it demands none."""
        levels = [item.level for item in self.do if item.level]
        return max(levels, key=LEVELS.index, default="open")

    @property
    def after_place(self) -> Span:
        """Where a mistake about the step before it is shown."""
        return self.after_span or self.span

    @property
    def wait_place(self) -> Span:
        """Where a mistake about its wait is shown."""
        return self.wait_span or self.span

    @property
    def interrupts(self) -> bool:
        """Tell whether the row cuts service, orders or billing."""
        return any(item.do in INTERRUPTIONS for item in self.do)

    @property
    def places(self) -> bool:
        """Tell whether the row hands debts over to somebody."""
        return any(item.do == "place" for item in self.do)

    @property
    def notifies(self) -> bool:
        """Tell whether the row is a notice: it speaks to the customer and does nothing else to him."""
        return any(item.do == "notify" for item in self.do) and not any(
            item.do in EFFECTS for item in self.do
        )

    @property
    def final(self) -> bool:
        """Tell whether nothing takes the row back."""
        return self.release.kind == "final"

    @property
    def gives_up(self) -> bool:
        """Tell whether the row gives the debt up."""
        return any(item.do in ("write_off", "sell") for item in self.do)

    @property
    def severe(self) -> bool:
        """Tell whether the row is derived again before every attempt (rule 4)."""
        return (self.required and self.notifies) or any(severe(item) for item in self.do)


def severe(item: DoItem) -> bool:
    """Tell whether an action by itself may not rest on old news."""
    return item.do in INTERRUPTIONS or item.do in ("fee", "apply", "place", "write_off", "sell")


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rows from mild to severe."""

    name: str
    rows: tuple[LadderRow, ...]
    span: Span
    by_step: Mapping[str, LadderRow] = field(default_factory=dict)
    complete: bool = True
    """False: a row could not be read, so nothing is said of how rows hang together."""


@dataclass(frozen=True, slots=True)
class TreatmentRow:
    """Which ladder these customers get; `none` exempts them."""

    cells: tuple[FactTest, ...]
    ladder: str
    span: Span


@dataclass(frozen=True, slots=True)
class ReminderRow:
    """One row of `before_due`: so many days before a bill falls due these notices go out."""

    days: int
    facts: tuple[FactTest, ...]
    do: tuple[DoItem, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class CaseRules:
    """What a case is, when it opens and closes, and when it is looked at."""

    opens: Condition
    closes: Condition
    anchor: Anchor = "oldest_due_date"
    grain: Literal["account", "invoice", "instalment"] = "account"
    scope: Literal["account", "service"] = "account"
    """service: debt of one service cuts that service only, and is treated by a case of its own."""
    binding: Literal["pin", "adopt"] = "pin"
    """adopt: open cases go over to the next text of the policy on the day on which it comes into force."""
    ignore_below: Decimal = Decimal(0)
    credits: Literal["net", "allocated_only"] = "net"
    runs: Literal["daily", "month_end"] | tuple[RunDay, ...] = "daily"
    """Days on which the ladder may go up: every day, the last of the month, or these of each month."""
    when_late: Literal["step_by_step", "jump"] = "step_by_step"
    """jump: rows that no later one names in `after` are left out when a later one is warranted."""
    hour: time = time(9)
    """The local hour of the daily run."""
    revive: Period | None = None
    reopened_age: Mapping[str, Literal["original", "event_date"]] = field(default_factory=dict)

    def runs_on(self, day: date) -> bool:
        """Tell whether the ladder may go up on a day."""
        if self.runs == "daily":
            return True
        last = (day + timedelta(days=1)).day == 1
        if self.runs == "month_end":
            return last
        return day.day in self.runs or (last and "month_end" in self.runs)


@dataclass(frozen=True, slots=True)
class HoldRules:
    """What one kind of hold does."""

    kind: str
    clock: Literal["runs", "stops"]
    taken: Literal["keep", "release"]
    span: Span
    lasts: Period | None = None
    then: str = ""
    """The task that a person gets when it has lasted that long."""
    review: Period | None = None
    minus_hold: bool = True
    """For disputes: a rejected part comes back without the days it was disputed."""
    renotice: bool = False
    """For disputes: notices sent before the rejection do not count for it."""
    fees_stop: bool = False
    no_contact: bool = False
    """The customer is told nothing while it lasts."""


@dataclass(frozen=True, slots=True)
class PromiseRules:
    """Which promises are accepted, and when one is broken."""

    max_days: int
    covers: Decimal = Decimal(0)
    tolerance: Decimal = Decimal(0)
    grace: Period = NO_TIME
    per_year: int | None = None


@dataclass(frozen=True, slots=True)
class ContactRules:
    """When customers may be spoken to, how often, and how long a notice counts."""

    quiet: tuple[time, time] | None = None
    caps: tuple[tuple[str, int, Period], ...] = ()
    valid: Period | None = None
    attempts: int = 3
    """How often a notice that failed is sent on a channel, before the next one is tried or a person asked."""
    fallback: tuple[str, ...] = ()
    """Channels that are tried after the one that a row names, in this order."""
    languages: tuple[str, ...] = ()
    """Languages of texts in the order in which one is looked for, after the customer's own."""
    opt_out: Mapping[str, str] = field(default_factory=dict)
    """How a customer ends electronic messages, by language: the figure `{opt_out}`."""
    after_conversation: Period | None = None
    """No call for so long after a conversation, its own day counted."""
    by_debt: tuple[str, ...] = ()
    """What is counted for each debt and not over the customer: kinds of caps, `after_conversation`."""
    consent: Period | None = None
    """Calls that the customer agreed to: so long, its own day counted, they count nowhere and may be made."""
    consolidate: bool = False
    """Notices of one text, channel and day to one customer go out as one message."""
    spans: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InterruptionRules:
    """When service may be cut."""

    window: tuple[time, time] | None = None
    not_before: tuple[str, ...] = ()
    calendar: str = ""


@dataclass(frozen=True, slots=True)
class LateFeeRules:
    """A late fee by the day, or interest by the year (accrued here, booked by billing)."""

    rate: Decimal
    """The last rate that the text says: a share of a day, or of a year."""
    grace: Period
    span: Span
    rounding: Decimal = Decimal("0.01")
    cap_principal: bool = True
    stops_in: tuple[str, ...] = ()
    counts_for: tuple[str, ...] = ()
    kind: Literal["late_fee", "interest"] = "late_fee"
    basis: Basis = "day"
    rates: tuple[Rate, ...] = ()
    """Every rate with its first day; empty: `rate` at all times."""
    cap_share: Decimal | None = Decimal(1)
    """The most that it can be, as a share of the principal; None: no such cap."""
    cap_amount: Decimal | None = None
    lasts: Period | None = None
    """How long it grows, from its first day; None: until the debt is settled."""

    @property
    def every(self) -> tuple[Rate, ...]:
        """Every rate with its first day."""
        return self.rates or (Rate(date.min, self.rate),)


@dataclass(frozen=True, slots=True)
class ConfirmRules:
    """How long a receipt may take before a person is asked."""

    within: timedelta = timedelta(days=2)
    restored_within: timedelta = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class CollectionsPolicy:
    """One collections policy as it was read; its identity is the digest of its texts."""

    name: str
    title: Mapping[str, str]
    version: str
    manifest: Manifest
    regulation: str
    timezone: str
    currency: str
    facts: Mapping[str, FactDefinition]
    case: CaseRules
    ladders: Mapping[str, Ladder]
    treatment: tuple[TreatmentRow, ...]
    holds: Mapping[str, HoldRules]
    templates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Texts of notices by name and language."""
    steps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What customers are told that a step is, by language."""
    freshness: Period | None = None
    contact: ContactRules = ContactRules()
    interruptions: InterruptionRules = InterruptionRules()
    promises: PromiseRules | None = None
    late_fee: LateFeeRules | None = None
    interest: LateFeeRules | None = None
    deposits: DepositRules | None = None
    fees: Mapping[str, Decimal] = field(default_factory=dict)
    confirm: ConfirmRules = ConfirmRules()
    brake: BrakeRules | None = None
    before_due: tuple[ReminderRow, ...] = ()
    """Notices before the due date, bill by bill; the earliest first."""
    maps: Mapping[str, str] = field(default_factory=dict)
    """What became of steps of the text before: their new names, or `none`."""
    spans: Mapping[str, Span] = field(default_factory=dict)
    """Where the sections of the text stand, and the values in them: `late_fee`, `late_fee.rate`."""

    @property
    def digest(self) -> str:
        """The policy's identity: the digest of its manifest."""
        return self.manifest.digest

    def place(self, *paths: str) -> Span:
        """Return where the first of some keys stands that the text has: `late_fee.rate`, `late_fee`."""
        found = (self.spans[path] for path in (*paths, "policy") if path in self.spans)
        return next(found, Span("", 1, 1))

    @property
    def effective_from(self) -> date:
        """The first day on which it may open cases."""
        return self.manifest.effective_from

    @property
    def charges(self) -> tuple[LateFeeRules, ...]:
        """What grows on late debts: late fees, interest."""
        return tuple(rules for rules in (self.late_fee, self.interest) if rules)

    @property
    def calendar(self) -> str:
        """The calendar of working days that it needs; empty when it needs none."""
        return self.interruptions.calendar

    def rows(self) -> tuple[LadderRow, ...]:
        """Every row of every ladder."""
        return tuple(row for ladder in self.ladders.values() for row in ladder.rows)
