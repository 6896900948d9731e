"""How many days rules on contact can put a notice off, if nobody else speaks to the customer meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta

from engine.ladder.caps import covered
from engine.ladder.case import minutes
from engine.ladder.channels import PREFERRED_CHANNEL
from engine.ladder.check import chain
from engine.ladder.contact import TIMEZONE, TOGETHER
from engine.ladder.ladders_from_yaml import CHANNELS, PREFERRED
from engine.ladder.law import Clause, LawPack
from engine.ladder.lawful_contact import harms, validates
from engine.ladder.model import CollectionsPolicy, Ladder, LadderRow
from engine.ladder.waits import longest
from engine.workdays import Calendar, DayNotCovered

DAY = 24 * 60


def channels_of(policy: CollectionsPolicy, row: LadderRow) -> frozenset[str]:
    """Return the channels on which the notices of a row go out when none fails."""
    found: set[str] = set()
    for item in row.do:
        if item.do == "notify" and item.args[0] == PREFERRED:
            fact = policy.facts.get(PREFERRED_CHANNEL)
            own = fact.one_of if fact and fact.one_of else CHANNELS
            found |= {word for word in own if word in CHANNELS} | set(policy.contact.fallback[:1])
        elif item.do == "notify":
            found.add(item.args[0])
    return frozenset(found)


def put_off(policy: CollectionsPolicy, law: LawPack, row: LadderRow) -> Iterator[tuple[str, int]]:
    """Yield what of the policy's caps and rests, and of the law's, can put the notices of a row off, in days.

    A cap that is full today and a conversation of today run out side by side.
    """
    by = channels_of(policy, row)
    capped = [longest(period) for kind, _, period in policy.contact.caps if by & set(covered(kind))]
    capped += [
        longest(clause.most[1])
        for clause in law.clauses_on("contact_frequency")
        if clause.most and by & set(clause.channels)
    ]
    rests = [policy.contact.after_conversation] if "call" in by else []
    rests += [c.period for c in law.clauses_on("after_conversation") if by & set(c.channels)]
    spoken = max((longest(rest) for rest in rests if rest), default=0)
    cap = max(capped, default=0)
    if cap or spoken:
        names = [name for name, days in (("a contact cap", cap), ("a conversation", spoken)) if days]
        yield " or ".join(names), max(cap, spoken)


# hours


def goes_out_next_day(policy: CollectionsPolicy, law: LawPack, row: LadderRow) -> bool:
    """Tell whether what is asked for at the hour of the policy can go out on the next day only."""
    by = channels_of(policy, row)
    if not by:
        return False
    hours = [policy.contact.quiet] if policy.contact.quiet else []
    clauses = [clause for clause in law.clauses_on("contact_hours") if by & set(clause.channels)]
    hours += [(clause.hours[1], clause.hours[0]) for clause in clauses if clause.hours]
    quiet = [any(_within(minute, span) for span in hours) for minute in range(DAY)]
    start = minutes(policy.case.hour)
    start += int(TOGETHER / timedelta(minutes=1)) if policy.contact.consolidate else 0
    if clauses or TIMEZONE in policy.facts:  # the customer can live anywhere
        return start + _longest(quiet) >= DAY
    return start + _stretch(quiet, start % DAY) >= DAY


def _within(minute: int, span: tuple[time, time]) -> bool:
    first, last = minutes(span[0]), minutes(span[1])
    return first <= minute < last if first < last else minute >= first or minute < last


def _longest(quiet: list[bool]) -> int:
    """Return for how many minutes it is quiet at most."""
    most = run = 0
    for is_quiet in quiet * 2:  # it can run over midnight
        run = run + 1 if is_quiet else 0
        most = max(most, run)
    return min(most, DAY)


def _stretch(quiet: list[bool], start: int) -> int:
    """Return for how many minutes it is quiet from a minute on; a whole day: always."""
    return next((n for n in range(DAY) if not quiet[(start + n) % DAY]), DAY)


# the notice by which a debt can be disputed


def validation(law: LawPack, ladder: Ladder, row: LadderRow) -> Iterator[tuple[Clause, str]]:
    """Yield each clause that lets a row come only when its notice could be answered, and that step."""
    for clause in law.clauses_on("validation"):
        before = next((b.step for b in chain(ladder, row) if validates(b, clause)), "")
        if harms(row) and before:
            yield clause, before


def answered_after(clause: Clause, calendar: Calendar) -> tuple[int, int]:
    """Return the fewest and the most days from a notice to the day after the last one to answer it."""
    assert clause.period is not None  # it needs it
    taken = [_received(calendar, day, clause.received) for day in _days(calendar)]
    return (
        min(taken) + clause.period.days + 28 * clause.period.months + 1,
        max(taken) + longest(clause.period) + 1,
    )


def _days(calendar: Calendar) -> Iterator[date]:
    first = date(min(calendar.covers, default=2024), 1, 1)
    years = max(calendar.covers) - min(calendar.covers) + 1 if calendar.covers else 1
    return (first + timedelta(days=n) for n in range(365 * years - 60))


def _received(calendar: Calendar, sent: date, working_days: int) -> int:
    day = sent
    for _ in range(working_days):
        day += timedelta(days=1)
        while not _works(calendar, day):
            day += timedelta(days=1)
    return (day - sent).days


def _works(calendar: Calendar, day: date) -> bool:
    try:
        return calendar.is_working(day) if calendar.covers else day.weekday() < 5
    except DayNotCovered:
        return day.weekday() < 5
