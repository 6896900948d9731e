"""From matches to alerts: counting, what makes an alert's evidence, and its identity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from engine.model import Model
from engine.watch.model import Reference, Rule, Value, WatchPolicy
from engine.watch.reference import Match, matches
from engine.watch.window import Item, Prepared, Window, prepare

Found = Mapping[str, Sequence[tuple[int, ...]]]
"""By rule: the positions of the events of each match, in the order of its `all`."""


class Evidence(Model):
    """One event that stands behind an alert, under the name that the rule gives it."""

    name: str
    id: str
    type: str
    at: AwareDatetime


class Alert(Model):
    """A rule has fired: which, for whom, by which events, and what it asks for."""

    policy: str
    digest: str
    rule: str
    per: str
    subject: str
    alert: str
    severity: Literal["low", "medium", "high"]
    actions: tuple[str, ...]
    reason: Mapping[str, str]
    trigger: str
    """The id of the event that completed the pattern."""
    at: AwareDatetime
    """When that event happened."""
    as_of: AwareDatetime
    """When the window was looked at."""
    evidence: tuple[Evidence, ...]

    @property
    def key(self) -> str:
        """The alert's identity, whenever it is found again."""
        return f"{self.policy}/{self.rule}/{self.per}/{self.subject}/{self.trigger}"


def match_window(policy: WatchPolicy, window: Window) -> tuple[Alert, ...]:
    """Return the alerts of a window by the reference matcher, in order of time and rule.

    Raises EventRefused, WindowRefused, UnknownPartition or SearchTooLong.
    """
    prepared = prepare(policy, window)
    return alerts_of(
        policy, prepared, {r.name: list(matches(r, prepared)) for r in policy.rules_of(window.per)}
    )


def alerts_of(
    policy: WatchPolicy, window: Prepared, found: Mapping[str, Iterable[Match]]
) -> tuple[Alert, ...]:
    """Return the alerts that the matches of each rule make, in order of time and rule."""
    order = {rule.name: number for number, rule in enumerate(policy.rules)}
    alerts = [
        (last(units[-1]).position, order[rule.name], _alert(policy, rule, window, units))
        for rule in policy.rules_of(window.per)
        for units in _counted(rule, found.get(rule.name, ()))
    ]
    return tuple(alert for *_, alert in sorted(alerts, key=lambda entry: entry[:2]))


def choose(rule: Rule, window: Prepared, found: Iterable[tuple[int, ...]]) -> list[Match]:
    """Return those of all matches of a rule that count: in order, each event once.

    This is what `reference.matches` finds without looking at all of them.
    """
    taken = set(window.spent(rule.name))
    chosen: list[Match] = []
    every = (tuple(window.items[position] for position in positions) for positions in found)
    for match in sorted(every, key=lambda m: (last(m).position, [item.position for item in m])):
        events = {item.position for item in match if not item.type.is_fact}
        if not events & taken:
            taken |= events
            chosen.append(match)
    return chosen


def last(match: Match) -> Item:
    """Return the event that completed a match."""
    return max((item for item in match if not item.type.is_fact), key=lambda item: item.position)


def _counted(rule: Rule, found: Iterable[Match]) -> Iterator[list[Match]]:
    """Yield the matches that make each alert; after an alert counting starts anew."""
    if rule.count == 1:
        yield from ([match] for match in found)
        return
    waiting: dict[Value, list[Match]] = {}
    same, distinct = _reader(rule, rule.same), _reader(rule, rule.distinct)
    for match in found:
        if (rule.same and same(match) is None) or (rule.distinct and distinct(match) is None):
            continue  # what is not known is not the same, and not another one either
        group = [m for m in waiting.get(same(match), []) if _near(rule, m, last(match).at)]
        group.append(match)
        count = len({distinct(m) for m in group}) if rule.distinct else len(group)
        waiting[same(match)] = [] if count >= rule.count else group
        if count >= rule.count:
            yield group


def _near(rule: Rule, match: Match, at: datetime) -> bool:
    first = min(item.at for item in match if not item.type.is_fact)
    return rule.within is None or at - first <= rule.within


def _reader(rule: Rule, reference: Reference | None) -> Callable[[Match], Value]:
    if reference is None:
        return lambda match: None
    place = [alias.name for alias in rule.all].index(reference.alias)
    name = reference.prop.name
    return lambda match: match[place].values.get(name)


def _alert(policy: WatchPolicy, rule: Rule, window: Prepared, units: Sequence[Match]) -> Alert:
    named = {
        (item.position, alias.name): (item, alias.name)
        for match in units
        for alias, item in zip(rule.all, match, strict=True)
    }
    trigger = last(units[-1])
    return Alert(
        policy=policy.name, digest=policy.digest, rule=rule.name, per=window.per, subject=window.subject,
        alert=rule.alert, severity=rule.severity, actions=tuple(map(str, rule.actions)), reason=rule.reason,
        trigger=trigger.id, at=trigger.at, as_of=window.as_of,
        evidence=tuple(
            Evidence(name=name, id=item.id, type=item.type.name, at=item.at)
            for _, (item, name) in sorted(named.items(), key=lambda entry: entry[0])
        ),
    )  # fmt: skip
