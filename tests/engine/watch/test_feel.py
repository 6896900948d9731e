"""The conditions of watch rules mean what FEEL says."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from engine.feel import Note, evaluate, parse_expression
from engine.source import Span
from engine.watch import Window, prepare
from engine.watch.evaluate import Binding, holds
from engine.watch.model import And, Rule
from engine.watch.window import Item, Prepared
from tests.engine.watch.strategies import load, policies, windows


def _scope(binding: Binding, own: Item) -> dict[str, object]:
    contexts = {name: dict(item.values) for name, item in binding.items.items()}
    return {**contexts, "now": binding.now, "type": own.type.name}


def _bindings(rule: Rule, window: Prepared) -> list[dict[str, Item]]:
    """Return some choices of events for the names of a rule."""
    choices = [[i for i in window.items if i.type.name == alias.type.name] for alias in rule.all]
    if not all(choices):
        return []
    return [
        {alias.name: found[shift % len(found)] for alias, found in zip(rule.all, choices, strict=True)}
        for shift in range(4)
    ]


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(policies(), windows())
def test_a_condition_holds_when_feel_says_true(text: str, window: Window) -> None:
    policy = load(text)
    prepared = prepare(policy, window)
    for rule in policy.rules:
        for items in _bindings(rule, prepared):
            binding = Binding(items, window.as_of)
            for alias in rule.all:
                loaded = parse_expression(alias.text, Span("rule", 1, 1), [*items, "type", "now"])
                assert loaded.policy is not None
                notes: list[Note] = []
                expected = evaluate(loaded.policy, _scope(binding, items[alias.name]), notes=notes)
                held = holds(And(alias.conditions), binding)
                assert held is (expected is True), (alias.text, expected, notes)
