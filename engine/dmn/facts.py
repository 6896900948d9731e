"""Facts from JSON by the types of a model's inputs, and values as JSON again.

JSON has no dates and no durations: a text is read as one where the model declares one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, DecimalException
from typing import Any

from engine.dmn.graph import Node
from engine.dmn.loading import Model
from engine.dmn.model import BusinessKnowledgeModel, DecisionService
from engine.dmn.types import ItemType
from engine.feel.dates import parse_date, parse_date_time, parse_time
from engine.feel.decimals import CONTEXT, plain
from engine.feel.durations import DaysDuration, MonthsDuration, parse_duration
from engine.feel.kinds import (
    BOOLEAN,
    DATE,
    DATE_TIME,
    DAYS_DURATION,
    MONTHS_DURATION,
    NUMBER,
    TIME,
    FeelType,
)
from engine.feel.values import Value, show


class Untyped(str):
    """A text whose type its file does not say: it is of the type that the model declares."""

    __slots__ = ()


def facts_from_json(model: Model, facts: Mapping[str, Any], function: str = "") -> dict[str, Any]:
    """Return the inputs of an evaluation from a JSON object whose numbers were read as decimals.

    `function` names the decision service or business knowledge model whose arguments they are. What does not
    fit stays as it is; the evaluation says so.
    """
    parameters = _parameters(model, function)
    return {name: _typed(value, parameters.get(name)) for name, value in facts.items()}


def input_names(model: Model, function: str = "") -> frozenset[str]:
    """Return the names under which an evaluation, or a function of the model, takes values."""
    return frozenset(_parameters(model, function))


def _parameters(model: Model, function: str) -> dict[str, ItemType | None]:
    node = model.graph.named(model.root, function) if function else None
    if node is not None and isinstance(node.element, BusinessKnowledgeModel) and node.element.logic:
        items = node.element.logic.parameters
        return {item.name: model.types.of(node.model, item.type_ref, item.span) for item in items}
    if node is not None and isinstance(node.element, DecisionService):
        nodes = model.graph.service(node, "input_data") + model.graph.service(node, "input_decisions")
        return {n.element.name: _type_of(model, n) for n in nodes}
    found: dict[str, ItemType | None] = {}
    for node in model.graph.by_id.values():
        found[f"{{{node.model.namespace}}}{node.element.name}"] = _type_of(model, node)
        if node.model is model.root:
            found[node.element.name] = _type_of(model, node)
    return found


def _type_of(model: Model, node: Node) -> ItemType | None:
    variable = node.element.variable
    return model.types.of(node.model, variable.type_ref, variable.span)


def _typed(value: Any, kind: ItemType | None) -> Any:
    if kind is None or value is None:
        return value
    if isinstance(value, list):
        item = kind.item() if kind.is_list else kind
        return [_typed(one, item) for one in value]
    while kind.base is not None:
        kind = kind.base
    if isinstance(value, dict):
        fields = kind.fields or {}
        return {name: _typed(one, fields.get(name)) for name, one in value.items()}
    return _read(value, kind.feel) if isinstance(value, str) else value


def _read(text: str, kind: FeelType) -> Any:
    read: Value = None
    if isinstance(text, Untyped) and kind == NUMBER:
        read = number_in(text)
    elif isinstance(text, Untyped) and kind == BOOLEAN:
        read = {"true": True, "false": False}.get(text.strip())
    elif kind == DATE:
        read = parse_date(text)
    elif kind == DATE_TIME:
        read = parse_date_time(text)
    elif kind == TIME:
        read = parse_time(text)
    elif kind in (DAYS_DURATION, MONTHS_DURATION):
        read = parse_duration(text)
        wanted = DaysDuration if kind == DAYS_DURATION else MonthsDuration
        read = read if isinstance(read, wanted) else None
    return text if read is None else read


def number_in(text: str) -> Decimal | None:
    """Return the number that a text says; None if it says none that FEEL has."""
    try:
        return CONTEXT.create_decimal(text.strip())
    except DecimalException:
        return None


def says_no_type(value: Value) -> bool:
    """Tell whether a value has a text of no type in it."""
    if isinstance(value, list):
        return any(map(says_no_type, value))
    return any(map(says_no_type, value.values())) if isinstance(value, dict) else isinstance(value, Untyped)


def is_written(value: Value, text: Untyped) -> bool:
    """Tell whether a text of no type says a value."""
    return text == (value if isinstance(value, str) else plain_text(value))


def plain_text(value: Value) -> str:
    """Return a value as FEEL writes it, without the marks of a literal."""
    return show(value).removeprefix("@").strip('"')


def value_as_json(value: Value, indent: int = 2) -> str:
    """Return a value as JSON text: numbers exact, the kinds that JSON lacks as FEEL writes them."""
    return _json(value, "\n" + " " * indent, " " * indent)


def _json(value: Value, line: str, step: str) -> str:
    match value:
        case None | bool():
            return show(value)
        case list() if value:
            items = f",{line}".join(_json(item, line + step, step) for item in value)
            return f"[{line}{items}{line[: -len(step)]}]"
        case dict() if value:
            entries = (f"{_text(key)}: {_json(item, line + step, step)}" for key, item in value.items())
            inside = f",{line}".join(entries)
            return f"{{{line}{inside}{line[: -len(step)]}}}"
        case list():
            return "[]"
        case dict():
            return "{}"
        case str():
            return _text(value)
        case Decimal():
            return plain(value)
    return _text(plain_text(value))


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
