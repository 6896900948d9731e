"""`forbear calendar build`: what the library knows becomes a text; what the operator knows stays in it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from api.cli import main
from engine.workdays import Calendar, load_calendar

SHIPPED = Path(__file__).parents[3] / "policies" / "calendars"
OVERRIDES = """# by the operator
overrides:
  2027-02-11: {holiday: day off by the notice}
  2027-02-20: {working: made up for 11 February}
  2027-10-05: {ordinary: no day off after all}
"""


def read(path: Path) -> Calendar:
    loaded = load_calendar(path.read_bytes(), str(path))
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


@pytest.mark.parametrize(("region", "years"), [("CN", "2023-2027"), ("US", "2024-2028")])
def test_the_shipped_calendars_are_what_the_library_says(tmp_path: Path, region: str, years: str) -> None:
    assert main(["calendar", "build", region, years, "--folder", str(tmp_path)]) == 0
    new, shipped = read(tmp_path / f"{region}.yaml"), read(SHIPPED / f"{region}.yaml")
    assert new.holidays == shipped.holidays
    assert new.working == shipped.working
    assert new.covers == shipped.covers
    assert new.provisional == shipped.provisional


def test_a_year_is_added_and_the_operators_days_win_and_stay(tmp_path: Path) -> None:
    path = tmp_path / "CN.yaml"
    assert main(["calendar", "build", "CN", "2026", "--folder", str(tmp_path)]) == 0
    assert read(path).covers == (2026,)
    assert main(["calendar", "build", "CN", "2027", "--folder", str(tmp_path)]) == 0
    path.write_text(path.read_text() + OVERRIDES)
    assert main(["calendar", "build", "CN", "2027", "--folder", str(tmp_path)]) == 0
    assert path.read_text().endswith(OVERRIDES)
    found = read(path)
    assert found.covers == (2026, 2027)
    assert not found.is_working(date(2027, 2, 11))
    assert found.is_working(date(2027, 2, 20))
    assert found.is_working(date(2027, 10, 5))
    assert found.is_working(date(2026, 2, 14)), "of the year that was there before"
    assert main(["calendar", "build", "CN", "2027", "--folder", str(tmp_path), "--check"]) == 0
    assert main(["calendar", "build", "CN", "2028", "--folder", str(tmp_path), "--check"]) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["XC", "2027"], 3, "knows no region `XC`"),
        (["DE-XX", "2027"], 3, "knows no region `DE-XX`"),
        (["CN", "27"], 2, "no year and no range"),
        (["CN", "2028-2027"], 2, "no year and no range"),
    ],
)
def test_what_cannot_be_built_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, told: str
) -> None:
    assert main(["calendar", "build", *arguments, "--folder", str(tmp_path)]) == code
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_calendar_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "CN.yaml").write_text("holidays: [\n")
    assert main(["calendar", "build", "CN", "2027", "--folder", str(tmp_path)]) == 3
    assert (tmp_path / "CN.yaml").read_text() == "holidays: [\n"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("  2029-01-01: {holiday: a day}", "year-not-covered"),
        ("  2027-01-05: {holliday: a day}", "unknown-key"),
        ("  2027-01-05: {holiday: a day, working: a day}", "override-unclear"),
        ("  2027-01-05: {}", "override-unclear"),
    ],
)
def test_overrides_that_say_nothing_clear_are_refused(line: str, code: str) -> None:
    text = f"calendar: XX\nsource: a test\nyears: [2027]\nholidays: {{}}\noverrides:\n{line}\n"
    assert code in [problem.code for problem in load_calendar(text.encode(), "XX.yaml").problems]
