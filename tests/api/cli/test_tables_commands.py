import shutil
from pathlib import Path

import pytest
from openpyxl import load_workbook

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, TROUBLE, USAGE, run

POLICIES = Path(__file__).parents[3] / "policies"


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    shutil.copytree(POLICIES, tmp_path / "policies")
    return tmp_path / "policies"


def text_of(folder: Path) -> str:
    return (folder / "policy.yaml").read_text(encoding="utf-8")


def test_a_workbook_goes_out_is_edited_and_comes_back(
    policies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, book = policies / "collections", tmp_path / "c.xlsx"
    before = text_of(folder)
    assert run(forbear, ["export", str(folder), str(book)]) == OK
    assert run(forbear, ["import-tables", str(folder), str(book)]) == OK
    assert text_of(folder) == before
    workbook = load_workbook(book)
    cell = workbook["standard"]["B4"]
    assert cell.value == ">= 31"
    cell.value = ">= 33"
    workbook.save(book)
    assert run(forbear, ["import-tables", str(folder), str(book), "--dry-run"]) == OK
    assert text_of(folder) == before
    assert run(forbear, ["import-tables", str(folder), str(book)]) == OK
    assert text_of(folder) == before.replace("| bar           | >= 31 ", "| bar           | >= 33 ")
    out = capsys.readouterr().out
    assert "+    | bar           | >= 33 " in out
    assert out.endswith("1 table changed.\n")


def test_csv_files_go_out_and_one_of_them_comes_back(policies: Path, tmp_path: Path) -> None:
    folder, out = policies / "consumer-credit", tmp_path / "tables"
    before = text_of(folder)
    assert run(forbear, ["export", str(folder), str(out), "--to", "csv"]) == OK
    names = ["_forbear.csv", "deposit_months.csv", "grade.csv", "knockout.csv", "score.csv", "terms.csv"]
    assert sorted(path.name for path in out.iterdir()) == names
    sheet = out / "terms.csv"
    sheet.write_bytes(sheet.read_bytes().replace(b"3000.00", b"3500.00"))
    assert run(forbear, ["import-tables", str(folder), str(sheet)]) == OK
    assert text_of(folder) == before.replace("3000.00", "3500.00")


def test_an_edit_that_the_check_refuses_is_not_written(
    policies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = policies / "consumer-credit", tmp_path / "tables"
    before = text_of(folder)
    run(forbear, ["export", str(folder), str(out), "--to", "csv"])
    sheet = out / "grade.csv"
    sheet.write_bytes(sheet.read_bytes().replace(b"[430..500)", b"[420..500)"))
    assert run(forbear, ["import-tables", str(folder), str(out)]) == FINDINGS
    said = capsys.readouterr().out
    assert "error[rows-overlap]" in said
    assert said.endswith("Nothing was written.\n")
    assert text_of(folder) == before


def test_what_stands_there_is_not_overwritten(
    policies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "c.xlsx"
    book.write_text("mine", encoding="utf-8")
    assert run(forbear, ["export", str(policies / "sme-credit"), str(book)]) == TROUBLE
    assert "is already there" in capsys.readouterr().err
    assert book.read_text(encoding="utf-8") == "mine"
    assert run(forbear, ["export", str(policies / "sme-credit"), str(book), "--force"]) == OK


@pytest.mark.parametrize("command", ["export", "import-tables"])
def test_one_policy_is_wanted(policies: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, [command, str(policies), str(policies)]) == TROUBLE
    assert "Give the folder of one of them" in capsys.readouterr().err


def test_a_policy_without_tables_has_nothing_to_export(
    policies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(forbear, ["export", str(policies / "regulations/cn-telecom.yaml"), "x.xlsx"]) == TROUBLE
    assert "has no tables" in capsys.readouterr().err


def test_without_a_name_the_workbook_is_called_like_the_policy_and_import_takes_it_back(
    policies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = policies / "consumer-credit"
    monkeypatch.chdir(tmp_path)
    assert run(forbear, ["export", str(folder), "--to", "xlsx"]) == OK
    workbook = load_workbook("consumer-credit.xlsx")
    workbook["terms"]["D2"] = "4.50"
    workbook.save("consumer-credit.xlsx")
    before = text_of(folder)
    assert run(forbear, ["import", str(folder), "consumer-credit.xlsx", "--dry-run"]) == OK
    assert text_of(folder) == before
    assert run(forbear, ["import", str(folder), "consumer-credit.xlsx"]) == OK
    assert text_of(folder) == before.replace('"high"       || 4.00 ', '"high"       || 4.50 ')
    assert run(forbear, ["import", str(folder)]) == USAGE
    assert run(forbear, ["import", str(folder), "consumer-credit.xlsx", "--mapping", "m.yaml"]) == USAGE
    assert "the policy and the sheets" in capsys.readouterr().err


def test_what_the_check_warns_of_after_an_edit_is_shown(
    policies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, book = policies / "consumer-credit", tmp_path / "c.xlsx"
    assert run(forbear, ["export", str(folder), str(book)]) == OK
    workbook = load_workbook(book)
    workbook["grade"]["B3"] = ">= 565"
    workbook.save(book)
    capsys.readouterr()
    assert run(forbear, ["import-tables", str(folder), str(book)]) == OK
    out = capsys.readouterr().out
    assert out.count("warning[") == 1
    assert "no row of table `grade` matches count(knockout) 0, score 560" in out
