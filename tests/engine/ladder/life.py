"""A case as it lives: news, answers, wake-ups, one after the other; every look is held against the rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

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
from engine.ladder.model import LadderRow
from engine.ladder.simulate import NOT_ANSWERED
from engine.ladder.waits import shortest
from engine.ledger import Entry, EntryAdapter, position_at
from engine.ledger.refusals import entry_problems
from tests.engine.ladder.world import calendar, law
from tests.engine.ledger.making import TERMS, ZONE

START = datetime.combine(date(2025, 3, 3), time(8), ZONE)
QUIET = 40
"""Looks at one instant after which a case goes round in circles."""


@dataclass
class Life:
    """One account and its cases, one after the other."""

    policy: CollectionsPolicy
    at: datetime = START
    entries: list[Entry] = field(default_factory=list)
    taken: Taken | None = None
    before: Taken | None = None
    wake: datetime | None = None
    cases: int = 0
    number: int = 0
    open: dict[str, Action] = field(default_factory=dict)
    """What was asked for and not answered yet."""
    asked: list[tuple[datetime, Action]] = field(default_factory=list)
    steps: list[tuple[datetime, Taken, Step]] = field(default_factory=list)
    wakes: list[datetime] = field(default_factory=list)
    check: Callable[[Life, Taken, Step, Position], None] = lambda *_: None

    @property
    def today(self) -> date:
        """The local day."""
        return self.at.astimezone(ZONE).date()

    def tell(self, kind: str, back: int = 0, /, **values: object) -> bool:
        """Tell the ledger something, with a value date some days back; False: it is refused."""
        self.number += 1
        given = {"id": f"{kind}-{self.number}", "value_date": self.today - timedelta(days=back), **values}
        entry = EntryAdapter.validate_python({"kind": kind, "received_at": self.at, **given})
        if entry_problems(TERMS, self.entries, entry):
            return False
        self.entries.append(entry)
        return True

    def answer(self, key: str, status: str) -> None:
        """Let the receiver say what became of an action."""
        del self.open[key]
        self.tell("receipt", key=key, status=status, at=self.at)

    def position(self) -> Position:
        """Return what is known now; the payment feed is complete."""
        account = position_at(TERMS, self.entries, self.at)
        feeds = {**account.feeds, "payments": self.at}
        return Position(account.model_copy(update={"feeds": feeds}), law(), calendar())

    def look(self) -> None:
        """Look at the account until nothing is asked for any more."""
        position = self.position()
        if self.taken is None:
            on = watch_on(self.policy, position, self.at)
            if on != self.at:
                self.wake = on
                return
            self.cases += 1
            self.taken = open_case(self.policy, f"case/A1/{self.cases}", position, self.at, self.before)
        for _ in range(QUIET):
            if self._step():
                return
        raise AssertionError(f"goes in circles at {self.at}")

    def _step(self) -> bool:
        assert self.taken is not None
        before, position = self.taken, self.position()
        found = step(self.policy, before, position, self.at)
        self.steps.append((self.at, before, found))
        self.check(self, before, found, position)
        self.taken, self.wake = found.taken, found.wake_at
        for action in found.actions:
            self.asked.append((self.at, action))
            self.open[action.key] = action
        if not found.open:
            self.before, self.taken = found.taken, None
            self.wake = watch_on(self.policy, self.position(), self.at)
        return not found.actions or not found.open

    def until(self, then: datetime, *, answers: str = "") -> None:
        """Live on to an instant, waking when the case asks for it; `answers`: to all but approvals."""
        while self.wake is not None and self.wake <= then:
            assert self.wake > self.at or not self.wakes or self.wakes[-1] != self.wake, (
                "wakes at one instant"
            )
            self.at = max(self.at, self.wake)
            self.wakes.append(self.at)
            self.look()
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
                self.answer(key, status)
            self.look()


def _of_nobody(action: Action) -> bool:
    """Tell whether a task is there because somebody else did not do his part."""
    return action.do == "task" and action.args[0] in NOT_ANSWERED


# what must hold at each look


def holds_always(life: Life, before: Taken, found: Step, position: Position) -> None:
    """Hold one look against the rules of the ladder."""
    ladder = life.policy.ladders[found.taken.ladder] if found.taken.ladder else None
    _no_key_twice(life, found)
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
        _has_warrant(found, row, definition)
        _is_free(life, position, row)
        if definition.interrupts:
            _is_noticed(life, found, row, definition)
            _is_lawful(life, found, definition)
    _leaves_for_a_reason(before, found)


def _no_key_twice(life: Life, found: Step) -> None:
    keys = [action.key for action in found.actions]
    assert len(set(keys)) == len(keys)
    assert not {action.key for _, action in life.asked} & set(keys)


def _new_rows(before: Taken, after: Taken) -> list[TakenRow]:
    known = {(row.step, row.entry) for row in (*before.rows, *before.left)}
    new = [row for row in after.rows if (row.step, row.entry) not in known]
    completed = {row.step for row in before.rows if row.state == "requested" or row.words}
    return [row for row in new if row.step not in completed or row.requested_on == after.moved_up_on]


def _one_a_day(life: Life, before: Taken, found: Step, rows: list[TakenRow]) -> None:
    taken = [row for row in rows if row.requested_at == life.at]
    assert len(taken) <= 1
    if taken:
        assert before.moved_up_on != life.today, "two rows on one business date"


def _has_warrant(found: Step, row: TakenRow, definition: LadderRow) -> None:
    traced = next(one for one in found.trace.rows if one.step == row.step)
    assert traced.warranted or row.forced or row.skipped, (row, traced)
    over = any(one.level == "terminated" for one in found.taken.rows)  # then nobody is warned any more
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
    sent = next((one for one in found.taken.rows if one.step == notice.step), None)
    assert sent is not None, row
    assert sent.done_on is not None, row
    assert set(sent.debts) & set(row.debts), (sent.debts, row.debts)
    assert (life.today - sent.done_on).days >= shortest(behind.wait)
    assert sent.valid_until is None or sent.valid_until >= life.today


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
    """Return the most wake-ups in any year."""
    days = sorted(life.wakes)
    return max(
        (sum(1 for on in days if first <= on < first + timedelta(days=365)) for first in days), default=0
    )
