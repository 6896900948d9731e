"""Calendars: what they say, and that a year they do not know is an error and never a working day."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from engine.workdays import DayNotCovered, load_calendar
from tests.engine.ladder.world import calendar
from tests.update_expected import BAD, calendar_message

GOOD = """calendar: XX
source: a test
years: [2026]
holidays:
  2026-10-01: National Day
working:
  2026-10-10: made up
"""


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 2, 13), True),
        (date(2026, 2, 14), True),  # a Saturday that is made up for
        (date(2026, 2, 15), False),  # a Sunday
        (date(2026, 2, 16), False),  # Spring Festival
        (date(2026, 2, 23), False),
        (date(2026, 2, 24), True),
        (date(2026, 2, 28), True),  # a Saturday that is made up for
        (date(2026, 10, 7), False),
        (date(2026, 10, 10), True),
    ],
)
def test_the_chinese_calendar_knows_festivals_and_days_made_up(day: date, worked: bool) -> None:
    assert calendar().is_working(day) is worked


def test_the_next_working_day_is_the_day_itself_or_later() -> None:
    assert calendar().next_working(date(2026, 2, 13)) == date(2026, 2, 13)
    assert calendar().next_working(date(2026, 2, 15)) == date(2026, 2, 24)


def test_a_year_that_is_not_covered_is_an_error() -> None:
    with pytest.raises(DayNotCovered, match="says nothing about 2029"):
        calendar().is_working(date(2029, 1, 2))


def test_the_year_without_an_announcement_is_said_to_be_provisional() -> None:
    assert calendar().provisional == (2027,)
    assert calendar("TW").provisional == ()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("2026-10-10: made up", "2026-10-09: made up", "not-a-weekend"),
        ("2026-10-01: National Day", "2026-10-10: National Day", "holiday-worked"),
        ("years: [2026]", "years: [2025]", "year-not-covered"),
        ("2026-10-01: N", "2026-10-32: N", "no-such-day"),
        ("source: a test\n", "", "missing-key"),
    ],
)
def test_a_calendar_that_cannot_be_read_says_where(old: str, new: str, code: str) -> None:
    assert old in GOOD
    loaded = load_calendar(GOOD.replace(old, new).encode(), "XX.yaml")
    assert loaded.policy is None
    assert code in [problem.code for problem in loaded.problems]


@pytest.mark.parametrize("folder", sorted(BAD.glob("calendar-*")), ids=lambda folder: folder.name)
def test_each_broken_calendar_gets_the_expected_message(folder: Path) -> None:
    assert calendar_message(folder) == (folder / "expected.txt").read_text(encoding="utf-8")


def test_a_year_that_is_left_out_is_told_once_with_all_its_days() -> None:
    text = Path("policies/calendars/US.yaml").read_text(encoding="utf-8")
    left_out = re.sub(r"^years: .*$", "years: [2024, 2025, 2028]", text, flags=re.M)
    (problem,) = load_calendar(left_out.encode(), "US.yaml").problems
    assert re.search(r"2026 \(1[0-9] days\), 2027 \(1[0-9] days\)$", problem.message)
    assert problem.advice.startswith("write `[2024, 2025, 2026, 2027, 2028]`")


def test_a_good_calendar_is_read() -> None:
    loaded = load_calendar(GOOD.encode(), "XX.yaml")
    assert loaded.policy is not None
    assert loaded.policy.holidays == {date(2026, 10, 1)}
