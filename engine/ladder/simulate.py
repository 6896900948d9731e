"""A history played through the ladder: the same positions and steps as live, with time skipped.

What a live case does (open by `watch_on`, step, act, hear receipts, wait for `wake_at` or news) is done
here event by event. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from engine.ladder.actions import restoring_within
from engine.ladder.adopting import adopt, adopts
from engine.ladder.aftercare import care_on
from engine.ladder.before_due import reminders
from engine.ladder.heard import heard_of
from engine.ladder.law import LawPack
from engine.ladder.levels import Confirming, begins_later, case_demands, ended_by, level_news
from engine.ladder.model import CollectionsPolicy
from engine.ladder.opening import open_case, watch_on
from engine.ladder.scope import awaits_deposit, demand_of, items
from engine.ladder.state import Action, Position, Step, Taken
from engine.ladder.stepping import step
from engine.ledger.account import AccountPosition, Contacted, Terms
from engine.ledger.deposit_rules import DepositRules
from engine.ledger.entries import Demand, Entry, Receipt
from engine.ledger.position import position_at
from engine.workdays import Calendar

Receiver = Literal["done same day", "none", "explicit"]
NOT_ANSWERED = ("missing_receipt", "restore_failed", "undo_failed", "not_booked")
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
    key: str = ""
    """The key of the action, where it is known; else the last one shown by that name is meant."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that becomes known at an instant: an entry, a reply to an action, or a new policy text."""

    at: datetime
    text: str
    entry: Entry | None = None
    reply: Reply | None = None
    policy: CollectionsPolicy | None = None
    contact: Contacted | None = None
    """A contact about another account of the customer."""


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
    law: LawPack | None = None
    """The law pack in force."""


@dataclass(slots=True)
class Played:
    """What came of a scenario."""

    terms: Terms
    deposits: DepositRules | None = None
    """What becomes of deposits by the policy that was played."""
    looks: list[Look] = field(default_factory=list)
    told: list[tuple[datetime, str]] = field(default_factory=list)
    """Everything that happened, in words, by instant."""
    entries: list[Entry] = field(default_factory=list)
    unheard: list[Reply] = field(default_factory=list)
    """Replies to actions that were never asked for."""
    stood: dict[datetime, list[Look]] = field(default_factory=dict)
    """How the open cases stand at the instants that were asked for."""
    early: dict[datetime, tuple[Look, datetime | None]] = field(default_factory=dict)
    """How the account stood at such an instant before its first case, and when one can open."""
    reminded: list[tuple[datetime, Action]] = field(default_factory=list)
    """The notices before due dates, which belong to no case."""
    reminding: dict[str, CollectionsPolicy] = field(default_factory=dict)
    """The policy that each of them goes out under, by key."""
    levelled: list[tuple[datetime, Action]] = field(default_factory=list)
    """What the receiver was told because somebody else's demand on service came or went."""
    reminds: dict[datetime, datetime | None] = field(default_factory=dict)
    """When the next of them goes out, by the instants that were asked for."""

    @property
    def probed(self) -> dict[datetime, Look]:
        """How the first open case stood at the instants that were asked for."""
        return {at: looks[0] for at, looks in self.stood.items()}


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
    return play_together([Side(policy, law, calendar, scenario)])[0]


@dataclass(frozen=True, slots=True)
class Side:
    """One account of a customer, with what it is treated by."""

    policy: CollectionsPolicy
    law: LawPack
    calendar: Calendar
    scenario: Scenario


def play_together(sides: Sequence[Side]) -> tuple[Played, ...]:
    """Play the accounts of one customer side by side, each to the end of the first. Raises GoesInCircles.

    Each has its own ladder; what the customer heard about one counts in the others. What happens in
    several at one instant happens in the order in which they are given.
    """
    players = [_Player(side) for side in sides]
    end = sides[0].scenario.end
    for player in players:
        player.others = [other for other in players if other is not player]
    while due := [(at, n) for n, one in enumerate(players) if (at := one.next_instant()) and at <= end]:
        at, number = min(due)
        for player in players:
            player.probe_before(at)
        players[number].turn(at)
    for player in players:
        player.probe_before(None)
    return tuple(player.played for player in players)


@dataclass(slots=True)
class _Live:
    """An open case, with the text that it is bound to."""

    policy: CollectionsPolicy
    taken: Taken
    number: int
    next_look: datetime | None = None


