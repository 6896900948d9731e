"""What is owed, seen as a ladder sees it: slices of debt with their own age, measured on any day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from engine.ladder.clock import Days, Held, held_intervals, hold_rules, lost, merged, promise_pauses
from engine.ladder.disputed import taken_out
from engine.ladder.model import CollectionsPolicy, LadderRow
from engine.ledger.account import AccountPosition, Debt

ZERO = Decimal(0)
HORIZON = 4000
"""Days that are looked ahead; no clock of a ladder runs longer."""
OUTSIDE = ("fee", "late_fee", "interest")
"""Categories that never age and never anchor: a fee never causes an interruption."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of one debt that ages as a whole."""

    debt: str
    bill: str
    base: int
    """Ordinal of the day from which its age counts."""
    due: int
    amount: Decimal
    pauses: tuple[Days, ...] = ()
    out: tuple[Days, ...] = ()
    """Days on which it is out of the ladder's sight: disputed, or its bill is held."""
    keeps: bool = True
    """While it is out, it still keeps steps that were taken."""
    disputed: bool = False
    anchors: bool = True
    renotice: int = 0
    """Notices done up to this day do not count for it."""

    def age(self, day: int) -> int:
        """Days since its base that the clock counted."""
        if day <= self.base or not self.pauses:
            return day - self.base
        return day - self.base - lost(self.pauses, self.base, day)

    def is_out(self, day: int) -> bool:
        """Tell whether it is out of sight on a day."""
        return any(first <= day < end for first, end in self.out)


@dataclass(frozen=True, slots=True)
class Measures:
    """The quantities of one day."""

    day: int
    live: tuple[tuple[Slice, int], ...]
    """Slices past due, each with its age."""
    anchor: Slice | None
    age: int
    days_past_due: int
    overdue: Decimal
    unpaid_bills: int

    def part(self, row: LadderRow, debts: Collection[str] | None = None) -> Decimal:
        """Return the amount a row speaks of: the part that has itself reached the row's age (rule 3).

        `debts` leaves out all others: those that no notice has named.
        """
        return sum(
            (s.amount for s, age in self.live
             if row.age.reached_by(age) and row.days_past_due.reached_by(self.day - s.due)
             and (debts is None or s.debt in debts)),
            ZERO,
        )  # fmt: skip

    def overdue_of(self, debts: Collection[str] | None) -> Decimal:
        """Return what is past due, of some debts only."""
        return sum((s.amount for s, _ in self.live if debts is None or s.debt in debts), ZERO)

    def amount_holds(self, row: LadderRow) -> bool:
        """Tell whether a row's cell on the amount holds.

        Its lower bound asks for the part that has reached the row's age (rule 3); its upper bound speaks of
        all that is past due, so that one old small bill is not taken for a small balance.
        """
        if row.overdue.always:
            return True
        part = self.part(row)
        return any(b.reached_by(part) and b.not_above(self.overdue) for b in row.overdue.any_of)

    def values(self, overdue: Decimal) -> dict[str, Decimal | int]:
        """Return the quantities by the names that conditions use."""
        return {
            "overdue": overdue,
            "age": self.age,
            "days_past_due": self.days_past_due,
            "unpaid_bills": self.unpaid_bills,
        }

    @property
    def debts(self) -> tuple[str, ...]:
        """The debts that a notice of this day names."""
        return tuple(dict.fromkeys(s.debt for s, _ in self.live))


class View:
    """The debts of one account under one policy; measured on a day, each day once."""

    def __init__(self, policy: CollectionsPolicy, position: AccountPosition, entered: date | None) -> None:
        self.policy = policy
        self.held = held_intervals(policy, position)
        self.slices = tuple(_slices(policy, position, self.held, entered))
        self.fees = tuple(
            (debt.due_date.toordinal(), debt.open - debt.disputed)
            for debt in position.debts
            if debt.category in OUTSIDE and not debt.written_off
        )
        """Billed fees by due day: they never raise a step, and may keep one."""
        self._seen: dict[tuple[int, bool, bool], Measures] = {}

    def on(self, day: int) -> Measures:
        """Measure what can raise a step."""
        return self._measured(day, keep=False)

    def kept(self, day: int) -> Measures:
        """Measure what can keep a step that was taken: disputed and held parts too, where they keep."""
        return self._measured(day, keep=True)

    def noticed(self, day: int) -> Measures:
        """Measure what a notice stands for: held bills too, also where their hold releases what was taken."""
        return self._measured(day, keep=True, held=True)

    def aside(self, day: int) -> Decimal:
        """Return how much of what is past due is out of sight on a day: disputed, or its bill is held."""
        return sum((part.amount for part in self.slices if part.due < day and part.is_out(day)), ZERO)

    def _measured(self, day: int, keep: bool, held: bool = False) -> Measures:
        found = self._seen.get((day, keep, held))
        if found is None:
            found = self._seen[day, keep, held] = self._measure(day, keep, held)
        return found

    def _measure(self, day: int, keep: bool, held: bool) -> Measures:
        live = [
            (part, part.age(day))
            for part in self.slices
            if part.due < day
            and (not part.is_out(day) or (keep and part.keeps) or (held and not part.disputed))
        ]
        overdue = sum((part.amount for part, _ in live), ZERO)
        counted = [(part, age) for part, age in live if part.anchors]
        if not counted and not self.policy.case.closes.holds({"overdue": overdue}):
            counted = live  # residues that are too much together: somebody has to see to them
        anchor, age = max(counted, key=lambda found: found[1], default=(None, 0))
        oldest = min((part.due for part, _ in counted), default=day)
        bills = len({part.bill for part, _ in counted})
        return Measures(day, tuple(live), anchor, age, day - oldest, overdue, bills)


