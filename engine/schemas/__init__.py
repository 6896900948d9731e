"""JSON Schemas of everything that officers write, so that editors complete and check while they type.

They say what may stand where. What a text means (names, types, rows that overlap) is for `forbear check`.
"""

from __future__ import annotations

from engine.schemas.collections import collections_cases_schema, collections_schema
from engine.schemas.credit import credit_cases_schema, credit_schema
from engine.schemas.parts import Schema, document
from engine.schemas.shelf import calendar_schema, law_schema, portfolio_schema
from engine.schemas.watch import watch_cases_schema, watch_schema


def schemas() -> dict[str, Schema]:
    """Return every schema by the name of its file without `.json`."""
    by_kind = ("credit", "collections", "watch")
    policy: Schema = {
        "type": "object",
        "required": ["policy", "kind"],
        "properties": {"kind": {"enum": list(by_kind), "description": "What kind of policy this is."}},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"{kind}.json"},
            }
            for kind in by_kind
        ],
    }
    cases: Schema = {
        "anyOf": [{"$ref": f"#/$defs/{kind}"} for kind in by_kind],
        "description": "Cases beside a policy.",
    }
    forms = dict(
        zip(by_kind, (credit_cases_schema(), collections_cases_schema(), watch_cases_schema()), strict=True)
    )
    return {
        "credit": credit_schema(),
        "collections": collections_schema(),
        "watch": watch_schema(),
        "law": law_schema(),
        "calendar": calendar_schema(),
        "portfolio": portfolio_schema(),
        "policy": document("policy", "Forbear policy", policy),
        "cases": document("cases", "Forbear cases", cases, forms),
    }


__all__ = ["Schema", "schemas"]
