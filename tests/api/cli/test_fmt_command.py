import shutil
from pathlib import Path

import pytest

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, TROUBLE, run

WIDE = "| 0               | < 370      || E     |"
POLICIES = Path(__file__).parents[3] / "policies"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(POLICIES / "consumer-credit", tmp_path / "consumer-credit")
    return tmp_path / "consumer-credit"


def test_the_shipped_policies_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["fmt", str(POLICIES), "--check"]) == OK
    assert capsys.readouterr().out == "0 files would change.\n"


def test_a_table_is_aligned_in_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "policy.yaml"
    good = path.read_text(encoding="utf-8")
    path.write_text(
        good.replace("| 0               | < 370      || E     |", "| 0 | < 370 || E |"), encoding="utf-8"
    )
    mode = path.stat().st_mode
    assert run(forbear, ["fmt", str(folder), "--check"]) == FINDINGS
    assert run(forbear, ["fmt", str(folder), "--diff"]) == FINDINGS
    assert f"+      {WIDE}" in capsys.readouterr().out
    assert path.read_text(encoding="utf-8") != good
    assert run(forbear, ["fmt", str(folder)]) == OK
    assert path.read_text(encoding="utf-8") == good
    assert path.stat().st_mode == mode
    assert sorted(p.name for p in folder.iterdir()) == ["cases.yaml", "policy.yaml"]
    assert capsys.readouterr().out == f"{path}: aligned\n1 file changed.\n"


def test_a_table_that_cannot_be_read_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "policy.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "| > 0             | -          || E     |", "| > 0 || E |"
    )
    path.write_text(text, encoding="utf-8")
    assert run(forbear, ["fmt", str(folder)]) == FINDINGS
    assert "row 1 has 2 cells, the heading has 3" in capsys.readouterr().out
    assert path.read_text(encoding="utf-8") == text


def test_a_folder_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["fmt", "nowhere"]) == TROUBLE
    assert "There is no `nowhere`" in capsys.readouterr().err
