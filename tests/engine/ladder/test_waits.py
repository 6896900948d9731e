"""Waits: since the step before, since the due date, and to the end of a month."""

from __future__ import annotations

from datetime import date

import pytest

from engine.ladder import check_law
from engine.ladder.simulate import show
from engine.ladder.waits import parse_wait, ready_on, shortest, shortest_since_due
from engine.ledger import Entry
from tests.engine.ladder.world import changed, law, played
from tests.engine.ledger.making import ZONE, entry

BAR = "| bar           | >= 31  | >= 50.00  | final_notice | P7D  |"


@pytest.mark.parametrize(
    ("text", "done", "ready"),
    [
        ("P7D", "2026-02-14", "2026-02-21"),
        ("P1M", "2026-01-31", "2026-02-28"),
        ("end_of_month(P7D)", "2026-02-14", "2026-02-28"),
        ("end_of_month(P14D)", "2026-02-14", "2026-02-28"),
        ("end_of_month(P15D)", "2026-02-14", "2026-03-31"),
        ("end_of_month(P0D)", "2024-02-14", "2024-02-29"),
        ("due + P30D", "2026-02-14", "2026-02-24"),
        ("due + P10D", "2026-02-14", "2026-02-14"),  # not before the step that it follows
        ("end_of_month(due + P30D)", "2026-02-14", "2026-02-28"),
        ("end_of_month( due+P1M )", "2026-02-14", "2026-02-28"),
    ],
)
def test_a_row_is_ready_when_its_wait_is_over(text: str, done: str, ready: str) -> None:
    wait = parse_wait(text)
    assert wait is not None
    found = ready_on(
        wait, date.fromisoformat(done), date(2026, 1, 25) if done[3] == "6" else date(2024, 1, 25)
    )
    assert found == date.fromisoformat(ready)


@pytest.mark.parametrize(
    "text", ["", "7", "end_of_month", "end_of_month(P7D", "P7D)", "due", "due + 7", "month_end(P7D)", "PP"]
)
def test_what_is_no_wait_is_none(text: str) -> None:
    assert parse_wait(text) is None


def test_a_wait_is_shown_as_it_is_written() -> None:
    for text in ("P7D", "due + P30D", "end_of_month(P1M)", "end_of_month(due + P30D)"):
        assert str(parse_wait(text)) == text


def test_the_law_counts_the_fewest_days_of_a_wait() -> None:
    since_due, plain = parse_wait("end_of_month(due + P1M)"), parse_wait("end_of_month(P61D)")
    assert since_due is not None
    assert plain is not None
    assert (shortest(since_due), shortest_since_due(since_due)) == (0, 28)
    assert (shortest(plain), shortest_since_due(plain)) == (61, 0)
    row = ("| suspend      | P61D |", "| suspend      | due + P200D |")
    broken = check_law(changed(terminate=row), law())
    assert [problem.code for problem in broken] == ["breaks-law"]
    assert "can terminate 0 days after suspension" in broken[0].message


BILL = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="300.00")


def barred(wait: str, *more: Entry) -> list[str]:
    by = changed(bar=(BAR, BAR.replace("P7D ", wait)))
    found = played([BILL, *more], date(2026, 5, 31), by)
    return [
        f"{look.at.astimezone(ZONE):%m-%d}"
        for look in found.looks
        for action in look.step.actions
        if show(action).startswith("bar service")
    ]


def test_a_bar_waits_for_the_end_of_a_month_and_the_notice_says_so() -> None:
    assert barred("P7D") == ["02-25"]
    # 28 February is a Saturday; the first day that is no eve of a weekend is Monday.
    assert barred("end_of_month(P7D)") == ["03-02"]
    assert barred("end_of_month(P15D)") == ["03-31"]
    assert barred("end_of_month(due + P1M)") == ["03-02"]
    assert barred("end_of_month(due + P40D)") == ["03-31"]
    by = changed(bar=(BAR, BAR.replace("P7D ", "end_of_month(due + P40D)")))
    notice = [a for k in played([BILL], date(2026, 3, 1), by).looks for a in k.step.actions if a.figures][-1]
    assert (notice.figures["next_step"], notice.figures["last_day"]) == ("bar", "2026-03-30")


def test_a_wait_since_the_due_date_follows_the_debt_that_is_oldest() -> None:
    younger = entry("bill", "2026-02-05", id="B2", due="2026-02-10", amount="300.00")
    paid = entry("payment", "2026-02-20", id="P1", amount="300.00")
    assert barred("due + P45D") == ["03-11"]
    # B2 is the oldest debt from 20 February on: its 45 days are over on 27 March, the eve of a weekend.
    assert barred("due + P45D", younger, paid) == ["03-30"]


def test_a_row_that_has_nothing_to_do_uses_up_no_run() -> None:
    monthly = changed(runs=("runs: daily", "runs: month_end"))
    found = played([BILL], date(2026, 9, 30), monthly)  # there is no deposit to set off
    asked = [f"{look.at.astimezone(ZONE):%m-%d} {show(a)}" for look in found.looks for a in look.step.actions]
    rows = {row.step: row.requested_on for row in found.looks[-1].step.taken.rows}
    assert rows["set_off"] == date(2026, 7, 31)
    assert "08-03 terminate service(terminated)" in asked  # the run of 31 July, the eve of a weekend
