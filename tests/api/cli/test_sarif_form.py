"""SARIF 2.1.0 as far as we write it: the objects, their members and words, as sections 3.13 to 3.52 ask.

The official schema is not part of this project. What stands here was written from the standard: each object
that we write, the members it must have and may have, and nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from api.cli import forbear
from api.cli.frame import run

ROOT = Path(__file__).parents[3]


def made(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object with these members and no others."""
    members = {**required, **optional}
    return {
        "type": "object", "required": list(required), "properties": members, "additionalProperties": False,
    }  # fmt: skip


def many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


TEXT = {"type": "string", "minLength": 1}
PLACE = {"type": "integer", "minimum": 1}
MESSAGE = made({"text": TEXT})
REGION = made(
    {"startLine": PLACE, "startColumn": PLACE, "endColumn": PLACE}, snippet=made({"text": {"type": "string"}})
)
PHYSICAL = made(
    {"artifactLocation": made({"uri": {"type": "string", "format": "uri-reference"}}), "region": REGION}
)
NAMED = many(made({"name": TEXT}))
LOCATION = made({"physicalLocation": PHYSICAL}, logicalLocations=NAMED)
RELATED = made(
    {"id": {"type": "integer", "minimum": 0}, "message": MESSAGE, "physicalLocation": PHYSICAL},
    logicalLocations=NAMED,
)
RESULT = made(
    {
        "ruleId": TEXT, "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]}, "message": MESSAGE,
        "locations": {**many(LOCATION), "minItems": 1},
    },
    relatedLocations={**many(RELATED), "uniqueItems": True},
)  # fmt: skip
RULES = {**many(made({"id": TEXT}, name=TEXT)), "uniqueItems": True}
TOOL = made({"driver": made({"name": TEXT}, version=TEXT, rules=RULES)})
RUN = made(
    {"tool": TOOL, "results": many(RESULT)},
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
)
LOG = made({"version": {"const": "2.1.0"}, "runs": {**many(RUN), "minItems": 1}}, **{"$schema": TEXT})


@pytest.mark.parametrize(
    "folder",
    ["policies", "fixtures/policies_bad/credit-rows-overlap", "fixtures/policies_bad/credit-promise-broken"],
)
def test_a_log_has_the_form_of_the_standard(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(forbear, ["check", str(ROOT / folder), "--format", "sarif"])
    log = json.loads(capsys.readouterr().out)
    assert [error.message for error in Draft202012Validator(LOG).iter_errors(log)] == []
    for one in log["runs"]:
        rules = one["tool"]["driver"]["rules"]
        for result in one["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            region = result["locations"][0]["physicalLocation"]["region"]
            assert region["endColumn"] > region["startColumn"]
