"""A debt that nobody pays, disputes or holds, walked up a ladder by arithmetic: the days of its steps.

It takes what `stepping.step` takes, moment by moment, at one pace of the world; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.ladder.caps import covered
from engine.ladder.case import minutes
from engine.ladder.law import LawPack
from engine.ladder.model import CollectionsPolicy
from engine.ladder.plain_days import NEVER, Ask
from engine.ladder.plain_debts import Plain, Rung
from engine.ladder.threshold import NumberTest
from engine.ladder.waits import is_since_due, longest
from engine.ladder.worst_contact import DAY, Hours
from engine.ledger.account import LEVELS
from engine.text import Period

MOST_LOOKS = 600
MOST_REPEATS = 36
"""Notices in a row that only come again, once no cell changes any more: what then is never taken."""
SUSPENDED, TERMINATED = LEVELS.index("suspended"), LEVELS.index("terminated")


@dataclass(frozen=True, slots=True)
class Pace:
    """How soon the world answers: at once, or at the last permitted moment; at one step as late as is said.

    What is late: contact caps are full when a notice could go out, and receipts take as long as they may.
    """

    before: bool = False
    """Whether it is late until that step is taken for the first time."""
    pivot: int = -1
    lateness: int = 0
    """Days: first of what puts the notice off, then of the receipt."""
    after: bool = False


PROMPT, LATE = Pace(), Pace(before=True, after=True)


@dataclass(frozen=True, slots=True)
class Took:
    """A step that was taken."""

    index: int
    asked: int
    """Minutes since the due date."""
    done: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """What became of a debt from one due date."""

    took: tuple[Took, ...]
    filled: tuple[tuple[int, int], ...] = ()
    """Steps that others put off by filling the caps, with the first day on which there is room."""
    passed: tuple[tuple[int, int], ...] = ()
    """Steps that could be taken when another one was, with the first day of that."""


@dataclass(slots=True)
class _Stands:
    asked: int
    done: int
    valid: int
    """The last day on which it counts."""


class Rules:
    """What of a policy and a law speaks of every step."""

    def __init__(self, policy: CollectionsPolicy, law: LawPack) -> None:
        case, window = policy.case, policy.interruptions.window
        self.start = minutes(case.hour)
        self.jump = case.when_late == "jump"
        self.valid = policy.contact.valid
        self.window = (minutes(window[0]), minutes(window[1])) if window else (0, DAY)
        self.daily = case.runs == "daily"
        cuts = policy.interruptions
        self.free = self.daily and not cuts.calendar and not cuts.not_before
        caps: list[tuple[tuple[str, ...], int, Period]]
        caps = [(covered(kind), most, period) for kind, most, period in policy.contact.caps]
        caps += [(c.channels, *c.most) for c in law.clauses_on("contact_frequency") if c.most]
        self.caps = caps
        rests: list[tuple[tuple[str, ...], Period]] = []
        if policy.contact.after_conversation:
            rests.append((("call",), policy.contact.after_conversation))
        rests += [(c.channels, c.period) for c in law.clauses_on("after_conversation") if c.period]
        self.rests = rests
        self.hours = Hours(policy, law)
        self.ends = tuple(c.days for c in law.clauses_on("termination") if c.days)
        self.asks_suspension = bool(law.clauses_on("termination"))

    def put_off(self, rung: Rung) -> list[Period]:
        """Return what others can put a notice off by: caps that are full, conversations."""
        by = set(rung.channels)
        found = [period for channels, _, period in self.caps if by & set(channels)]
        return found + [period for channels, period in self.rests if by & set(channels)]


@dataclass(slots=True)
class Walk:
    """One walk; `ask` answers for its due date."""

    rules: Rules
    debt: Plain
    pace: Pace
    ask: Ask
    until: int = NEVER
    """The day past due after which nothing is asked for any more."""
    aims: tuple[int, ...] = ()
    """The steps to walk to; none: to the end."""
    now: int = 0
    moved: int = -NEVER
    level: int = 0
    """The level of service that is demanded."""
    over: bool = False
    """The debt was given up."""
    stands: dict[int, _Stands] = field(default_factory=dict)
    closed: dict[int, int] = field(default_factory=dict)
    """Notices that others have put off, with the first day on which there is room."""
    contacts: list[tuple[int, str]] = field(default_factory=list)
    took: list[Took] = field(default_factory=list)
    filled: list[tuple[int, int]] = field(default_factory=list)
    passed: dict[int, int] = field(default_factory=dict)

    def course(self) -> Course:
        """Return the steps in the order in which they are taken."""
        self.now = self.debt.opens * DAY + self.rules.start
        for _ in range(MOST_LOOKS):
            later = self._look()
            if later is None or later // DAY > self.until or self._is_there() or self._only_repeats():
                break
            self.now = later
        return Course(tuple(self.took), tuple(self.filled), tuple(self.passed.items()))

    def _is_there(self) -> bool:
        """Tell whether all was taken that is walked to."""
        return bool(self.aims) and all(index in self.stands for index in self.aims)

    def _only_repeats(self) -> bool:
        """Tell whether notices lapse and come again for ever, and nothing else does."""
        last = self.took[-MOST_REPEATS:]
        turns = any(turn * DAY > self.now for turn in self.debt.turns)
        return len(last) == MOST_REPEATS and not turns and all(took.again for took in last)

    def _look(self) -> int | None:
        """Take what can be taken now; return the next moment at which something can change."""
        day = self.now // DAY
        if self.over:
            return None
        if self.debt.ends:
            self._leave(day)
        moments = [turn * DAY + self.rules.start for turn in self.debt.turns if turn > day]
        wanted = self._wanted(day)
        chosen: Rung | None = None
        for index in sorted(wanted):
            rung = self.debt.rungs[index]
            at = self._open(rung, day)
            if at is None or at >= NEVER * DAY:
                continue
            if at <= self.now and chosen is None and not self._closes(rung, day, moments):
                chosen = rung
            elif at <= self.now and chosen is not None:
                self.passed.setdefault(index, day)
            moments.append(at)
        if chosen is not None:
            return self._take(chosen)
        lapses = (s.valid for s in self.stands.values() if day <= s.valid < NEVER)
        moments += [(valid + 1) * DAY + self.rules.start for valid in lapses]
        return min((moment for moment in moments if moment > self.now), default=None)

    # what counts

    def _leave(self, day: int) -> None:
        """Let rows go whose level has fallen since they were taken, because debts grew too old for it."""
        for index, stood in list(self.stands.items()):
            row = self.debt.rungs[index].row
            if row.final or row.release.kind == "condition":
                continue
            holding = self.debt.rungs[index:]
            turns = [t for t in self.debt.turns if stood.asked // DAY < t <= day]
            if any(not any(rung.holds(turn) for rung in holding) for turn in turns):
                del self.stands[index]

    def _counts(self, index: int, day: int) -> bool:
        stood = self.stands.get(index)
        if stood is None:
            return False
        rung = self.debt.rungs[index]
        if rung.level == TERMINATED:
            return True
        if rung.notifies:
            return stood.valid >= day
        if rung.interrupts or rung.after < 0 or not self.debt.rungs[rung.after].interrupts:
            return True
        return self._counts(rung.after, day)

    def _over(self, rung: Rung) -> bool:
        """Tell whether a row has no object any more: the contract is ended."""
        if self.level != TERMINATED:
            return False
        if rung.interrupts:
            return True
        if any(self.debt.rungs[i].level == TERMINATED for i in rung.above):
            return False
        return any(item.do in ("notify", "fee") for item in rung.row.do)

    def _wanted(self, day: int) -> set[int]:
        reached = max((i for i in self.stands if self._counts(i, day)), default=-1)
        above = [r for r in self.debt.rungs[reached + 1 :] if r.holds(day) and not self._over(r)]
        if self.rules.jump:
            above = above[-1:]
        return {index for rung in above for index in self._missing(rung.row.index, day)}

    def _missing(self, index: int, day: int) -> list[int]:
        found: list[int] = []
        while index >= 0 and not self._counts(index, day):
            if not self._over(self.debt.rungs[index]):
                found.append(index)
            index = self.debt.rungs[index].after
        for cut in [self.debt.rungs[i] for i in found if self.debt.rungs[i].interrupts]:
            if cut.notice >= 0 and cut.notice not in found:
                found += self._missing(cut.notice, day)
        return found

    # when it can come

    def _open(self, rung: Rung, day: int) -> int | None:
        """Return the first moment from now on at which a row can be taken as things stand; None: it waits."""
        if not rung.holds(day):
            return None
        ready = self._ready(rung, day)
        lawful = None if ready is None else self._lawful(rung, ready)
        if lawful is None:
            return None
        first = max(lawful, self.closed.get(rung.row.index, 0), self._room(rung, lawful), self.moved + 1)
        start = max(self.rules.start, self.rules.window[0]) if rung.interrupts else self.rules.start
        at = self.now if first == day and self.now % DAY >= start else first * DAY + start
        if rung.interrupts and at % DAY >= self.rules.window[1]:
            at = (first + 1) * DAY + start
        run = self._run(rung, at // DAY)
        return at if run == at // DAY else run * DAY + start

    def _run(self, rung: Rung, day: int) -> int:
        if rung.interrupts:
            return day if self.rules.free else self.ask(("cut", day, None, self.moved))
        return day if self.rules.daily else self.ask(("run", day, None, 0))

    def _ready(self, rung: Rung, day: int) -> int | None:
        row = rung.row
        if rung.after >= 0 and not self._over(self.debt.rungs[rung.after]):
            if not self._counts(rung.after, day):
                return None
            day = max(day, self._wait(row.wait, self.stands[rung.after].done // DAY))
        elif rung.after < 0 and is_since_due(row.wait):
            day = max(day, self._wait(row.wait, 0))
        if rung.notice < 0:
            return day
        if not self._counts(rung.notice, self.now // DAY):
            return None
        behind = next(i for i in (row.index, *rung.above) if self.debt.rungs[i].after == rung.notice)
        since = self.stands[rung.notice].done // DAY
        return max(day, self._wait(self.debt.rungs[behind].row.wait, since))

    def _wait(self, wait: Period, done: int) -> int:
        if type(wait) is Period and not wait.months:
            return done + wait.days
        return self.ask(("ready", done, wait, 0))

    def _past(self, period: Period, day: int) -> int:
        return self.ask(("past", day, period, 0)) if period.months else day + period.days

    def _lawful(self, rung: Rung, day: int) -> int | None:
        first: int | None = day
        if rung.level == TERMINATED and self.rules.asks_suspension:
            cuts = [s.done // DAY for i, s in self.stands.items() if self.debt.rungs[i].level == SUSPENDED]
            if not cuts:
                return None
            for test in self.rules.ends:
                first = None if first is None else _first(test, first, min(cuts))
        for test in rung.days:
            first = None if first is None else _first(test, first, 0)
        if first is None or any(index not in self.stands for _, index in rung.told):
            return None
        for clause, index in rung.answered:
            assert clause.period is not None  # it needs it
            received = self.ask(("received", self.stands[index].done // DAY, None, clause.received))
            first = max(first, self._past(clause.period, received) + 1)
        return first

    def _room(self, rung: Rung, day: int) -> int:
        """Return the first day on which its own notices leave room for a row's under the caps."""
        first = day
        for channels, most, period in self.rules.caps if rung.channels else ():
            need = sum(1 for by in rung.channels if by in channels)
            made = sorted(on for on, by in self.contacts if by in channels and self._past(period, on) > day)
            over = len(made) + min(need, most) - most
            if need and over > 0:
                first = max(first, self._past(period, made[over - 1]))
        return first

    def _closes(self, rung: Rung, day: int, moments: list[int]) -> bool:
        """Let others fill the caps on a day on which a notice could go out, once for each time it does."""
        index = rung.row.index
        periods = self.rules.put_off(rung)
        if not periods or index in self.closed:
            return False
        until = max(self._past(period, day) for period in periods)
        late = self._late(index)
        if late is None:
            until = min(until, day + self.pace.lateness)
        elif not late:
            until = day
        self.closed[index] = until
        if until <= day:
            return False
        self.filled.append((index, until))
        moments.append(until * DAY + self.rules.start)
        return True

    def _late(self, index: int) -> bool | None:
        """Tell whether the world is late for a step; None: as late as the pace says of this one."""
        pace = self.pace
        first = next((True for took in self.took if took.index == pace.pivot), False)
        if pace.pivot < 0 or first:
            return pace.after
        return None if index == pace.pivot else pace.before

    # taking

    def _take(self, rung: Rung) -> int:
        index, asked = rung.row.index, self.now
        idle = self._is_idle(rung)
        done = asked if idle else self._done(rung)
        if not idle:
            self.moved = asked // DAY
        again = any(took.index == index for took in self.took)
        self.took.append(Took(index, asked, done, again))
        on = done // DAY
        valid = NEVER if self.rules.valid is None else self._past(self.rules.valid, on)
        self.stands[index] = _Stands(asked, done, valid)
        self.level, self.over = max(self.level, rung.level), rung.row.gives_up
        self.contacts += [(on, by) for by in rung.channels]
        self.closed.pop(index, None)
        return done

    def _done(self, rung: Rung) -> int:
        late = self._late(rung.row.index)
        if not rung.within:
            return self.now
        free = self.rules.hours.free_from(self.now, rung.channels, late=bool(late))
        if late is not None:
            return max(free, self.now + rung.within) if late else free
        off = max((longest(period) for period in self.rules.put_off(rung)), default=0)
        return max(free, self.now + min(rung.within, max(0, self.pace.lateness - off) * DAY))

    def _is_idle(self, rung: Rung) -> bool:
        """Tell whether a row finds nothing to do: no deposit is held, its level is in force already."""
        items = rung.row.do
        cuts = any(item.level for item in items)
        return all(
            item.do == "apply"
            or (item.do == "fee" and cuts)
            or (item.level is not None and LEVELS.index(item.level) <= self.level)
            for item in items
        )


def _first(test: NumberTest, day: int, since: int) -> int | None:
    """Return the first day from a day on, on which a number of days since another passes a test."""
    if test.holds(day - since):
        return day
    turns: Iterator[int] = (turn for turn in test.turns() if turn > day - since and test.holds(turn))
    return min((since + turn for turn in turns), default=None)
