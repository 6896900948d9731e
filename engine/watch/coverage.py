"""What the cases of a watch policy try: which rules fire, and which small changes of a rule they notice.

A change is one step of one threshold: `count`, `within`, a number, date, instant or duration that stands in a
condition, and leaving out a name under `none`. What no case notices, nobody has said how it ought to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from engine.watch.cases import Case, run_case
from engine.watch.model import (
    Alias,
    And,
    Arithmetic,
    Compare,
    Condition,
    Constant,
    Expression,
    Or,
    Reference,
    Rule,
    Value,
    WatchPolicy,
    parts,
)

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
Section = Literal["all", "none"]


@dataclass(frozen=True, slots=True)
class Change:
    """One rule with one threshold moved by a step, and what was moved, in words."""

    rule: Rule
    told: str


@dataclass(frozen=True, slots=True)
class WatchCoverage:
    """How much of a watch policy its cases try."""

    rules: int
    silent: tuple[str, ...]
    """Rules that fire in no case."""
    changes: int
    unnoticed: tuple[str, ...]
    """Changes after which every case still holds, each with its rule and place."""

    def __str__(self) -> str:
        fired = self.rules - len(self.silent)
        noticed = self.changes - len(self.unnoticed)
        return (
            f"{fired} of {self.rules} rules fire in a case, {noticed} of {self.changes} threshold changes"
            " are noticed"
        )


def watch_coverage(policy: WatchPolicy, cases: Sequence[Case]) -> WatchCoverage:
    """Return what those cases that hold try of a policy; by the reference matcher."""
    cases = [case for case in cases if run_case(policy, case).passed]
    fired = {rule for case in cases for rule in run_case(policy, case).rules}
    silent = tuple(rule.name for rule in policy.rules if rule.name not in fired)
    changes = [change for rule in policy.rules for change in changes_of(rule)]
    unnoticed = tuple(c.told for c in changes if not _is_noticed(policy, cases, c))
    return WatchCoverage(len(policy.rules), silent, len(changes), unnoticed)


def changes_of(rule: Rule) -> Iterator[Change]:
    """Yield the rule with each of its thresholds one step lower and one step higher."""
    for count in (rule.count - 1, rule.count + 1) if rule.count > 1 else ():
        yield _change(rule, f"`count: {count}`", count=count)
    for within in _steps(rule.within) if rule.within else ():
        if isinstance(within, timedelta) and within > timedelta(0):
            yield _change(rule, f"`within` of {_told(within)}", within=within)
    for alias in rule.none:
        rest = tuple(other for other in rule.none if other is not alias)
        yield _change(rule, f"without `{alias.name}` under `none`", none=rest)
    sections: Mapping[Section, tuple[Alias, ...]] = {"all": rule.all, "none": rule.none}
    for section, aliases in sections.items():
        for place, alias in enumerate(aliases):
            for conditions, told in _each(alias.conditions, _of_condition):
                changed = replace(alias, conditions=conditions)
                row = (*aliases[:place], changed, *aliases[place + 1 :])
                yield _change(rule, told, **{section: row})


def _change(rule: Rule, told: str, **values: object) -> Change:
    return Change(replace(rule, **values), f"rule `{rule.name}` ({rule.span}): {told}")  # type: ignore[arg-type]  # by callers above


def _is_noticed(policy: WatchPolicy, cases: Sequence[Case], change: Change) -> bool:
    rules = tuple(change.rule if rule.name == change.rule.name else rule for rule in policy.rules)
    changed = replace(policy, rules=rules)
    return not all(run_case(changed, case).passed for case in cases)


def _each(
    items: tuple[Condition, ...], of: Callable[[Condition], Iterator[tuple[Condition, str]]]
) -> Iterator[tuple[tuple[Condition, ...], str]]:
    for place, item in enumerate(items):
        for changed, told in of(item):
            yield (*items[:place], changed, *items[place + 1 :]), told


def _of_condition(condition: Condition) -> Iterator[tuple[Condition, str]]:
    match condition:
        case And(items):
            yield from ((And(changed), told) for changed, told in _each(items, _of_condition))
        case Or(items):
            yield from ((Or(changed), told) for changed, told in _each(items, _of_condition))
        case Compare(_, left, right, span):
            unit = _unit(condition)
            for changed, told in _of_side(left, unit):
                yield replace(condition, left=changed), f"{told} ({span.line}:{span.column})"
            for changed, told in _of_side(right, unit):
                yield replace(condition, right=changed), f"{told} ({span.line}:{span.column})"


def _of_side(side: Expression, unit: Decimal) -> Iterator[tuple[Expression, str]]:
    match side:
        case Constant(value, kind):
            for other in _steps(value, unit):
                yield Constant(other, kind), f"{_told(other)} instead of {_told(value)}"
        case Arithmetic(operator, left, right):
            one = Decimal(1) if operator == "*" else unit
            for changed, told in _of_side(left, one):
                yield replace(side, left=changed), told
            for changed, told in _of_side(right, one):
                yield replace(side, right=changed), told


def _unit(compare: Compare) -> Decimal:
    """Return the step of numbers in a comparison: one in the last place of its properties."""
    leaves = [*parts(compare.left), *parts(compare.right)]
    places = max((leaf.prop.places for leaf in leaves if isinstance(leaf, Reference)), default=0)
    return Decimal(1).scaleb(-places)


def _steps(value: Value, unit: Decimal = Decimal(1)) -> tuple[Value, ...]:
    """Return a value one step lower and one step higher; none for strings and truth values."""
    match value:
        case bool() | str() | None:
            return ()
        case Decimal():
            return value - unit, value + unit
        case timedelta():
            step = _DAY if value % _DAY == timedelta(0) else _SECOND
            return value - step, value + step
        case datetime():
            return value - _SECOND, value + _SECOND
        case date():
            return value - _DAY, value + _DAY


def _told(value: Value) -> str:
    if isinstance(value, timedelta):
        days, rest = divmod(value, _DAY)
        return f"{days} days" if not rest else f"{value.total_seconds():g} s"
    return f"{value:f}" if isinstance(value, Decimal) else f"{value}"
