"""A proposal that a person skips is declined, whoever confirms it later."""

from __future__ import annotations

from datetime import date

import pytest

from engine.ladder.simulate import Event, Played, Reply
from tests.engine.ladder.test_rules import BILL, act, last, said
from tests.engine.ladder.world import local, played
from tests.engine.ledger.making import entry

KEY = entry("fact", "2026-01-01", id="F1", name="segment", value="key")


def notes(found: Played) -> list[str]:
    return [note for look in found.looks for note in look.step.trace.notes]


def test_a_skip_declines_what_was_proposed_and_a_later_confirm_does_nothing_and_is_told() -> None:
    found = played(
        [BILL, KEY, act("03-27", "skip", "bar"), act("04-15", "confirm", "bar")], date(2026, 6, 30)
    )
    assert said(found, "2026-03-20") == ["03-26 bar approve(bar)"]
    assert last(found).step.taken.level == "open"
    assert "anna declined `bar`: because" in notes(found)
    assert "anna approved `bar` too late: a person had declined it" in notes(found)


def test_a_skip_declines_what_was_approved_and_waits() -> None:
    # 28 March is a Saturday: the bar that is approved on Friday evening waits for Monday.
    acts = [act("03-27", "confirm", "bar", "17:00"), act("03-28", "skip", "bar")]
    found = played([BILL, KEY, *acts], date(2026, 6, 30))
    assert said(found, "2026-03-20") == ["03-26 bar approve(bar)"]


def test_a_receipt_does_not_approve_what_a_person_has_skipped() -> None:
    late = Event(local("04-15"), "", reply=Reply("bar approve(bar)", "done"))
    found = played([BILL, KEY, act("03-27", "skip", "bar")], date(2026, 6, 30), more=(late,))
    assert said(found, "2026-03-20") == ["03-26 bar approve(bar)"]


@pytest.mark.parametrize(("skipped", "again"), [("08-01", "10-30"), ("12-01", "")])
def test_a_write_off_that_is_skipped_is_asked_for_again_after_90_days(skipped: str, again: str) -> None:
    small = entry("payment", "2026-02-01", id="P1", amount="270.00")
    found = played([BILL, small, act(skipped, "skip", "small_balance")], date(2026, 12, 31))
    asked = [line for line in said(found) if "approve" in line]
    assert asked == ["07-24 small_balance approve(small_write_off)"] + [
        f"{again} small_balance/2 approve(small_write_off)" for _ in again[:1]
    ]
