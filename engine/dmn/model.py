"""A DMN model as it is read (DMN 1.5, 6.3 and 7.3.3): elements by kind, requirements by reference."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.dmn.expressions import Boxed, Formula, FunctionDefinition, InformationItem
from engine.dmn.xml import Element
from engine.source import Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Import:
    """Another model whose elements may be used under a name; without a name, as if they stood here."""

    name: str
    namespace: str
    import_type: str
    location: str | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ItemDefinition:
    """A type: a base type that is restricted, a record of components, or the signature of a function."""

    name: str
    span: Span
    type_ref: str | None = None
    collection: bool = False
    allowed: Formula | None = None
    """Tests that a value, or each item of a collection, has to pass."""
    constraint: Formula | None = None
    """Tests that a value, or the collection as a whole, has to pass."""
    components: tuple[ItemDefinition, ...] = ()
    parameters: tuple[InformationItem, ...] | None = None
    """The parameters, if this is the type of a function."""
    output_type_ref: str | None = None
    id: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrgElement:
    """What all elements of a decision requirements graph have."""

    id: str
    name: str
    variable: InformationItem
    """What others call its value; if it is not given, the element's own name without a type."""
    span: Span
    description: str | None = None
    label: str | None = None
    kept: tuple[Element, ...] = ()
    """Parts that have no meaning for evaluation, as they were written."""


@dataclass(frozen=True, slots=True)
class Reference:
    """That an element requires another one: `#id`, or `namespace#id` of an imported model."""

    href: str
    kind: str
    """`requiredInput`, `requiredDecision` or `requiredKnowledge`."""
    id: str | None = None
    """The id of the requirement, which diagrams speak of."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputData(DrgElement):
    """A value that comes from outside."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decision(DrgElement):
    """A value that follows from others."""

    expression: Boxed | None
    inputs: tuple[Reference, ...] = ()
    """The decisions and input data that it requires."""
    knowledge: tuple[Reference, ...] = ()
    """The functions that it requires."""
    question: str | None = None
    answers: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BusinessKnowledgeModel(DrgElement):
    """A function that decisions call by name."""

    logic: FunctionDefinition | None
    knowledge: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecisionService(DrgElement):
    """Decisions as a function of the inputs that it names."""

    outputs: tuple[str, ...]
    encapsulated: tuple[str, ...] = ()
    input_decisions: tuple[str, ...] = ()
    input_data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Definitions:
    """One file."""

    file: str
    name: str
    namespace: str
    version: str
    """The version of the standard that the file is written in."""
    span: Span
    id: str | None = None
    description: str | None = None
    expression_language: str | None = None
    type_language: str | None = None
    imports: tuple[Import, ...] = ()
    items: tuple[ItemDefinition, ...] = ()
    elements: tuple[DrgElement, ...] = ()
    kept: tuple[Element, ...] = field(default=())
    """Elements without a meaning for evaluation: diagrams, knowledge sources, artifacts, extensions."""
    prefixes: tuple[tuple[str, str], ...] = ()
