"""A model to XML again, in DMN 1.5 whatever version it was read from (DMN15.xsd)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.dmn.expressions_to_xml import boxed, function, text, variable
from engine.dmn.model import (
    BusinessKnowledgeModel,
    Decision,
    DecisionService,
    Definitions,
    DrgElement,
    ItemDefinition,
    Reference,
)
from engine.dmn.names import DMNDI, DMNDI_NAMESPACES, MODEL, MODEL_NAMESPACES
from engine.dmn.out import Out
from engine.dmn.xml import Element

PREFIX: Final = "xmlns:"


def to_xml(model: Definitions) -> bytes:
    """Return the XML text of a model, in UTF-8; raises NotInXml for a character that XML cannot hold."""
    return as_bytes(to_out(model))


def as_bytes(root: Out) -> bytes:
    """Return an element as a whole XML text, in UTF-8; raises NotInXml."""
    return ("\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *root.lines()]) + "\n").encode()


def to_out(model: Definitions) -> Out:
    """Return a model as the elements to write.

    Diagrams, knowledge sources, artifacts and extension elements go out as they came in; the attributes that
    tools add to DMN's own elements do not.
    """
    attributes = {
        "xmlns": MODEL, **_prefixes(model), "id": model.id, "name": model.name, "namespace": model.namespace,
        "expressionLanguage": model.expression_language, "typeLanguage": model.type_language,
    }  # fmt: skip
    extensions, others, diagrams = _sorted(model.kept)
    imports = (
        Out("import", {"name": i.name, "namespace": i.namespace, "locationURI": i.location,
                       "importType": MODEL if i.import_type in MODEL_NAMESPACES else i.import_type})
        for i in model.imports
    )  # fmt: skip
    children = [
        _described(model.description), *map(_kept, extensions), *imports, *map(_item, model.items),
        *map(_element, model.elements), *map(_kept, others), *map(_kept, diagrams),
    ]  # fmt: skip
    return Out("definitions", attributes, children)


def _prefixes(model: Definitions) -> dict[str, str]:
    """Keep the prefixes that names of types may use."""
    kept = ((prefix, uri) for prefix, uri in model.prefixes if prefix and uri not in MODEL_NAMESPACES)
    return {PREFIX + prefix: DMNDI if uri in DMNDI_NAMESPACES else uri for prefix, uri in kept}


def _sorted(kept: Iterable[Element]) -> tuple[list[Element], list[Element], list[Element]]:
    """Return extension elements, which come first, diagrams, which come last, and between them the rest."""
    extensions: list[Element] = []
    others: list[Element] = []
    diagrams: list[Element] = []
    for element in kept:
        last = diagrams if element.namespace in DMNDI_NAMESPACES else others
        (extensions if element.name == "extensionElements" else last).append(element)
    return extensions, others, diagrams


def _described(description: str | None, name: str = "description") -> Out | None:
    return None if description is None else Out(name, {}, text=description)


def _item(item: ItemDefinition, name: str = "itemDefinition") -> Out:
    attributes = {
        "id": item.id, "name": item.name, "label": item.label,
        "isCollection": "true" if item.collection else None,
    }  # fmt: skip
    signature = None
    if item.parameters is not None:
        parameters = [variable("parameters", parameter) for parameter in item.parameters]
        signature = Out("functionItem", {"outputTypeRef": item.output_type_ref}, parameters)
    return Out(
        name, attributes,
        [
            None if item.type_ref is None else Out("typeRef", {}, text=item.type_ref),
            text("allowedValues", item.allowed), text("typeConstraint", item.constraint),
            *(_item(component, "itemComponent") for component in item.components), signature,
        ],
    )  # fmt: skip


def _element(element: DrgElement) -> Out:
    attributes = {"id": element.id or None, "name": element.name, "label": element.label}
    extensions, others, _ = _sorted(element.kept)
    own = variable("variable", element.variable)
    head = [_described(element.description), *map(_kept, extensions)]
    match element:
        case Decision():
            asked = [_described(element.question, "question"), _described(element.answers, "allowedAnswers")]
            required = (_required("informationRequirement", reference) for reference in element.inputs)
            tail = [*map(_knowledge, element.knowledge), *map(_kept, others), boxed(element.expression)]
            return Out("decision", attributes, [*head, *asked, own, *required, *tail])
        case BusinessKnowledgeModel():
            logic = None if element.logic is None else function(element.logic, "encapsulatedLogic")
            rest = [*map(_knowledge, element.knowledge), *map(_kept, others)]
            return Out("businessKnowledgeModel", attributes, [*head, own, logic, *rest])
        case DecisionService():
            lists = {
                "outputDecision": element.outputs, "encapsulatedDecision": element.encapsulated,
                "inputDecision": element.input_decisions, "inputData": element.input_data,
            }  # fmt: skip
            inner = [Out(name, {"href": href}) for name, hrefs in lists.items() for href in hrefs]
            return Out("decisionService", attributes, [*head, own, *inner, *map(_kept, others)])
    return Out("inputData", attributes, [*head, own, *map(_kept, others)])


def _required(name: str, reference: Reference) -> Out:
    return Out(name, {"id": reference.id}, [Out(reference.kind, {"href": reference.href})])


def _knowledge(reference: Reference) -> Out:
    return _required("knowledgeRequirement", reference)


def _kept(element: Element, around: str = MODEL) -> Out:
    """Return an element as it was read, its namespace declared where it changes."""
    namespace = element.namespace
    if namespace in MODEL_NAMESPACES:
        namespace = MODEL
    elif namespace in DMNDI_NAMESPACES:
        namespace = DMNDI
    attributes: dict[str, str | None] = {} if namespace == around else {"xmlns": namespace}
    for number, (name, value) in enumerate(element.attributes.items()):
        uri, _, local = name.rpartition("}")
        if uri:
            attributes |= {f"{PREFIX}a{number}": uri.removeprefix("{"), f"a{number}:{local}": value}
        else:
            attributes[name] = value
    children = [_kept(child, namespace) for child in element.children]
    written = "".join(element.texts)
    return Out(element.name, attributes, children, written if written.strip() else None)
