"""A model as Camunda's modeler and its like open it: DMN 1.3, an id on every part, and a diagram.

They read no later version, find the cells of a table by their ids, and draw nothing without a diagram (DMN
1.3, clause 13). The meaning is that of `to_xml`; ids are numbered, so the same model gives the same text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from engine.dmn.model import Decision, Definitions, DrgElement, InputData
from engine.dmn.out import Out
from engine.dmn.to_xml import as_bytes, to_out

_NAMESPACES: Final = {
    "xmlns": "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "xmlns:dmndi": "https://www.omg.org/spec/DMN/20191111/DMNDI/",
    "xmlns:dc": "http://www.omg.org/spec/DMN/20180521/DC/",
    "xmlns:di": "http://www.omg.org/spec/DMN/20180521/DI/",
}
_WITH_ID: Final = frozenset(
    (
        "decisionTable", "input", "inputExpression", "inputValues", "output", "outputValues", "rule",
        "inputEntry", "outputEntry", "literalExpression", "informationRequirement", "context",
        "contextEntry", "variable",
    )
)  # fmt: skip
_WIDE, _HIGH, _FACT_HIGH = 180, 80, 45
_COLUMN, _LINE = 220, 160


def to_modeler(model: Definitions) -> bytes:
    """Return the XML text of a model for modelers; raises NotInXml for a character that XML cannot hold."""
    root = _with_ids(to_out(model), Counter())
    attributes = {**root.attributes, **_NAMESPACES}
    return as_bytes(replace(root, attributes=attributes, children=(*root.children, _diagram(model, root))))


def _with_ids(part: Out, count: Counter[str]) -> Out:
    attributes: Mapping[str, str | None] = part.attributes
    if part.name in _WITH_ID and not attributes.get("id"):
        count[part.name] += 1
        attributes = {
            "id": f"{part.name}-{count[part.name]}",
            **{k: v for k, v in attributes.items() if k != "id"},
        }
    children = [None if child is None else _with_ids(child, count) for child in part.children]
    return replace(part, attributes=attributes, children=children)


def _diagram(model: Definitions, root: Out) -> Out:
    """Draw inputs at the bottom, and each decision above all that it reads."""
    shown = {one.id: one for one in model.elements if isinstance(one, Decision | InputData)}
    places = _places(shown)
    shapes = [_shape(shown[key], *place) for key, place in places.items()]
    edges = [
        Out("dmndi:DMNEdge", {"id": f"edge-{name}", "dmnElementRef": name},
            [_point(*places[start]), _point(places[end][0], places[end][1] + _HIGH)])
        for name, start, end in _arrows(root) if start in places and end in places
    ]  # fmt: skip
    inner = Out("dmndi:DMNDiagram", {"id": "diagram"}, [*shapes, *edges])
    return Out("dmndi:DMNDI", {}, [inner])


def _shape(element: DrgElement, x: int, y: int) -> Out:
    high = _FACT_HIGH if isinstance(element, InputData) else _HIGH
    bounds = {"height": str(high), "width": str(_WIDE), "x": str(x), "y": str(y)}
    attributes = {"id": f"shape-{element.id}", "dmnElementRef": element.id}
    return Out("dmndi:DMNShape", attributes, [Out("dc:Bounds", bounds)])


def _point(x: int, y: int) -> Out:
    return Out("di:waypoint", {"x": str(x + _WIDE // 2), "y": str(y)})


def _places(shown: Mapping[str, DrgElement]) -> dict[str, tuple[int, int]]:
    """Return the upper left corner of each element, by its id."""
    levels: dict[str, int] = {}
    for _ in range(len(shown)):  # as often as the longest chain can be; a circle ends here too
        before = dict(levels)
        for key, one in shown.items():
            needs = [r.href.removeprefix("#") for r in one.inputs] if isinstance(one, Decision) else []
            levels[key] = 1 + max((levels.get(n, 0) for n in needs if n in shown), default=-1)
        if levels == before:
            break
    top = max(levels.values(), default=0)
    beside: Counter[int] = Counter()
    found = {}
    for key, level in levels.items():
        found[key] = (160 + _COLUMN * beside[level], 80 + _LINE * (top - level))
        beside[level] += 1
    return found


def _arrows(root: Out) -> Iterator[tuple[str, str, str]]:
    """Yield each requirement: its id, that of what is required, that of the decision that asks."""
    for element in filter(None, root.children):
        for part in filter(None, element.children):
            if part.name == "informationRequirement" and part.children[0] is not None:
                href = part.children[0].attributes.get("href") or ""
                yield part.attributes["id"] or "", href.removeprefix("#"), element.attributes["id"] or ""
