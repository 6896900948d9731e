"""Rows that were taken, with the last word on each of their actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from engine.ladder.model import PRINCIPAL, CollectionsPolicy, LadderRow
from engine.ladder.state import TakenRow
from engine.ledger.account import LEVELS, Level, Received

ZERO = Decimal(0)
State = Literal["requested", "done", "failed", "expired", "suppressed", "withdrawn"]
GONE: frozenset[str] = frozenset(("failed", "expired", "suppressed", "withdrawn"))
"""Words that say that an action had no effect."""
LOST: frozenset[str] = GONE - {"withdrawn"}
"""Words that say so of an action that is still wanted."""
DECLINED: State = "suppressed"
"""The word on an approval whose row a person has skipped: no later word changes it."""


@dataclass(slots=True)
class Row:
    """A row of `taken` while a step looks at it."""

    step: str
    entry: int
    requested_at: datetime
    requested_on: date
    state: State = "requested"
    item: str = "account"
    keys: tuple[str, ...] = ()
    debts: tuple[str, ...] = ()
    done_at: datetime | None = None
    done_on: date | None = None
    valid_until: date | None = None
    level: Level | None = None
    undo_keys: tuple[str, ...] = ()
    words: dict[str, str] = field(default_factory=dict)
    undone_at: datetime | None = None
    left_on: date | None = None
    tries: int = 1
    forced: bool = False
    skipped: bool = False
    ladder: str = ""
    fees_due: tuple[str, ...] = ()
    last_day: date | None = None
    stood_on: date | None = None
    wrongful: bool = False
    asked_at: datetime | None = None
    deposit: Decimal = ZERO
    foreign: bool = False
    announces: bool = False
    due_from: date | None = None

    @classmethod
    def of(cls, taken: TakenRow) -> Row:
        """Return a working copy."""
        return cls(
            taken.step, taken.entry, taken.requested_at, taken.requested_on, taken.state, taken.item,
            taken.keys, taken.debts, taken.done_at, taken.done_on, taken.valid_until, taken.level,
            taken.undo_keys, dict(taken.words), taken.undone_at, taken.left_on, taken.tries, taken.forced,
            taken.skipped, taken.ladder, taken.fees_due, taken.last_day, taken.stood_on, taken.wrongful,
            taken.asked_at, taken.deposit, taken.foreign, taken.announces, taken.due_from,
        )  # fmt: skip

    def frozen(self) -> TakenRow:
        """Return the row as it is kept."""
        return TakenRow(
            step=self.step, entry=self.entry, state=self.state, item=self.item, keys=self.keys,
            debts=self.debts, requested_at=self.requested_at, requested_on=self.requested_on,
            done_at=self.done_at, done_on=self.done_on, valid_until=self.valid_until, level=self.level,
            undo_keys=self.undo_keys, words=self.words, undone_at=self.undone_at, left_on=self.left_on,
            tries=self.tries, forced=self.forced, skipped=self.skipped, ladder=self.ladder,
            fees_due=self.fees_due, last_day=self.last_day, stood_on=self.stood_on, wrongful=self.wrongful,
            asked_at=self.asked_at, deposit=self.deposit, foreign=self.foreign, announces=self.announces,
            due_from=self.due_from,
        )  # fmt: skip

    @property
    def waits_from(self) -> date | None:
        """The day from which waits run: that on which it was done, or rightly stood for the first time."""
        if self.done_on is None or self.due_from is None:
            return self.done_on
        return max(self.done_on, self.due_from)

    @property
    def lifted(self) -> bool:
        """Tell whether its effect was taken back."""
        return bool(self.undo_keys)

    @property
    def declined(self) -> bool:
        """Tell whether a person refused to approve it."""
        return any(do_of(key) == "approve" and self.words.get(key) in GONE for key in self.keys)

    def decline(self, at: datetime) -> None:
        """Take it that a person has skipped what was proposed."""
        self.words |= {key: DECLINED for key in self.keys if do_of(key) == "approve"}
        self.asked_at = at

    def await_deposit(self, held: Decimal) -> None:
        """Take in what the ledger says of a deposit that was applied: once it falls, nothing is awaited."""
        gone = any(self.words.get(key) in GONE for key in self.keys if do_of(key) == "apply")
        self.deposit = held if self.deposit and held >= self.deposit and not gone else ZERO

    @property
    def undo_pending(self) -> bool:
        """Tell whether its undoing is not confirmed yet, nor seen to by a person where it failed."""
        return any(not self.is_undone(tries) for tries in self.undo_tries)

    @property
    def undo_tries(self) -> list[tuple[str, ...]]:
        """The keys of each undoing in the order in which it was asked for, again under a new entry."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for key in self.undo_keys:
            _, step, _, token, _ = key.rsplit("/", 4)
            found[step, token] = (*found.get((step, token), ()), key)
        return list(found.values())

    def is_undone(self, tries: tuple[str, ...]) -> bool:
        """Tell whether an undoing is confirmed, is not wanted any more, or was seen to by a person."""
        if self.words.get(tries[-1]) == "withdrawn" or any(self.words.get(key) == "done" for key in tries):
            return True
        prefix, _, token, _ = tries[0].rsplit("/", 3)
        entry = tries[0].rsplit("/", 3)[1]
        seen_to = (f"{prefix}/{entry}/task.{what}.{token}/do" for what in ("restore_failed", "undo_failed"))
        return any(self.words.get(key) == "done" for key in seen_to)

    def in_force(self, do: str) -> bool:
        """Tell whether an action of this kind was asked for and not said to be without effect."""
        return not self.lifted and any(
            do_of(key) == do and self.words.get(key) not in GONE for key in self.keys
        )

    @property
    def fees(self) -> tuple[str, ...]:
        """The keys of its fees that were asked for and not said to be without effect."""
        keys = (key for key in self.keys if do_of(key) == "fee" and self.words.get(key) not in GONE)
        return tuple(key for key in keys if f"{key.rpartition('/')[0]}/undo" not in self.undo_keys)

    @property
    def ends_contract(self) -> bool:
        """Tell whether it has ended the contract: nothing takes that back (rule 6).

        What else was asked for with it may have failed: the contract is over all the same.
        """
        ends = [key for key in self.keys if ends_contract(key)]
        words = {self.words.get(key, "requested") for key in ends}
        return "done" in words and not words & GONE and not (self.lifted or self.skipped or self.wrongful)

    @property
    def lost_keys(self) -> tuple[str, ...]:
        """The keys of what had no effect though it is still wanted."""
        principal = (key for key in self.keys if do_of(key) in PRINCIPAL)
        return tuple(key for key in principal if self.words.get(key) in LOST)

    @property
    def is_incomplete(self) -> bool:
        """Tell whether it has ended the contract and did not do all that goes with it."""
        return self.ends_contract and bool(self.lost_keys)

    @property
    def demands(self) -> Level:
        """The level of service that the row demands now."""
        if self.level and (self.in_force("service") or self.in_force("terminate")):
            return self.level
        return "open"


