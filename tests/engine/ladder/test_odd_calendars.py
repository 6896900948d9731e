"""Cuts around weekend days that are worked, and around days of which the operator knows better."""

from __future__ import annotations

from datetime import date

import pytest

from engine.ladder import render_report, run_timelines
from engine.workdays import Calendar, load_calendar
from tests.engine.ladder.world import POLICIES, law, policy

TEXT = (POLICIES / "calendars" / "CN.yaml").read_text(encoding="utf-8")
BARRED = """policy: consumer-collections
cases:
  - case: A bar around a weekend that is worked
    history:
      - {{on: 2026-01-05, bill: B1, amount: 300.00, due: {due}}}
    expect:
      - {{on: {bar}, since: {first}, do: [bar service(outgoing_barred)]}}
"""


def with_days(*overrides: str) -> Calendar:
    """Return the shipped calendar, with what an operator says of some days."""
    said = "overrides:\n" + "".join(f"  {line}\n" for line in overrides) if overrides else ""
    loaded = load_calendar((TEXT + said).encode(), "CN.yaml")
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


ORDINARY = '2026-02-28: {ordinary: "the swap was called off"}'
SUNDAY = '2026-03-01: {working: "a second weekend day is made up"}'
MONDAY = '2026-03-02: {holiday: "a day of mourning"}'


@pytest.mark.parametrize(
    ("due", "overrides", "bar"),
    [
        # Saturday 28 February 2026 is worked for a day of the Spring Festival.
        ("2026-01-27", (), "2026-02-27"),  # so the Friday before is no eve of a weekend
        ("2026-01-28", (), "2026-03-02"),  # but the Saturday is one
        ("2026-01-27", (ORDINARY,), "2026-03-02"),
        ("2026-01-27", (ORDINARY, MONDAY), "2026-03-03"),
        ("2026-01-28", (SUNDAY,), "2026-02-28"),
        ("2026-01-28", (SUNDAY, MONDAY), "2026-02-28"),  # the Sunday that is worked is the eve of a holiday
        ("2026-01-29", (SUNDAY,), "2026-03-01"),
        ("2026-01-29", (SUNDAY, MONDAY), "2026-03-03"),
    ],
)
def test_a_cut_knows_weekend_days_that_are_worked_and_what_the_operator_says(
    due: str, overrides: tuple[str, ...], bar: str
) -> None:
    first = date.fromisoformat(due).toordinal() + 26
    text = BARRED.format(due=due, bar=bar, first=date.fromordinal(first))
    report = run_timelines(policy(), law(), with_days(*overrides), text.encode(), "cases.yaml")
    assert report.ok, render_report(report, {"cases.yaml": text})
