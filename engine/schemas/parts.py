"""The small parts that schemas of policy files are built from (JSON Schema, draft 2020-12).

Policies are read with every scalar as text; editors read `2026` as a number and `true` as a truth value.
So where a text may look like a number, both are allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]
NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
SLUG = r"^[a-z0-9]+([-_][a-z0-9]+)*$"
CODE = r"^[A-Z][A-Z0-9_]*$"
_PERIOD = r"P(?=[0-9])([0-9]{1,4}Y)?([0-9]{1,5}M)?([0-9]{1,5}W)?([0-9]{1,6}D)?"


def text(says: str, pattern: str = "") -> Schema:
    """Return the schema of a text; without a pattern, one that looks like a number is a text, too."""
    if pattern:
        return {"type": "string", "pattern": pattern, "description": says}
    return {"type": ["string", "number", "boolean"], "description": says}


def number(says: str) -> Schema:
    """Return the schema of an exact number."""
    return {"type": ["number", "string"], "pattern": r"^[+-]?[0-9]+(\.[0-9]+)?$", "description": says}


def integer(says: str) -> Schema:
    """Return the schema of a whole number."""
    return {"type": ["integer", "string"], "pattern": "^[+-]?[0-9]+$", "description": says}


def truth(says: str) -> Schema:
    """Return the schema of an unquoted truth value."""
    return {"type": "boolean", "description": says}


def day(says: str) -> Schema:
    """Return the schema of a calendar day."""
    return text(says, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")


def clock(says: str) -> Schema:
    """Return the schema of a time of day."""
    return text(says, "^([01][0-9]|2[0-3]):[0-5][0-9]$")


def period(says: str) -> Schema:
    """Return the schema of a span of calendar time: `P7D`, `P3M`."""
    return text(says, f"^{_PERIOD}$")


def length(says: str) -> Schema:
    """Return the schema of a fixed length of time: `P30D`, `PT6H`."""
    return text(says, "^P(?=[0-9T])([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$")


def choice(says: str, options: Iterable[str]) -> Schema:
    """Return the schema of one of some words."""
    return {"enum": [str(option) for option in options], "description": says}


def listed(says: str, item: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": item, "description": says}


def table(says: str) -> Schema:
    """Return the schema of a block of lines with bars between the cells."""
    return {"type": "string", "pattern": r"\|", "description": says}


def record(says: str, required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of a map of known keys."""
    return {
        "type": "object",
        "description": says,
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def entries(says: str, value: Schema, keys: str = "") -> Schema:
    """Return the schema of a map whose keys the author chooses."""
    found: Schema = {"type": "object", "description": says, "additionalProperties": value}
    return {**found, "propertyNames": {"pattern": keys}} if keys else found


def either(says: str, *schemas: Schema) -> Schema:
    """Return the schema of one of several forms."""
    return {"description": says, "anyOf": list(schemas)}


def localized(says: str) -> Schema:
    """Return the schema of a text by language; a plain text is English."""
    languages = entries(
        "The text by language: `en`, `zh` ...", text("the text"), "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
    )
    return either(says, text("the text in English"), languages)


def effective(*, ends: bool) -> Schema:
    """Return the schema of the days on which a policy holds."""
    last = {"to": day("The last day on which the policy holds.")} if ends else {}
    return record("The days on which the policy holds.", {"from": day("The first day.")}, last)


def document(
    name: str, title: str, schema: Schema, definitions: Mapping[str, Schema] | None = None
) -> Schema:
    """Return a whole schema file."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"{name}.json", "title": title}
    return {**head, **schema, **({"$defs": dict(definitions)} if definitions else {})}
