"""From the due date to each step: the earliest day that a ladder allows, and the latest, as they come.

Every kind of plain debt is walked from every due date (`walked`): runs, waits, calendars, hours and law as
they are, contact caps full when a notice could go out, receipts that take as long as they may. What lies with
others is left out and said so: holds, promises, disputes, people, news of payments, failures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from math import ceil

from engine.ladder.case import minutes
from engine.ladder.check import chain
from engine.ladder.graph import ages, first_day, last_day
from engine.ladder.lapsing import check_lapsing
from engine.ladder.law import Clause, LawPack
from engine.ladder.lawful_contact import sues
from engine.ladder.model import CollectionsPolicy, Ladder, LadderRow
from engine.ladder.threshold import NumberTest
from engine.ladder.walked import Reach, Walked
from engine.ladder.worst_contact import DAY, Hours, channels_of, put_off, validation
from engine.source import Problem, Severity
from engine.workdays import Calendar, DayNotCovered

LEFT_OUT = (
    "holds, disputes and promises", "what people decide", "news of payments that stays away",
    "notices that fail", "clocks that stand still", "contacts that others make meanwhile",
)  # fmt: skip
"""What the latest day does not count: it has no end of its own."""

RECEIPT = "a receipt"
QUIET = "quiet hours"
"""What comes between asking for a step and its being done."""


@dataclass(frozen=True, slots=True)
class StepDays:
    """When one step of a ladder can come, in days past due of a debt that stays as it is; None: never."""

    step: str
    does: str
    earliest: int | None
    latest: int | None
    done: int | None
    """The last day on which it is confirmed, if it is carried out at all."""
    law: str = ""
    """What a law pack says of the day: `> 30 (interruption-after-30-days)`."""
    legal: int | None = None
    """The first day on which the law allows it, days of waiting counted from the earliest suspension."""
    waits: tuple[str, ...] = ()
    """What can put it off, each with its days."""


def worst_days(
    policy: CollectionsPolicy, ladder: Ladder, law: LawPack, calendar: Calendar
) -> tuple[StepDays, ...]:
    """Return the earliest and the latest day of each step of a ladder, in its order.

    Both come: from some due date, at some pace of receipts and contacts, a plain debt comes to it that day.
    """
    walked = Walked(policy, ladder, law, calendar)
    found: dict[str, StepDays] = {}
    for row in ladder.rows:
        found[row.step] = _days_of(policy, ladder, row, law, calendar, walked, found)
    return tuple(found.values())


def _days_of(
    policy: CollectionsPolicy, ladder: Ladder, row: LadderRow, law: LawPack, calendar: Calendar,
    walked: Walked, found: dict[str, StepDays],
) -> StepDays:  # fmt: skip
    does = ", ".join(str(item) for item in row.do)
    legal, said = _legal(law, ladder, row, found)
    for clause, notice in validation(law, ladder, row):
        said += f"{', ' if said else ''}{clause.period} to answer `{notice}` ({clause.id})"
    reach = walked.reach.get(row.index)
    if reach is None:
        return StepDays(row.step, does, None, None, None, said, legal)
    for clause, notice in validation(law, ladder, row):
        index = ladder.by_step[notice].index
        legal = max(legal or 0, walked.reach[index].earliest + walked.soonest_answer(clause))
    waits = tuple(f"{what} {days}" for what, days in _delays(policy, law, row, calendar, reach) if days)
    return StepDays(row.step, does, reach.earliest, reach.latest, reach.done, said, legal, waits)


def _delays(
    policy: CollectionsPolicy, law: LawPack, row: LadderRow, calendar: Calendar, reach: Reach
) -> Iterator[tuple[str, int]]:  # fmt: skip
    run = longest_between(run_days(policy))
    yield "a notice that is sent again", reach.again
    if run > 1:
        yield "the next run", run - 1
    if row.interrupts and policy.interruptions.calendar:
        yield "days without interruptions", longest_without_cut(policy, calendar) or 0
    yield "other steps, one a day", reach.passed
    yield from put_off(policy, law, row)
    start = minutes(policy.case.hour)
    by = tuple(sorted(channels_of(policy, row)))
    yield QUIET, Hours(policy, law).free_from(start, by, late=True) // DAY
    yield RECEIPT, _answer(policy, row)


def _answer(policy: CollectionsPolicy, row: LadderRow) -> int:
    if all(item.do in ("task", "approve") for item in row.do):
        return 0  # a person's time has no end of its own
    return ceil(policy.confirm.within / timedelta(days=1))


def run_days(policy: CollectionsPolicy) -> list[int]:
    """Return the distances between runs over four years, in days."""
    rules = policy.case
    if rules.runs == "daily":
        return [1]
    first = date(2024, 1, 1)
    on = [day for n in range(1461) if rules.runs_on(day := first + timedelta(days=n))]
    return [(later - sooner).days for sooner, later in pairwise(on)]


def longest_between(distances: list[int]) -> int:
    """Return the longest of some distances."""
    return max(distances, default=1)


def longest_without_cut(policy: CollectionsPolicy, calendar: Calendar) -> int | None:
    """Return the longest stretch of days on which nothing may be interrupted; None: there is no other day.

    Runs are not looked at: a cut that may not fall on the day of its run comes on the next day that it may.
    """
    rules = policy.interruptions
    if not calendar.covers:
        return 0
    most = stretch = 0
    allowed = False
    day = date(min(calendar.covers), 1, 1)
    while day <= date(max(calendar.covers), 12, 30):
        try:
            if _may_cut(calendar, rules.not_before, day):
                allowed, stretch = True, 0
            else:
                stretch += 1
                most = max(most, stretch)
        except DayNotCovered:
            stretch = 0
        day += timedelta(days=1)
    return most if allowed else None


def _may_cut(calendar: Calendar, not_before: tuple[str, ...], day: date) -> bool:
    tomorrow = day + timedelta(days=1)
    if not calendar.is_working(day) or ("weekend" in not_before and calendar.is_weekend(tomorrow)):
        return False
    return not ("holiday" in not_before and calendar.is_holiday(tomorrow))


# the law


def _legal(
    law: LawPack, ladder: Ladder, row: LadderRow, found: dict[str, StepDays]
) -> tuple[int | None, str]:  # fmt: skip
    rule = "termination" if row.level == "terminated" else "interruption" if row.interrupts else None
    days: list[int] = []
    said = [
        f"{clause.days.text} days past due ({clause.id})"
        for clause in law.clauses_on("legal_action")
        if clause.days and sues(row, clause)
    ]
    if rule is None:
        return None, ", ".join(said)
    for clause in law.clauses_on("termination" if rule == "termination" else "interruption"):
        if clause.days is not None:
            start = _suspended(ladder, row, found) if rule == "termination" else 0
            days.append(start + clause.days.lowest)
            said.append(_said(clause, rule))
    return max(days, default=None), ", ".join(said)


def _said(clause: Clause, rule: str) -> str:
    since = " days suspended" if rule == "termination" else " days past due"
    return f"{clause.days.text if clause.days else ''}{since} ({clause.id})"


def _suspended(ladder: Ladder, row: LadderRow, found: dict[str, StepDays]) -> int:
    cuts = (found[before.step].earliest for before in chain(ladder, row) if before.level == "suspended")
    return next(cuts, 0) or 0


# what is wrong with days


def check_days(policy: CollectionsPolicy, law: LawPack, calendar: Calendar) -> tuple[Problem, ...]:
    """Return what days do to a ladder: interruptions without a day, steps whose days go by in waiting."""
    return tuple(_problems(policy, law, calendar))


def _problems(policy: CollectionsPolicy, law: LawPack, calendar: Calendar) -> Iterator[Problem]:
    cuts = [row for row in policy.rows() if row.interrupts]
    needed = bool(policy.interruptions.calendar)
    if cuts and needed and longest_without_cut(policy, calendar) is None:
        span = policy.place("interruptions.not_before", "interruptions")
        message = f"on no day of calendar `{calendar.name}` may anything be interrupted"
        yield Problem("never-a-day", message, span, "let `not_before` and the calendar leave some days")
        return
    yield from check_lapsing(policy, law, calendar, longest_between(run_days(policy)))
    for ladder in policy.ladders.values():
        if ladder.complete:
            for row in ladder.rows:
                yield from _missed(policy, ladder, row, law, calendar)


def _missed(
    policy: CollectionsPolicy, ladder: Ladder, row: LadderRow, law: LawPack, calendar: Calendar
) -> Iterator[Problem]:  # fmt: skip
    """Warn of a step whose last day can go by while it waits, though nothing is wrong with the debt."""
    last = last_day(ages(policy, row))
    if last is None:
        return
    days = next(d for d in worst_days(policy, _endless(ladder, row), law, calendar) if d.step == row.step)
    if days.earliest is None or days.latest is None or days.earliest > last or days.latest <= last:
        return
    cell = row.age if not row.age.always else row.days_past_due
    waits = "; ".join(one for one in days.waits if not one.startswith((RECEIPT, QUIET))) or f"wait {row.wait}"
    message = (
        f"`{row.step}` can be missed: it is ready by day {days.latest} at the latest ({waits}), "
        f"and `{cell.text}` holds until day {last}"
    )
    yield Problem(
        "can-be-missed", message, cell.span, f"write `>= {first_day(ages(policy, row))}`", Severity.WARNING
    )


def _endless(ladder: Ladder, row: LadderRow) -> Ladder:
    """Return a ladder of which one row holds for ever from its first day on."""
    open_ended = replace(row, age=_from_its_first(row.age), days_past_due=_from_its_first(row.days_past_due))
    rows = tuple(open_ended if other is row else other for other in ladder.rows)
    return replace(ladder, rows=rows, by_step={other.step: other for other in rows})


def _from_its_first(test: NumberTest) -> NumberTest:
    return replace(test, any_of=tuple(replace(bounds, high=None) for bounds in test.any_of))


def days_table(policy: CollectionsPolicy, ladder: Ladder, days: tuple[StepDays, ...]) -> str:
    """Return the days of a ladder as text, one line a step."""
    head = ("step", "earliest", "latest", "done by", "law", "can be put off by (days)")
    lines = [
        head,
        *((d.step, *map(_told, (d.earliest, d.latest, d.done)), d.law, ", ".join(d.waits)) for d in days),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    told = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    title = f"{policy.name}, ladder {ladder.name}: days from the due date to each step, nothing paid"
    return "\n".join([title, *(f"  {line}" for line in told), f"  not counted: {', '.join(LEFT_OUT)}"])


def _told(day: int | None) -> str:
    return "never" if day is None else str(day)
