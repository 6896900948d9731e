"""SARIF 2.1.0 as far as we write it: the objects, their members and words, as sections 3.13 to 3.52 ask.

The official schema is not part of this project. What stands here was written from the standard: each object
that we write, the members it must have and may have, and nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

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
ARTIFACT = made({"uri": {"type": "string", "format": "uri-reference", "minLength": 1}}, uriBaseId=TEXT)
PHYSICAL = made({"artifactLocation": ARTIFACT, "region": REGION})
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
WORDS = {"shortDescription": MESSAGE, "fullDescription": MESSAGE, "help": MESSAGE}
RULES = {**many(made({"id": TEXT}, name=TEXT, **WORDS)), "uniqueItems": True}
SEMANTIC = {"type": "string", "pattern": r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"}
TOOL = made({"driver": made({"name": TEXT}, version=TEXT, semanticVersion=SEMANTIC, rules=RULES)})
BASES = {"type": "object", "additionalProperties": made({}, uri=TEXT, description=MESSAGE)}
RUN = made(
    {"tool": TOOL, "results": many(RESULT)},
    invocations=many(made({"executionSuccessful": {"type": "boolean"}})),
    originalUriBaseIds=BASES,
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
)
LOG = made({"version": {"const": "2.1.0"}, "runs": {**many(RUN), "minItems": 1}}, **{"$schema": TEXT})


FOLDERS = (
    "policies", "fixtures/policies_bad/credit-rows-overlap", "fixtures/policies_bad/credit-promise-broken",
    "fixtures/policies_bad/credit-output-empty", "fixtures/policies_bad/credit-language-wide-colon",
    "fixtures/policies_bad/collections-fee-comma",
)  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_log_has_the_form_of_the_standard(
    folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    run(forbear, ["check", folder, "--format", "sarif"])
    log = json.loads(capsys.readouterr().out)
    assert [error.message for error in Draft202012Validator(LOG).iter_errors(log)] == []
    for one in log["runs"]:
        rules = one["tool"]["driver"]["rules"]
        assert one["invocations"] == [{"executionSuccessful": True}]
        for result in one["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            for place in (*result["locations"], *result.get("relatedLocations", ())):
                _is_in_its_file(place["physicalLocation"], one)


def _is_in_its_file(place: dict[str, Any], one: dict[str, Any]) -> None:
    """Find the file from where `forbear check` was called, and the columns in the line that is shown."""
    artifact, region = place["artifactLocation"], place["region"]
    assert artifact["uriBaseId"] in one["originalUriBaseIds"]
    line = Path(unquote(artifact["uri"])).read_text(encoding="utf-8").splitlines()[region["startLine"] - 1]
    assert region["snippet"]["text"] == line
    assert 1 <= region["startColumn"] <= region["endColumn"] <= len(line) + 1


def test_columns_count_characters_and_end_behind_the_last_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT / "fixtures/policies_bad")
    run(forbear, ["check", "credit-language-wide-colon", "--format", "sarif"])
    (result,) = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    shown = region["snippet"]["text"][region["startColumn"] - 1 : region["endColumn"] - 1]
    assert shown == "en：something is overdue"
    assert result["level"] == "error"
