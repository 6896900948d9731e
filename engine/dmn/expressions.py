"""Boxed expressions (DMN 1.5, 7.3, 8.3 and 10.5): one frozen class for each, and no behaviour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Literal

from engine.dmn.xml import Text
from engine.source import Span

HitPolicy = Literal["UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER"]
Aggregation = Literal["SUM", "COUNT", "MIN", "MAX"]
FunctionKind = Literal["FEEL", "Java", "PMML"]


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """A FEEL text with its places; two of them are never the same, each has one scope."""

    text: Text
    language: str | None = None
    """The expression language, if it is not the model's."""

    @property
    def value(self) -> str:
        """The text itself."""
        return self.text.value


@dataclass(frozen=True, slots=True)
class InformationItem:
    """A variable: its name and the name of its type."""

    name: str
    type_ref: str | None = None
    span: Span = field(default=Span("", 1, 1), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boxed:
    """What all boxed expressions have."""

    span: Span
    id: str | None = None
    label: str | None = None
    type_ref: str | None = None
    """The name of the type that the value has to have."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiteralExpression(Boxed):
    """A FEEL expression; without a text it is worth null."""

    formula: Formula | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Binding:
    """One argument of an invocation."""

    parameter: str
    value: Boxed | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Invocation(Boxed):
    """A call with named arguments."""

    function: Boxed | None
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContextEntry:
    """One entry of a boxed context; the one without a variable is the result."""

    variable: InformationItem | None
    value: Boxed | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Context(Boxed):
    """Named values, each seeing those before it, and perhaps a result."""

    entries: tuple[ContextEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListExpression(Boxed):
    """A list of boxed expressions."""

    items: tuple[Boxed, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relation(Boxed):
    """A list of contexts with the same keys."""

    columns: tuple[InformationItem, ...]
    rows: tuple[tuple[Boxed, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FunctionDefinition(Boxed):
    """A function; those of kind Java and PMML name code elsewhere, which is never run."""

    parameters: tuple[InformationItem, ...]
    body: Boxed | None
    kind: FunctionKind = "FEEL"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conditional(Boxed):
    """If, then, else."""

    condition: Boxed | None
    then: Boxed | None
    otherwise: Boxed | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FilterExpression(Boxed):
    """The items of a list that match."""

    source: Boxed | None
    match: Boxed | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IteratorExpression(Boxed):
    """For, some or every."""

    kind: Literal["for", "some", "every"]
    variable: str
    source: Boxed | None
    body: Boxed | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputClause:
    """A column of a decision table that is tested."""

    span: Span
    label: str | None
    expression: LiteralExpression | None
    values: Formula | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutputClause:
    """A column of a decision table that is a result."""

    span: Span
    name: str | None
    label: str | None
    type_ref: str | None
    values: Formula | None
    default: Boxed | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """A row of a decision table."""

    span: Span
    tests: tuple[Formula, ...]
    outputs: tuple[LiteralExpression, ...]
    annotations: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecisionTable(Boxed):
    """Rules over inputs, and a policy that says what several hits mean."""

    inputs: tuple[InputClause, ...]
    outputs: tuple[OutputClause, ...]
    rules: tuple[Rule, ...]
    hit_policy: HitPolicy = "UNIQUE"
    aggregation: Aggregation | None = None
    output_label: str | None = None
    annotations: tuple[str, ...] = ()
    orientation: str | None = None


PARTS = (Boxed, Formula, Binding, ContextEntry, InputClause, OutputClause, Rule)


def parts(expression: object) -> Iterator[object]:
    """Yield the boxed expressions, clauses and formulas directly inside one, in reading order."""
    for part in fields(expression):  # type: ignore[arg-type]  # every class of this file is a dataclass
        value = getattr(expression, part.name)
        stack = [value]
        while stack:
            top = stack.pop()
            if isinstance(top, tuple):
                stack.extend(reversed(top))
            elif isinstance(top, PARTS):
                yield top
