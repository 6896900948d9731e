"""What goes on the shelf has shown that its cases hold, or says why that was not asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sqlmodel import select

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, USAGE, run
from api.cli.running import settings_for
from api.storage.tables import AuditRow, PolicyRow
from api.wiring import build

POLICIES = Path(__file__).parents[3] / "policies"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One shipped policy, with a case that does not hold."""
    copy = tmp_path / "policies" / "key-account-credit"
    shutil.copytree(POLICIES / "key-account-credit", copy)
    path = copy / "cases.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("grade: A", "grade: D", 1), encoding="utf-8")
    return copy.parent


def shelf(data: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """What is on the shelf, and what was kept of policies that went there untested."""
    wiring = build(settings_for(data))
    try:
        with wiring.database.read() as session:
            names = [row.name for row in session.exec(select(PolicyRow))]
            links = session.exec(select(AuditRow).where(AuditRow.kind == "publish_untested")).all()
        kept = [(link.subject, json.loads(wiring.shelf.text(link.digest))["reason"]) for link in links]
    finally:
        wiring.close()
    return names, kept


def test_a_policy_whose_case_does_not_hold_stays_off_the_shelf(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    assert run(forbear, ["publish", str(folder), "--data", str(data)]) == FINDINGS
    said = capsys.readouterr()
    assert "expected D" in said.err
    assert "Nothing was published: 1 case does not hold." in said.err
    assert not data.exists()


def test_why_the_cases_were_not_run_is_kept_and_chained(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    call = ["publish", str(folder), "--data", str(data), "--without-cases"]
    assert run(forbear, [*call, " "]) == USAGE
    assert run(forbear, [*call, "the case is being argued about"]) == OK
    told = (["key-account-credit"], [("credit/key-account-credit", "the case is being argued about")])
    assert shelf(data) == told
    assert run(forbear, [*call, "once more"]) == OK
    assert shelf(data) == told  # nothing was put there the second time


def test_a_policy_whose_cases_hold_is_published(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(POLICIES / "key-account-credit" / "cases.yaml", folder / "key-account-credit")
    assert run(forbear, ["publish", str(folder), "--data", str(tmp_path / "data")]) == OK
    assert "cases hold." in capsys.readouterr().out
    assert shelf(tmp_path / "data") == (["key-account-credit"], [])


def test_a_policy_with_an_error_is_not_tried(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "key-account-credit" / "policy.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("currency: CNY", "currency: RMB"), encoding="utf-8"
    )
    assert run(forbear, ["publish", str(folder), "--data", str(tmp_path / "data")]) == FINDINGS
    said = capsys.readouterr().err
    assert "not-a-currency" in said
    assert "1 policy could not be tried" in said
