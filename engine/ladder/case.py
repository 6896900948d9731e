"""Everything one look at a case needs, at hand: debts, rows taken, the day, and what blocks it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.feel.interpreter import Note, matches
from engine.feel.syntax import Null
from engine.ladder.clock import FOREVER, Held, PromiseState, promise_states
from engine.ladder.measure import Measures, View
from engine.ladder.memory import Row, absorb, most_severe
from engine.ladder.model import CollectionsPolicy, FactTest, Ladder, LadderRow
from engine.ladder.scope import cut
from engine.ladder.state import Position, Taken
from engine.ladder.waits import ready_on
from engine.ledger.account import AccountPosition, DemandedLevel, Level
from engine.ledger.entries import Act

ASKED_AGAIN = 90
"""A person who did not want to give a debt up is asked again after so many days: it may not lie for ever."""
Moment = tuple[int, int]
"""A local moment: ordinal of the day, minutes since its midnight."""


def minutes(clock: time) -> int:
    """Return minutes since midnight."""
    return clock.hour * 60 + clock.minute


def later(at: datetime, span: timedelta) -> datetime:
    """Return an instant so much later, also where clocks change in between."""
    return (at.astimezone(UTC) + span).astimezone(at.tzinfo)


def facts_hold(tests: tuple[FactTest, ...], position: AccountPosition) -> bool:
    """Tell whether cells on facts hold; a fact that is not known passes only `-` and `null`."""
    return all(fact_holds(test, position.facts.get(test.name)) for test in tests)


def fact_holds(test: FactTest, value: object) -> bool:
    """Tell whether a cell on a fact holds."""
    if not test.tests.tests:
        return True
    if value is None:  # in FEEL the cell `true` would be a condition here, and hold
        return any(isinstance(part, Null) for part in test.tests.tests) != test.tests.negated
    notes: list[Note] = []
    given = list(value) if isinstance(value, tuple) else value
    return matches(test.tests, given, {}, notes=notes) is True


def treatment_of(policy: CollectionsPolicy, position: AccountPosition) -> str:
    """Return the ladder that the customer gets; empty: none (exempt)."""
    for row in policy.treatment:
        if facts_hold(row.cells, position):
            return "" if row.ladder == "none" else row.ladder
    return ""


class Case:
    """One look at one case; `day` arguments are ordinals of local days from today on."""

    def __init__(self, policy: CollectionsPolicy, taken: Taken, position: Position, at: datetime) -> None:
        account = cut(policy.case, position.account, taken.item)
        self.policy, self.taken, self.at = policy, taken, at
        self.service = taken.service
        self.account, self.law, self.calendar = account, position.law, position.calendar
        self.zone = ZoneInfo(account.terms.timezone)
        self.local = at.astimezone(self.zone)
        self.today = self.local.date().toordinal()
        self.now: Moment = (self.today, self.local.hour * 60 + self.local.minute)
        self.treatment = treatment_of(policy, account)
        name = self.treatment or taken.ladder
        self.ladder: Ladder = policy.ladders.get(name) or next(iter(policy.ladders.values()))
        self.view = View(policy, account, taken.opened_anchor)
        self.receipts = {receipt.key: receipt for receipt in account.receipts}
        self.rows = [Row.of(row) for row in taken.rows]
        self.left = [Row.of(row) for row in taken.left]
        for row in (*self.rows, *self.left):
            absorb(row, self.ladder.by_step.get(row.step), self.receipts, policy, self.zone)
            row.await_deposit(account.deposit)
        self.acts = [act for act in account.acts if act.received_at >= taken.opened_at]
        self.entries = dict(taken.entries)
        self.fees = list(taken.fees)
        self.released: dict[str, date] = {}
        """Steps whose exit held on a day that has gone by, as became known late."""
        self.moved_up_on = taken.moved_up_on.toordinal() if taken.moved_up_on else 0
        self.notes: list[str] = []
        self.heard: list[str] = []
        self._holding: dict[tuple[int, int, bool, bool], bool] = {}
        self._warranted: dict[tuple[int, bool, bool], int] = {}
        self._fitting: dict[int, bool] = {}
        """By row: what is known of a customer is the same on each day ahead."""
        self._promises: dict[int, tuple[PromiseState, ...]] = {}

    # the ladder

    def definition(self, row: Row) -> LadderRow | None:
        """Return the ladder's row of a step that was taken; None when the ladder has no such step."""
        return self.ladder.by_step.get(row.step)

    def taken_row(self, step: str) -> Row | None:
        """Return the row of a step if it is taken; of a notice that was sent again, the one that counts."""
        rows = [row for row in self.rows if row.step == step]
        if any(row.announces for row in rows):
            counting = (row for row in rows if self.counts(row, self.today))
            taken = (row for row in rows if not row.announces)
            return next(counting, None) or next(taken, None)
        return rows[0] if rows else None

    def sort_rows(self) -> None:
        """Bring the rows that are taken into the order of the ladder."""
        self.rows.sort(key=lambda row: d.index if (d := self.definition(row)) else -1)

    def holds(self, row: LadderRow, day: int, *, keep: bool = False, held: bool = False) -> bool:
        """Tell whether a row's cells on the debt hold on a day."""
        key = (row.index, day, keep, held)
        found = self._holding.get(key)
        if found is None:
            view = self.view
            measures = view.noticed(day) if held else view.kept(day) if keep else view.on(day)
            found = self._holding[key] = self._cells_hold(row, measures)
        return found

    def _cells_hold(self, row: LadderRow, m: Measures) -> bool:
        if m.anchor is None:
            return False
        return (
            row.age.holds(m.age)
            and row.days_past_due.holds(m.days_past_due)
            and row.unpaid_bills.holds(m.unpaid_bills)
            and m.amount_holds(row)
            and self._fits(row)
        )

    def _fits(self, row: LadderRow) -> bool:
        found = self._fitting.get(row.index)
        if found is None:
            found = self._fitting[row.index] = facts_hold(row.facts, self.account)
        return found

    def warranted(self, day: int, *, keep: bool = False, held: bool = False) -> int:
        """Return the index of the last row whose cells hold; -1: none."""
        key = (day, keep, held)
        found = self._warranted.get(key)
        if found is None:
            last = (row for row in reversed(self.ladder.rows) if self.holds(row, day, keep=keep, held=held))
            found = self._warranted[key] = row.index if (row := next(last, None)) else -1
        return found

    def counts(self, row: Row | None, day: int) -> bool:
        """Tell whether a row is done for the debt that is the anchor, and still valid (rule 2)."""
        definition = self.definition(row) if row else None
        anchor = self.view.on(day).anchor
        if row is None or definition is None or anchor is None or row.state != "done":
            return False
        if row.ends_contract:
            return True  # the contract is over for every debt, also for those that come later
        if anchor.debt not in row.debts:
            return False
        if row.skipped:
            return self.asked_again_on(row) > day
        if not definition.notifies:
            return row.forced or definition.interrupts or self._has_its_cut(definition, day)
        if row.valid_until and row.valid_until.toordinal() < day:
            return False
        return not self.is_outdated(row, day)

    def _has_its_cut(self, row: LadderRow, day: int) -> bool:
        """Tell whether the cut that a row comes after still stands for the anchor: the row falls with it."""
        before = self.ladder.by_step.get(row.after)
        if before is None or not before.interrupts or self.is_over(before):
            return True  # without service there is no cut to fall with
        return self.counts(self.taken_row(before.step), day)

    def is_in_force(self, row: Row) -> bool:
        """Tell whether a row that is no notice has its effect: taken again, it only stands for more debts."""
        definition = self.definition(row)
        done = row.state == "done" and not row.lifted and not row.skipped
        return done and definition is not None and not definition.notifies

    def is_declined(self, row: Row | None, day: int) -> bool:
        """Tell whether a person has refused to approve a row, and is not asked again yet."""
        return row is not None and row.declined and self.asked_again_on(row) > day

    def asked_again_on(self, row: Row) -> int:
        """Return the day from which a row that a person skipped or declined can come again."""
        definition = self.definition(row)
        if definition is None or not definition.gives_up or not (row.skipped or row.declined):
            return FOREVER
        skipped = row.asked_at.astimezone(self.zone).date() if row.declined and row.asked_at else None
        return max(row.requested_on, skipped or row.requested_on).toordinal() + ASKED_AGAIN

    def is_outdated(self, row: Row, day: int) -> bool:
        """Tell whether a notice is older than the end of a rejected dispute whose part has its age now."""
        definition = self.definition(row)
        if definition is None or not definition.notifies or row.done_on is None or row.skipped:
            return False
        sent = row.done_on.toordinal()
        return any(
            part.renotice > sent and definition.age.reached_by(age)
            for part, age in self.view.on(day).live
        )  # fmt: skip

    def due_of_anchor(self, day: int) -> date:
        """Return the due date of the oldest debt on a day; that day where nothing is past due."""
        anchor = self.view.on(day).anchor
        return date.fromordinal(anchor.due if anchor else day)

    @property
    def terminated(self) -> bool:
        """Tell whether the contract was ended: by this case, by one before it, or by one beside it."""
        return any(row.ends_contract for row in self.rows) or any(
            demand.level == "terminated" and demand.source.startswith("case/") for demand in self.beside()
        )

    def is_over(self, row: LadderRow) -> bool:
        """Tell whether a row has no object after a termination: there is no service to warn of or to cut."""
        if not self.terminated:
            return False
        if row.interrupts:
            return True
        before: LadderRow | None = row
        for _ in self.ladder.rows:
            before = self.ladder.by_step.get(before.after) if before else None
            if before is not None and before.level == "terminated":
                return False  # written for what comes after the termination
        return any(item.do in ("notify", "fee") for item in row.do)

    def notice_before(self, row: LadderRow) -> tuple[LadderRow, LadderRow] | None:
        """Return the last notice on the way to a row, and the step behind it; None: the way has none."""
        behind = row
        for _ in self.ladder.rows:
            before = self.ladder.by_step.get(behind.after)
            if before is None or before.notifies:
                return (before, behind) if before else None
            behind = before
        return None

    def opens(self, day: int) -> bool:
        """Tell whether a case opens on a day, if none is open."""
        if not self.treatment:
            return False
        m = self.view.on(day)
        return m.anchor is not None and self.policy.case.opens.holds(m.values(m.overdue))

    def barred(self, row: LadderRow, day: int) -> str:
        """Return why a row cannot come unless a person acts: the law asks for what a person has skipped."""
        if row.level != "terminated" or not self.law.clauses_on("termination"):
            return ""
        if any(taken.demands == "suspended" for taken in self.rows):
            return ""
        before = self.ladder.by_step.get(row.after)
        for _ in self.ladder.rows:
            taken = self.taken_row(before.step) if before else None
            if before and taken and taken.skipped and before.level == "suspended" and self.counts(taken, day):
                return f"the law asks for a suspension before it, and a person skipped `{before.step}`"
            before = self.ladder.by_step.get(before.after) if before else None
        return ""

    def noticed(self, row: LadderRow, day: int | None = None) -> tuple[str, ...] | None:
        """Return the debts named by the notices that a cut rests on; None: the row rests on none.

        With a day, only those for which a notice counts then, and has given its time to pay.
        """
        found = self.notice_before(row) if row.interrupts else None
        if found is None:
            return None
        sent = [one for one in self.rows if one.step == found[0].step]
        if day is not None:
            sent = [one for one in sent if self.stands(one, day) and self.ready_on(one, found[1], day) <= day]
        return tuple(dict.fromkeys(debt for one in sent for debt in one.debts))

    def stands(self, notice: Row, day: int) -> bool:
        """Tell whether a notice was delivered and is still valid, for whatever debt it named."""
        if notice.state != "done" or notice.done_on is None or self.is_outdated(notice, day):
            return False
        return notice.valid_until is None or notice.valid_until.toordinal() >= day

    def ready_on(self, notice: Row, behind: LadderRow, day: int) -> int:
        """Return the first day on which a cut may stand for what a notice that was delivered has named."""
        assert notice.done_on is not None  # it was delivered
        ready = ready_on(behind.wait, notice.done_on, self.due_of_anchor(day)).toordinal()
        return max(ready, notice.last_day.toordinal() + 1) if notice.last_day else ready

    def part_held(self, row: Row, definition: LadderRow, m: Measures, more: tuple[str, ...] = ()) -> Decimal:
        """Return the amount for which a row stands: what no notice has named keeps nothing cut (rule 2)."""
        debts = None if self.noticed(definition) is None else {*row.debts, *more}
        return m.overdue_of(debts) if row.forced else m.part(definition, debts)

    def reached(self, day: int) -> int:
        """Return the index of the last row that is done, not skipped, for the anchor; -1: none."""
        rows = (row for row in self.rows if not row.skipped and self.counts(row, day))
        return max((d.index for row in rows if (d := self.definition(row))), default=-1)

    # service

    def own_level(self) -> Level:
        """Return the level of service that the case demands by its rows."""
        return most_severe([row.demands for row in self.rows])

    def told_level(self, own: Level) -> Level:
        """Return the most severe level in force over all demands on the same service."""
        return most_severe([own, *(demand.level for demand in self.beside())])

    def beside(self) -> list[DemandedLevel]:
        """Return what others demand: of the whole account, or of the service that this case speaks of."""
        others = (demand for demand in self.account.demands if demand.source != self.taken.case)
        return [demand for demand in others if demand.service in ("", self.service)]

    # people

    def has_heard(self, act: Act) -> bool:
        """Tell whether an act of a person was carried out, or answered by a note."""
        return act.id in self.taken.heard or act.id in self.heard

    # what blocks

    def active_holds(self, day: int) -> list[Held]:
        """Return the holds of the whole account that cover a day."""
        return [held for held in self.view.held if not held.bill and held.covers(day)]

    def promises(self, day: int) -> tuple[PromiseState, ...]:
        """Return the promises with their state on a day."""
        if day not in self._promises:
            on = date.fromordinal(day)
            self._promises[day] = promise_states(self.policy, self.account, on)
        return self._promises[day]

    def stopped(self) -> Act | None:
        """Return the act by which a person stopped the ladder, if nobody has resumed it."""
        last = None
        for act in self.account.acts:  # also of an earlier case: until a person lets it go on
            if act.act in ("stop", "resume"):
                last = act
        return last if last and last.act == "stop" else None

    def instant(self, moment: Moment) -> datetime:
        """Return a local moment as an instant; a time that the clock skips is taken as an hour later."""
        day = date.fromordinal(moment[0])
        naive = datetime.combine(day, time(moment[1] // 60, moment[1] % 60))
        local = naive.replace(tzinfo=self.zone)
        return local.astimezone(ZoneInfo("UTC")).astimezone(self.zone)