class _Player:
    def __init__(self, side: Side) -> None:
        self.policy, self.law, self.calendar = side.policy, side.law, side.calendar
        self.scenario = scenario = side.scenario
        self.zone = ZoneInfo(scenario.terms.timezone)
        self.queue = sorted(scenario.events, key=lambda event: event.at)
        self.probes = sorted(scenario.probes)
        self.others: list[_Player] = []
        """The customer's other accounts."""
        self.played = Played(self.scenario.terms, self.policy.deposits)
        self.cases: dict[str, _Live] = {}
        """Open cases by what they are about."""
        self.previous: dict[str, _Live] = {}
        """The last case about each item, when it has ended."""
        self.over: dict[str, Taken] = {}
        """The last case of each number that has ended: what it demands of service can outlast it."""
        self.number = 0
        self.next_watch: datetime | None = None
        self.next_reminder: datetime | None = None
        self.next_level: datetime | None = None
        """When a demand on service that is known begins to count."""
        self.reminded: set[str] = set()
        self.asked: dict[str, str] = {}
        self.elsewhere: list[Contacted] = []
        self.on_their_way: dict[str, Contacted] = {}
        """Notices that were asked for, by key; what a receipt has answered does not count any more."""
        self.receipts = 0

    def turn(self, at: datetime) -> None:
        """Do all that is due at an instant."""
        news = False
        if self.next_level is not None and self.next_level <= at:
            self._relevel(self.played.entries, self.next_level - timedelta(microseconds=1), at)
        while self.queue and self.queue[0].at <= at:
            self._learn(self.queue.pop(0))
            news = True
        self._look_around(at, news)

    def probe_before(self, at: datetime | None) -> None:
        """Ask how the cases stand at each instant before this one (None: at all that are left)."""
        while self.probes and (at is None or self.probes[0] < at):
            self._probe(self.probes.pop(0))

    def _look_around(self, at: datetime, news: bool) -> None:
        """Look at every case that is due, open those that can be, and announce what falls due."""
        heard = news and self._hears(at)
        for item, live in list(self.cases.items()):
            if heard or (live.next_look is not None and live.next_look <= at):
                self._look(item, live, at)
        if self.next_watch is not None and self.next_watch <= at:
            self._open(at)
        elif news:
            self._watch(at, looked=False)
        if not self.policy.before_due:
            return
        if heard or (self.next_reminder is not None and self.next_reminder <= at):
            self._remind(at)
        elif news:
            self.next_reminder = self._later(at, at - timedelta(microseconds=1))

    def _probe(self, at: datetime) -> None:
        position = self._position(at)
        for live in self.cases.values():
            found = step(live.policy, live.taken, position, at)
            look = Look(at, live.taken, found, position.account, live.policy, self.law)
            self.played.stood.setdefault(at, []).append(look)
        if not self.played.looks:
            taken = open_case(self.policy, "case/A1/0", position, at, None, "")
            found = step(self.policy, taken, position, at)
            look = Look(at, taken, found, position.account, self.policy, self.law)
            self.played.early[at] = (look, self.next_watch)
        self.played.reminds[at] = reminders(self.policy, position, at, self.reminded).look_at

    def next_instant(self) -> datetime | None:
        """Return when something is due next."""
        instants = [event.at for event in self.queue[:1]]
        looks = (live.next_look for live in self.cases.values())
        instants += [
            at for at in (*looks, self.next_watch, self.next_reminder, self.next_level) if at is not None
        ]
        return min(instants, default=None)

    def _hears(self, at: datetime) -> bool:
        if self.scenario.checks:
            return False
        ends = [end for start, end in self.scenario.outages if start <= at < end]
        if ends:
            for live in self.cases.values():
                live.next_look = max(ends)
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
            known = tuple(self.played.entries)
            self.played.entries.append(event.entry)
            if isinstance(event.entry, Demand):
                self._relevel(known, event.at, event.at)
        if event.policy is not None:
            self.policy = event.policy
        if event.contact is not None:
            self.elsewhere.append(event.contact)
        if event.reply is not None:
            key = event.reply.key or self.asked.get(event.reply.action)
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
        beside = [*self.over.values(), *(live.taken for live in self.cases.values())]
        found = (demand_of(self.policy.case, taken, taken.level, account.today) for taken in beside)
        if demands := [demand for demand in found if demand]:
            account = account.model_copy(update={"demands": (*account.demands, *demands)})
        asked = (
            live.taken
            for live in self.cases.values()
            if awaits_deposit(live.policy.case, live.taken, account)
        )
        if names := tuple(taken.case for taken in asked):
            account = account.model_copy(update={"deposit_asked": names})
        return Position(account=self._contacted(account), law=self.law, calendar=self.calendar)

    def _contacted(self, account: AccountPosition) -> AccountPosition:
        """Return the position with the contacts a ledger reads elsewhere: of other accounts and cases."""
        answered = {receipt.key for receipt in account.receipts}
        waiting = (one for key, one in self.on_their_way.items() if key not in answered)
        beside = (
            made
            for other in self.others
            for made in heard_of(
                other.scenario.terms.account, other.played.entries, other.on_their_way, account.at
            )
        )
        found = sorted(
            (*account.contacts, *self.elsewhere, *waiting, *beside), key=lambda one: (one.at, one.key)
        )
        return account.model_copy(update={"contacts": tuple(found)}) if found else account

    # levels that others demand

    def _relevel(self, known: Sequence[Entry], since: datetime, at: datetime) -> None:
        """Tell the receiver of a level that changed between what was known at `since` and what is now."""
        before = position_at(self.scenario.terms, known, since)
        after = position_at(self.scenario.terms, self.played.entries, at)
        taken = [*self.over.values(), *(live.taken for live in self.cases.values())]
        taken.sort(key=lambda one: int(one.case.rpartition("/")[2]), reverse=True)
        cases = case_demands(taken, after, lambda row: True)
        confirming = Confirming(self.policy.confirm.within, restoring_within(self.policy, self.law))
        told = [(action, on.astimezone(self.zone).date()) for on, action in self.played.levelled]
        ended = ended_by(told, after)
        looked = (action for look in self.played.looks for action in look.step.actions)
        named = {action.service for action in (*looked, *(one for one, _ in told)) if action.level}
        for action in level_news(before, after, cases, self.played.entries, confirming, ended, named):
            self.played.levelled.append((at, action))
            self._ask(action, at)
        day = begins_later(self.played.entries, after.today)
        self.next_level = datetime.combine(day, time(), self.zone) if day else None

    # what the cases do

    def _watch(self, at: datetime, *, looked: bool) -> None:
        position = self._position(at)
        wanted = (item for item in items(self.policy.case, position.account) if item not in self.cases)
        found = [on for item in wanted if (on := watch_on(self.policy, position, at, item))]
        found += [on for item in self.previous if (on := self._care_on(item, position, at))]
        first = min(found, default=None)
        self.next_watch = self._later(first, at if looked else at - timedelta(microseconds=1))

    def _care_on(self, item: str, position: Position, at: datetime) -> datetime | None:
        """Return when somebody has to look after the last case about an item."""
        last = None if item in self.cases else self.previous.get(item)
        return care_on(last.policy, position, at, last.taken) if last else None

    def _open(self, at: datetime) -> None:
        position = self._position(at)
        for item in items(self.policy.case, position.account):
            if item not in self.cases and watch_on(self.policy, position, at, item) == at:
                self._begin(item, self.policy, position, at)
        for item, last in list(self.previous.items()):
            if self._care_on(item, position, at) == at:
                self._begin(item, last.policy, position, at, care=True)
        self._watch(at, looked=True)

    def _begin(
        self, item: str, policy: CollectionsPolicy, position: Position, at: datetime, *, care: bool = False
    ) -> None:
        self.number += 1
        name = f"case/{self.scenario.terms.account}/{self.number}"
        last = self.previous.get(item)
        before = last.taken.model_copy(update={"text": last.policy.digest}) if last else None
        taken = open_case(policy, name, position, at, before, item, care=care)
        self.cases[item] = live = _Live(policy, taken, self.number)
        about = f" about {item}" if item else ""
        after = f" to look after case {last.number}" if care and last else ""
        self.played.told.append((at, f"case {self.number} opens{about}{after}"))
        self._look(item, live, at)

    def _look(self, item: str, live: _Live, at: datetime) -> None:
        if not live.taken.care_of and adopts(live.policy, self.policy):
            self._adopt(live, at)
        found = self._step_until_quiet(live, at)
        if found.open:
            live.next_look = self._later(found.wake_at, at)
            return
        self.played.told.append((at, f"case {live.number} ends: {found.taken.ended}"))
        live.taken = found.taken
        self.previous[item] = live
        self.over[found.taken.case] = found.taken
        del self.cases[item]
        self._watch(at, looked=True)

    def _adopt(self, live: _Live, at: datetime) -> None:
        position = self._position(at)
        found = adopt(live.policy, self.policy, live.taken, position, at)
        self.played.looks.append(Look(at, live.taken, found, position.account, self.policy, self.law))
        self.played.told.append((at, f"case {live.number} goes over to version {self.policy.version}"))
        live.policy, live.taken = self.policy, found.taken

    def _step_until_quiet(self, live: _Live, at: datetime) -> Step:
        for _ in range(MOST_STEPS):
            position = self._position(at)
            found = step(live.policy, live.taken, position, at)
            self.played.looks.append(Look(at, live.taken, found, position.account, live.policy, self.law))
            live.taken = found.taken
            for action in found.actions:
                self._ask(action, at)
            if not found.actions or not found.open:
                return found
        raise GoesInCircles(live.taken.case, at)

    def _remind(self, at: datetime) -> None:
        found = reminders(self.policy, self._position(at), at, self.reminded)
        for action in found.actions:
            self.reminded.add(action.key)
            self.played.reminded.append((at, action))
            self.played.reminding[action.key] = self.policy
            self._ask(action, at)
        self.next_reminder = self._later(found.look_at, at)

    def _ask(self, action: Action, at: datetime) -> None:
        shown = show(action)
        self.asked[shown] = action.key
        self.played.told.append((at, f"asks: {shown}{_stated(action)}"))
        if action.do == "notify":
            self.on_their_way[action.key] = Contacted(
                at=at, channel=action.args[0], key=action.key, text=action.args[1], pending=True
            )
        by_person = action.do == "approve" or (action.do == "task" and action.args[0] in NOT_ANSWERED)
        if self.scenario.receiver == "done same day" and not by_person:
            when = max(at, action.not_before) if action.not_before else at
            reply = Reply(shown, "done", key=action.key)
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
