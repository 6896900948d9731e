"""What integrators see of a broken mapping, word by word: one file a mistake.

`python -m tests.api.importer.test_mappings_bad` writes the expected messages anew; read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from api.importer import load_mapping
from api.importer.schema import mapping_schema
from engine.source import has_errors, render_problem
from engine.text import read_yaml
from tests.engine.schemas.validator import errors, plain

ROOT = Path(__file__).parents[3]
FOLDERS = sorted((ROOT / "fixtures" / "mappings_bad").iterdir())
SHIPPED = sorted((ROOT / "fixtures" / "mappings").glob("*.yaml"))
FORM = ("unknown-key", "missing-key", "not-a-map", "not-a-list", "unknown-kind", "row-unclear")
"""Mistakes in form, which the schema sees, too."""
MARK = "# yaml-language-server: $schema="


def message(folder: Path) -> str:
    """Return what the reader says of a mapping."""
    data = (folder / "mapping.yaml").read_bytes()
    loaded = load_mapping(data, "mapping.yaml")
    assert loaded.policy is None
    assert has_errors(loaded.problems)
    sources = {"mapping.yaml": data.decode()}
    return "\n".join(render_problem(problem, sources) for problem in loaded.problems) + "\n"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_broken_mapping_gets_the_expected_message(folder: Path) -> None:
    assert message(folder) == (folder / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_one_mistake_is_told_once_with_its_place_and_what_to_do(folder: Path) -> None:
    told = message(folder)
    assert told.count("error[") == 1
    assert told.count("--> mapping.yaml:") == 1
    assert told.count("advice: ") == 1


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_mapping_has_the_form_and_names_its_schema(path: Path) -> None:
    node = read_yaml(path.read_bytes(), path.name).policy
    assert node is not None
    assert list(errors(plain(node), mapping_schema(), "mapping")) == []
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert (path.parent / first.removeprefix(MARK)).resolve() == ROOT / "policies" / "schema" / "mapping.json"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_mistake_in_form_is_seen_by_the_schema(folder: Path) -> None:
    data = (folder / "mapping.yaml").read_bytes()
    codes = {problem.code for problem in load_mapping(data, "mapping.yaml").problems}
    node = read_yaml(data, "mapping.yaml").policy
    if codes & set(FORM) and node is not None:
        assert list(errors(plain(node), mapping_schema(), "mapping")) != []


def main() -> None:
    """Write what is said of each broken mapping."""
    for folder in FOLDERS:
        (folder / "expected.txt").write_text(message(folder), encoding="utf-8")


if __name__ == "__main__":
    main()
