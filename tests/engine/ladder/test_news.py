"""News of payments: nothing severe without it, and no polling for it."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from engine.ladder.simulate import Event, Played, Reply, Scenario, play, show
from engine.ledger import Entry
from tests.engine.ladder.world import calendar, evening, law, local, played, policy, told
from tests.engine.ledger.making import TERMS, entry

BILL = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="300.00")


def feed(on: str, complete_to: str) -> Entry:
    return entry("feed", on, id=on, complete_to=f"{complete_to}:00+08:00").model_copy(
        update={"received_at": local(on, "10:00")}
    )


def silent(entries: list[Entry], end: date) -> Played:
    return play(policy(), law(), calendar(), Scenario(TERMS, told(entries), evening(end), fresh=False))


def asked(found: Played) -> list[str]:
    return [f"{look.at:%m-%d} {show(a)}" for look in found.looks for a in look.step.actions]


def test_a_case_that_waits_for_news_looks_daily_at_first_and_then_once_a_week() -> None:
    found = silent([BILL, feed("02-13", "2026-02-12T23:59")], date(2027, 2, 13))
    days = sorted({look.at.date() for look in found.looks if look.at.date() > date(2026, 2, 13)})
    assert {line.split()[1].partition("/")[0] for line in asked(found)} == {"reminder"}
    assert 50 <= len(days) <= 60
    gaps = [(after - before).days for before, after in pairwise(days)]
    assert gaps[:3] == [1, 1, 1]
    assert gaps.count(7) >= 45


def test_the_first_news_lets_the_case_go_on_at_once() -> None:
    found = silent([BILL, feed("03-20", "2026-03-20T09:30")], date(2026, 3, 20))
    assert asked(found)[-1] == "03-20 final_notice notify(letter, final_notice)"


@pytest.mark.parametrize(
    ("complete_to", "goes"),
    [("2026-02-13T09:00", True), ("2026-02-13T08:59", False), ("2026-02-14T08:00", True)],
)
def test_news_may_be_a_day_old_to_the_minute(complete_to: str, goes: bool) -> None:
    found = silent([BILL, feed("02-13", complete_to)], date(2026, 2, 14))
    assert ("02-14 final_notice notify(letter, final_notice)" in asked(found)) is goes


def test_an_approval_given_before_it_was_asked_for_is_not_heard() -> None:
    key = entry("fact", "2026-01-01", id="F", name="segment", value="key")
    early = entry("act", "2026-02-10", id="A", act="confirm", step="bar", actor="anna", reason="too soon")
    found = played([BILL, key, early], date(2026, 6, 30))
    assert [line for line in asked(found) if "bar" in line] == ["03-26 bar approve(bar)"]


def test_a_row_that_only_asks_for_approval_is_done_when_it_is_given() -> None:
    yes = Event(local("03-26", "12:00"), "", reply=Reply("bar approve(bar)", "done"))
    key = entry("fact", "2026-01-01", id="F", name="segment", value="key")
    scenario = Scenario(TERMS, (*told([BILL, key]), yes), evening(date(2026, 3, 27)))
    found = play(policy(), law(), calendar(), scenario)
    rows = {row.step: row for row in found.looks[-1].step.taken.rows}
    assert rows["bar"].state == "done"
    assert rows["bar"].done_on == date(2026, 3, 26)
    # Day 75 is Friday 10 April, the eve of a weekend.
    assert found.looks[-1].step.wake_at == local("04-13")
