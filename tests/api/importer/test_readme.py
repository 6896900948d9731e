"""The example in the README is run, and what the README lists is what there is.

`python -m tests.api.importer.test_readme` writes the table of kinds anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, run
from api.importer.reading import ENCODINGS, HOW, OPTIONAL, QUALITY
from api.importer.targets import TARGETS

ROOT = Path(__file__).parents[3]
PAPER = ROOT / "api" / "importer" / "README.md"
README = PAPER.read_text(encoding="utf-8")
KINDS = "| Kind | Needs | May have |\n|---|---|---|\n"
BLOCKS = {name: text for _, name, text in re.findall(r"```(csv|yaml) (\S+)\n(.*?)```", README, re.S)}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the files of the example, where no server is."""
    for name in ("invoices.csv", "invoices.yaml", "totals.csv"):
        (tmp_path / name).write_text(BLOCKS[name], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORBEAR_DATA", str(tmp_path / "none"))
    return tmp_path


def test_the_example_prints_what_the_readme_says(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    console = re.findall(r"```console\n\$ forbear ([^\n]*)\n(.*?)```", README, re.S)
    assert len(console) == 1
    line, says = console[0]
    assert run(forbear, line.split()) == FINDINGS
    assert capsys.readouterr().out == says
    assert (desk / "refused.csv").read_text(encoding="utf-8") == BLOCKS["refused.csv"]


def test_what_was_refused_is_taken_when_mended(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mended = BLOCKS["refused.csv"].replace(";31.02.2026;", ";21.03.2026;").replace(";12.00\n", ";12,00\n")
    (desk / "refused.csv").write_text(mended, encoding="utf-8")
    assert run(forbear, ["import", "refused.csv", "--mapping", "invoices.yaml", "--dry-run"]) == OK
    assert (
        "would be stored: 2 account, 2 bill, 2 customer; 0 there already; 0 refused."
        in capsys.readouterr().out
    )


def kinds() -> str:
    """Return the table of kinds with their fields."""
    lines = []
    for name, kind in TARGETS.items():
        may = ", ".join(field for field in kind.fields if field not in kind.needed)
        lines.append(f"| `{name}` | {', '.join(kind.needed)} | {may} |\n")
    return "".join(lines)


def rows_of(heading: str) -> dict[str, list[str]]:
    """Return the cells of the table under a heading or a table head by its first cell."""
    part = README.partition(heading)[2].partition("\n\n")[0]
    lines = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| `")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def test_every_kind_stands_in_the_readme_with_its_fields() -> None:
    assert README.partition(KINDS)[2] == kinds()


def test_every_key_of_a_mapping_stands_in_the_readme() -> None:
    keys = rows_of("| Key | Says | Left out |\n|---|---|---|\n")
    assert {name.strip("`") for name in keys} == {"mapping", "rows", *OPTIONAL}
    assert all(f"`{name}`" in keys["`encoding`"][0] for name in ENCODINGS)
    how = rows_of("| Key | Says |\n|---|---|\n")
    named = {part.strip("` ") for name in how for part in name.split(",")}
    assert named == {"value", *HOW, *QUALITY}


if __name__ == "__main__":
    PAPER.write_text(README.partition(KINDS)[0] + KINDS + kinds(), encoding="utf-8")
