"""Debts that stay as they are, taken up a ladder by the machine itself: what each kind of them comes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.ladder.from_law import no_law
from engine.ladder.graph import CENT, Piece, ages, first_day, pieces
from engine.ladder.graph_facts import Customer
from engine.ladder.model import (
    CollectionsPolicy,
    InterruptionRules,
    Ladder,
    LadderRow,
    TreatmentRow,
)
from engine.ladder.simulate import Event, GoesInCircles, Played, Scenario, play
from engine.ladder.state import Action
from engine.ladder.threshold import Condition
from engine.ladder.waits import longest
from engine.ledger.account import Terms
from engine.ledger.entries import Bill, Entry, FactSet
from engine.workdays import no_calendar

MOST = 150
"""Kinds of debts that are played for one policy; those beyond are named as not decided."""
START = date(2025, 1, 1)
PERSON = frozenset(("task", "approve", "place"))
LONGEST = 7_400
"""Days over which a debt is played: twenty years, the longest time that a claim is commonly kept alive."""
FLIPS = 4
"""So often in a row only what flips on and off is interrupted."""


@dataclass(frozen=True, slots=True)
class Debtor:
    """One kind of debt that nobody pays and nobody changes."""

    piece: Piece
    bills: int
    customer: Customer


@dataclass(frozen=True, slots=True)
class Course:
    """What became of a debtor."""

    debtor: Debtor
    first: dict[str, int]
    """Days past due on which each step was first taken."""
    times: dict[str, int]
    """How often each step was entered."""
    ends: bool
    """A final step was taken, or a person was asked."""
    circles: bool = False


def debtors(policy: CollectionsPolicy, ladder: Ladder, customers: frozenset[Customer]) -> Iterator[Debtor]:
    """Yield every kind of debt that the cells of a ladder tell apart, and that is not closed."""
    for piece in pieces(policy, ladder):
        for bills in _counts(ladder):
            values: dict[str, Decimal | int] = {
                "overdue": piece.amount,
                "age": 1,
                "days_past_due": 1,
                "unpaid_bills": bills,
            }
            if not policy.case.closes.holds(values) and piece.amount >= bills * CENT:
                for customer in sorted(customers, key=str) or [()]:
                    yield Debtor(piece, bills, customer)


def _counts(ladder: Ladder) -> list[int]:
    turns = {turn for row in ladder.rows for turn in row.unpaid_bills.turns() if 1 <= turn <= 60}
    return sorted({1, *turns})


def course(policy: CollectionsPolicy, ladder: Ladder, debtor: Debtor) -> Course:
    """Return what becomes of a debtor when every action is done on its day and every day is a working day."""
    terms = Terms(account="check", customer="check", currency=policy.currency, timezone=policy.timezone)
    zone = ZoneInfo(policy.timezone)
    known = datetime.combine(START, time(), zone)
    events = tuple(Event(known, entry.id, entry=entry) for entry in _entries(debtor, known))
    bare = _bare(policy, ladder)
    found = Course(debtor, {}, {}, ends=False)
    for days in _stages(policy, ladder):
        end = datetime.combine(START + timedelta(days=days), time(23, 59), zone)
        try:
            played = play(bare, no_law(), no_calendar(), Scenario(terms, events, end))
        except GoesInCircles:
            return Course(debtor, {}, {}, ends=False, circles=True)
        found = _course(ladder, debtor, played, zone)
        if any(found.times.get(row.step, 0) >= FLIPS for row in ladder.rows if row.interrupts):
            return replace(found, ends=True)  # on and off: where it ends is not to be learned
    return found


def _stages(policy: CollectionsPolicy, ladder: Ladder) -> list[int]:
    """Return over how many days a debt is played, one after the other, while nothing flips."""
    whole = min(LONGEST, last_turn(policy, ladder))
    cuts = [first_day(ages(policy, row)) for row in ladder.rows if row.release.condition]
    if not cuts or not any(_may_flip(policy, ladder, row) for row in ladder.rows):
        return [whole]
    return sorted({min(whole, max(cuts) + more) for more in (15, 40, 120)} | {whole})


def _may_flip(policy: CollectionsPolicy, ladder: Ladder, row: LadderRow) -> bool:
    """Tell whether an exit is not certain to lie apart from the amounts at which its row is taken."""
    exit_, closes = row.release.condition, policy.case.closes
    if exit_ is None:
        return False
    if exit_.names != {"overdue"} or closes.names != {"overdue"}:
        return True
    owed = ({"overdue": piece.amount} for piece in pieces(policy, ladder))
    return any(row.overdue.holds(v["overdue"]) and exit_.holds(v) and not closes.holds(v) for v in owed)


def _course(ladder: Ladder, debtor: Debtor, found: Played, zone: ZoneInfo) -> Course:
    first: dict[str, int] = {}
    times: dict[str, int] = {}
    ends = False
    for look in found.looks:
        day = (look.at.astimezone(zone).date() - START).days
        for step, entry in look.step.taken.entries.items():
            first.setdefault(step, day)
            times[step] = max(times.get(step, 0), entry)
        done = (row for row in look.step.taken.rows if row.state == "done" and row.step in ladder.by_step)
        ends = ends or any(_is_of_policy(ladder, action) for action in look.step.actions)
        ends = ends or any(ladder.by_step[row.step].final for row in done)
    return Course(debtor, first, times, ends)


def _is_of_policy(ladder: Ladder, action: Action) -> bool:
    """Tell whether a person gets the debt because a row says so, not because nothing follows any more."""
    row = ladder.by_step.get(action.step)
    return row is not None and any(
        i.do in PERSON and i.do == action.do and i.args == action.args for i in row.do
    )


def _entries(debtor: Debtor, known: datetime) -> Iterator[Entry]:
    for name, value in debtor.customer:
        yield FactSet(id=f"fact-{name}", value_date=START, received_at=known, name=name, value=value)
    share = (debtor.piece.amount / debtor.bills).quantize(CENT)
    for number in range(debtor.bills):
        rest = debtor.piece.amount - share * (debtor.bills - 1)
        amount = share if number else max(rest, CENT)
        yield Bill(
            id=f"B{number}", value_date=START, received_at=known, amount=Decimal(amount), due_date=START
        )


def _bare(policy: CollectionsPolicy, ladder: Ladder) -> CollectionsPolicy:
    """Return the policy without what only delays: hours, calendars, caps, news; every case is open."""
    always = Condition("", ladder.span, ((),))
    return replace(
        policy,
        treatment=(TreatmentRow((), ladder.name, ladder.span),),
        case=replace(policy.case, opens=always, runs="daily"),
        contact=replace(policy.contact, quiet=None, caps=()),
        interruptions=InterruptionRules(),
        freshness=None,
        late_fee=None,
        interest=None,
    )


def last_turn(policy: CollectionsPolicy, ladder: Ladder) -> int:
    """Return days after which nothing new can come of a debt that stays as it is."""
    days = 60 + sum(longest(row.wait) + 2 for row in ladder.rows)
    bounds = [t for row in ladder.rows for test in (row.age, row.days_past_due) for t in test.turns()]
    return days + max(bounds, default=0)


def is_met(row: LadderRow, debtor: Debtor) -> bool:
    """Tell whether a debt's amount and its number of bills pass a row's cells."""
    return row.overdue.holds(debtor.piece.amount) and row.unpaid_bills.holds(debtor.bills)
