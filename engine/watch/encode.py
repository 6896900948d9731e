"""A partition of a policy as durable-rules JSON, a window as its facts, and what fired back as matches.

durable-rules 2.0.28 is fast and has known defects; the encoding is such that none can be reached:
  - a fact holds whole numbers below 2**62 and nothing else: no strings, truth values, decimals or exponents,
    no property of an author's name (none is called `id`), nothing missing, nothing to compute or divide;
  - every fact has an id of its own out of a fixed list whose 32-bit hashes differ;
  - names of joined events are unique over all rules, so no two rules share a join;
  - the last test of a joined pattern always holds, because a failing last test reads past its sequence;
  - what bars a match is asserted before all else, so a match is never taken back;
  - patterns for a fact, columns, rules, slots and states are bounded (layout.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from engine.watch.layout import (
    FIRST_STRING,
    AreSame,
    Code,
    Column,
    Layout,
    PatternKey,
    Slot,
    Sum,
    column_of,
    lay_out,
    patterns,
    value_in,
)
from engine.watch.linear import Split, code_of
from engine.watch.model import AT, NOW, Operator, Rule, Value, WatchPolicy
from engine.watch.plan import Coded, Known, Pattern, Test, is_join
from engine.watch.values import microseconds
from engine.watch.window import Prepared

STATE = "w"
"""The one state that facts belong to."""
MOST_FACTS = 20_000
CLOCK_POSITION = -1
_SIGNS: Mapping[Operator, str] = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "!=": "$neq"}

Json: TypeAlias = dict[str, Any]
RawMatch: TypeAlias = tuple[str, Mapping[str, int]]
"""A rule of the matcher that fired, and the position of the event under each of its names."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """The rules of one partition in durable-rules JSON, with what is needed to write facts for them."""

    per: str
    rules: tuple[Rule, ...]
    layout: Layout
    ruleset: Json

    def facts(self, window: Prepared) -> list[Json]:
        """Return the facts of a window: the clock, what bars a match, then all else, each with its id.

        An event that all rules of a slot have used up makes no match there and is left out, unless it bars.
        """
        strings = dict(self.layout.strings)
        clock = {AT: microseconds(window.as_of)}
        clocks = [_fact(slot, CLOCK_POSITION, clock, {}, strings) for slot in self.layout.slots.get(NOW, ())]
        barring: list[Json] = []
        wanted: list[Json] = []
        spent = self._spent(window)
        for item in window.items:
            slots = self.layout.slots.get(item.type.name)
            if not slots:
                continue
            codes = {n: code_of(item.values.get(n), p) for n, p in item.type.properties.items()}
            for value in item.values.values():
                if isinstance(value, str):
                    strings.setdefault(value, len(strings) + FIRST_STRING)
            for slot in slots:
                if item.position in spent.get(slot.number, ()):
                    continue
                fact = _fact(slot, item.position, codes, item.values, strings)
                (barring if slot.absent else wanted).append(fact)
        found = [*clocks, *barring, *wanted]
        assert len(found) <= MOST_FACTS  # by the bounds of windows and slots
        return [{"id": str(number), "sid": STATE, **fact} for number, fact in enumerate(found)]

    def _spent(self, window: Prepared) -> dict[int, frozenset[int]]:
        """Return by slot the positions of events that all rules which want them there have used up."""
        by_rule = [window.spent(rule.name) for rule in self.rules]
        found: dict[int, frozenset[int]] = {}
        for (rule, _, _), slot in self.layout.slot_of.items():
            if not slot.absent:
                found[slot.number] = found.get(slot.number, by_rule[rule]) & by_rule[rule]
        return found

    def matches(self, raw: Iterable[RawMatch]) -> dict[str, list[tuple[int, ...]]]:
        """Return by rule the positions of the events that matched, in the order of its `all`, each once."""
        found: dict[str, set[tuple[int, ...]]] = {rule.name: set() for rule in self.rules}
        for name, positions in raw:
            index, alternative = map(int, name.removeprefix("r").split("_"))
            rule, offset = self.rules[index], int(self.layout.plans[index].clock)
            keys = ((index, alternative, place + offset) for place in range(len(rule.all)))
            found[rule.name].add(tuple(positions[_alias(key)] for key in keys))
        return {name: sorted(matched) for name, matched in found.items()}


def encode(policy: WatchPolicy, per: str) -> Encoding:
    """Return the encoding of the rules that look at windows kept by `per`; raises LayoutTooLarge."""
    layout = lay_out(policy, per)
    rows: dict[tuple[int, int], list[tuple[PatternKey, Pattern]]] = {}
    for key, pattern in patterns(layout.plans):
        rows.setdefault(key[:2], []).append((key, pattern))
    ruleset = {
        f"r{rule}_{row}": {"all": _row(found, layout), "count": 1} for (rule, row), found in rows.items()
    }
    return Encoding(per, policy.rules_of(per), layout, ruleset)


def _fact(
    slot: Slot,
    position: int,
    codes: Mapping[str, int],
    values: Mapping[str, Value],
    strings: Mapping[str, int],
) -> Json:
    columns = {name: value_in(column, codes, values, strings) for column, name in slot.columns.items()}
    return {"t": slot.number, "n": position, "z": 0, **columns}


def _alias(key: PatternKey) -> str:
    return "a{}_{}_{}".format(*key)


def _row(row: Sequence[tuple[PatternKey, Pattern]], layout: Layout) -> list[Json]:
    """Return the patterns of one alternative; those that must not match come last and see all others."""
    written: list[Json] = []
    wanted: dict[str, tuple[PatternKey, Pattern]] = {}
    for key, pattern in row:
        joins = [*_others(pattern, wanted), *_joins(key, pattern, wanted, layout)]
        tests = [{"t": layout.slot_of[key].number}, *_own(key, pattern, layout), *joins]
        if joins:
            tests.append(_joined(">=", "z", _alias(next(iter(wanted.values()))[0]), "z"))
        written.append({_alias(key) + ("$not" if pattern.absent else ""): {"$and": tests}})
        if not pattern.absent:
            wanted[pattern.alias] = (key, pattern)
    return written


def _others(pattern: Pattern, wanted: Mapping[str, tuple[PatternKey, Pattern]]) -> Iterator[Json]:
    """Yield the tests that keep two names of a rule from meaning one event."""
    for key, other in wanted.values():
        if other.type == pattern.type:
            yield _joined("!=", "n", _alias(key), "n")


def _own(key: PatternKey, pattern: Pattern, layout: Layout) -> Iterator[Json]:
    names = layout.slot_of[key].columns
    for test in pattern.tests:
        if not is_join(test):
            column = column_of(test, pattern.alias)
            assert column is not None  # the test is the pattern's own
            yield _constant(test, column, names[column], layout)


def _constant(test: Test, column: Column, name: str, layout: Layout) -> Json:
    match test, column:
        case Known(), _:
            return {name: int(test.known)}
        case Coded(), AreSame():
            return {name: int(test.operator == "=")}
        case Coded(), Code():
            code = layout.strings[test.value] if isinstance(test.value, str) else _truth(test.value)
            return _test(test.operator, name, code)
        case Split(), Sum():
            return _test(test.operator, name, test.constant)
    raise AssertionError(test)


def _truth(value: bool | None) -> int:
    return 0 if value is None else 2 if value else 1


def _joins(
    key: PatternKey, pattern: Pattern, wanted: Mapping[str, tuple[PatternKey, Pattern]], layout: Layout
) -> Iterator[Json]:
    mine = layout.slot_of[key].columns
    for test in filter(is_join, pattern.tests):
        other = _other(test, pattern.alias)
        their_key = wanted[other][0]
        left, right = column_of(test, pattern.alias), column_of(test, other)
        assert left is not None  # a join has a column on both sides
        assert right is not None  # likewise
        assert isinstance(test, Split | Coded)
        yield _joined(test.operator, mine[left], _alias(their_key), layout.slot_of[their_key].columns[right])


def _other(test: Test, alias: str) -> str:
    match test:
        case Split(_, left, right, _) if right is not None:
            return right.alias if left.alias == alias else left.alias
        case Coded(_, first, _, (second, _), _):
            return second if first == alias else first
    raise AssertionError(test)


def _test(operator: Operator, name: str, value: Any) -> Json:
    return {name: value} if operator == "=" else {_SIGNS[operator]: {name: value}}


def _joined(operator: Operator, name: str, alias: str, other: str) -> Json:
    return _test(operator, name, {alias: other})
