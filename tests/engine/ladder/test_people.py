"""People act on what is proposed, on notices that are sent again, and on what stands already."""

from __future__ import annotations

from datetime import date

import pytest

from engine.ladder.simulate import Event, Played, Reply, Scenario, play
from engine.ledger import Entry
from tests.engine.ladder.test_rules import BILL, act, last, said
from tests.engine.ladder.world import calendar, changed, evening, law, local, played, told
from tests.engine.ledger.making import TERMS, entry

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


# a notice that was sent, and is to be sent again for another bill

FIRST = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="100.00")
SECOND = entry("bill", "2026-02-01", id="B2", due="2026-02-20", amount="80.00")
THIRD = entry("bill", "2026-03-01", id="B3", due="2026-03-20", amount="70.00")
PAID = entry(
    "payment", "2026-04-20", id="P1", amount="100.00", pays=[{"bill": "B1", "amount": "100.00"}]
)  # fmt: skip
AGAIN = "notify(letter, final_notice)"
DRAFTED = (
    "|| notify(letter, final_notice)        | -              |\n    | bar",
    "|| approve(f), notify(letter, final_notice) | -              |\n    | bar",
)


def notices(found: Played) -> list[str]:
    """Return the final notices asked for after the first, with the bills that each names."""
    return [
        f"{look.at:%m-%d} {action.step}/{action.key.split('/')[-3]} {action.do} {','.join(action.debts)}"
        for look in found.looks
        for action in look.step.actions
        if action.step == "final_notice" and look.at > local("02-16")
    ]


def test_a_notice_cannot_be_skipped_where_a_call_lies_between_it_and_the_cut() -> None:
    row = "    | bar           | >= 31  | >= 50.00  | final_notice | P7D  ||"
    call = "    | call | >= 25 | >= 50.00 | final_notice | P1D || task(call_customer) | - |\n"
    by = changed(row=(row, call + row.replace("final_notice", "call        ")))
    found = played([FIRST, act("02-10", "skip", "final_notice")], date(2026, 2, 28), by)
    assert said(found, "2026-02-10") == [
        "02-14 final_notice notify(letter, final_notice)", "02-19 call task(call_customer)",
        "02-26 bar service(outgoing_barred)",
    ]  # fmt: skip


@pytest.mark.parametrize(("on", "clock"), [("03-11", "12:00"), ("03-12", "08:30"), ("02-20", "10:00")])
def test_a_skip_is_heard_when_the_notice_is_to_be_sent_again(on: str, clock: str) -> None:
    found = played([FIRST, SECOND, act(on, "skip", "final_notice", clock)], date(2026, 5, 30))
    assert notices(found) == []
    assert "`final_notice` is not sent again for B2" in notes(found)
    (ended,) = [
        a for look in found.looks for a in look.step.actions if a.do == "service" and a.step == "terminate"
    ]
    assert ended.debts == ("B1",)  # nothing is cut for what no notice has named


def test_a_skip_is_for_once_and_the_next_bill_is_told_with_all_that_is_past_due() -> None:
    found = played([FIRST, SECOND, THIRD, act("03-11", "skip", "final_notice")], date(2026, 4, 30))
    assert notices(found) == ["04-09 final_notice/3 notify B1,B2,B3"]


def test_nothing_is_cut_for_a_bill_whose_notice_was_skipped_until_it_was_told() -> None:
    found = played([FIRST, SECOND, act("03-11", "skip", "final_notice"), PAID], date(2026, 5, 31))
    assert [line for line in said(found, "2026-04-20") if "service" in line or "notify" in line] == [
        "04-20 undo suspend service(open)",
        "04-20 reminder/2 notify(sms, reminder)",
        "04-27 final_notice/3 notify(letter, final_notice)",
        "05-06 bar/2 service(outgoing_barred)",
        "05-13 suspend/2 service(suspended)",
    ]


def test_who_forces_a_notice_that_stands_has_it_sent_for_what_it_has_not_named() -> None:
    found = played([FIRST, SECOND, act("02-27", "force", "final_notice")], date(2026, 3, 31))
    assert notices(found) == ["02-27 final_notice/2 notify B1,B2"]
    look = next(look for look in found.looks if look.at == local("02-27", "10:00"))
    assert look.step.actions[0].figures["last_day"] == "2026-03-22"  # B2 has the age of a bar on the 23rd


