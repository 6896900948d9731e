"""Which windows an event joins: those of a subject at which some rule looks at its type."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from engine.watch.model import Property, WatchPolicy
from engine.watch.values import WatchEvent
from engine.watch.window import subjects


def windows_of(policy: WatchPolicy, event: WatchEvent) -> tuple[tuple[str, str], ...]:
    """Return the windows that an event can matter in, as `subjects` names them; raises EventRefused.

    A window whose rules never look at the event's type, nor count it, is left out.
    """
    return tuple((per, who) for per, who in subjects(policy, event) if event.type in relevant(policy, per))


def restricted(policy: WatchPolicy, event: WatchEvent) -> WatchEvent:
    """Return an event with only those values that the policy declares for its type.

    Another policy may declare more of the same type, and an event is sent once for all of them.
    """
    known = given(policy, event.type)
    if event.values.keys() <= known.keys():
        return event
    return event.model_copy(update={"values": {n: v for n, v in event.values.items() if n in known}})


def given(policy: WatchPolicy, kind: str) -> dict[str, Property]:
    """Return the properties of a type that a sender gives: those not computed, not `at`, not `customer`."""
    found = policy.types.get(kind)
    properties = found.properties.items() if found else ()
    return {name: prop for name, prop in properties if not prop.derived and name not in ("at", "customer")}


@lru_cache(maxsize=256)
def _relevant(policy: _ByDigest, per: str) -> frozenset[str]:
    rules = policy.policy.rules_of(per)
    types = [alias.type for rule in rules for alias in (*rule.all, *rule.none)]
    counted = {p.derived.event for kind in types for p in kind.properties.values() if p.derived}
    return frozenset({kind.name for kind in types} | counted)


class _ByDigest:
    """A policy that is told from others by its digest, so that it can be a key."""

    def __init__(self, policy: WatchPolicy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return hash(self.policy.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByDigest) and self.policy.digest == other.policy.digest


def can_fire(policy: WatchPolicy, per: str, types: Collection[str]) -> bool:
    """Tell whether events of these types can ever make a match: some rule has all that it looks for.

    A look at a window of which this is false finds nothing, whatever its events say.
    """
    return any(all(alias.type.name in types for alias in rule.all) for rule in policy.rules_of(per))


def relevant(policy: WatchPolicy, per: str) -> frozenset[str]:
    """Return the types of events that the rules of a partition look at, or count."""
    return _relevant(_ByDigest(policy), per)
