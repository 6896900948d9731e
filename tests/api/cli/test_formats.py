"""What build servers and code hosts read."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree  # our own text is read

import pytest

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, run
from api.cli.junit import to_junit
from api.cli.test_command import Tested as Outcome

POLICIES = Path(__file__).parents[3] / "policies"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(POLICIES / "consumer-credit", tmp_path / "a b")
    monkeypatch.chdir(tmp_path)
    return Path("a b")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_sarif_names_rule_place_line_and_advice(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder / "policy.yaml", "| [500..560) || B", "| [500..570) || B")
    assert run(forbear, ["check", str(folder), "--format", "sarif"]) == FINDINGS
    log = json.loads(capsys.readouterr().out)
    assert log["version"] == "2.1.0"
    (sarif,) = log["runs"]
    results = [result for result in sarif["results"] if result["level"] == "error"]
    (result,) = results
    assert sarif["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "rows-overlap"
    assert "both match" in result["message"]["text"]
    assert "Advice: narrow one of the two" in result["message"]["text"]
    (place,) = result["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/policy.yaml"
    assert place["logicalLocations"] == [{"name": "row 3"}]
    region = place["physicalLocation"]["region"]
    lines = (folder / "policy.yaml").read_text(encoding="utf-8").splitlines()
    assert region["snippet"]["text"] == lines[region["startLine"] - 1]
    assert region["snippet"]["text"][region["startColumn"] - 1 : region["endColumn"] - 1].startswith("| 0")
    assert result["relatedLocations"][0]["message"]["text"] == "row 2 stands here"


def test_sarif_of_good_policies_has_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["check", str(POLICIES / "portfolio.yaml"), "--format", "sarif"]) == OK
    assert json.loads(capsys.readouterr().out)["runs"][0]["results"] == []


def test_junit_has_a_suite_a_file_and_a_test_a_case(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder / "cases.yaml", "grade: A", "grade: D")
    assert run(forbear, ["test", str(folder), "--format", "junit"]) == FINDINGS
    root = ElementTree.fromstring(capsys.readouterr().out.encode())
    (suite,) = root
    assert suite.get("name") == "a b/cases.yaml"
    assert suite.get("failures") == root.get("failures") == "1"
    assert suite.get("tests") == str(len(list(suite)))
    (failed,) = [case for case in suite if len(case)]
    assert failed.get("line", "").isdigit()
    assert failed[0].get("message") == "grade: expected D, got A"


def test_junit_tells_a_policy_that_cannot_be_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder / "policy.yaml", "tenure_months: {", "tenure_mnths: {")
    assert run(forbear, ["test", str(folder), "--format", "junit"]) == FINDINGS
    root = ElementTree.fromstring(capsys.readouterr().out.encode())
    assert int(root.get("errors", "0")) >= 1
    assert "tenure_months" in str(root.find(".//error").get("message"))  # type: ignore[union-attr]  # it is there


def test_junit_holds_any_sentence() -> None:
    failed = {"case": 'a <"b"> & \x00 等\n', "file": "f", "line": 3, "why": ["x < 1", "\ud800"]}
    text = to_junit([Outcome(Path("c.yaml"), ("it's ]]> fine",), (failed,))])
    cases = list(ElementTree.fromstring(text.encode())[0])
    assert [case.get("name") for case in cases] == ["it's ]]> fine", 'a <"b"> & ? 等\n']
