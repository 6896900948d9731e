import shutil
from pathlib import Path

import pytest

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, TROUBLE, run

ROOT = Path(__file__).parents[3]
POLICIES = ROOT / "policies"
DINNER = ROOT / "tests/engine/credit/dinner.dmn"


def test_a_policy_goes_out_and_comes_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "credit.dmn"
    assert run(forbear, ["dmn", "export", str(POLICIES / "consumer-credit"), str(out)]) == OK
    said = capsys.readouterr()
    assert "info[dmn-kept-aside]: the reasons of scorecard `score`" in said.err
    assert said.out.endswith(f"decisions of {POLICIES / 'consumer-credit' / 'policy.yaml'}.\n")
    assert run(forbear, ["dmn", "export", str(POLICIES / "consumer-credit"), str(out)]) == TROUBLE
    new = tmp_path / "new"
    assert run(forbear, ["dmn", "import", str(out), str(new)]) == OK
    assert run(forbear, ["check", str(new)]) == OK
    assert run(forbear, ["fmt", str(new), "--check"]) == OK
    assert run(forbear, ["dmn", "import", str(out), str(new), "--currency", "CNY"]) == TROUBLE


def test_a_model_of_another_tool_becomes_a_policy(tmp_path: Path) -> None:
    new = tmp_path / "dinner"
    assert run(forbear, ["dmn", "import", str(DINNER), str(new), "--currency", "EUR"]) == OK
    assert run(forbear, ["check", str(new)]) == OK


def test_what_cannot_be_carried_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "m.dmn"
    shutil.copy(DINNER, model)
    model.write_bytes(model.read_bytes().replace(b'hitPolicy="FIRST"', b'hitPolicy="PRIORITY"'))
    assert run(forbear, ["dmn", "import", str(model), str(tmp_path / "x"), "--currency", "EUR"]) == FINDINGS
    out = capsys.readouterr().out
    assert "error[dmn-not-carried]: a policy cannot carry the hit policy PRIORITY of `season`" in out
    assert out.endswith("Nothing was written.\n")
    assert not (tmp_path / "x").exists()


def test_a_collections_policy_is_no_dmn_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["dmn", "export", str(POLICIES / "collections"), str(tmp_path / "x.dmn")]) == TROUBLE
    assert "is no credit policy that can be used" in capsys.readouterr().err


def test_a_model_that_names_no_currency_needs_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["dmn", "import", str(DINNER), str(tmp_path / "dinner")]) == FINDINGS
    assert "give it: `--currency EUR`" in capsys.readouterr().out
