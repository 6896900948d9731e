"""The JSON Schema of mapping files, so that editors complete and check them."""

from __future__ import annotations

from api.importer.reading import ENCODINGS, HOW, NEGATIVE, QUALITY, TYPES
from api.importer.targets import TARGETS
from engine.schemas import Schema
from engine.schemas.parts import (
    choice,
    document,
    either,
    entries,
    integer,
    listed,
    localized,
    number,
    record,
    text,
    truth,
)

_HOW: dict[str, Schema] = {
    "type": choice("How the text is read, where the field does not say.", TYPES),
    "words": entries("What the file's words mean here.", text("what it means")),
    "negate": truth("Turn the sign of the amount."),
    "at": text("For an instant that the file gives as a day: the local time, `02:30`."),
    "pad": integer("Zeros are put in front up to this length."),
    "default": text("What an empty column means."),
    "as_of": {"$ref": "#/$defs/value"},
    "source": {"$ref": "#/$defs/value"},
    "verified_by": {"$ref": "#/$defs/value"},
    "verified_at": {"$ref": "#/$defs/value"},
}


def mapping_schema() -> Schema:
    """Return the schema of a mapping: the keys that the reader knows, every kind with its fields."""
    assert set(_HOW) == {*HOW, *QUALITY}, "the reader and the schema name the same keys"
    schema = record(
        "How the columns of a file become customers, accounts and entries.",
        {"mapping": text("Its name."), "rows": listed("What each line becomes, in this order.", _rows())},
        _settings(),
    )
    return document("mapping", "Forbear mapping of an import", schema, {"value": _value()})


def _value() -> Schema:
    long = record("A value and how it is read.", {"value": text("Constants and `{column}`.")}, _HOW)
    forms = either(
        "A constant, a text with `{column}` in it, a map of more, or a list.",
        text("constants and `{column}`"),
        _fields("Fields within the field, or `value` with how it is read."),
        listed("Items of the field.", {"$ref": "#/$defs/value"}),
    )
    return {**forms, "if": {"type": "object", "required": ["value"]}, "then": long}


def _fields(says: str) -> Schema:
    return entries(says, {"$ref": "#/$defs/value"})


def _rows() -> Schema:
    when = entries(
        "Only lines whose column says this: a text, a list of texts, `*` (not empty), `> 0` or `< 0`.",
        either("What it says.", text("a text"), listed("Texts.", text("a text"))),
    )
    return {
        "type": "object",
        "description": "One kind with its fields, and perhaps `when`.",
        "properties": {**{name: _row(name) for name in TARGETS}, "when": when},
        "additionalProperties": False,
        "anyOf": [{"required": [name]} for name in TARGETS],
        "maxProperties": 2,
    }


def _row(kind: str) -> Schema:
    target = TARGETS[kind]
    value: Schema = {"$ref": "#/$defs/value"}
    may = {name: value for name in target.fields if name not in target.needed}
    may |= {"facts": _fields("Facts by name.")} if "facts" in may else {}
    return record(f"Kind {kind}.", dict.fromkeys(target.needed, value), may)


def _settings() -> dict[str, Schema]:
    figure = record(
        "One figure of the operator.",
        {"kind": choice("What is counted.", TARGETS)},
        {
            "currency": text("Of this currency only.", "^[A-Z]{3}$"),
            "period": text("Value dates: 2026, 2026-01, 2026-01-31 or 2026-01-01..2026-03-31."),
            "account": text("Of this account only."),
            "count": integer("How many."),
            "sum": number("The sum of their amounts."),
        },
    )
    return {
        "format": choice("csv, or ndjson: one object of JSON a line.", ("csv", "ndjson")),
        "encoding": either(
            "How its characters are saved.", choice("A known one.", ENCODINGS), text("another name of it")
        ),
        "delimiter": text("What stands between cells: one character, or `tab`."),
        "skip": integer("Lines before the heading."),
        "dates": either(
            "How days are written; the first form that fits counts.",
            text("one form, as in `%d/%m/%Y`"),
            listed("Several.", text("a form")),
        ),
        "decimal": text("What stands before the cents."),
        "thousands": text("What stands between groups of digits."),
        "symbols": text("Characters that are left out of amounts: `¥`, `EUR`."),
        "negative": choice("-5, 5- or (5).", NEGATIVE),
        "timezone": text("Of instants without a zone, as in `Asia/Shanghai`."),
        "currency": text(
            "Of accounts that the file does not make: refused if they are in another.", "^[A-Z]{3}$"
        ),
        "title": localized("What people call it."),
        "control": listed("The operator's own figures.", figure),
    }
