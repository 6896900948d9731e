"""When and how often a customer may be spoken to: hours in the customer's own time, caps, conversations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.ladder.case import Case, Moment, minutes
from engine.ladder.channels import channel, known_fact, next_tries
from engine.ladder.law import Clause
from engine.ladder.model import CollectionsPolicy, LadderRow
from engine.ladder.state import Position, Taken
from engine.text import Period

TIMEZONE = "timezone"
"""The fact that says in which zone the customer lives, if it is not the account's."""
MESSAGES = ("sms", "email", "letter", "push", "message")
TOGETHER = timedelta(minutes=30)
"""Notices that are consolidated wait so long after the day's run for those of other accounts."""


class Closed(NamedTuple):
    """What keeps a customer from being spoken to: why, when that may end by itself, and a person's task."""

    why: str
    retry: Moment | None = None
    task: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """One contact that counts, with its local day in the account's zone."""

    day: int
    channel: str
    outcome: str
    inbound: bool
    own: bool
    """It was about this account."""
    text: str = ""
    pending: bool = False


def covered(kind: str) -> tuple[str, ...]:
    """Return the channels of which a cap speaks."""
    return MESSAGES if kind == "message" else (kind,)


# what was made


def contacts(case: Case) -> Iterator[Made]:
    """Yield every contact with the customer that is known: of all accounts, cases, sweeps and alerts."""
    for receipt in case.account.receipts:
        parts = receipt.key.rsplit("/", 2)[1].split(".") if receipt.key.count("/") >= 2 else []
        if receipt.status in ("done", "requested") and parts[:1] == ["notify"] and len(parts) > 1:
            day = receipt.at.astimezone(case.zone).date().toordinal()
            text = ".".join(parts[2:])
            yield Made(day, parts[1], "sent", False, True, text, receipt.status == "requested")
    for other in case.account.contacts:
        if other.key and (other.key in case.receipts or other.key.startswith(f"{case.taken.case}/")):
            continue
        day = other.at.astimezone(case.zone).date().toordinal()
        inbound = other.direction == "in"
        yield Made(day, other.channel, other.outcome, inbound, not other.account, other.text, other.pending)


def tried(one: Made) -> bool:
    """Tell whether a contact counts as one of ours: a call that reached no number does not."""
    return not one.inbound and one.outcome != "not_connected"


def conversed(one: Made) -> bool:
    """Tell whether somebody spoke with the customer, whoever had called."""
    return one.channel == "call" and one.outcome == "conversation"


# caps


def contact_closed(case: Case, row: LadderRow, day: int) -> Closed | None:
    """Return what keeps the notices of a row from going out on a day."""
    notices = [item for item in row.do if item.do == "notify"]
    if not notices:
        return None
    tries = next_tries(case, row)
    wanted = [(channel(case, item, tries), item.args[1]) for item in notices]
    if any(not by for by, _ in wanted):
        return Closed("the customer has opted out of every channel that is left", task="no_channel")
    made = list(contacts(case))
    for kind, most, period in case.policy.contact.caps:
        if closed := _capped(case, made, wanted, covered(kind), most, period, day):
            closed_why = f"contact cap: {most} by {kind} per {period}, {closed[0]} were made"
            return Closed(closed_why, (closed[1], minutes(case.policy.case.hour)))
    calls = any(by == "call" for by, _ in wanted)
    rest = case.policy.contact.after_conversation
    if calls and rest and (found := _since_conversation(made, rest, day)):
        why = f"no call within {rest} of the conversation on {date.fromordinal(found[0])}"
        return Closed(why, (found[1], minutes(case.policy.case.hour)))
    return _law_closed(case, made, wanted, day)


def _capped(
    case: Case, made: list[Made], wanted: list[tuple[str, str]], channels: tuple[str, ...], most: int,
    period: Period, day: int,
) -> tuple[int, int] | None:  # fmt: skip
    """Return how many were made and the day on which enough of them count no more; None: there is room."""
    need = [(by, text) for by, text in wanted if by in channels]
    if not need:
        return None
    counted = [m for m in made if m.channel in channels and tried(m) and _in(m.day, period, day)]
    if case.policy.contact.consolidate:
        waiting = {(m.channel, m.text) for m in counted if m.pending and m.day == day and m.text}
        need = [one for one in need if one not in waiting]  # it goes out together with what waits
        dates = sorted(
            key[0] for key in {(m.day, m.channel, m.text or f"/{n}") for n, m in enumerate(counted)}
        )
    else:
        dates = sorted(m.day for m in counted)
    over = len(dates) + min(len(need), most) - most
    if not need or over <= 0:
        return None
    return len(dates), period.after(date.fromordinal(dates[over - 1])).toordinal()


def _in(made: int, period: Period, day: int) -> bool:
    return period.after(date.fromordinal(made)).toordinal() > day


def _since_conversation(made: list[Made], rest: Period, day: int) -> tuple[int, int] | None:
    spoke = max((m.day for m in made if conversed(m) and _in(m.day, rest, day)), default=None)
    return (spoke, rest.after(date.fromordinal(spoke)).toordinal()) if spoke is not None else None


def _law_closed(
    case: Case, made: list[Made], wanted: list[tuple[str, str]], day: int
) -> Closed | None:  # fmt: skip
    """Return what the law has against it, whatever the policy says: about this account's debt."""
    start = minutes(case.policy.case.hour)
    own = [m for m in made if m.own]
    for clause in case.law.clauses_on("contact_frequency"):
        assert clause.most is not None  # it needs it
        most, period = clause.most
        if found := _capped(case, own, wanted, clause.channels, most, period, day):
            count, frees = found
            why = f"{case.law.cited(clause)}: {count} in {period}, which is not below {most}"
            return Closed(why, (frees, start))
    for clause in case.law.clauses_on("after_conversation"):
        calls = clause.period is not None and any(by in clause.channels for by, _ in wanted)
        spoke = _since_conversation(own, clause.period, day) if calls and clause.period else None
        if spoke:
            on = date.fromordinal(spoke[0])
            why = f"{case.law.cited(clause)}: a conversation took place on {on}, not {clause.period} ago"
            return Closed(why, (spoke[1], start))
    return None


# hours


def zone_of(case: Case) -> ZoneInfo:
    """Return the zone in which the customer is spoken to: the customer's own, else the account's."""
    named = known_fact(case, TIMEZONE)
    if isinstance(named, str):
        try:
            return ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return case.zone
    return case.zone


def zone_note(case: Case) -> str:
    """Return what is to be said of the customer's zone; empty: it is the account's."""
    named = known_fact(case, TIMEZONE)
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