def _slices(
    policy: CollectionsPolicy, position: AccountPosition, held: tuple[Held, ...], entered: date | None
) -> list[Slice]:
    everywhere = [h.days for h in held if not h.bill and h.rules.clock == "stops"]
    everywhere += promise_pauses(policy, position)
    owed = {debt.id: _owed(policy, debt) for debt in position.debts}
    aging = [debt for debt in position.debts if owed[debt.id] > 0]
    disputed = _disputed_in_vain(position, aging, owed)
    found: list[Slice] = []
    for debt in aging:
        mine = disputed.get(debt.id, ())
        found += _debt_slices(policy, position, debt, owed[debt.id], held, everywhere, entered, mine)
    return found


def _owed(policy: CollectionsPolicy, debt: Debt) -> Decimal:
    """Return what is owed of a debt that ages; 0 for all others."""
    if debt.written_off or debt.category in OUTSIDE:
        return ZERO
    if policy.case.credits == "allocated_only" and debt.without_credit is not None:
        return debt.without_credit
    return debt.open


def _disputed_in_vain(
    position: AccountPosition, aging: Sequence[Debt], owed: Mapping[str, Decimal]
) -> dict[str, list[tuple[Decimal, Days]]]:
    """Return what was disputed of debts and is owed all the same, with the days of the dispute."""
    found: dict[str, list[tuple[Decimal, Days]]] = {}
    if not position.disputes:
        return found
    room = {debt.id: owed[debt.id] - min(debt.disputed, owed[debt.id]) for debt in aging}
    for dispute in position.disputes:
        if dispute.outcome in ("rejected", "withdrawn") and dispute.resolved_on:
            days = (dispute.since.toordinal(), dispute.resolved_on.toordinal())
            for debt, part in taken_out(dispute, dispute.amount, aging, room).items():
                found.setdefault(debt, []).append((part, days))
    return found


def _debt_slices(
    policy: CollectionsPolicy, position: AccountPosition, debt: Debt, owed: Decimal,
    held: tuple[Held, ...], everywhere: list[Days], entered: date | None,
    in_vain: Sequence[tuple[Decimal, Days]],
) -> list[Slice]:  # fmt: skip
    base, due = _base(policy, debt, entered).toordinal(), debt.due_date.toordinal()
    mine = [h for h in held if h.bill in (debt.bill, debt.id)]
    pauses = everywhere + [h.days for h in mine if h.rules.clock == "stops"]
    out = tuple((first, min(end + 1, _FOREVER)) for first, end in (h.days for h in mine))
    keeps = all(h.rules.taken == "keep" for h in mine)
    anchors = owed >= policy.case.ignore_below
    rules = hold_rules(policy, "dispute")
    found = []
    disputed = min(debt.disputed, owed)
    if disputed:
        now = ((position.today.toordinal(), _FOREVER),)
        stays = rules.taken == "keep"
        found.append(
            Slice(debt.id, debt.bill, base, due, disputed, merged(pauses), now, stays, True, anchors)
        )
    plain = owed - disputed
    for part, days in in_vain:
        plain -= part
        stopped = [*pauses, days] if rules.minus_hold else pauses
        renotice = days[1] if rules.renotice else 0
        found.append(
            Slice(
                debt.id, debt.bill, base, due, part, merged(stopped), out, keeps, False, anchors, renotice
            )
        )  # fmt: skip
    if plain:
        found.append(Slice(debt.id, debt.bill, base, due, plain, merged(pauses), out, keeps, False, anchors))
    return found


_FOREVER = date.max.toordinal()


def _base(policy: CollectionsPolicy, debt: Debt, entered: date | None) -> date:
    rules = policy.case
    base = debt.invoice_date if rules.anchor == "invoice_date" else debt.due_date
    if debt.reopened_on and rules.reopened_age.get(debt.reopened_by) == "event_date":
        base = max(base, debt.reopened_on)
    if rules.anchor in ("entry_date", "latest_due_date_at_entry") and entered:
        base = max(base, entered)
    return base


def turning_days(row: LadderRow, part: Slice) -> set[int]:
    """Return the days on which a slice of debt comes to an age, or to days past due, that a row tests."""
    days = {part.due + turn for turn in row.days_past_due.turns()}
    for turn in row.age.turns():
        if (day := day_of_age(part, turn)) is not None:
            days.add(day)
    return days


def day_of_age(part: Slice, age: int) -> int | None:
    """Return the first day on which a slice has an age; None when its clock stands still for good."""
    day = part.base + age
    while (short := age - part.age(day)) > 0:
        day += short
        if day > part.base + age + HORIZON:
            return None
    return day