def do_of(key: str) -> str:
    """Return the kind of action of a key."""
    return token_of(key).partition(".")[0]


def token_of(key: str) -> str:
    """Return the action of a key with its arguments: `notify.sms.reminder`."""
    return key.rsplit("/", 2)[1]


def ends_contract(key: str) -> bool:
    """Tell whether the action of a key ends a contract."""
    return do_of(key) == "terminate" or token_of(key) == "service.terminated"


def most_severe(levels: list[Level]) -> Level:
    """Return the most severe of some levels of service; `open` when there are none."""
    return max(levels, key=LEVELS.index, default="open")


def absorb(
    row: Row, definition: LadderRow | None, receipts: Mapping[str, Received],
    policy: CollectionsPolicy, zone: ZoneInfo,
) -> None:  # fmt: skip
    """Take in what receipts say of the row's actions, and with it the row's state."""
    for key in dict.fromkeys((*row.keys, *row.undo_keys, *row.words)):
        found = receipts.get(key)
        if do_of(key) == "approve" and row.words.get(key) == DECLINED:
            continue
        if found and (found.status != "requested" or key not in row.words):
            row.words[key] = found.status
    if row.skipped:
        return
    if row.wrongful:
        row.state = "withdrawn"
        return
    principal = [key for key in row.keys if do_of(key) in PRINCIPAL]
    words = [row.words.get(key, "requested") for key in principal]
    before = row.state
    row.state = _state(words, _complete(row, definition))
    if row.state == "done" and (before != "done" or row.done_at is None):
        found_at = [receipts[key].at for key in principal if key in receipts]
        row.done_at = max(found_at, default=row.requested_at)
        row.done_on = row.done_at.astimezone(zone).date()
        untils = [r.until for key in principal if (r := receipts.get(key)) and r.until]
        row.valid_until = min(untils, default=None)
        if row.valid_until is None and policy.contact.valid:
            row.valid_until = policy.contact.valid.after(row.done_on)
        row.tries = 1


def _complete(row: Row, definition: LadderRow | None) -> bool:
    """Tell whether nothing of the row is still to be asked for behind its approval."""
    if definition is None or not any(item.do == "approve" for item in definition.do):
        return True
    return len(definition.do) == 1 or any(do_of(key) != "approve" for key in row.keys)


def _state(words: list[str], complete: bool) -> State:
    if "withdrawn" in words:
        return "withdrawn"
    if "requested" in words:
        return "requested"
    for gone in ("failed", "expired", "suppressed"):
        if gone in words:
            return gone
    return "done" if complete else "requested"
