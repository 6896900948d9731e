"""Rules that can never fire: conditions that exclude each other, counts that nothing reaches.

What is found is certain; what is not found may still never fire. Each comparison is looked at together with
what holds anyway: bounds and values of properties, `within`, the window's length, that no event lies after
`now`, and that all events of a window share what it is kept by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from engine.source import Span
from engine.text import Reader
from engine.watch.model import (
    Alias,
    And,
    Arithmetic,
    Compare,
    Condition,
    Expression,
    Or,
    Property,
    Reference,
    Rule,
    compares,
    leaves,
)
from engine.watch.possible import Possible
from engine.watch.values import bounds


def note_never(reader: Reader, rule: Rule, window: timedelta, counted: Span) -> None:
    """Note why a rule can never fire, if that is certain; `counted` is where its `distinct` stands."""
    world = Possible(rule, window)
    wanted = [condition for alias in rule.all for condition in alias.conditions]
    if not world.can_hold(wanted):
        _name(reader, world, wanted)
        return
    for condition in wanted:
        _dead_branches(reader, world, wanted, condition)
    _none(reader, world, wanted)
    _counts(reader, world, wanted, counted)


# --- what is said ---------------------------------------------------------------------------------


def _name(reader: Reader, world: Possible, wanted: Sequence[Condition]) -> None:
    """Name conditions that exclude each other, as few of them as say it."""
    core = list(wanted)
    for condition in wanted:
        fewer = [other for other in core if other is not condition]
        if not world.can_hold(fewer):
            core = fewer
    last, rule = next(compares(core[-1])).span, world.rule.name
    if len(core) == 1:
        message = f"this is never true, so rule `{rule}` can never fire"
        reader.error("never-fires", message, last, _limits(world, core[0]))
        return
    related = tuple(("this excludes it", next(compares(c)).span) for c in core[:-1])
    message = f"rule `{rule}` can never fire: this and what else it asks for exclude each other"
    reader.error("never-fires", message, last, "change one of them", related=related)


def _limits(world: Possible, condition: Condition) -> str:
    """Return in words what a condition that is never true runs against."""
    found = [leaf for leaf in leaves(condition) if isinstance(leaf, Reference)]
    told = [text for prop in {leaf.prop.name: leaf.prop for leaf in found}.values() if (text := _held(prop))]
    days = world.window.days
    if not told or any(prop.prop.name == "at" for prop in found):
        told.append(f"the window has {days} days" if days else f"the window is {world.window} long")
        if world.rule.within is not None:
            told.append(f"`within` is {world.rule.within.days} days")
    return f"{', '.join(told)}; change the condition, or what it runs against"


def _held(prop: Property) -> str:
    if prop.derived is not None:
        low, high = bounds(prop)
        return f"`{prop.name}` is computed and lies from {low:f} to {high:f}"
    limits = [f"`{k}: {v:f}`" for k, v in (("min", prop.minimum), ("max", prop.maximum)) if v is not None]
    return f"`{prop.name}` has {' and '.join(limits)}" if limits else ""


def _dead_branches(
    reader: Reader, world: Possible, wanted: Sequence[Condition], condition: Condition
) -> None:
    """Warn of parts of an `or` that are never true beside the other conditions."""
    if isinstance(condition, And):
        for item in condition.items:
            _dead_branches(reader, world, wanted, item)
    if not isinstance(condition, Or):
        return
    rest = [other for other in wanted if other is not condition]
    for item in condition.items:
        if not world.can_hold([*rest, item]):
            place = next(compares(item)).span
            reader.warn("never-true", "this part of the `or` is never true", place, "change it, or remove it")


def _none(reader: Reader, world: Possible, wanted: Sequence[Condition]) -> None:
    """Note names under `none` that bar nothing, and those that bar every alert."""
    rule = world.rule
    for alias in rule.none:
        if not world.can_hold([*wanted, *alias.conditions]):
            message = f"no event can ever stand for `{alias.name}`, so it bars nothing"
            reader.warn("bars-nothing", message, alias.span, "change its condition, or remove it")
        twin = next((a for a in rule.all if _bars(alias, a)), None) if rule.count > 1 else None
        if twin is not None:
            message = f"rule `{rule.name}` can never fire: of {rule.count} events that stand for"
            message += f" `{twin.name}` each is barred by the others, which `{alias.name}` accepts"
            advice = f"say under `none` what tells `{alias.name}` from `{twin.name}`"
            reader.error("never-fires", message, alias.span, advice)


def _bars(barring: Alias, wanted: Alias) -> bool:
    """Tell whether every event that stands for one name stands for another one too."""
    if barring.type is not wanted.type or wanted.type.is_fact:
        return False
    asked = set(wanted.conditions)
    return all(_renamed(condition, barring.name, wanted.name) in asked for condition in barring.conditions)


def _counts(reader: Reader, world: Possible, wanted: Sequence[Condition], place: Span) -> None:
    """Note a `distinct` that has fewer values than `count` asks for."""
    rule, reference = world.rule, world.rule.distinct
    if reference is None:
        return
    name = f"{reference.alias}.{reference.prop.name}"
    if reference.prop.name == rule.per:
        found: int | None = 1
        advice = f"windows are kept per `{rule.per}`, so all events of one have the same"
    else:
        found = world.values(wanted, reference)
        advice = "count another property apart, or lower `count`"
    if found is not None and found < rule.count:
        values = "one value" if found == 1 else f"{found} values"
        message = f"`{name}` has {values}, so rule `{rule.name}` never counts to {rule.count}"
        reader.error("never-fires", message, place, advice)


def _renamed(condition: Condition, old: str, new: str) -> Condition:
    match condition:
        case Compare(_, left, right):
            return replace(condition, left=_alias(left, old, new), right=_alias(right, old, new))
        case And(items):
            return And(tuple(_renamed(item, old, new) for item in items))
        case Or(items):
            return Or(tuple(_renamed(item, old, new) for item in items))


def _alias(expression: Expression, old: str, new: str) -> Expression:
    match expression:
        case Reference(alias, prop):
            return Reference(new if alias == old else alias, prop)
        case Arithmetic(_, left, right):
            return replace(expression, left=_alias(left, old, new), right=_alias(right, old, new))
    return expression
