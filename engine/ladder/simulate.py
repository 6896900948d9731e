"""A history played through the ladder: the same positions and steps as live, with time skipped.

What a live case does (open by `watch_on`, step, act, hear receipts, wait for `wake_at` or news) is done
here event by event. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from engine.ladder.law import LawPack
from engine.ladder.model import CollectionsPolicy
from engine.ladder.opening import open_case, watch_on
from engine.ladder.state import Action, Position, Step, Taken
from engine.ladder.stepping import step
from engine.ledger.account import AccountPosition, Terms
from engine.ledger.entries import Entry, Receipt
from engine.ledger.position import position_at
from engine.workdays import Calendar

Receiver = Literal["done same day", "none", "explicit"]
NOT_ANSWERED = ("missing_receipt", "restore_failed", "undo_failed")
"""Tasks that are there because a receiver did not do its part: nobody answers them by himself."""
MOST_STEPS = 50
"""A case that still asks for something after so many steps at one instant goes round in circles."""


class GoesInCircles(RuntimeError):
    """A case asks for more and more at one instant."""

    def __init__(self, case: str, at: datetime) -> None:
        super().__init__(f"Case `{case}` still asks for actions after {MOST_STEPS} steps at {at}.")
        self.case, self.at = case, at


@dataclass(frozen=True, slots=True)
class Reply:
    """What becomes of an action that was asked for, named as it is shown: `suspend service(suspended)`."""

    action: str
    status: Literal["done", "failed", "suppressed", "expired", "withdrawn"]
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that becomes known at an instant: an entry, a reply to an action, or a new policy text."""

    at: datetime
    text: str
    entry: Entry | None = None
    reply: Reply | None = None
    policy: CollectionsPolicy | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A history, and how the world answers."""

    terms: Terms
    events: tuple[Event, ...]
    end: datetime
    receiver: Receiver = "done same day"
    fresh: bool = True
    """The payment feed is always complete; otherwise only as `feed` entries say."""
    outages: tuple[tuple[datetime, datetime], ...] = ()
    """Nobody looks at the case in `[from, until)`; it is looked at when the outage ends."""
    checks: tuple[datetime, ...] = ()
    """When given, the case is looked at only then: neither news nor its own wake-ups are heard."""
    probes: tuple[datetime, ...] = ()
    """Instants at which an open case is asked how it stands, without consequences."""


@dataclass(frozen=True, slots=True)
class Look:
    """One step that was taken."""

    at: datetime
    taken_before: Taken
    step: Step
    position: AccountPosition
    policy: CollectionsPolicy


@dataclass(slots=True)
class Played:
    """What came of a scenario."""

    looks: list[Look] = field(default_factory=list)
    told: list[tuple[datetime, str]] = field(default_factory=list)
    """Everything that happened, in words, by instant."""
    entries: list[Entry] = field(default_factory=list)
    unheard: list[Reply] = field(default_factory=list)
    """Replies to actions that were never asked for."""
    probed: dict[datetime, Look] = field(default_factory=dict)


def show(action: Action) -> str:
    """Return an action as timelines name it: `suspend/2 service(suspended)`, `undo bar service(open)`."""
    entry = action.key.rsplit("/", 3)[1]
    name = action.step if entry == "1" else f"{action.step}/{entry}"
    call = f"{action.do}({', '.join(action.args)})" if action.args else action.do
    return f"{'undo ' if action.undo else ''}{name} {call}"


def play(
    policy: CollectionsPolicy, law: LawPack, calendar: Calendar, scenario: Scenario
) -> Played:  # fmt: skip
    """Play a scenario to its end. Raises GoesInCircles."""
    return _Player(policy, law, calendar, scenario).play()


class _Player:
    def __init__(
        self, policy: CollectionsPolicy, law: LawPack, calendar: Calendar, scenario: Scenario
    ) -> None:
        self.policy, self.law, self.calendar, self.scenario = policy, law, calendar, scenario
        self.zone = ZoneInfo(scenario.terms.timezone)
        self.queue = sorted(scenario.events, key=lambda event: event.at)
        self.played = Played()
        self.pinned: CollectionsPolicy | None = None
        self.taken: Taken | None = None
        self.previous: Taken | None = None
        self.number = 0
        self.next_look: datetime | None = None
        self.asked: dict[str, str] = {}
        self.receipts = 0

    def play(self) -> Played:
        probes = sorted(self.scenario.probes)
        while (at := self._next()) is not None and at <= self.scenario.end:
            while probes and probes[0] < at:
                self._probe(probes.pop(0))
            news = False
            while self.queue and self.queue[0].at <= at:
                self._learn(self.queue.pop(0))
                news = True
            due = self.next_look is not None and self.next_look <= at
            if due or (news and self._hears(at)):
                self._look(at)
            elif news and self.taken is None:
                self._watch(at, looked=False)
        for probe in probes:
            self._probe(probe)
        return self.played

    def _probe(self, at: datetime) -> None:
        if self.taken is not None and self.pinned is not None:
            position = self._position(at)
            found = step(self.pinned, self.taken, position, at)
            self.played.probed[at] = Look(at, self.taken, found, position.account, self.pinned)

    def _next(self) -> datetime | None:
        instants = [event.at for event in self.queue[:1]]
        if self.next_look is not None:
            instants.append(self.next_look)
        return min(instants, default=None)

    def _hears(self, at: datetime) -> bool:
        if self.taken is None or self.scenario.checks:
            return False
        ends = [end for start, end in self.scenario.outages if start <= at < end]
        if ends:
            self.next_look = max(ends)
        return not ends

    def _later(self, at: datetime | None, after: datetime) -> datetime | None:
        """Return when a look that is due at `at` happens, with outages and checks."""
        if self.scenario.checks:
            return min((check for check in self.scenario.checks if check > after), default=None)
        if at is None:
            return None
        for start, end in sorted(self.scenario.outages):
            if start <= at < end:
                at = end
        return at

    # what becomes known

    def _learn(self, event: Event) -> None:
        self.played.told.append((event.at, event.text))
        if event.entry is not None:
            self.played.entries.append(event.entry)
        if event.policy is not None:
            self.policy = event.policy
        if event.reply is not None:
            key = self.asked.get(event.reply.action)
            if key is None:
                self.played.unheard.append(event.reply)
            else:
                self._receipt(key, event.reply, event.at)

    def _receipt(self, key: str, reply: Reply, at: datetime) -> None:
        self.receipts += 1
        local = at.astimezone(self.zone).date()
        self.played.entries.append(
            Receipt(
                id=f"receipt-{self.receipts}", value_date=local, received_at=at, key=key,
                status=reply.status, at=at, until=reply.until,
            )
        )  # fmt: skip

    def _position(self, at: datetime) -> Position:
        account = position_at(self.scenario.terms, self.played.entries, at)
        if self.scenario.fresh:
            account = account.model_copy(update={"feeds": {**account.feeds, "payments": at}})
        return Position(account=account, law=self.law, calendar=self.calendar)

    # what the case does

    def _watch(self, at: datetime, *, looked: bool) -> None:
        found = watch_on(self.policy, self._position(at), at)
        self.next_look = self._later(found, at if looked else at - timedelta(microseconds=1))

    def _look(self, at: datetime) -> None:
        if self.taken is None:
            position = self._position(at)
            if watch_on(self.policy, position, at) != at:
                self._watch(at, looked=True)
                return
            self.number += 1
            self.pinned = self.policy
            name = f"case/{self.scenario.terms.account}/{self.number}"
            self.taken = open_case(self.policy, name, position, at, self.previous)
            self.played.told.append((at, f"case {self.number} opens"))
        found = self._step_until_quiet(at)
        if found.open:
            self.next_look = self._later(found.wake_at, at)
        else:
            self.played.told.append((at, f"case {self.number} ends: {found.taken.ended}"))
            self.previous, self.taken = found.taken, None
            self._watch(at, looked=True)

    def _step_until_quiet(self, at: datetime) -> Step:
        assert self.taken is not None  # only an open case is looked at
        assert self.pinned is not None  # set when the case opened
        for _ in range(MOST_STEPS):
            position = self._position(at)
            found = step(self.pinned, self.taken, position, at)
            self.played.looks.append(Look(at, self.taken, found, position.account, self.pinned))
            self.taken = found.taken
            for action in found.actions:
                self._ask(action, at)
            if not found.actions or not found.open:
                return found
        raise GoesInCircles(self.taken.case, at)

    def _ask(self, action: Action, at: datetime) -> None:
        shown = show(action)
        self.asked[shown] = action.key
        self.played.told.append((at, f"asks: {shown}{_stated(action)}"))
        by_person = action.do == "approve" or (action.do == "task" and action.args[0] in NOT_ANSWERED)
        if self.scenario.receiver == "done same day" and not by_person:
            when = max(at, action.not_before) if action.not_before else at
            reply = Reply(shown, "done")
            if when <= at:
                self._receipt(action.key, reply, at)
            else:
                event = Event(when, f"{shown} is done", reply=reply)
                self.queue = sorted([*self.queue, event], key=lambda e: e.at)


def _stated(action: Action) -> str:
    return f" {action.amount}" if action.amount else ""


def looks_on(looks: Sequence[Look], day: date, zone: ZoneInfo) -> Iterator[Look]:
    """Yield the looks of one local day."""
    return (look for look in looks if look.at.astimezone(zone).date() == day)
