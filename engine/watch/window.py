"""The events of one customer (or document, dealer ...) over time, checked and put in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

from pydantic import AwareDatetime, Field

from engine.model import Model
from engine.text import did_you_mean
from engine.watch.aggregates import Earlier, aggregate
from engine.watch.errors import EventProblem, EventRefused, UnknownPartition, WindowRefused
from engine.watch.model import AT, CUSTOMER, EventType, Property, Value, WatchPolicy
from engine.watch.values import FIRST, LAST, Unfit, WatchEvent, fit

MOST_EVENTS = 2_000
"""The most events that a window holds, those kept only for averages included."""


class Window(Model):
    """All that is known of one subject at an instant; `match` is a pure function of it."""

    subject: Annotated[str, Field(min_length=1, max_length=200)]
    """Whose window this is: the customer, or the value of the property that rules name in `per`."""
    as_of: AwareDatetime
    per: str = CUSTOMER
    events: tuple[WatchEvent, ...] = ()
    """Events and facts in any order; those after `as_of` are not looked at."""
    reported: Mapping[str, tuple[str, ...]] = {}
    """By rule: the ids of events that stand in the evidence of earlier alerts; they are used up."""


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One event or fact of a window, its values checked; `position` is its place in the stable order."""

    position: int
    id: str
    type: EventType
    at: datetime
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A window whose events were checked, ordered and completed with what is derived."""

    subject: str
    per: str
    as_of: datetime
    items: tuple[Item, ...]
    """By position: facts first, then events, each by instant, content and id."""
    reported: Mapping[str, frozenset[str]]

    def spent(self, rule: str) -> frozenset[int]:
        """Return the positions of events that earlier alerts of a rule have used up."""
        ids = self.reported.get(rule, frozenset())
        return frozenset(item.position for item in self.items if item.id in ids and not item.type.is_fact)


def admit(policy: WatchPolicy, event: WatchEvent) -> dict[str, Value]:
    """Return the checked values of an event by property; raises EventRefused with all that is wrong."""
    kind = policy.types.get(event.type)
    if kind is None:
        advice = did_you_mean(event.type, policy.types, of="types of this policy")
        problem = EventProblem("/type", "unknown-event", f"there is no event `{event.type}`", advice)
        raise EventRefused(event.id, [problem])
    given = {n: p for n, p in kind.properties.items() if not p.derived and n not in (AT, CUSTOMER)}
    problems = _misplaced(event, given)
    values: dict[str, Value] = {AT: event.at, CUSTOMER: event.customer or None}
    for name, prop in given.items():
        try:
            values[name] = fit(event.values.get(name), prop)
        except Unfit as why:
            problems.append(EventProblem(f"/values/{name}", "bad-value", str(why)))
    if problems:
        raise EventRefused(event.id, problems)
    return values


def _misplaced(event: WatchEvent, given: Mapping[str, Property]) -> list[EventProblem]:
    """Return what is wrong with the instant and with the names of the values."""
    problems: list[EventProblem] = []
    if not FIRST <= event.at < LAST:
        message = f"{event.at} is not from {FIRST.year} to {LAST.year - 1}"
        problems.append(EventProblem("/at", "bad-instant", message))
    for name in event.values:
        if name not in given:
            advice = did_you_mean(name, given, of="properties")
            message = f"`{event.type}` has no property `{name}` that is given"
            problems.append(EventProblem(f"/values/{name}", "unknown-property", message, advice))
    return problems


def subjects(policy: WatchPolicy, event: WatchEvent) -> tuple[tuple[str, str], ...]:
    """Return the windows that an event belongs to: `(("customer", "C1"), ("document", "D9"))`."""
    values = admit(policy, event)
    found = ((per, values.get(per)) for per in policy.partitions)
    return tuple((per, value) for per, value in found if isinstance(value, str) and value)


def prepare(policy: WatchPolicy, window: Window) -> Prepared:
    """Check and order a window; raises EventRefused, WindowRefused or UnknownPartition."""
    if window.per not in policy.partitions:
        raise UnknownPartition(policy.name, window.per, policy.partitions)
    if len(window.events) > MOST_EVENTS:
        why = f"it holds {len(window.events):,} events, more than {MOST_EVENTS:,}"
        raise WindowRefused(window.subject, why)
    known = [e for e in _once(window) if e.at <= window.as_of]
    admitted = in_order([(event, admit(policy, event)) for event in known])
    facts = [(e, v) for e, v in admitted if policy.types[e.type].is_fact]
    events = [(e, v) for e, v in admitted if not policy.types[e.type].is_fact]
    _derive(policy, events)
    oldest = window.as_of - policy.window
    counted = facts + [(e, v) for e, v in events if e.at > oldest]
    items = tuple(
        Item(position, event.id, policy.types[event.type], event.at, values)
        for position, (event, values) in enumerate(counted)
    )
    reported = {rule: frozenset(ids) for rule, ids in window.reported.items()}
    return Prepared(window.subject, window.per, window.as_of, items, reported)


def in_order(
    admitted: Iterable[tuple[WatchEvent, dict[str, Value]]],
) -> list[tuple[WatchEvent, dict[str, Value]]]:
    """Return events in the order in which they count: by instant, then by what they say, then by id.

    Ids come last because senders number what they send: of two events at one instant the one that was sent
    first must not be another one than if they had been sent the other way round.
    """
    found = sorted(admitted, key=lambda pair: pair[0].at)
    if all(one[0].at < other[0].at for one, other in pairwise(found)):
        return found
    return sorted(found, key=lambda pair: (pair[0].at, *_content(*pair), pair[0].id))


def _content(event: WatchEvent, values: Mapping[str, Value]) -> tuple[str, tuple[tuple[str, str], ...]]:
    told = ((n, f"{v.normalize():f}" if isinstance(v, Decimal) else str(v)) for n, v in values.items())
    return event.type, tuple(sorted(told))


def _once(window: Window) -> Iterable[WatchEvent]:
    seen: dict[str, WatchEvent] = {}
    for event in window.events:
        if (first := seen.setdefault(event.id, event)) is not event and first != event:
            raise WindowRefused(window.subject, f"two different events have the id `{event.id}`")
    return seen.values()


def _derive(policy: WatchPolicy, events: Sequence[tuple[WatchEvent, dict[str, Value]]]) -> None:
    needed = {
        kind.name: kind for kind in policy.types.values() if any(p.derived for p in kind.properties.values())
    }
    earlier = Earlier([(event.at, event.type, values) for event, values in events]) if needed else None
    for event, values in events:
        if earlier is None or event.type not in needed:
            continue
        for prop in needed[event.type].properties.values():
            if prop.derived:
                values[prop.name] = aggregate(prop, earlier, event.at)


def shrink(policy: WatchPolicy, window: Window) -> Window:
    """Return the window without events that can no longer matter, for keeping."""
    oldest = window.as_of - policy.keep
    kept = tuple(
        e for e in window.events if e.at > oldest or (e.type in policy.types and policy.types[e.type].is_fact)
    )
    ids = {event.id for event in kept}
    reported = {rule: tuple(i for i in found if i in ids) for rule, found in window.reported.items()}
    return window.model_copy(
        update={"events": kept, "reported": {rule: found for rule, found in reported.items() if found}}
    )