def test_who_skips_and_then_forces_a_notice_has_it_sent() -> None:
    acts = [act("03-11", "skip", "final_notice"), act("03-20", "force", "final_notice")]
    assert notices(played([FIRST, SECOND, *acts], date(2026, 3, 31))) == ["03-20 final_notice/3 notify B1,B2"]


def test_while_the_ladder_is_stopped_no_notice_is_sent_again() -> None:
    acts = [act("03-11", "stop"), act("03-25", "resume")]
    assert notices(played([FIRST, SECOND, *acts], date(2026, 4, 30))) == ["03-25 final_notice/2 notify B1,B2"]


@pytest.mark.parametrize(
    ("day", "what", "asked"),
    [
        ("03-14", "confirm", ["03-12 final_notice/2 approve B1,B2", "03-14 final_notice/2 notify B1,B2"]),
        ("03-14", "skip", ["03-12 final_notice/2 approve B1,B2"]),
        ("03-10", "skip", []),
        ("03-10", "confirm", ["03-12 final_notice/2 approve B1,B2"]),  # nothing was proposed then
    ],
)
def test_a_notice_is_sent_again_only_when_a_person_has_confirmed_it(
    day: str, what: str, asked: list[str]
) -> None:
    acts = [act("02-15", "confirm", "final_notice"), act(day, what, "final_notice")]
    assert notices(played([FIRST, SECOND, *acts], date(2026, 4, 30), changed(draft=DRAFTED))) == asked


def test_a_step_that_is_forced_while_it_stands_is_not_taken_later_in_its_place() -> None:
    found = played([FIRST, SECOND, act("03-12", "force", "suspend"), _paid("03-30")], date(2026, 4, 30))
    assert "anna forced `suspend`, which stands: nothing is done twice" in notes(found)
    # B2 has the age of a suspension on 6 April, a holiday
    assert "04-07 suspend/2 service(suspended)" in said(found)


def test_a_cut_in_force_that_is_skipped_for_the_next_bill_ends_with_the_bill_that_it_stood_for() -> None:
    found = played([FIRST, SECOND, act("04-09", "skip", "suspend"), _paid("04-10")], date(2026, 6, 30))
    assert [line for line in said(found, "2026-04-09") if "service" in line] == [
        "04-10 undo suspend service(outgoing_barred)"
    ]
    assert last(found).step.taken.level == "outgoing_barred"
    assert [row.skipped for row in last(found).step.taken.rows if row.step == "suspend"] == [True]


def _paid(on: str) -> Entry:
    return PAID.model_copy(update={"value_date": date.fromisoformat(f"2026-{on}"), "received_at": local(on)})


def test_a_notice_that_is_on_its_way_for_a_bill_is_not_sent_a_second_time_as_a_step() -> None:
    bare = changed(
        first=(
            "| reminder     | P7D  || notify(letter, final",
            "| -            | -    || notify(letter, final",
        ),
        never=("| reminder      | >= 3   | -  ", "| reminder      | >= 3   | < 1.00"),
    )
    words = ["final_notice notify(letter, final_notice)", "bar service(outgoing_barred)",
             "suspend service(suspended)", "final_notice/2 notify(letter, final_notice)"]  # fmt: skip
    days = ["02-14", "02-25", "03-11", "03-16"]
    replies = [
        Event(local(day, "10:00"), "", reply=Reply(word, "done"))
        for day, word in zip(days, words, strict=True)
    ]
    scenario = Scenario(
        TERMS, (*told([FIRST, SECOND, _paid("03-13")]), *replies), evening(date(2026, 3, 31)),
        receiver="explicit",
    )  # fmt: skip
    found = play(bare, law(), calendar(), scenario)
    assert [line for line in notices(found) if "notify" in line] == ["03-12 final_notice/2 notify B1,B2"]
    assert "03-23 bar/2 service(outgoing_barred)" in said(found)
