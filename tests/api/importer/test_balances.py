"""The operator's own balances against the ledger as it stands, and positions over the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.position_command import command as position
from api.cli.reconcile_command import command as reconciled
from api.importer.balances import load_balances
from api.wiring import Wiring
from tests.api.rest.conftest import listening
from tests.api.scenes import add_parties, bill, local, pay

HEAD = "account,currency,open,not_due,days_1_30,overdue,credit\n"
AGREES = (
    "A1,CNY,80.00,0,80.00,80.00,0\n"
    "A2,CNY,50.00,50.00,,0,\n"
    "A3,CNY,,,,,5.00\n"
    "E1,EUR,7.00,,,,\n"
    ",CNY,130.00,,,80.00,5.00\n"
    ",EUR,7.00,,,,\n"
)


@pytest.fixture
def world(lite: Wiring) -> Wiring:
    """Four accounts in two currencies, one with a payment that became known late."""
    add_parties(lite, "A1", "A2", "A3", "A4")
    add_parties(lite, "E1", currency="EUR")
    bill(lite, "A1", local("2026-03-01 10:00"), "B1", "2026-03-18", "100.00")
    bill(lite, "A2", local("2026-03-01 10:00"), "B1", "2026-04-18", "50.00")
    bill(lite, "E1", local("2026-03-01 10:00"), "B1", "2026-04-18", "7.00")
    pay(lite, "A3", local("2026-03-05 10:00"), "P1", "5.00")
    pay(lite, "A1", local("2026-03-20 10:00"), "P1", "20.00")
    pay(lite, "A1", local("2026-04-02 10:00"), "P2", "80.00")
    return lite


def run(world: Wiring, tmp_path: Path, text: str, *more: str) -> tuple[int, str]:
    file = tmp_path / "balances.csv"
    file.write_text(HEAD + text)
    with listening(world) as url:
        asked = [str(file), "--url", url, "--data", str(world.directory.path), *more]
        found = CliRunner().invoke(reconciled, asked, standalone_mode=False)
    if found.exception:
        return -1, str(found.exception)
    return found.return_value, found.output


def test_what_agrees_agrees_as_of_a_day(world: Wiring, tmp_path: Path) -> None:
    code, told = run(
        world, tmp_path, AGREES, "--as-of", "2026-03-31", "--known-at", "2026-04-05T00:00:00+08:00"
    )
    assert (code, told.splitlines()[-1].partition(": ")[2]) == (0, "5 accounts, 14 figures agree; agrees.")


def test_differences_are_listed_account_by_account(world: Wiring, tmp_path: Path) -> None:
    wrong = "A1,CNY,100.00,,,100.00,\nA2,CNY,50.00,,,,\nZ9,CNY,3.00,,,,\n,CNY,153.00,,,,\n"
    code, told = run(
        world, tmp_path, wrong, "--as-of", "2026-03-31", "--known-at", "2026-04-05T00:00:00+08:00"
    )
    assert code == 1
    assert told.splitlines()[:6] == [
        "total CNY: open 130.00 of 153.00, differs by -23.00 (line 5)",
        "account A1 CNY: open 80.00 of 100.00, differs by -20.00 (line 2)",
        "account A1 CNY: overdue 80.00 of 100.00, differs by -20.00 (line 2)",
        "account A3 CNY: credit 5.00 here, not in the control",
        "account Z9 CNY: open 3.00 in the control, not here (line 4)",
        "account E1 EUR: open 7.00 here, not in the control",
    ]


def test_as_known_then_the_later_payment_is_not_there(world: Wiring, tmp_path: Path) -> None:
    then = ("--as-of", "2026-04-02", "--known-at", "2026-04-01T12:00:00+08:00", "--format", "json")
    code, told = run(world, tmp_path, "A1,CNY,80.00,,,,\n", *then)
    said = json.loads(told)
    assert said["totals"]["CNY"]["open"] == "130.00"
    assert [one["account"] for one in said["differences"]] == ["A2", "A3", "E1"]
    code, told = run(world, tmp_path, ",CNY,50.00,,,,\n", "--as-of", "2026-04-02")
    assert code == 0, told


def test_a_position_over_the_command_line(world: Wiring) -> None:
    with listening(world) as url:
        asked = ["A1", "--url", url, "--data", str(world.directory.path), "--as-of", "2026-03-31"]
        then = [*asked, "--known-at", "2026-03-31T12:00:00+08:00", "--format", "json"]
        told = CliRunner().invoke(position, asked, standalone_mode=False).output
        said = json.loads(CliRunner().invoke(position, then, standalone_mode=False).output)
        missing = CliRunner().invoke(position, ["ZZ", *asked[1:]], standalone_mode=False)
    assert told.splitlines()[1] == "open 80.00 CNY, overdue 80.00, disputed 0, credit 0.00, deposit 0"
    assert "payment P1 of 2026-03-20: 20.00 pays B1 20.00" in told
    assert (said["open_amount"], said["version"]) == ("80.00", 3)
    assert "ZZ" in str(missing.exception)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("account,open\nA1,5\n", "missing-column"),
        ("account,currency\nA1,CNY\n", "missing-column"),
        ("account,currency,opne\nA1,CNY,5\n", "unknown-column"),
        ("account,currency,open,open\nA1,CNY,5,5\n", "column-twice"),
        ("account,currency,open\nA1,CNY,5 CNY\n", "not-a-number"),
        ("account,currency,open\nA1,,5\n", "missing-currency"),
        ("account,currency,open\nA1,CNY,1,205.00\n", "wrong-width"),
        ("account,currency,open\nA1,CNY,5\nA1,CNY,6\n", "stated-twice"),
        ("", "missing-column"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(text: str, code: str) -> None:
    problems = load_balances(text.encode(), "balances.csv").problems
    assert code in [problem.code for problem in problems]
    assert all(problem.advice for problem in problems)


def test_a_file_in_another_encoding_is_named() -> None:
    (problem,) = load_balances("account,currency,open\nÄ1,CNY,5\n".encode("latin-1"), "b.csv").problems
    assert (problem.code, problem.span.line) == ("not-utf-8", 2)
