"""Notices that lapse between runs: told where the run comes too late, not where they lapse by design."""

from __future__ import annotations

import pytest

from engine.ladder import check_days, no_law
from engine.workdays import no_calendar
from tests.engine.ladder.test_walked import bare, case

Change = tuple[str, str]
LONG = ("reminder     | P7D  |", "reminder     | P30D |")


def valid(text: str) -> Change:
    return ("valid: P90D", f"valid: {text}")


def told(*replaced: Change) -> list[tuple[str, str, str]]:
    """Return severity, step and advice of each notice that lapses."""
    found = check_days(bare(*replaced), no_law(), no_calendar())
    lapses = [problem for problem in found if problem.code == "notice-lapses"]
    return [(p.severity.value, p.message.split("`")[3], p.advice.split("`")[1]) for p in lapses]


END = case("runs: month_end")


@pytest.mark.parametrize(
    ("replaced", "lapses"),
    [
        # `small_balance` comes 180 days after a reminder: no run is late for it.
        ((END, valid("P30D")),
         [("warning", "final_notice", "valid: P31D"), ("warning", "bar", "valid: P31D")]),
        ((END, valid("P31D")), []),
        ((END, valid("P20D")),
         [("error", "final_notice", "valid: P31D"), ("error", "bar", "valid: P31D")]),
        # A wait that is over just after a run is taken up by the next one.
        ((END, LONG, valid("P31D")), [("warning", "final_notice", "valid: P60D")]),
        ((END, LONG, valid("P59D")), [("warning", "final_notice", "valid: P60D")]),
        ((END, LONG, valid("P60D")), []),
        ((valid("P10D"),), []),
    ],
)  # fmt: skip
def test_a_notice_has_to_be_valid_until_the_run_that_takes_the_next_step(
    replaced: tuple[Change, ...], lapses: list[tuple[str, str, str]]
) -> None:
    assert told(*replaced) == lapses
