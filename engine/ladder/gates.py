"""What stands between a row that is warranted and its being taken: holds, hours, calendar, law, news."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from engine.ladder.caps import contact_closed
from engine.ladder.case import Case, Moment, minutes
from engine.ladder.contact import Closed
from engine.ladder.law_gate import law_closed
from engine.ladder.memory import Row
from engine.ladder.model import LadderRow
from engine.workdays import DayNotCovered

STALE_EACH = 7
"""When news of payments stays away, a case that waits for it looks again once a week ..."""
STALE_DAILY = 3
"""... after it has looked for it on each of the first days."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Something that is closed: why, and the moment at which it can open by itself."""

    why: str
    retry: Moment | None = None
    task: str = ""
    """A person is asked to see to it."""
    stale: bool = False
    """It is the news of payments that is missing."""


def case_gate(case: Case, moment: Moment) -> Gate | None:
    """Return what keeps the whole case from going up at a moment."""
    day, clock = moment
    if gate := person_gate(case, day):
        return gate
    for row in case.rows:
        if row.state == "requested" and not row.announces:
            return Gate(f"`{row.step}` was asked for on {row.requested_on} and is not confirmed")
    start = minutes(case.policy.case.hour)
    if not _runs_on(case, day) and _shifted_from(case, day) is None:
        return Gate("no run on this day", (_next_run(case, day), start))
    if _moved_on(case) == day:
        return Gate("one row a day: the next one not before tomorrow", (_next_run(case, day), start))
    if clock < start:
        return Gate(f"the day's run is at {case.policy.case.hour:%H:%M}", (day, start))
    return None


def _moved_on(case: Case) -> int:
    """Return the day on which the last row was taken; a row that had nothing to do uses up no run."""
    day = case.moved_up_on
    taken = [
        row for row in (*case.rows, *case.left) if not row.announces
        if row.requested_on.toordinal() == day or (row.stood_on and row.stood_on.toordinal() == day)
    ]  # fmt: skip
    idle = bool(taken) and all(not row.keys and not row.skipped for row in taken)
    return 0 if idle else day


def person_gate(case: Case, day: int) -> Gate | None:
    """Return what a person has put in the way of the whole case: a stop, a hold, a promise."""
    if stop := case.stopped():
        return Gate(f"{stop.actor} stopped the ladder: {stop.reason}")
    return _held(case, day)


def _held(case: Case, day: int) -> Gate | None:
    start = minutes(case.policy.case.hour)
    for held in case.view.held:
        if not held.bill and held.blocks(day):
            forever = held.days[1] >= date.max.toordinal()
            until = "until it is released" if forever else f"through {date.fromordinal(held.days[1])}"
            retry = None if forever else (held.days[1] + 1, start)
            return Gate(f"hold `{held.id}` ({held.rules.kind}) {until}", retry)
    for found in case.promises(day):
        if found.state in ("active", "kept") and day <= (last := found.last.toordinal()):
            what = f"promise `{found.promise.id}` of {found.promise.amount} by {found.promise.by}"
            return Gate(f"{what} is {found.state}: nothing through {found.last}", (last + 1, start))
    return None


def _runs_on(case: Case, day: int) -> bool:
    return case.policy.case.runs_on(date.fromordinal(day))


def _adopted_gate(case: Case, row: LadderRow, day: int) -> Gate | None:
    """Nothing is cut on the day on which a case goes over to another text (rule 10)."""
    at = case.taken.adopted_at
    if at is None or not row.interrupts or at.astimezone(case.zone).date().toordinal() != day:
        return None
    return Gate("the text was adopted today: nothing is cut before tomorrow", (day + 1, _start(case)))


def _start(case: Case) -> int:
    return minutes(case.policy.case.hour)


def _next_run(case: Case, day: int) -> int:
    day += 1
    while not _runs_on(case, day):
        day += 1
    return day


def _shifted_from(case: Case, day: int) -> int | None:
    """Return the run whose cuts come on this day, because nothing may be cut on that day (shift: later)."""
    before = day - 1
    try:
        while forbidden_day(case, before):
            if _runs_on(case, before):
                return before if _moved_on(case) < before else None
            before -= 1
    except DayNotCovered:
        pass
    return None


def run_gate(case: Case, row: LadderRow, day: int) -> Gate | None:
    """On a day that only stands in for a run nothing but cuts is done."""
    if row.interrupts or _runs_on(case, day):
        return None
    return Gate("no run on this day", (_next_run(case, day), minutes(case.policy.case.hour)))


def run_on(case: Case, row: LadderRow, day: int) -> int:
    """Return the first day from a day on, on which a row may be taken by the runs of the policy."""
    if _runs_on(case, day) or (row.interrupts and _shifted_from(case, day) is not None):
        return day
    return _next_run(case, day)


def row_gate(
    case: Case, row: LadderRow, moment: Moment, *, fresh: bool = False, in_force: bool = False
) -> Gate | None:
    """Return what keeps one row from being taken at a moment; `fresh` takes news of payments as given.

    What is `in_force` already cuts nothing when it comes to stand for another debt: it needs no allowed day.
    """
    return (
        (None if in_force else _adopted_gate(case, row, moment[0]))
        or _clear_gate(case, row, moment[0])
        or _unallocated_gate(case, row, moment[0])
        or _deposit_gate(case, row, moment[0])
        or _gate(law_closed(case, row, moment[0]))
        or (None if in_force else _window_gate(case, row, moment))
        or _gate(contact_closed(case, row, moment[0]))
        or (None if fresh else _freshness_gate(case, row, moment))
    )


