"""A portfolio by currency at the commands: check, test, publish, and the schema of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, TROUBLE, run
from engine.text import read_yaml
from tests.engine.schemas.validator import ALL, errors, plain

ROOT = Path(__file__).parents[3]
CASES = """policy: small-collections
cases:
  - case: Who owes in two currencies has two ladders
    history:
      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}
      - {on: 2026-01-05, bill: U1, amount: 3000, due: 2026-01-25, currency: JPY}
    expect:
      - {on: 2026-01-28, do: ["reminder notify(sms, reminder) 300.00"]}
      - {on: 2026-01-29, currency: JPY, do: ["reminder notify(sms, reminder) 3000"]}
      - {on: 2026-01-29, currency: JPY, overdue: 3000}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of policies: one in yuan, one in yen, and a portfolio that names both."""
    made = tmp_path / "policies"
    for name in ("regulations", "calendars"):
        shutil.copytree(ROOT / "policies" / name, made / name)
    shutil.copytree(ROOT / "fixtures" / "policies_good" / "collections-small", made / "small")
    shutil.copytree(made / "small", made / "yen")
    (made / "yen" / "cases.yaml").unlink(missing_ok=True)
    path = made / "yen" / "policy.yaml"
    text = path.read_text(encoding="utf-8").replace("small-coll", "yen-coll").replace(": CNY", ": JPY")
    for old, new in (("50.00", "1000"), ("20.00", "400"), ("5.00", "100"), ("0.01 half", "1 half")):
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    (made / "small" / "cases.yaml").write_text(CASES, encoding="utf-8")
    (made / "portfolio.yaml").write_text(
        "collections: {CNY: small-collections, JPY: yen-collections}\n", encoding="utf-8"
    )
    return made


def changed(folder: Path, old: str, new: str) -> Path:
    path = folder / "portfolio.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_a_portfolio_by_currency_is_checked_and_its_cases_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(forbear, ["check", str(folder / "portfolio.yaml")]) == OK
    assert run(forbear, ["test", str(folder)]) == OK
    assert "1 case holds, 0 do not." in capsys.readouterr().out


def test_without_a_line_for_the_currency_the_cases_say_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(folder, ", JPY: yen-collections", "")
    assert run(forbear, ["test", str(folder)]) == FINDINGS
    assert "amounts are stated in CNY here, and by no policy in JPY" in capsys.readouterr().out


def test_a_folder_is_published_whole_or_not_at_all(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(tmp_path / "data")]
    changed(folder, "JPY: yen", "USD: yen")
    assert run(forbear, ["publish", str(folder), "--without-cases", "they need yen", *data]) == TROUBLE
    told = capsys.readouterr()
    assert "`yen-collections` states amounts in JPY, not in USD" in told.err
    assert "portfolio.yaml:1:44" in told.err
    changed(folder, "USD: yen", "JPY: yen")
    assert run(forbear, ["publish", str(folder), *data]) == OK
    out = capsys.readouterr().out
    assert "there already" not in out
    assert "portfolio    portfolio" in out


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("collections: consumer-collections", True), ("collections: {CNY: a, USD: b}", True),
        ("collections: {}", False), ("collections: {usd: a}", False), ("collections: [a]", False),
        ("collections: {USD: A B}", False), ("collections: {USD: {policy: a}}", False),
    ],
)  # fmt: skip
def test_the_schema_knows_both_forms(text: str, fits: bool) -> None:
    node: Any = read_yaml(text.encode(), "portfolio.yaml").policy
    assert (list(errors(plain(node), ALL["portfolio"], "portfolio")) == []) is fits
