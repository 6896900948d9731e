"""XML elements to a model: which element means what (DMN 1.5, DMN15.xsd), and what cannot be meant."""

from __future__ import annotations

from typing import Final

from engine.dmn.expressions import FunctionDefinition, InformationItem
from engine.dmn.expressions_from_xml import ExpressionReader, formula, text_of
from engine.dmn.limits import LIMITS, DmnLimits
from engine.dmn.model import (
    BusinessKnowledgeModel,
    Decision,
    DecisionService,
    Definitions,
    DrgElement,
    Import,
    InputData,
    ItemDefinition,
    Reference,
)
from engine.dmn.names import MODEL_NAMESPACES
from engine.dmn.xml import Element, XmlRefused, parse_xml
from engine.policy import Loaded
from engine.source import Problem

READ: Final = frozenset(
    (
        "variable", "informationRequirement", "knowledgeRequirement", "literalExpression", "context",
        "decisionTable", "invocation", "list", "relation", "functionDefinition", "conditional", "filter",
        "for", "some", "every", "description", "question", "allowedAnswers", "encapsulatedLogic",
        "outputDecision", "encapsulatedDecision", "inputDecision", "inputData",
    )
)  # fmt: skip


def read_definitions(data: bytes, file: str, limits: DmnLimits = LIMITS) -> Loaded[Definitions]:
    """Return the model of one file; None with the problem if it is not DMN 1.1 to 1.5."""
    try:
        root = parse_xml(data, file, limits)
    except XmlRefused as refused:
        return Loaded(None, (refused.problem,))
    if root.name != "definitions" or root.namespace not in MODEL_NAMESPACES:
        known = ", ".join(sorted(MODEL_NAMESPACES.values()))
        message = f"`{root.name}` in `{root.namespace}` is not the root of a DMN model"
        advice = f"Use `definitions` in the namespace of DMN {known}."
        return Loaded(None, (Problem("dmn-version", message, root.span, advice),))
    reader = _Reader()
    return Loaded(reader.definitions(root, file), tuple(reader.problems))


class _Reader:
    """One reading of one file."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.expressions = ExpressionReader(self.problems)

    def definitions(self, root: Element, file: str) -> Definitions:
        """Read the root."""
        items, imports, elements, kept = [], [], [], []
        for child in root.children:
            if child.namespace == root.namespace and child.name in self.ELEMENTS:
                elements.append(self.ELEMENTS[child.name](self, child))
            elif child.namespace == root.namespace and child.name == "itemDefinition":
                items.append(self.item(child))
            elif child.namespace == root.namespace and child.name == "import":
                imports.append(self.imported(child))
            elif child.name != "description":
                kept.append(child)
        return Definitions(
            file=file, name=root.get("name") or "", namespace=root.get("namespace") or "",
            version=MODEL_NAMESPACES[root.namespace], span=root.span, id=root.get("id"),
            description=text_of(root.first("description")),
            expression_language=root.get("expressionLanguage"), type_language=root.get("typeLanguage"),
            imports=tuple(imports), items=tuple(items),
            elements=tuple(elements), kept=tuple(kept), prefixes=tuple(root.prefixes.items()),
        )  # fmt: skip

    def required(self, element: Element, attribute: str) -> str:
        """Return an attribute that has to be there."""
        value = element.get(attribute)
        if value is None:
            message = f"`{element.name}` has no `{attribute}`"
            self.problems.append(Problem("dmn-incomplete", message, element.span, f"Add `{attribute}=...`."))
        return " ".join((value or "").split())

    def imported(self, element: Element) -> Import:
        """Read an import."""
        return Import(
            name=" ".join((element.get("name") or "").split()), span=element.span,
            namespace=self.required(element, "namespace"), import_type=element.get("importType") or "",
            location=element.get("locationURI"),
        )  # fmt: skip

    def item(self, element: Element) -> ItemDefinition:
        """Read an item definition or one of its components."""
        function = element.first("functionItem")
        type_ref = (text_of(element.first("typeRef")) or "").strip()
        output = None
        if function is not None:
            output = function.get("outputTypeRef") or text_of(function.first("outputTypeRef"))
        return ItemDefinition(
            name=self.required(element, "name"), span=element.span, type_ref=type_ref or None,
            collection=element.get("isCollection") in ("true", "1"),
            allowed=formula(element.first("allowedValues")),
            constraint=formula(element.first("typeConstraint")),
            components=tuple(self.item(child) for child in element.named("itemComponent")),
            parameters=None if function is None else tuple(map(self.variable, function.named("parameters"))),
            output_type_ref=output, id=element.get("id"), label=element.get("label"),
        )  # fmt: skip

    def variable(self, element: Element) -> InformationItem:
        """Read a variable, parameter or column."""
        return self.expressions.variable(element)

    def _common(self, element: Element) -> dict[str, object]:
        name = self.required(element, "name")
        variable = element.first("variable")
        item = InformationItem(name, None, element.span) if variable is None else self.variable(variable)
        if not item.name:
            item = InformationItem(name, item.type_ref, item.span)
        own = element.namespace
        return {
            "id": element.get("id") or "", "name": name, "variable": item, "span": element.span,
            "description": text_of(element.first("description")), "label": element.get("label"),
            "kept": tuple(c for c in element.children if c.name not in READ or c.namespace != own),
        }  # fmt: skip

    def _references(self, element: Element, requirement: str, *kinds: str) -> tuple[Reference, ...]:
        return tuple(
            Reference(self.required(child, "href"), child.name, inside.get("id"))
            for inside in element.named(requirement)
            for child in inside.children
            if child.name in kinds
        )

    def input_data(self, element: Element) -> DrgElement:
        """Read an input data."""
        return InputData(**self._common(element))  # type: ignore[arg-type]  # the names are those of the class

    def decision(self, element: Element) -> DrgElement:
        """Read a decision."""
        return Decision(
            **self._common(element),  # type: ignore[arg-type]  # likewise
            expression=self.expressions.inside(element), knowledge=self._knowledge(element),
            inputs=self._references(element, "informationRequirement", "requiredInput", "requiredDecision"),
            question=text_of(element.first("question")), answers=text_of(element.first("allowedAnswers")),
        )  # fmt: skip

    def _knowledge(self, element: Element) -> tuple[Reference, ...]:
        return self._references(element, "knowledgeRequirement", "requiredKnowledge")

    def knowledge_model(self, element: Element) -> DrgElement:
        """Read a business knowledge model."""
        logic = element.first("encapsulatedLogic")
        function = None if logic is None else self.expressions.function(logic)
        return BusinessKnowledgeModel(
            **self._common(element),  # type: ignore[arg-type]  # likewise
            logic=function if isinstance(function, FunctionDefinition) else None,
            knowledge=self._knowledge(element),
        )

    def service(self, element: Element) -> DrgElement:
        """Read a decision service."""

        def references(name: str) -> tuple[str, ...]:
            return tuple(self.required(child, "href") for child in element.named(name))

        return DecisionService(
            **self._common(element),  # type: ignore[arg-type]  # likewise
            outputs=references("outputDecision"), encapsulated=references("encapsulatedDecision"),
            input_decisions=references("inputDecision"), input_data=references("inputData"),
        )  # fmt: skip

    ELEMENTS = {
        "inputData": input_data, "decision": decision, "businessKnowledgeModel": knowledge_model,
        "decisionService": service,
    }  # fmt: skip