def _gate(closed: Closed | None) -> Gate | None:
    return Gate(closed.why, closed.retry, closed.task) if closed else None


# what is owed


def _clear_gate(case: Case, row: LadderRow, day: int) -> Gate | None:
    """What is given up is given up whole: not while a part of it is disputed or held."""
    if not row.gives_up:
        return None
    aside = case.view.aside(day)
    return Gate(f"{aside} of what is past due is disputed or held") if aside else None


def _unallocated_gate(case: Case, row: LadderRow, day: int) -> Gate | None:
    """Nothing severe for what money would pay that is there: for an unknown bill, or a deposit not booked."""
    unknown = sum((amount for _, amount in case.account.waiting), Decimal(0))
    applied = [other for other in case.rows if other.deposit]
    waiting = unknown + max((_applied(case, other, day) for other in applied), default=Decimal(0))
    if not waiting or not row.severe:
        return None
    measures = case.view.on(day)
    closed = case.policy.case.closes.holds(measures.values(measures.overdue - waiting))
    if not closed and row.overdue.reached_by(measures.part(row) - waiting):
        return None
    names = ", ".join(f"`{bill}`" for bill, _ in case.account.waiting)
    why = [f"{unknown} wait for {names}, a bill that has not come"] if unknown else []
    why += [f"the ledger has not booked the deposit applied by `{other.step}`" for other in applied]
    return Gate(" and ".join(why), task="unallocated_payment" if unknown else "")


def _deposit_gate(case: Case, row: LadderRow, day: int) -> Gate | None:
    """What is left of a deposit is known when the ledger has booked what another case was given of it."""
    others = [name for name in case.account.deposit_asked if name != case.taken.case]
    if not others or not case.account.deposit or not any(item.do == "apply" for item in row.do):
        return None
    why = f"`{others[0]}` has asked for the deposit, and the ledger has not booked it yet"
    return Gate(why, (day + STALE_EACH, _start(case)))


def _applied(case: Case, row: Row, day: int) -> Decimal:
    """Return what a deposit pays that was applied: at most what is owed of the debts it was applied for."""
    owed = sum((part.amount for part, _ in case.view.on(day).live if part.debt in row.debts), Decimal(0))
    return min(row.deposit, owed)


# hours and days


def _window_gate(case: Case, row: LadderRow, moment: Moment) -> Gate | None:
    rules = case.policy.interruptions
    if not row.interrupts:
        return None
    day, clock = moment
    first = minutes(rules.window[0]) if rules.window else 0
    try:
        if why := forbidden_day(case, day):
            return Gate(why, (_next_allowed(case, day), max(first, minutes(case.policy.case.hour))))
        if rules.window and clock < first:
            return Gate(f"interruptions only from {rules.window[0]:%H:%M}", (day, first))
        if rules.window and clock >= minutes(rules.window[1]):
            retry = (_next_allowed(case, day), max(first, minutes(case.policy.case.hour)))
            return Gate(f"interruptions only until {rules.window[1]:%H:%M}", retry)
    except DayNotCovered as error:
        start = max(first, minutes(case.policy.case.hour))
        again = max(error.day.toordinal(), day + STALE_EACH)
        return Gate(str(error), (again, start), task="calendar")
    return None


def forbidden_day(case: Case, day: int) -> str:
    """Return why nothing may be interrupted on a day; empty when it may. Raises DayNotCovered."""
    rules = case.policy.interruptions
    if not rules.calendar and not rules.not_before:
        return ""
    today, next_day = date.fromordinal(day), date.fromordinal(day + 1)
    calendar = case.calendar
    if not calendar.is_working(today):
        return f"{today} is not a working day in calendar {calendar.name}"
    if "weekend" in rules.not_before and calendar.is_weekend(next_day):
        return f"{today} is the eve of a weekend"
    if "holiday" in rules.not_before and calendar.is_holiday(next_day):
        return f"{today} is the eve of a holiday"
    return ""


def _next_allowed(case: Case, day: int) -> int:
    day += 1
    while forbidden_day(case, day):
        day += 1
    return day


# news


def _freshness_gate(case: Case, row: LadderRow, moment: Moment) -> Gate | None:
    most = case.policy.freshness
    if most is None or not row.severe:
        return None
    start = minutes(case.policy.case.hour)
    complete = case.account.feeds.get("payments")
    if complete is None:
        retry = (moment[0] + STALE_EACH, start)
        return Gate("freshness: the payment feed has never said that it is complete", retry, stale=True)
    local = complete.astimezone(case.zone)
    ends = (most.after(local.date()).toordinal(), local.hour * 60 + local.minute)
    if moment <= ends:
        return None
    again = 1 if moment[0] - ends[0] <= STALE_DAILY else STALE_EACH
    why = f"freshness: payments are complete up to {local:%Y-%m-%d %H:%M} only, older than {most}"
    return Gate(why, (moment[0] + again, start), stale=True)
