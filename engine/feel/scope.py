"""Names and their values: what the caller gives, and what an expression adds on its way down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.feel.functions import REGISTRY
from engine.feel.values import FeelError, Value, to_feel

CLOCKS = ("now", "today")
"""Built-ins that have a value only if the caller gives it."""


class Given(Mapping[str, Value]):
    """What the caller gives, as FEEL values, each converted when it is read first."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts = facts
        self.known: dict[str, Value] = {}

    def __contains__(self, name: object) -> bool:
        return name in self.facts

    def __getitem__(self, name: str) -> Value:
        if name not in self.known:
            self.known[name] = to_feel(self.facts[name])
        return self.known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)


class Scope:
    """Names and their values, with those of the scope around it."""

    __slots__ = ("parent", "values")

    def __init__(self, values: Mapping[str, Value], parent: Scope | None = None) -> None:
        self.values, self.parent = values, parent

    def find(self, name: str) -> Value:
        """Return the value of a name, or a built-in function; raises FeelError if nothing is called so."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.parent
        if name in REGISTRY:
            return REGISTRY[name]
        if name in CLOCKS:
            raise FeelError("unknown-name", f"the engine has no clock: `{name}` has to be given to it")
        raise FeelError("unknown-name", f"nothing is called `{name}`")


def item_scope(item: Value, scope: Scope) -> Scope:
    """Return the scope of a filter: `item`, and the entries of the item if it is a context."""
    values: dict[str, Value] = {"item": item}
    return Scope(values | item if isinstance(item, dict) else values, scope)
