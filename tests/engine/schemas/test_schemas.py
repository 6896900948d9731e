"""The published schemas are those of the readers, take what is shipped, and refuse what is broken in form."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.cli import forbear
from api.cli.check_command import check_one
from api.cli.frame import FINDINGS, OK, run
from api.cli.policy_files import PolicyFiles, find_policies
from api.cli.test_command import test_one as run_cases_of
from engine.schemas import Schema
from engine.source import Span
from engine.text import MapNode, Node, Reader, read_yaml
from tests.engine.schemas.validator import ALL, errors, plain, resolved

ROOT = Path(__file__).parents[3]
POLICIES = ROOT / "policies"
BAD = ROOT / "fixtures" / "policies_bad"
SHIPPED = [*find_policies([POLICIES]), *find_policies([ROOT / "fixtures" / "policies_good"])]
WITH_CASES = [one for one in SHIPPED if one.cases is not None]
FORM = ("unknown-key", "missing-key", "not-a-map", "not-a-list", "answer-unclear", "unknown-hit-policy")
"""Mistakes in form, which a schema can see; the others need the meaning of the text."""


def node_of(data: bytes, file: str = "policy.yaml") -> Node:
    node = read_yaml(data, file).policy
    assert node is not None
    return node


def test_the_published_schemas_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["schema", str(POLICIES / "schema"), "--check"]) == OK
    assert sorted(path.stem for path in (POLICIES / "schema").iterdir()) == sorted(ALL)


def test_an_old_schema_is_told_and_written(tmp_path: Path) -> None:
    assert run(forbear, ["schema", str(tmp_path), "--check"]) == FINDINGS
    assert list(tmp_path.iterdir()) == []
    assert run(forbear, ["schema", str(tmp_path)]) == OK
    assert json.loads((tmp_path / "law.json").read_text("utf-8"))["$id"] == "law.json"
    assert run(forbear, ["schema", str(tmp_path), "--check"]) == OK


@pytest.mark.parametrize("one", SHIPPED, ids=lambda one: str(one.path.relative_to(ROOT)))
def test_what_is_shipped_has_the_form(one: PolicyFiles) -> None:
    value = plain(node_of(one.texts[one.root]))
    assert list(errors(value, ALL[one.what], one.what)) == []
    if one.what in ("credit", "collections", "watch"):
        assert list(errors(value, ALL["policy"], "policy")) == []


@pytest.mark.parametrize("one", WITH_CASES, ids=lambda one: str(one.path.relative_to(ROOT)))
def test_shipped_cases_have_the_form(one: PolicyFiles) -> None:
    value = plain(node_of(one.texts["cases.yaml"]))
    assert list(errors(value, {"$ref": f"#/$defs/{one.what}"}, "cases")) == []
    assert list(errors(value, ALL["cases"], "cases")) == []


@pytest.mark.parametrize("one", SHIPPED, ids=lambda one: str(one.path.relative_to(ROOT)))
def test_a_shipped_text_names_its_schema(one: PolicyFiles) -> None:
    if one.folder.is_relative_to(POLICIES):
        mark = "# yaml-language-server: $schema="
        lines = [line for line in one.texts[one.root].decode().splitlines() if line.startswith(mark)]
        target = one.folder / lines[0].removeprefix(mark)
        name = "policy" if one.what in ("credit", "collections", "watch") else one.what
        assert target.resolve() == POLICIES / "schema" / f"{name}.json"


def broken() -> Iterator[tuple[PolicyFiles, str]]:
    for folder in sorted(BAD.glob("c*-*")):
        if (folder / "policy.yaml").exists():
            one = find_policies([folder])[0]
            if one.what in ("credit", "collections"):
                for code in sorted({problem.code for problem in check_one(one)} & set(FORM)):
                    yield one, code


@pytest.mark.parametrize(
    ("one", "code"), list(broken()), ids=lambda x: x if isinstance(x, str) else x.folder.name
)
def test_a_mistake_in_form_is_seen_by_the_schema_too(one: PolicyFiles, code: str) -> None:
    assert list(errors(plain(node_of(one.texts[one.root])), ALL[one.what], one.what)) != []


def test_mistakes_in_form_are_tried() -> None:
    assert len(list(broken())) >= 10


# The keys that readers take are those of the schema


class Asked:
    """What every map was asked for by the readers: its place, and the keys that they know."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.maps: dict[tuple[str, int, int], set[str]] = {}
        original = Reader.fields

        def fields(
            reader: Reader,
            node: Node,
            what: str,
            required: Collection[str] = (),
            optional: Collection[str] = (),
        ) -> Any:
            self.maps.setdefault(place(node.span), set()).update((*required, *optional))
            return original(reader, node, what, required, optional)

        monkeypatch.setattr(Reader, "fields", fields)


def place(span: Span) -> tuple[str, int, int]:
    return Path(span.file).name, span.line, span.column


def forms(schema: Schema, root: str) -> Iterator[tuple[Schema, str]]:
    schema, root = resolved(schema, root)
    if "anyOf" in schema:
        for one in schema["anyOf"]:
            yield from forms(one, root)
    else:
        yield schema, root


def maps(node: Node, schema: Schema, root: str) -> Iterator[tuple[MapNode, list[set[str]]]]:
    """Yield every map with the sets of keys that it can have: of each form, and of all together."""
    if isinstance(node, MapNode):
        every = [one for one, _ in forms(schema, root) if "properties" in one]
        known = [one for one in forms(schema, root) if not list(errors(plain(node), *one))]
        keys = [set(one["properties"]) for one in every if one.get("additionalProperties") is False]
        yield node, [*keys, set().union(*keys)] if keys else []
        for key, value in node.entries:
            for one, file in known:
                inner = one.get("properties", {}).get(key.text, one.get("additionalProperties"))
                if isinstance(inner, dict):
                    yield from maps(value, inner, file)
    elif hasattr(node, "items"):
        for one, file in forms(schema, root):
            for item in node.items if "items" in one else ():
                yield from maps(item, one["items"], file)


REFUSED: set[str] = set()
"""Keys that a reader knows only to refuse them with a sentence of their own."""


@pytest.mark.parametrize("one", SHIPPED, ids=lambda one: str(one.path.relative_to(ROOT)))
def test_the_keys_of_the_schema_are_those_of_the_reader(
    one: PolicyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(monkeypatch)
    check_one(one)
    checked = 0
    for node, known in maps(node_of(one.texts[one.root], one.root), ALL[one.what], one.what):
        keys = asked.maps.get(place(node.span))
        if keys is not None and known:
            assert keys - REFUSED in known, node.span
            checked += 1
    assert checked >= 1


@pytest.mark.parametrize("one", WITH_CASES, ids=lambda one: str(one.path.relative_to(ROOT)))
def test_the_keys_of_cases_are_those_of_the_reader(one: PolicyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch)
    run_cases_of(one)
    checked = 0
    cases = node_of(one.texts["cases.yaml"], "cases.yaml")
    for node, known in maps(cases, {"$ref": f"#/$defs/{one.what}"}, "cases"):
        keys = asked.maps.get(place(node.span))
        if keys is not None and known:
            assert keys in known, node.span
            checked += 1
    assert checked >= 3
