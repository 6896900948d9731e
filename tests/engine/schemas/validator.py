"""The part of JSON Schema (draft 2020-12) that our schemas use; any other word of it is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from api.importer.schema import mapping_schema
from engine.schemas import Schema, schemas
from engine.text import ListNode, MapNode, Node

ALL = schemas() | {"mapping": mapping_schema()}
NOTES = {"$schema", "$id", "$defs", "title", "description"}
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,), "null": (type(None),),
    "integer": (int,), "number": (int, float),
}  # fmt: skip


def plain(node: Node) -> Any:
    """Return what an editor sees: scalars by the core schema of YAML 1.2."""
    if isinstance(node, MapNode):
        return {key.text: plain(value) for key, value in node.entries}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    if node.style != "plain":
        return node.text
    if node.is_null:
        return None
    if node.boolean is not None:
        return node.boolean
    if re.fullmatch(r"[-+]?[0-9]+", node.text):
        return int(node.text)
    return float(node.text) if re.fullmatch(r"[-+]?[0-9]*\.[0-9]+", node.text) else node.text


def resolved(schema: Schema, root: str) -> tuple[Schema, str]:
    """Return a schema behind its reference, and the file it stands in."""
    if "$ref" not in schema:
        return schema, root
    file, _, pointer = schema["$ref"].partition("#")
    root = file.removesuffix(".json") or root
    found: Any = ALL[root]
    for part in pointer.strip("/").split("/") if pointer else ():
        found = found[part]
    return found, root


def errors(value: Any, schema: Schema, root: str, at: str = "") -> Iterator[str]:
    """Yield what is wrong with a value."""
    schema, root = resolved(schema, root)
    for word, wanted in schema.items():
        if word not in NOTES:
            yield from _word(word, wanted, value, schema, root, at)


def _word(word: str, wanted: Any, value: Any, schema: Schema, root: str, at: str) -> Iterator[str]:
    match word:
        case "type":
            names = [wanted] if isinstance(wanted, str) else wanted
            if not any(
                isinstance(value, TYPES[n]) and (n == "boolean" or not isinstance(value, bool)) for n in names
            ):
                yield f"{at}: {value!r} is not {wanted}"
        case "const" | "enum":
            if value not in (wanted if word == "enum" else [wanted]):
                yield f"{at}: {value!r} is not {wanted}"
        case "pattern":
            if isinstance(value, str) and not re.search(wanted, value):
                yield f"{at}: {value!r} does not match {wanted}"
        case "properties":
            for name, inner in wanted.items():
                if isinstance(value, dict) and name in value:
                    yield from errors(value[name], inner, root, f"{at}/{name}")
        case "required":
            if isinstance(value, dict):
                yield from (f"{at}: {name} is missing" for name in wanted if name not in value)
        case "minProperties":
            if isinstance(value, dict) and len(value) < wanted:
                yield f"{at}: nothing is in it"
        case "maxProperties":
            if isinstance(value, dict) and len(value) > wanted:
                yield f"{at}: more than {wanted} things are in it"
        case "additionalProperties":
            for name in value if isinstance(value, dict) else ():
                if name not in schema.get("properties", {}):
                    inner = (
                        [f"{at}: {name} is unknown"]
                        if wanted is False
                        else errors(value[name], wanted, root, f"{at}/{name}")
                    )
                    yield from inner
        case "propertyNames":
            for name in value if isinstance(value, dict) else ():
                yield from errors(name, wanted, root, f"{at}/{name}")
        case "items":
            for number, item in enumerate(value if isinstance(value, list) else ()):
                yield from errors(item, wanted, root, f"{at}/{number}")
        case "anyOf":
            found = [list(errors(value, one, root, at)) for one in wanted]
            if all(found):
                yield f"{at}: none of {len(found)} forms: {min(found, key=len)[0]}"
        case "allOf":
            for one in wanted:
                yield from errors(value, one, root, at)
        case "if":
            if not list(errors(value, wanted, root, at)):
                yield from errors(value, schema["then"], root, at)
        case "then":
            pass
        case _:
            raise AssertionError(f"the validator of the tests does not know `{word}`")
