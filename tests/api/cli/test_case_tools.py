import json
import shutil
from pathlib import Path

import pytest

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, run

POLICIES = Path(__file__).parents[3] / "policies"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(POLICIES, tmp_path / "policies")
    return tmp_path / "policies" / "key-account-credit"


def text_of(folder: Path) -> str:
    return (folder / "cases.yaml").read_text(encoding="utf-8")


def write(folder: Path, text: str) -> None:
    (folder / "cases.yaml").write_text(text, encoding="utf-8")


def test_coverage_is_told_and_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["test", str(folder)]) == OK
    line = "17 of 17 rows matched, 17 of 17 bounds tried on both sides, 2 of 37 threshold changes unnoticed"
    out = capsys.readouterr().out
    assert f"\n  {line}\n" in out
    assert "unnoticed: " not in out
    assert run(forbear, ["test", str(folder), "--coverage"]) == OK
    assert "    unnoticed: grade row 3 (line 66), count(review) `0`: as `1`\n" in capsys.readouterr().out
    assert run(forbear, ["test", str(folder), "--format", "json"]) == OK
    tried = json.loads(capsys.readouterr().out)["files"][0]["tried"]
    assert (tried["rows"], tried["unmatched"], tried["changes"], tried["unnoticed"]) == (17, 0, 37, 2)


def test_expectations_are_written_as_they_came(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = text_of(folder)
    wrong = good.replace(
        "expect: {grade: A, credit_limit: 170000.00", "expect: {grade: B, credit_limit: 1", 1
    )
    assert wrong != good
    write(folder, wrong)
    assert run(forbear, ["test", str(folder)]) == FINDINGS
    assert run(forbear, ["test", str(folder), "--update"]) == OK
    assert text_of(folder) == good
    assert "2 expectations updated." in capsys.readouterr().out


def test_timelines_are_updated_too(folder: Path) -> None:
    ladder = folder.parent / "uci-card-collections"
    good = text_of(ladder)
    assert run(forbear, ["test", str(ladder)]) == OK
    wrong = good.replace("wake: 2005-05-25", "wake: 2005-05-26", 1)
    assert wrong != good
    write(ladder, wrong)
    assert run(forbear, ["test", str(ladder), "--update"]) == OK
    assert text_of(ladder) == good.replace("wake: 2005-05-25", 'wake: "2005-05-25 09:00"', 1)


def test_a_table_of_cases_stands_beside_the_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = "case,facts_base,tenure_months,||,grade\nToo short a time,ministry,11,,A\n"
    (folder / "cases.csv").write_text(table, encoding="utf-8")
    assert run(forbear, ["test", str(folder)]) == FINDINGS
    out = capsys.readouterr().out
    assert "FAILED Too short a time" in out
    assert "cases.csv:2:" in out
    assert "grade: expected A, got B" in out


def test_ladders_are_changed_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ladder = folder.parent / "uci-card-collections"
    assert run(forbear, ["test", str(ladder), "--mutation"]) == OK
    assert "threshold changes unnoticed" in capsys.readouterr().out


def test_an_update_leaves_a_map_alone_and_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One value of a map is told: written in the place of the map, it would leave a file of no YAML."""
    ladder = folder.parent / "uci-card-collections"
    good = text_of(ladder)
    wrong = good.replace("wake: 2005-05-25", "ledger: {open: 0.01, credit: 0.01}", 1)
    assert wrong != good
    write(ladder, wrong)
    assert run(forbear, ["test", str(ladder), "--update"]) == FINDINGS
    assert text_of(ladder) == wrong
    assert "is a map; change by hand." in capsys.readouterr().out
