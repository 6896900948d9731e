import json
import shutil
from pathlib import Path

import pytest

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, TROUBLE, run

POLICIES = Path(__file__).parents[3] / "policies"


def copied(tmp_path: Path, name: str, old: str, new: str, file: str = "cases.yaml") -> Path:
    """All shipped policies, with words replaced in one file of one of them."""
    shutil.copytree(POLICIES, tmp_path / "policies")
    path = tmp_path / "policies" / name / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path.parent


def test_the_shipped_cases_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["test", str(POLICIES)]) == OK
    assert capsys.readouterr().out.rstrip().endswith("cases hold, 0 do not.")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("consumer-credit", "grade: A", "grade: D"),
        ("collections", "notify(sms, reminder)", "notify(sms, another)"),
    ],
)
def test_a_case_that_does_not_hold_is_told_with_what_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, old: str, new: str
) -> None:
    folder = copied(tmp_path, name, old, new)
    assert run(forbear, ["test", str(folder)]) == FINDINGS
    out = capsys.readouterr().out
    assert f"--> {folder / 'cases.yaml'}:" in out
    assert "got" in out
    assert run(forbear, ["test", str(folder), "--format", "json"]) == FINDINGS
    said = json.loads(capsys.readouterr().out)
    assert said["failed"] >= 1
    assert said["files"][0]["failed"][0]["why"]


def test_a_broken_policy_is_told_instead_of_its_cases(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(tmp_path, "sme-credit", "tenure_months: {", "tenure_mnths: {", "policy.yaml")
    assert run(forbear, ["test", str(folder)]) == FINDINGS
    out = capsys.readouterr().out
    assert "error[" in out
    assert out.rstrip().endswith("0 cases hold, 0 do not; 1 file could not be run.")


def test_a_broken_file_of_cases_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(tmp_path, "sme-credit", "cases:", "casess:")
    assert run(forbear, ["test", str(folder)]) == FINDINGS
    assert "did you mean `cases`?" in capsys.readouterr().out


def test_a_mistake_in_cases_of_a_watch_policy_is_told_at_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(tmp_path, "fraud-watch", "account_opened", "acount_opened")
    assert run(forbear, ["test", str(folder)]) == FINDINGS
    out = capsys.readouterr().out
    assert "did you mean `account_opened`" in out
    assert "fraud-watch/cases.yaml:" in out


def test_a_policy_without_cases_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(tmp_path, "sme-credit", "cases:", "cases:")
    (folder / "cases.yaml").unlink()
    assert run(forbear, ["test", str(folder)]) == TROUBLE
    assert "There are no cases to run" in capsys.readouterr().err


def test_a_law_pack_has_no_cases(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["test", str(POLICIES / "regulations")]) == TROUBLE
    assert "There are no cases to run" in capsys.readouterr().err


def test_cases_that_are_no_yaml_are_found_by_check_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(tmp_path, "sme-credit", "cases:", "cases: [")
    assert run(forbear, ["check", str(folder)]) == FINDINGS
    assert "cases.yaml" in capsys.readouterr().out


def test_a_policy_that_breaks_its_law_is_not_released(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(tmp_path, "collections", "rate: 0.003 per day", "rate: 0.004 per day", "policy.yaml")
    assert run(forbear, ["check", str(folder)]) == FINDINGS
    assert "late-fee-three-per-mille" in capsys.readouterr().out


def test_a_law_pack_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(tmp_path, "collections", "regulation: cn-telecom", "regulation: cn-telcom", "policy.yaml")
    assert run(forbear, ["check", str(folder)]) == FINDINGS
    assert "did you mean `cn-telecom`?" in capsys.readouterr().out


def test_a_portfolio_that_names_nobody_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(tmp_path, ".", "sme: sme-credit", "sme: sme-crdit", "portfolio.yaml")
    assert run(forbear, ["check", str(folder)]) == FINDINGS
    assert "there is no credit policy `sme-crdit`" in capsys.readouterr().out


def test_a_policy_without_cases_is_said_to_have_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policy.yaml").write_text("kind: credit\n", encoding="utf-8")
    assert run(forbear, ["test", str(tmp_path)]) == TROUBLE
    assert "There are no cases to run" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["consumer-credit", "collections", "fraud-watch"])
def test_a_file_of_no_cases_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    folder = copied(tmp_path, name, "cases:", "cases:")
    named = "" if name == "fraud-watch" else f"policy: {'consumer-' * (name == 'collections')}{name}\n"
    (folder / "cases.yaml").write_text(f"{named}cases: []\n", encoding="utf-8")
    assert run(forbear, ["test", str(folder)]) == FINDINGS
    assert "no-cases" in capsys.readouterr().out


def test_what_cases_of_a_watch_policy_do_not_try_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(tmp_path, "fraud-watch", "at: 2026-03-31, account: A3", "at: 2026-03-30, account: A3")
    assert run(forbear, ["test", str(folder), "--coverage"]) == FINDINGS
    out = capsys.readouterr().out
    assert "7 of 7 rules fire in a case, 41 of 42 threshold changes are noticed" in out
    assert "unnoticed: rule `document-used-for-new-accounts`" in out


def test_each_failed_expectation_of_a_timeline_is_told_with_its_place_and_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(tmp_path, "collections", "notify(sms, reminder)", "notify(sms, another)")
    path = folder / "cases.yaml"
    number, line = next(
        (number, line)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "notify(sms, another)" in line
    )
    assert run(forbear, ["test", str(folder), "--format", "json"]) == FINDINGS
    (failed,) = json.loads(capsys.readouterr().out)["files"][0]["failed"]
    (wrong,) = failed["expectations"]
    column = line.index("[") + 1
    assert (wrong["file"], wrong["line"], wrong["column"]) == (str(path), number, column)
    assert (failed["column"], wrong["read"]) == (11, line.strip())
    assert wrong["what"].endswith(": do")
    assert "notify(sms, another)" in wrong["expected"][0]
    assert "notify(sms, reminder)" in wrong["got"][0]
    assert failed["story"][0]["at"].endswith("+08:00")
    assert run(forbear, ["test", str(folder)]) == FINDINGS
    out = capsys.readouterr().out
    assert f"({path}:{number}:{column})" in out
    assert f"    {number} | {line.rstrip()}"[:60] in out


def test_a_currency_is_treated_by_the_policy_of_a_folder_beside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(tmp_path, "collections", "currency: CNY", "currency: USD", "policy.yaml")
    text = (folder / "policy.yaml").read_text(encoding="utf-8")
    (folder / "policy.yaml").write_text(text.replace("consumer-collections", "travel"), encoding="utf-8")
    (folder / "cases.yaml").unlink()
    folder.rename(folder.parent / "travel")
    shutil.copytree(POLICIES / "collections", folder)
    bill = "amount: 300.00, due: 2026-01-25"
    case = f"""  - case: Two currencies
    history:
      - {{on: 2026-01-05, bill: B1, {bill}}}
      - {{on: 2026-01-05, bill: U1, {bill}, currency: USD}}
    expect:
      - {{on: 2026-01-29, reached: reminder}}
      - {{on: 2026-01-29, currency: USD, reached: reminder}}
"""
    top = "policy: consumer-collections\ncurrencies: {USD: travel}\ncases:\n"
    (folder / "cases.yaml").write_text(top + case, encoding="utf-8")
    assert run(forbear, ["test", str(folder)]) == OK, capsys.readouterr().out
