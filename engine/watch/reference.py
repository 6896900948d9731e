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
    for last in search.ends():
        if last.position in taken:
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
    later: frozenset[str]
    """The types of the events of the names that follow."""


class _Search:
    """Tries events for the names of a rule, one after the other."""

    def __init__(self, rule: Rule, window: Prepared) -> None:
        self.rule, self.subject, self.tried = rule, window.subject, 0
        self.steps = _steps(rule, window)
        self.barred = [(alias, _candidates(alias, window)) for alias in rule.none]
        self.bound: dict[str, Item] = {}
        self.binding = Binding(self.bound, window.as_of)

    def ends(self) -> list[Item]:
        """Return the events that can be the last one of a match, in order."""
        if not all(step.candidates for step in self.steps) or self._is_barred_whole():
            return []
        found = {item.position: item for step in self.steps for item in step.candidates}
        return [found[position] for position in sorted(found) if not found[position].type.is_fact]

    def ending_with(self, last: Item, taken: set[int], chosen: Match = ()) -> Iterator[Match]:
        """Yield the matches whose last event this is and which begin with the events chosen so far."""
        if len(chosen) == len(self.steps):
            if last in chosen and self._is_near(chosen) and not self._is_barred(chosen):
                yield chosen
            return
        step = self.steps[len(chosen)]
        for item in self._choices(step, chosen, last):
            if item.position in taken or item in chosen:
                continue
            self._count()
            self.bound[step.alias.name] = item
            if all(holds(condition, self.binding) for condition in step.joins):
                yield from self.ending_with(last, taken, (*chosen, item))

    def _choices(self, step: _Step, chosen: Match, last: Item) -> Sequence[Item]:
        """Return what may stand for the next name; the last event must find a place."""
        if last not in chosen and last.type.name not in step.later:
            return [last] if last in step.candidates else []
        return [item for item in step.candidates if item.type.is_fact or item.position <= last.position]

    def _count(self) -> None:
        self.tried += 1
        if self.tried > MOST_STEPS:
            raise SearchTooLong(self.rule.name, self.subject, MOST_STEPS)

    def _is_near(self, chosen: Match) -> bool:
        moments = [item.at for item in chosen if not item.type.is_fact]
        return self.rule.within is None or max(moments) - min(moments) <= self.rule.within

    def _is_barred_whole(self) -> bool:
        """Tell whether an event stands for a name under `none` whatever is chosen: then nothing can match."""
        wanted = {alias.type.name for alias in self.rule.all}
        return any(
            candidates and alias.type.name not in wanted
            for alias, candidates in self.barred
            if all(aliases_of(condition) == {alias.name} for condition in alias.conditions)
        )

    def _is_barred(self, chosen: Match) -> bool:
        """Tell whether another event stands for one of the names under `none`."""
        for alias, candidates in self.barred:
            for item in candidates:
                self.bound[alias.name] = item
                if item not in chosen and all(holds(c, self.binding) for c in alias.conditions):
                    return True
        return False


def _steps(rule: Rule, window: Prepared) -> tuple[_Step, ...]:
    """Place each condition between events with the last of the names that it speaks of."""
    names = [alias.name for alias in rule.all]
    joins: dict[str, list[Condition]] = {name: [] for name in names}
    alone: dict[str, list[Condition]] = {name: [] for name in names}
    for alias in rule.all:
        for condition in alias.conditions:
            spoken = aliases_of(condition)
            (joins if len(spoken) > 1 else alone)[max(spoken, key=names.index)].append(condition)
    later = [frozenset(a.type.name for a in rule.all[place + 1 :]) for place in range(len(names))]
    return tuple(
        _Step(alias, _candidates(alias, window, alone[alias.name]), tuple(joins[alias.name]), types)
        for alias, types in zip(rule.all, later, strict=True)
    )


def _candidates(alias: Alias, window: Prepared, alone: Sequence[Condition] | None = None) -> tuple[Item, ...]:
    """Return the events that pass the conditions which speak of no other event."""
    if alone is None:
        alone = [c for c in alias.conditions if aliases_of(c) == {alias.name}]
    bound: dict[str, Item] = {}
    binding, found = Binding(bound, window.as_of), []
    for item in window.items:
        if item.type.name == alias.type.name:
            bound[alias.name] = item
            if all(holds(condition, binding) for condition in alone):
                found.append(item)
    return tuple(found)
