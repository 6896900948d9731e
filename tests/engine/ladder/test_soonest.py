"""Bounds of a law pack against days as they come: neither refused for less than can happen, nor missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from engine.ladder import CollectionsPolicy, LawPack, check_law, no_law
from engine.ladder.lawful import _walked
from engine.ladder.soonest import without_calendar
from engine.text import Period
from engine.workdays import no_calendar
from tests.engine.ladder.paced import at_once, took
from tests.engine.ladder.world import changed, law

Change = tuple[str, str]
REMINDER, FINAL = "| reminder      | >= 3   |", "| final_notice  | >= 20  | >= 50.00  | reminder     | P7D  |"
BAR = "| bar           | >= 31  | >= 50.00  | final_notice | P7D  |"
ENDS = "| terminate     | >= 106 | >= 50.00  | suspend      | P61D |"


def told(policy: CollectionsPolicy, pack: LawPack | None = None) -> list[str]:
    """Return what of a policy breaks its law pack, its first words."""
    found = check_law(policy, pack or law(policy.regulation))
    return [problem.message.split(" (law pack")[0] for problem in found]


def runs(text: str) -> Change:
    return ("runs: daily", f"runs: {text}")


def reminder(day: int) -> Change:
    return (REMINDER, f"| reminder      | >= {day}   |")


def final(day: str, wait: str) -> Change:
    return (FINAL, FINAL.replace(">= 20 ", day).replace("P7D", wait))


def bar(day: str, wait: str = "P7D") -> Change:
    return (BAR, BAR.replace(">= 31 ", day).replace("P7D ", wait))


CUTS: list[tuple[tuple[Change, ...], int]] = [
    ((bar(">= 30 "),), 30),
    ((bar(">= 31 "),), 31),
    ((bar("-"),), 27),
    ((final(">= 24 ", "P7D"), bar("-")), 31),
    # From the first to the fifteenth of February and to the first of March are 28 days.
    ((runs("[1, 15]"), reminder(2), final("-", "P7D"), bar("-")), 30),
    ((runs("[1, 15]"), reminder(3), final("-", "P7D"), bar("-")), 31),
    ((runs("month_end"), reminder(3), final("-", "P7D"), bar("-")), 62),
    # A February from the reminder to the notice, and one step a day.
    ((reminder(1), final("-", "P1M"), bar("-", "-  ")), 30),
    ((reminder(2), final("-", "P1M"), bar("-", "-  ")), 31),
    ((bar("-", "end_of_month(due + P30D)"),), 30),
    ((bar("-", "end_of_month(due + P31D)"),), 31),
]


@pytest.mark.parametrize(("changes", "day"), CUTS)
def test_the_first_day_of_an_interruption_is_the_one_that_comes(
    changes: tuple[Change, ...], day: int
) -> None:
    by = changed("collections", **{str(n): change for n, change in enumerate(changes)})
    broken = f"`bar` can interrupt {day} days past due, which is not > 30"
    assert [text for text in told(by) if text.startswith("`bar`")] == ([broken] if day <= 30 else [])
    # The machine itself, with no law to stop it, interrupts on that day and on none before it.
    ladder = by.ladders["standard"]
    reach = _walked(by, no_law(), ladder, day).reach[ladder.by_step["bar"].index]
    due = date.fromordinal(reach.first.due)
    free = replace(without_calendar(by), regulation="none")
    found = took(free, no_law(), no_calendar(), due, at_once, days=day + 5)
    assert [on for step, on, _, _ in found if step == "bar"] == [day]
    assert reach.earliest == day


def test_a_cut_that_only_changing_debts_come_to_keeps_its_floor() -> None:
    small = (FINAL, FINAL.replace(">= 50.00", "< 50.00 "))  # the debt grows after the notice
    by = changed(one=small, two=bar("-"))
    assert "`bar` can interrupt 27 days past due, which is not > 30" in told(by)
    assert told(changed(one=small, two=bar(">= 31 "))) == []


def ends(wait: str, chase: str = "") -> tuple[Change, ...]:
    between = f"    | chase | - | - | suspend | {chase} || notify(letter, final_notice) | - |\n"
    row = ENDS.replace("P61D", wait).replace("suspend", "chase  " if chase else "suspend")
    return ((f"    {ENDS}", f"{between if chase else ''}    {row}"),)


TERMINATIONS: list[tuple[tuple[Change, ...], int]] = [
    (ends("P60D"), 60),
    (ends("P61D"), 61),
    (ends("P2M"), 59),
    (ends("P3M"), 89),
    # A step between is taken on a day of its own.
    (ends("-", "P59D"), 60),
    (ends("-", "P60D"), 61),
    # From a month's end to the next are 28 days at least.
    ((runs("month_end"), *ends("P15D", "P32D")), 60),
    ((runs("month_end"), *ends("P15D", "P33D")), 61),
    # However late the suspension comes: its own run is no part of the wait.
    ((runs("month_end"), *ends("P60D")), 60),
    (ends("due + P200D"), 0),
]


@pytest.mark.parametrize(("changes", "days"), TERMINATIONS)
def test_the_days_from_suspension_to_termination_are_the_fewest_that_come(
    changes: tuple[Change, ...], days: int
) -> None:
    by = changed("collections", **{str(n): change for n, change in enumerate(changes)})
    broken = f"`terminate` can terminate {days} days after suspension, which is not > 60"
    assert told(by) == ([broken] if days <= 60 else [])


WAIT = "| final      | P40D |"


@pytest.mark.parametrize(("wait", "days"), [("P20D", 37), ("P21D", 38), ("end_of_month(P20D)", 37)])
def test_a_cut_comes_only_when_the_time_to_answer_is_over(wait: str, days: int) -> None:
    by = changed("us-collections", one=(WAIT, WAIT.replace("P40D", wait)))
    broken = f"`restrict` can come {days} days after the notice `validation_notice`"
    assert told(by) == ([broken] if days <= 37 else [])


@pytest.mark.parametrize(("wait", "days"), [("P21D", 38), ("P22D", 39)])
def test_a_time_to_answer_in_months_counts_its_longest(wait: str, days: int) -> None:
    pack = law("us-reg-f")
    clauses = tuple(
        replace(clause, period=Period(1, 0)) if clause.rule == "validation" else clause
        for clause in pack.clauses
    )
    by = changed("us-collections", one=(WAIT, WAIT.replace("P40D", wait)))
    broken = f"`restrict` can come {days} days after the notice `validation_notice`"
    assert told(by, replace(pack, clauses=clauses)) == ([broken] if days <= 38 else [])
