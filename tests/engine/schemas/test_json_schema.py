"""The published schemas as editors read them: by a complete reader of JSON Schema (draft 2020-12)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from referencing import Registry, Resource

from api.cli.check_command import check_one
from api.cli.policy_files import PolicyFiles, find_policies
from engine.text import read_yaml
from tests.engine.schemas.test_schemas import BAD, FORM, POLICIES, ROOT, SHIPPED, WITH_CASES
from tests.engine.schemas.validator import plain

TEXTS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted((POLICIES / "schema").glob("*.json"))
}
REGISTRY: Registry[Any] = Registry().with_resources(
    (f"{name}.json", Resource.from_contents(text)) for name, text in TEXTS.items()
)


def mistakes(data: bytes, schema: dict[str, Any]) -> list[str]:
    """What a schema says of a text."""
    node = read_yaml(data, "a.yaml").policy
    if node is None:
        return ["no YAML"]
    validator = Draft202012Validator(schema, registry=REGISTRY)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(plain(node))]


def folders() -> list[PolicyFiles]:
    """Every broken policy whose text is YAML."""
    found = [f for f in sorted(BAD.iterdir()) if (f / "policy.yaml").exists()]
    return [
        one for folder in found for one in find_policies([folder]) if one.what in ("credit", "collections")
    ]


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_each_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(TEXTS[name])


@pytest.mark.parametrize("one", SHIPPED, ids=lambda one: str(one.path.relative_to(ROOT)))
def test_what_is_shipped_is_taken(one: PolicyFiles) -> None:
    assert mistakes(one.texts[one.root], TEXTS[one.what]) == []
    if one.what in ("credit", "collections", "watch"):
        assert mistakes(one.texts[one.root], TEXTS["policy"]) == []


@pytest.mark.parametrize("one", WITH_CASES, ids=lambda one: str(one.path.relative_to(ROOT)))
def test_shipped_cases_are_taken(one: PolicyFiles) -> None:
    assert mistakes(one.texts["cases.yaml"], TEXTS["cases"]) == []


@pytest.mark.parametrize("one", folders(), ids=lambda one: one.folder.name)
def test_a_broken_policy_is_refused_where_its_form_is_wrong(one: PolicyFiles) -> None:
    wrong = {problem.code for problem in check_one(one)} & set(FORM)
    found = mistakes(one.texts[one.root], TEXTS[one.what])
    assert found or not wrong


def test_an_editor_that_opens_a_policy_finds_its_kind() -> None:
    text = (Path(ROOT) / "fixtures/policies_good/credit-small/policy.yaml").read_bytes()
    assert mistakes(text, TEXTS["policy"]) == []
    assert mistakes(text.replace(b"hit: FIRST", b"hit: FRIST"), TEXTS["policy"])
    assert mistakes(text.replace(b"currency: CNY", b"curency: CNY"), TEXTS["policy"])
