"""The demo refuses what it cannot use before it does anything else."""

from pathlib import Path

import pytest

from api.cli import forbear
from api.cli.frame import TROUBLE, run

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("data", [(), ("--data", "nobody.csv")])
def test_a_directory_that_no_demo_made_is_refused_before_any_case_is_run(
    data: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    (tmp_path / "letters.txt").write_text("dear", encoding="utf-8")
    assert run(forbear, ["demo", "--dir", str(tmp_path), *data]) == TROUBLE
    said = capsys.readouterr()
    assert "has files that no demo made" in said.err
    assert said.out == ""


def test_a_file_that_is_not_there_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(forbear, ["demo", "--dir", str(tmp_path / "demo"), "--data", "nobody.csv"]) == TROUBLE
    assert capsys.readouterr().err == "forbear: There is no file `nobody.csv`.\n"
