"""The small plain matcher: what the rules mean. Where another matcher differs, this one is right.

Events are taken as the last one of a match in the order in which they happened; of several matches with
the same last event the one with the earliest events counts, in the order of the rule's names. An event serves
one match of a rule; facts serve any number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.watch.errors import SearchTooLong
from engine.watch.evaluate import Binding, holds
from engine.watch.model import Alias, Condition, Rule, aliases_of
from engine.watch.window import Item, Prepared

MOST_STEPS = 2_000_000
"""The most events that are tried for one rule and window."""

Match = tuple[Item, ...]
"""The events of a match, in the order of the rule's `all`."""


def matches(rule: Rule, window: Prepared) -> Iterator[Match]:
    """Yield the matches of a rule in order; raises SearchTooLong."""
    search = _Search(rule, window)
    taken = set(window.spent(rule.name))
    for last in window.items:
        if last.type.is_fact or last.position in taken:
            continue
        found = next(search.ending_with(last, taken), None)
        if found is not None:
            taken |= {item.position for item in found if not item.type.is_fact}
            yield found


@dataclass(frozen=True, slots=True)
class _Step:
    """One name of a rule: what may stand for it, and what must hold once it does."""

    alias: Alias
    candidates: tuple[Item, ...]
    joins: tuple[Condition, ...]


class _Search:
    """Tries events for the names of a rule, one after the other."""

    def __init__(self, rule: Rule, window: Prepared) -> None:
        self.rule, self.window, self.tried = rule, window, 0
        self.steps = _steps(rule, window)
        self.barred = [(alias, _candidates(alias, window)) for alias in rule.none]

    def ending_with(self, last: Item, taken: set[int]) -> Iterator[Match]:
        """Yield the matches whose last event this is."""
        yield from self._extended((), last, taken)

    def _extended(self, chosen: Match, last: Item, taken: set[int]) -> Iterator[Match]:
        if len(chosen) == len(self.steps):
            if last in chosen and self._is_whole(chosen):
                yield chosen
            return
        for item in self._choices(chosen, last):
            if item.position in taken or item in chosen:
                continue
            self.tried += 1
            if self.tried > MOST_STEPS:
                raise SearchTooLong(self.rule.name, self.window.subject, MOST_STEPS)
            bound = self._bound((*chosen, item))
            if _all_hold(self.steps[len(chosen)].joins, bound, self.window):
                yield from self._extended((*chosen, item), last, taken)

    def _choices(self, chosen: Match, last: Item) -> Sequence[Item]:
        """Return what may stand for the next name; the last event must find a place."""
        step = self.steps[len(chosen)]
        later = any(other.alias.type.name == last.type.name for other in self.steps[len(chosen) + 1 :])
        if last not in chosen and not later:
            return [last] if last in step.candidates else []
        return [i for i in step.candidates if i.type.is_fact or i.position <= last.position]

    def _bound(self, chosen: Match) -> dict[str, Item]:
        return {step.alias.name: item for step, item in zip(self.steps, chosen, strict=False)}

    def _is_whole(self, chosen: Match) -> bool:
        bound = self._bound(chosen)
        return self._is_near(chosen) and not any(
            _all_hold(alias.conditions, {**bound, alias.name: item}, self.window)
            for alias, candidates in self.barred
            for item in candidates
            if item not in chosen
        )

    def _is_near(self, chosen: Match) -> bool:
        moments = [item.at for item in chosen if not item.type.is_fact]
        return self.rule.within is None or max(moments) - min(moments) <= self.rule.within


def _steps(rule: Rule, window: Prepared) -> tuple[_Step, ...]:
    """Place each condition between events with the last of the names that it speaks of."""
    names = [alias.name for alias in rule.all]
    joins: dict[str, list[Condition]] = {name: [] for name in names}
    alone: dict[str, list[Condition]] = {name: [] for name in names}
    for alias in rule.all:
        for condition in alias.conditions:
            spoken = aliases_of(condition)
            (joins if len(spoken) > 1 else alone)[max(spoken, key=names.index)].append(condition)
    return tuple(
        _Step(alias, _candidates(alias, window, alone[alias.name]), tuple(joins[alias.name]))
        for alias in rule.all
    )


def _candidates(alias: Alias, window: Prepared, alone: Sequence[Condition] | None = None) -> tuple[Item, ...]:
    """Return the events that pass the conditions which speak of no other event."""
    if alone is None:
        alone = [c for c in alias.conditions if aliases_of(c) == {alias.name}]
    of_type = (item for item in window.items if item.type.name == alias.type.name)
    return tuple(item for item in of_type if _all_hold(alone, {alias.name: item}, window))


def _all_hold(conditions: Sequence[Condition], bound: dict[str, Item], window: Prepared) -> bool:
    binding = Binding(bound, window.as_of)
    return all(holds(condition, binding) for condition in conditions)
