"""Every plain debt of a ladder walked from every due date: the first and the last day of each step.

A later confirmation makes what follows later, never sooner: so the two ends come at the two paces, everything
at once and everything at the last permitted moment. Where that is not so (a notice that lapses meanwhile, two
steps that can come on one day, a step that ends with age) each step that decides it is walked at every pace,
for the due dates that come closest to the two ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from engine.ladder.law import Clause, LawPack
from engine.ladder.model import CollectionsPolicy, Ladder
from engine.ladder.plain import LATE, PROMPT, Course, Pace, Rules, Took, Walk
from engine.ladder.plain_days import NEVER, Ask, Days, Question, Walks
from engine.ladder.plain_debts import Plain, plain_debts
from engine.ladder.waits import longest
from engine.ladder.worst_contact import DAY
from engine.workdays import Calendar

CLOSE = 12
"""So many of the walks that come closest to the last day of a step are tried at other paces."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A due date (its ordinal), a kind of debt and a pace at which a step comes on a day."""

    due: int
    debt: Plain
    pace: Pace
    course: Course


@dataclass(slots=True)
class Reach:
    """The days past due on which a step is first taken."""

    earliest: int
    latest: int
    done: int
    first: Witness
    last: Witness

    @property
    def again(self) -> int:
        """Days for which it waited at last because a notice that had lapsed was sent again."""
        took, mine = self._last()
        names = self.last.debt.rungs[mine.index].above
        again = [one for one in took if one.again and one.index in names and one.asked < mine.asked]
        return self.latest - again[0].asked // DAY if again else 0

    @property
    def passed(self) -> int:
        """Days for which it waited at last because another step was taken."""
        _, mine = self._last()
        since = dict(self.last.course.passed).get(mine.index)
        return 0 if since is None else self.latest - since

    def _last(self) -> tuple[tuple[Took, ...], Took]:
        took = self.last.course.took
        return took, next(one for one in took if not one.again and one.asked // DAY == self.latest)


class Walked:
    """What all walks of a ladder have found, by the index of a row; a row that is not there never comes.

    `until`: the day past due to which it is walked.
    """

    def __init__(
        self, policy: CollectionsPolicy, ladder: Ladder, law: LawPack, calendar: Calendar, until: int = NEVER
    ) -> None:
        self.until = until
        self.policy, self.rules, self.days = policy, Rules(policy, law), Days(policy, calendar)
        answered = law.clauses_on("validation")
        periods = [row.wait for row in ladder.rows]
        periods += [policy.contact.valid] if policy.contact.valid else []
        periods += [period for _, _, period in self.rules.caps] + [period for _, period in self.rules.rests]
        periods += [clause.period for clause in answered if clause.period]
        self.dues = self.days.due_dates(periods, working=any(clause.received for clause in answered))
        self.reach: dict[int, Reach] = {}
        self.lapsed: set[int] = set()
        """Steps of which the notice before had lapsed, and was sent again, before they were first taken."""
        self.gaps: dict[int, int] = {}
        """By step the most days between the step before it and its being taken for the first time."""
        self._close: dict[int, list[_Close]] = {}
        """Walks that come close to the last day of a step, where the pace of another one can decide."""
        self.debts = plain_debts(policy, ladder, law)
        for debt in self.debts:
            self._walk(debt)
        for index, found in self._close.items():
            self._try(index, found)

    def is_met(self, index: int) -> bool:
        """Tell whether there are debts for which a row and every step on the way to it can hold."""
        return any(all(debt.rungs[i].spans for i in (index, *debt.rungs[index].above)) for debt in self.debts)

    def soonest_answer(self, clause: Clause) -> int:
        """Return the fewest days from a notice to the day after the last one to answer it."""
        assert clause.period is not None  # it needs it
        received = ((due, self.days.answer(due, ("received", 0, None, clause.received))) for due in self.dues)
        return 1 + min(self.days.answer(due, ("past", day, clause.period, 0)) for due, day in received)

    def _walk(self, debt: Plain) -> None:
        at_once, late = self._walks(debt, PROMPT), self._walks(debt, LATE)
        pairs: dict[tuple[int, int], tuple[int, Course, Course]] = {}
        for due in self.dues:
            soon, last = at_once.of(due), late.of(due)
            pairs.setdefault((id(soon), id(last)), (due, soon, last))
        for due, soon, last in pairs.values():
            self._take_in(debt, due, PROMPT, soon)
            self._take_in(debt, due, LATE, last)
            self._note(debt, due, soon, last)

    def _walks(self, debt: Plain, pace: Pace) -> Walks[Course]:
        def walk(ask: Ask) -> Course:
            return Walk(self.rules, debt, pace, ask, self.until).course()

        return Walks(self.days, walk)

    def _take_in(self, debt: Plain, due: int, pace: Pace, course: Course) -> None:
        before: dict[int, Took] = {}
        for took in course.took:
            sent = before.get(debt.rungs[took.index].after)
            before[took.index] = took
            if took.again:
                continue
            day, done = took.asked // DAY, took.done // DAY
            if sent:
                self.gaps[took.index] = max(self.gaps.get(took.index, 0), day - sent.done // DAY)
            if sent and sent.again:
                self.lapsed.add(took.index)
            known = self.reach.get(took.index)
            if known is None:
                witness = Witness(due, debt, pace, course)
                self.reach[took.index] = Reach(day, day, done, witness, witness)
                continue
            known.done = max(known.done, done)
            if day < known.earliest:
                known.earliest, known.first = day, Witness(due, debt, pace, course)
            if day > known.latest:
                known.latest, known.last = day, Witness(due, debt, pace, course)

    # where a later confirmation can make something sooner

    def _note(self, debt: Plain, due: int, soon: Course, last: Course) -> None:
        """Keep a due date of which a step can come later, or sooner, at a pace between the two."""
        early = {took.index: took for took in reversed(soon.took)}
        late = {took.index: took for took in reversed(last.took)}
        for index in sorted({*early, *late}):
            ends = [one[index].asked // DAY for one in (early, late) if index in one]
            for pivot in self._pivots(debt, index, early, late):
                self._close.setdefault(index, []).append(_Close(min(ends), max(ends), due, debt, pivot))

    def _pivots(self, debt: Plain, index: int, early: dict[int, Took], late: dict[int, Took]) -> set[int]:
        """Return the steps whose own pace decides more of a step's day than how late the next one is."""
        rung, found = debt.rungs[index], set(self._lapsing(debt, index, early, late))
        if (index in early) != (index in late):
            found |= set(rung.above)
        for other in early.keys() & late.keys() if index in early and index in late else ():
            related = other in rung.above or index in debt.rungs[other].above
            if other != index and not related and _meet(early, late, index, other):
                found |= {other, *rung.above, *debt.rungs[other].above}
        return {pivot for pivot in found if self._lateness(debt, pivot)}

    def _lapsing(
        self, debt: Plain, index: int, early: dict[int, Took], late: dict[int, Took]
    ) -> Iterator[int]:  # fmt: skip
        """Yield the notices that can lapse before a step that rests on them is taken."""
        valid, taken = self.rules.valid, late.get(index)
        for notice in {debt.rungs[index].notice, debt.rungs[index].after} if valid and taken else ():
            sent = early.get(notice)
            if not (sent and valid and taken and debt.rungs[notice].notifies):
                continue
            if taken.asked // DAY - sent.done // DAY > valid.days + 28 * valid.months:
                yield notice

    def _lateness(self, debt: Plain, index: int) -> int:
        rung = debt.rungs[index]
        off = max((longest(period) for period in self.rules.put_off(rung)), default=0)
        return off + ceil(rung.within / DAY)

    def _try(self, index: int, found: list[_Close]) -> None:
        for one in sorted(found, key=lambda one: -one.latest)[:CLOSE]:
            self._try_at(one, after=True)
        for one in sorted(found, key=lambda one: one.earliest)[: CLOSE // 2]:
            self._try_at(one, after=False)

    def _try_at(self, one: _Close, *, after: bool) -> None:
        for lateness in range(self._lateness(one.debt, one.pivot) + 1):
            for before in (False, True):
                pace = Pace(before, one.pivot, lateness, after)

                def ask(question: Question) -> int:
                    return self.days.answer(one.due, question)

                walk = Walk(self.rules, one.debt, pace, ask, self.until)
                self._take_in(one.debt, one.due, pace, walk.course())


def _meet(early: dict[int, Took], late: dict[int, Took], one: int, other: int) -> bool:
    """Tell whether one of two steps can come before the other one is confirmed, and the other way round."""
    first, second = (early[one].asked // DAY, late[one].done // DAY), (early[other], late[other])
    return first[0] <= second[1].done // DAY and second[0].asked // DAY <= first[1]


@dataclass(frozen=True, slots=True)
class _Close:
    """A due date of a debt whose step comes between two days, and a step whose pace can decide of it."""

    earliest: int
    latest: int
    due: int
    debt: Plain
    pivot: int
