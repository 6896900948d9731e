"""The days of a ladder as they come: the machine itself attains both ends, and stays between them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ladder import CollectionsPolicy, worst_days
from engine.ladder.from_law import no_law
from engine.ladder.law import LawPack
from engine.ladder.plain import LATE, PROMPT
from engine.ladder.walked import Walked
from engine.workdays import Calendar, no_calendar
from tests.engine.ladder.paced import after, at_last, at_once, took
from tests.engine.ladder.test_graph import small
from tests.engine.ladder.world import calendar, changed, law, policy

CUTS = "interruptions: {window: 09:00-16:00, not_before: [weekend, holiday], calendar: CN, shift: later}\n"
BARE = (
    ("regulation: cn-telecom", "regulation: none"),
    (", caps: {message: 1 per P1D}", ""),
    (
        "interruptions: {window: 09:00-16:00, not_before: [weekend, holiday], calendar: CN, shift: later}\n",
        "",
    ),
)
OPEN = "  opens: overdue >= 20.00 and age >= 1\n"


def bare(*replaced: tuple[str, str]) -> CollectionsPolicy:
    return small(*BARE, *replaced)


def case(text: str) -> tuple[str, str]:
    return (OPEN, f"{OPEN}  {text}\n")


WORLDS: dict[str, tuple[CollectionsPolicy, LawPack, Calendar]] = {
    "daily": (bare(), no_law(), no_calendar()),
    "month_end": (bare(case("runs: month_end")), no_law(), no_calendar()),
    "dates": (bare(case("runs: [1, 15]")), no_law(), no_calendar()),
    "end_of_month": (bare(("| P7D  ", "| end_of_month(due + P30D) ")), no_law(), no_calendar()),
    "month": (bare(("| P7D  ", "| P1M ")), no_law(), no_calendar()),
    "entry": (bare(case("anchor: latest_due_date_at_entry")), no_law(), no_calendar()),
    "invoice": (bare(case("grain: invoice")), no_law(), no_calendar()),
    "instalment": (bare(case("grain: instalment")), no_law(), no_calendar()),
    "opens late": (bare(("age >= 1", "age >= 10")), no_law(), no_calendar()),
    "holidays": (policy(), law(), calendar()),
}


TABLES: dict[str, Walked] = {}


@pytest.mark.parametrize("world", WORLDS)
def test_both_ends_come(world: str) -> None:
    by, pack, days = WORLDS[world]
    ladder = next(iter(by.ladders.values()))
    walked = Walked(by, ladder, pack, days)
    wanted = [row.index for row in ladder.rows if row.step in ("final_notice", "suspend")]
    for index in wanted:
        reach = walked.reach[index]
        for day, witness in ((reach.earliest, reach.first), (reach.latest, reach.last)):
            if witness.course.filled or witness.pace not in (PROMPT, LATE):
                continue  # the contacts of others come from a test of their own
            due, answers = date.fromordinal(witness.due), at_last if witness.pace is LATE else at_once
            found = took(by, pack, days, due, answers, days=day + 5)
            assert (ladder.rows[index].step, day) in [(step, on) for step, on, _, _ in found]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(WORLDS)),
    st.integers(0, 700),
    st.lists(st.integers(0, 48), min_size=4, max_size=8),
    st.sampled_from(["40.00", "300.00"]),
)
def test_no_history_of_a_plain_debt_leaves_the_days(
    world: str, day: int, hours: list[int], amount: str
) -> None:
    by, pack, days = WORLDS[world]
    ladder = next(iter(by.ladders.values()))
    walked = TABLES.setdefault(world, Walked(by, ladder, pack, days))
    due, asked = date(2025, 1, 1) + timedelta(days=day), iter(hours * 20)
    found = took(
        by, pack, days, due, lambda _, at: after(at, timedelta(hours=next(asked))), amount=Decimal(amount),
        days=260,
    )  # fmt: skip
    for step, on, done, entry in found:
        reach = walked.reach[ladder.by_step[step].index]
        if entry == 1:
            assert reach.earliest <= on <= reach.latest, step
            assert done is None or done <= reach.done, step


def test_monthly_runs_are_walked_and_not_added_up() -> None:
    by, pack, days = WORLDS["month_end"]
    found = {one.step: one for one in worst_days(by, by.ladders["standard"], pack, days)}
    assert (found["suspend"].earliest, found["suspend"].latest) == (92, 125)
    assert found["suspend"].waits == ("the next run 30", "a receipt 2")


def test_a_case_that_opens_late_puts_off_every_step() -> None:
    by, pack, days = WORLDS["opens late"]
    first = worst_days(by, by.ladders["standard"], pack, days)[0]
    assert (first.earliest, first.latest) == (10, 10)


def test_a_policy_of_another_hour_keeps_its_days() -> None:
    late = changed(hour=('hour: "09:00"', 'hour: "11:00"'))
    days = [worst_days(by, by.ladders["standard"], law(), calendar()) for by in (policy(), late)]
    assert [one.latest for one in days[0]] == [one.latest for one in days[1]]
