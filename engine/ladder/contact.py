"""At which hours a customer may be spoken to, in the customer's own time."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.ladder.case import Case, Moment, minutes
from engine.ladder.channels import known_fact
from engine.ladder.law import Clause
from engine.ladder.model import CollectionsPolicy
from engine.ladder.state import Position, Taken

TIMEZONE = "timezone"
"""The fact that says in which zone the customer lives, if it is not the account's."""
TOGETHER = timedelta(minutes=30)
"""Notices that are consolidated wait so long after the day's run for those of other accounts."""


class Closed(NamedTuple):
    """What keeps a customer from being spoken to: why, when that may end by itself, and a person's task."""

    why: str
    retry: Moment | None = None
    task: str = ""


def zone_of(case: Case) -> ZoneInfo:
    """Return the zone in which the customer is spoken to: the customer's own, else the account's."""
    named = _zone_named(case)
    if isinstance(named, str):
        try:
            return ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return case.zone
    return case.zone


def _zone_named(case: Case) -> object:
    """Return the zone that is known of the customer: a law on hours of contact asks for it unasked."""
    if case.law.clauses_on("contact_hours"):
        return case.account.facts.get(TIMEZONE)
    return known_fact(case, TIMEZONE)


def zone_note(case: Case) -> str:
    """Return what is to be said of the customer's zone; empty: it is the account's."""
    named = _zone_named(case)
    zone = zone_of(case)
    if named in (None, case.zone.key):
        return ""
    if zone is case.zone:
        return f"`{named}`, the customer's time zone, is none: hours are those of {case.zone.key}"
    return f"hours of contact are those of {zone.key}, where the customer is"


def rests(case: Case, by: str) -> tuple[tuple[int, int], ...]:
    """Return the hours in which nobody is spoken to on a channel, in minutes: from and until."""
    found = [case.policy.contact.quiet] if case.policy.contact.quiet else []
    found += [(clause.hours[1], clause.hours[0]) for clause in _hours_of_law(case, by) if clause.hours]
    return tuple((minutes(first), minutes(last)) for first, last in found)


def _hours_of_law(case: Case, by: str) -> tuple[Clause, ...]:
    return tuple(c for c in case.law.clauses_on("contact_hours") if by in c.channels)


def _is_quiet(spans: tuple[tuple[int, int], ...], local: datetime) -> bool:
    clock = local.hour * 60 + local.minute
    return any(
        first <= clock < last if first < last else clock >= first or clock < last for first, last in spans
    )


def speaks_from(case: Case, by: str, at: datetime) -> datetime:
    """Return the first instant from `at` on at which the customer may be spoken to on a channel."""
    spans, zone = rests(case, by), zone_of(case)
    if not _is_quiet(spans, at.astimezone(zone)):
        return at
    ends = _walls(zone, at, [last for _, last in spans])
    found = next((end for end in ends if end > at and not _is_quiet(spans, end.astimezone(zone))), at)
    return found.astimezone(case.zone)


def contact_from(policy: CollectionsPolicy, position: Position, by: str, at: datetime) -> datetime:
    """Return the first instant from `at` on at which an account's customer may be spoken to on a channel."""
    day = at.astimezone(ZoneInfo(position.account.terms.timezone)).date()
    return speaks_from(Case(policy, Taken(case="", opened_at=at, opened_on=day), position, at), by, at)


def silent_from(case: Case, by: str, at: datetime) -> datetime | None:
    """Return the first instant after `at` at which the customer may not be spoken to any more."""
    spans, zone = rests(case, by), zone_of(case)
    starts = _walls(zone, at, [first for first, _ in spans])
    found = next((s for s in starts if s > at and _is_quiet(spans, s.astimezone(zone))), None)
    return found.astimezone(case.zone) if found else None


def _walls(zone: ZoneInfo, at: datetime, clocks: list[int]) -> list[datetime]:
    """Return local times of the days around an instant, in order; where clocks go back, both of them."""
    today = at.astimezone(zone).date()
    found = set()
    for days in (-1, 0, 1, 2):
        for clock in clocks:
            for fold in (0, 1):
                wall = datetime.combine(today + timedelta(days=days), time(clock // 60, clock % 60))
                found.add(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC))
    return sorted(found)


def together_from(case: Case, at: datetime) -> datetime:
    """Return when a notice that is consolidated goes out: not before all of the day's run are there."""
    run = case.instant((case.today, minutes(case.policy.case.hour)))
    return max(at, run + TOGETHER)
