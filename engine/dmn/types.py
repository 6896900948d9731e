"""The types of a model: item definitions, resolved by their names (DMN 1.5, 7.3.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from engine.dmn.expressions import Formula
from engine.dmn.limits import LIMITS, DmnLimits
from engine.dmn.model import Definitions, Import, ItemDefinition
from engine.dmn.names import FEEL_NAMESPACES, TYPE_ALIASES
from engine.feel.kinds import (
    ANY,
    BY_NAME,
    DATE_TIME,
    FUNCTION,
    ContextOf,
    FeelType,
    FunctionOf,
    ListOf,
    Named,
)
from engine.feel.parser import parse_type
from engine.source import Problem, Span
from engine.text import did_you_mean


@dataclass(slots=True, eq=False)
class ItemType:
    """A type: one of FEEL's, another one restricted, a record, or a function; perhaps a list of those."""

    name: str
    feel: FeelType = ANY
    base: ItemType | None = None
    fields: dict[str, ItemType] | None = None
    signature: tuple[tuple[ItemType, ...], ItemType] | None = None
    collection: bool = False
    allowed: Formula | None = None
    constraint: Formula | None = None
    _feel: FeelType | None = field(default=None, init=False)

    @property
    def is_list(self) -> bool:
        """Tell whether the values are lists."""
        return self.collection or (self.base.is_list if self.base else isinstance(self.feel, ListOf))

    @property
    def is_function(self) -> bool:
        """Tell whether the values are functions."""
        if self.collection:
            return False
        if self.base:
            return self.base.is_function
        return self.signature is not None or self.feel == FUNCTION

    def item(self) -> ItemType:
        """Return the type of the items of a list type."""
        if self.collection:
            return replace(self, collection=False, constraint=None)
        if self.base:
            return self.base.item()
        return ItemType(str(self.feel), self.feel.item if isinstance(self.feel, ListOf) else ANY)

    def structure(self, depth: int = 12) -> FeelType:
        """Return the type as FEEL sees it; where it contains itself too deeply, `Any`."""
        if depth == 0:
            return ANY
        if self._feel is None:
            self._feel = self._structure(depth)
        return self._feel

    def _structure(self, depth: int) -> FeelType:
        if self.base is not None:
            kind = self.base.structure(depth - 1)
        elif self.fields is not None:
            kind = ContextOf(tuple((name, kind.structure(depth - 1)) for name, kind in self.fields.items()))
        elif self.signature is not None:
            parameters, result = self.signature
            kind = FunctionOf(tuple(p.structure(depth - 1) for p in parameters), result.structure(depth - 1))
        else:
            kind = self.feel
        return ListOf(kind) if self.collection else kind

    def is_date_time(self) -> bool:
        """Tell whether the values are dates and times."""
        if self.collection:
            return False
        return self.base.is_date_time() if self.base else self.feel == DATE_TIME


class Types:
    """The types of all models that are loaded together."""

    def __init__(
        self, models: Mapping[str, Definitions], problems: list[Problem], limits: DmnLimits = LIMITS
    ) -> None:
        self.models, self.problems, self.limits = models, problems, limits
        self._depth = 0
        self._items: dict[tuple[str, str], ItemDefinition] = {
            (namespace, item.name): item for namespace, model in models.items() for item in model.items
        }
        self._made: dict[tuple[str, str], ItemType] = {}
        self._reported: set[tuple[str, str]] = set()

    def of(self, model: Definitions, reference: str | None, span: Span) -> ItemType | None:
        """Return a type by its name in a model; None for no name and, with a problem, for an unknown one."""
        if reference is None or not reference.strip():
            return None
        found = self.find(model, reference)
        if found is None and (model.file, reference) not in self._reported:
            self._reported.add((model.file, reference))
            known = [*BY_NAME, *(item.name for item in model.items)]
            advice = did_you_mean(reference, known, of="types")
            self.problems.append(Problem("unknown-type", f"there is no type `{reference}`", span, advice))
        return found

    def find(self, model: Definitions, reference: str) -> ItemType | None:
        """Return a type by its name in a model, or None."""
        name = " ".join(reference.split())
        if (model.namespace, name) in self._items:
            return self._item(model, self._items[model.namespace, name])
        for imported in model.imports:
            if (found := self._imported(model, imported, name)) is not None:
                return found
        prefix, colon, rest = name.partition(":")
        namespace = dict(model.prefixes).get(prefix) if colon else None
        if namespace in FEEL_NAMESPACES or (colon and prefix == "feel"):
            return self._basic(rest)
        if namespace is not None and namespace in self.models:
            return self.find(self.models[namespace], rest)
        return self._basic(name)

    def _imported(self, model: Definitions, imported: Import, name: str) -> ItemType | None:
        other = self.models.get(imported.namespace)
        inner = name.removeprefix(f"{imported.name}.") if imported.name else name
        if other is None or other is model or (inner == name and imported.name):
            return None
        return self.find(other, inner)

    def _basic(self, name: str) -> ItemType | None:
        name = TYPE_ALIASES.get(name, name)
        if name in BY_NAME:
            return ItemType(name, BY_NAME[name])
        if "<" not in name:
            return None
        parsed = parse_type(name, Span("", 1, 1)).policy
        return None if parsed is None else ItemType(name, parsed)

    def _item(self, model: Definitions, item: ItemDefinition) -> ItemType:
        key = (model.namespace, item.name)
        if key not in self._made:
            made = self._made[key] = ItemType(item.name)
            self._depth += 1
            if self._depth > self.limits.nesting:
                most = f"more than {self.limits.nesting} types (limit `nesting`)"
                message = f"the type `{item.name}` stands behind {most}, so it may hold any value"
                self.problems.append(Problem("type-limit", message, item.span))
            else:
                self._fill(made, model, item)
            self._depth -= 1
        return self._made[key]

    def _fill(self, made: ItemType, model: Definitions, item: ItemDefinition) -> None:
        made.collection, made.allowed, made.constraint = item.collection, item.allowed, item.constraint
        if item.components:
            made.fields = {part.name: self._component(model, part) for part in item.components}
        elif item.parameters is not None:
            parameters = tuple(self._or_any(model, p.type_ref, p.span) for p in item.parameters)
            made.signature = (parameters, self._or_any(model, item.output_type_ref, item.span))
        else:
            base = self._or_any(model, item.type_ref, item.span)
            above: ItemType | None = base
            while above is not None and above is not made:
                above = above.base
            if above is made:
                message = f"the type `{item.name}` is defined by itself"
                self.problems.append(Problem("cyclic-type", message, item.span))
                base = ItemType("Any")
            made.base = base

    def _component(self, model: Definitions, part: ItemDefinition) -> ItemType:
        made = ItemType(part.name)
        self._fill(made, model, part)
        if made.base is not None and not made.collection:
            made.name = made.base.name
        return made

    def _or_any(self, model: Definitions, reference: str | None, span: Span) -> ItemType:
        return self.of(model, reference, span) or ItemType("Any")

    def named(self, model: Definitions) -> Callable[[FeelType], FeelType]:
        """Return a function that replaces the names of a model's types by what they stand for."""

        def replace(kind: FeelType) -> FeelType:
            match kind:
                case Named(name):
                    found = self.find(model, name)
                    return kind if found is None else found.structure()
                case ListOf(item):
                    return ListOf(replace(item))
                case ContextOf(entries):
                    return ContextOf(tuple((name, replace(entry)) for name, entry in entries))
                case FunctionOf(parameters, result):
                    return FunctionOf(tuple(map(replace, parameters)), replace(result))
            return kind

        return replace
