"""The shipped texts, and small worlds to step in."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

from engine.ladder import CollectionsPolicy, LawPack, load_collections, load_law
from engine.ladder.simulate import Event, Look, Played, Scenario, play, show
from engine.ladder.state import Position
from engine.ledger import Entry, position_at
from engine.workdays import Calendar, load_calendar
from tests.engine.ledger.making import TERMS, ZONE

POLICIES = Path(__file__).parents[3] / "policies"


def texts_of(folder: str) -> dict[str, bytes]:
    """Return every text of a policy's folder by its path in it."""
    root = POLICIES / folder
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


@cache
def policy(folder: str = "collections") -> CollectionsPolicy:
    """Return a shipped policy."""
    loaded = load_collections(texts_of(folder))
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


@cache
def law(name: str = "cn-telecom") -> LawPack:
    """Return a shipped law pack."""
    loaded = load_law((POLICIES / "regulations" / f"{name}.yaml").read_bytes(), f"{name}.yaml")
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


@cache
def calendar(name: str = "CN") -> Calendar:
    """Return a shipped calendar."""
    loaded = load_calendar((POLICIES / "calendars" / f"{name}.yaml").read_bytes(), f"{name}.yaml")
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


def changed(folder: str = "collections", **replaced: tuple[str, str]) -> CollectionsPolicy:
    """Return a shipped policy with some words of its text replaced."""
    texts = texts_of(folder)
    text = texts["policy.yaml"].decode()
    for old, new in replaced.values():
        assert old in text, old
        text = text.replace(old, new)
    loaded = load_collections(texts | {"policy.yaml": text.encode()})
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


def told(entries: list[Entry]) -> tuple[Event, ...]:
    """Return entries as events at the instants at which they were received."""
    return tuple(Event(entry.received_at, f"{entry.kind} {entry.id}", entry=entry) for entry in entries)


def evening(day: date) -> datetime:
    """Return the last second of a local day."""
    return datetime.combine(day, time(23, 59, 59), ZONE)


def played(
    entries: list[Entry], end: date, by: CollectionsPolicy | None = None, *, more: tuple[Event, ...] = (),
    probes: tuple[datetime, ...] = (), start: date | None = None,
) -> Played:  # fmt: skip
    """Play entries through a policy to the end of a day."""
    scenario = Scenario(TERMS, (*told(entries), *more), evening(end), probes=probes)
    return play(by or policy(), law(), calendar(), scenario)


def evenings(first: date, last: date, step: int = 1) -> tuple[datetime, ...]:
    """Return the evenings of a stretch of days."""
    days = range(0, (last - first).days + 1, step)
    return tuple(evening(first + timedelta(days=n)) for n in days)


def position_of(entries: list[Entry], at: datetime, *, fresh: bool = True) -> Position:
    """Return the whole position at an instant, with the shipped law pack and calendar."""
    account = position_at(TERMS, entries, at)
    if fresh:
        account = account.model_copy(update={"feeds": {"payments": at}})
    return Position(account, law(), calendar())


def local(day: str, clock: str = "09:00") -> datetime:
    """Return a local time of 2026: `local("02-25", "10:00")`."""
    return datetime.combine(date.fromisoformat(f"2026-{day}"), time.fromisoformat(clock), ZONE)


def before(found: Played, action: str) -> Look:
    """Return the look at which an action was asked for, by the words of timelines."""
    return next(look for look in found.looks if action in [show(a) for a in look.step.actions])
