"""A case as it lives: news, answers, wake-ups, one after the other; every look is held against the rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from engine.ladder import (
    Action,
    CollectionsPolicy,
    Position,
    Step,
    Taken,
    TakenRow,
    open_case,
    step,
    watch_on,
)
from engine.ladder.aftercare import care_on
from engine.ladder.model import LadderRow
from engine.ladder.scope import demand_of, item_of, items
from engine.ladder.simulate import NOT_ANSWERED
from engine.ladder.waits import shortest
from engine.ledger import Entry, EntryAdapter, position_at
from engine.ledger.account import LEVELS, Contacted, Level
from engine.ledger.refusals import entry_problems
from tests.engine.ladder.world import calendar, law
from tests.engine.ledger.making import TERMS, ZONE

START = datetime.combine(date(2025, 3, 3), time(8), ZONE)
QUIET = 40
"""Looks at one instant after which a case goes round in circles."""


@dataclass
class Lived:
    """One open case."""

    taken: Taken
    wake: datetime | None = None


@dataclass
class Life:
    """One account and its cases: one after the other, and beside each other where they are about parts."""

    policy: CollectionsPolicy
    at: datetime = START
    entries: list[Entry] = field(default_factory=list)
    cases: dict[str, Lived] = field(default_factory=dict)
    """Open cases by what they are about."""
    before: dict[str, Taken] = field(default_factory=dict)
    """The last case about each item, when it has ended."""
    over: dict[str, Taken] = field(default_factory=dict)
    """Ended cases by name: what they demand of service can outlast them."""
    watch: datetime | None = None
    opened: int = 0
    number: int = 0
    open: dict[str, Action] = field(default_factory=dict)
    """What was asked for and not answered yet."""
    told_at: dict[str, datetime] = field(default_factory=dict)
    """When each notice was asked for."""
    asked: list[tuple[datetime, Action]] = field(default_factory=list)
    steps: list[tuple[datetime, Taken, Step]] = field(default_factory=list)
    wakes: list[tuple[str, datetime]] = field(default_factory=list)
    """What each wake-up was for, and when."""
    check: Callable[[Life, Taken, Step, Position], None] = lambda *_: None

    @property
    def today(self) -> date:
        """The local day."""
        return self.at.astimezone(ZONE).date()

    @property
    def wake(self) -> datetime | None:
        """When somebody looks again by himself."""
        wakes = (self.watch, *(lived.wake for lived in self.cases.values()))
        return min((at for at in wakes if at is not None), default=None)

    def tell(self, kind: str, back: int = 0, /, **values: object) -> bool:
        """Tell the ledger something, with a value date some days back; False: it is refused."""
        self.number += 1
        given = {"id": f"{kind}-{self.number}", "value_date": self.today - timedelta(days=back), **values}
        entry = EntryAdapter.validate_python({"kind": kind, "received_at": self.at, **given})
        if entry_problems(TERMS, self.entries, entry):
            return False
        self.entries.append(entry)
        return True

    def answer(self, key: str, status: str, *, book: bool = False) -> None:
        """Let the receiver say what became of an action; `book`: and the ledger book the deposit it uses."""
        action = self.open.pop(key)
        self.tell("receipt", key=key, status=status, at=self.at)
        if book and action.do == "apply" and not action.undo:
            self.book_deposit()

    def book_deposit(self) -> None:
        """Book the deposit against what is owed, as billing does that has applied it."""
        account = position_at(TERMS, self.entries, self.at).model_copy()
        owed = sum((debt.open - debt.disputed for debt in account.debts if not debt.written_off), Decimal(0))
        if (amount := min(account.deposit, owed)) > 0:
            self.tell("deposit", move="applied", amount=amount)

    def position(self) -> Position:
        """Return what is known now; the payment feed is complete."""
        account = position_at(TERMS, self.entries, self.at)
        beside = [*self.over.values(), *(lived.taken for lived in self.cases.values())]
        demands = (demand_of(self.policy.case, taken, taken.level, account.today) for taken in beside)
        waiting = (
            Contacted(at=at, channel=action.args[0], key=key, text=action.args[1], pending=True)
            for key, at in self.told_at.items()
            if (action := self.open.get(key)) is not None
        )
        update = {
            "feeds": {**account.feeds, "payments": self.at},
            "demands": (*account.demands, *(demand for demand in demands if demand)),
            "contacts": tuple(sorted((*account.contacts, *waiting), key=lambda one: (one.at, one.key))),
        }
        return Position(account.model_copy(update=update), law(), calendar())

    def look(self) -> None:
        """Look at every case until nothing is asked for any more, and open those that can be."""
        for item in list(self.cases):
            self._look_at(item)
        self._open()

    def _look_at(self, item: str) -> None:
        for _ in range(QUIET):
            if self._step(item):
                return
        raise AssertionError(f"goes in circles at {self.at}")

    def _open(self) -> None:
        position = self.position()
        for item in items(self.policy.case, position.account):
            if item not in self.cases and watch_on(self.policy, position, self.at, item) == self.at:
                self._begin(item, position)
        for item, last in list(self.before.items()):
            if item not in self.cases and care_on(self.policy, position, self.at, last) == self.at:
                self._begin(item, position, care=True)
        self.watch = self._watch()

    def _begin(self, item: str, position: Position, *, care: bool = False) -> None:
        self.opened += 1
        last = self.before.get(item)
        last = last.model_copy(update={"text": self.policy.digest}) if last else None
        name = f"case/A1/{self.opened}"
        self.cases[item] = Lived(open_case(self.policy, name, position, self.at, last, item, care=care))
        self._look_at(item)

    def _watch(self) -> datetime | None:
        position = self.position()
        wanted = (item for item in items(self.policy.case, position.account) if item not in self.cases)
        found = [watch_on(self.policy, position, self.at, item) for item in wanted]
        ended = ((item, last) for item, last in self.before.items() if item not in self.cases)
        found += [care_on(self.policy, position, self.at, last) for _, last in ended]
        return min((at for at in found if at is not None), default=None)

    def _step(self, item: str) -> bool:
        lived = self.cases[item]
        before, position = lived.taken, self.position()
        found = step(self.policy, before, position, self.at)
        self.steps.append((self.at, before, found))
        self.check(self, before, found, position)
        lived.taken, lived.wake = found.taken, found.wake_at
        for action in found.actions:
            self.asked.append((self.at, action))
            self.open[action.key] = action
            if action.do == "notify":
                self.told_at[action.key] = self.at
        if not found.open:
            self.before[item] = self.over[found.taken.case] = found.taken
            del self.cases[item]
        return not found.actions or not found.open

    def until(self, then: datetime, *, answers: str = "") -> None:
        """Live on to an instant, waking when the cases ask for it; `answers`: to all but approvals."""
        while (wake := self.wake) is not None and wake <= then:
            self.at = max(self.at, wake)
            due = [
                item for item, lived in self.cases.items() if lived.wake is not None and lived.wake <= wake
            ]
            assert not any((self.cases[item].taken.case, wake) in self.wakes for item in due), (
                "wakes at one instant"
            )
            self.wakes += [(self.cases[item].taken.case, wake) for item in due] or [("watch", wake)]
            for item in due:
                self._look_at(item)
            self._open()
            if answers:
                self.answer_all(answers)
        self.at = max(self.at, then)

    def answer_all(self, status: str) -> None:
        """Answer whatever is open, and what follows from it; what a person has to decide stays open."""
        for _ in range(QUIET):
            keys = [k for k, a in self.open.items() if a.do != "approve" and not _of_nobody(a)]
            if not keys:
                return
            for key in keys:
                self.answer(key, status, book=status == "done")
            names = {key.split("/", 3)[2] for key in keys}
            for item, lived in list(self.cases.items()):
                if lived.taken.case.rpartition("/")[2] in names:
                    self._look_at(item)
            self._open()


def _of_nobody(action: Action) -> bool:
    """Tell whether a task is there because somebody else did not do his part."""
    return action.do == "task" and action.args[0] in NOT_ANSWERED


# what must hold at each look


def holds_always(life: Life, before: Taken, found: Step, position: Position) -> None:
    """Hold one look against the rules of the ladder."""
    ladder = life.policy.ladders[found.taken.ladder] if found.taken.ladder else None
    _no_key_twice(life, found)
    _speaks_of_its_own(life, found, position)
    assert found.wake_at is None or found.wake_at > life.at
    assert found.open or found.wake_at is None
    if ladder is None:
        return
    rows = _new_rows(before, found.taken)
    _one_a_day(life, before, found, rows)
    for row in rows:
        definition = ladder.by_step[row.step]
        if row.skipped:
            continue  # a person has left it out, and nothing was done
        _has_warrant(found, position, row, definition)
        _is_free(life, position, row)
        if definition.interrupts:
            _is_noticed(life, found, row, definition)
            _is_lawful(life, found, definition)
    _leaves_for_a_reason(before, found)


def _no_key_twice(life: Life, found: Step) -> None:
    keys = [action.key for action in found.actions]
    assert len(set(keys)) == len(keys)
    assert not {action.key for _, action in life.asked} & set(keys)


def _speaks_of_its_own(life: Life, found: Step, position: Position) -> None:
    """A case about a part names no other debt, and tells no less than any demand in force on its service."""
    rules, item, service = life.policy.case, found.taken.item, found.taken.service
    mine = {debt.id for debt in position.account.debts if not item or item_of(rules, debt) == item}
    known = {debt.id for debt in position.account.debts}
    others = _demands(found, position)
    for action in found.actions:
        assert set(action.debts) & known <= mine, (item, action)
        if action.do == "service":
            assert action.service == service
            assert action.level is not None
            level = LEVELS.index(action.level)
            assert level >= max(map(LEVELS.index, [*others, "open" if action.undo else action.args[0]]))


def _new_rows(before: Taken, after: Taken) -> list[TakenRow]:
    known = {(row.step, row.entry) for row in (*before.rows, *before.left)}
    new = [row for row in after.rows if (row.step, row.entry) not in known and not row.announces]
    completed = {row.step for row in before.rows if row.state == "requested" or row.words}
    return [row for row in new if row.step not in completed or row.requested_on == after.moved_up_on]


def _one_a_day(life: Life, before: Taken, found: Step, rows: list[TakenRow]) -> None:
    taken = [row for row in rows if row.requested_at == life.at and _has_effect(row)]
    assert len(taken) <= 1
    if taken and before.moved_up_on == life.today:
        known = (row for row in (*before.rows, *before.left) if not row.announces)
        earlier = [row for row in known if row.requested_on == life.today]
        assert earlier, "two rows on one business date"
        assert not any(_has_effect(row) for row in earlier), "two rows on one business date"


def _has_effect(row: TakenRow) -> bool:
    """Tell whether something was asked for, or a person left it out: what had nothing to do is no step."""
    return bool(row.keys) or row.skipped


def _demands(found: Step, position: Position) -> list[Level]:
    """Return what others demand of the service that a case speaks of."""
    others = (demand for demand in position.account.demands if demand.source != found.taken.case)
    return [demand.level for demand in others if demand.service in ("", found.taken.service)]


def _has_warrant(found: Step, position: Position, row: TakenRow, definition: LadderRow) -> None:
    traced = next(one for one in found.trace.rows if one.step == row.step)
    assert traced.warranted or row.forced or row.skipped, (row, traced)
    # after a termination nobody is warned any more
    over = "terminated" in (*(one.level for one in found.taken.rows), *_demands(found, position))
    if not row.forced and definition.after and not over:
        after = next(one for one in found.taken.rows if one.step == definition.after)
        assert after.state == "done" or after.skipped or after.wrongful, (row, after)


def _is_free(life: Life, position: Position, row: TakenRow) -> None:
    for hold in position.account.holds:
        rules = life.policy.holds.get(hold.kind)
        until = hold.until or (rules.lasts.after(hold.since) if rules and rules.lasts else date.max)
        assert hold.bill or not hold.since <= life.today <= until, (row.step, hold)


def _is_noticed(life: Life, found: Step, row: TakenRow, definition: LadderRow) -> None:
    ladder = life.policy.ladders[found.taken.ladder]
    behind, notice = definition, ladder.by_step[definition.after]
    while not notice.notifies:
        behind, notice = notice, ladder.by_step[notice.after]
    sent = [one for one in found.taken.rows if one.step == notice.step and one.done_on is not None]
    told = [one for one in sent if (life.today - _day(one.done_on)).days >= shortest(behind.wait)]
    told = [one for one in told if one.valid_until is None or one.valid_until >= life.today]
    named = {debt for one in told for debt in one.debts}
    assert named.issuperset(row.debts), (named, row.debts)


def _day(on: date | None) -> date:
    assert on is not None
    return on


def _is_lawful(life: Life, found: Step, definition: LadderRow) -> None:
    local = life.at.astimezone(ZONE)
    assert time(9) <= local.time() < time(16)
    assert calendar().is_working(local.date())
    assert calendar().is_working(local.date() + timedelta(days=1))
    if definition.level == "terminated":
        cut = [row.done_on for row in found.taken.rows if row.level == "suspended" and row.done_on]
        assert cut
        assert (local.date() - min(cut)).days > 60
    else:
        assert found.trace.days_past_due > 30


def _leaves_for_a_reason(before: Taken, found: Step) -> None:
    stay = {row.step for row in found.taken.rows}
    for row in before.rows:
        if row.step not in stay:
            said = [note for note in found.trace.notes if f"`{row.step}`" in note]
            assert said, (row.step, found.trace.notes)


def wakes_of_a_year(life: Life) -> int:
    """Return the most wake-ups of one case in any year."""
    most = 0
    for name in {name for name, _ in life.wakes}:
        days = sorted(at for of, at in life.wakes if of == name)
        for first in days:
            most = max(most, sum(1 for on in days if first <= on < first + timedelta(days=365)))
    return most
