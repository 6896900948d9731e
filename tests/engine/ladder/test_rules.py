"""The rules of the ladder where a dated case says too little: what counts, what is refused, what waits."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.ladder import CollectionsPolicy, open_case, step
from engine.ladder.simulate import Event, Look, Played, Reply, Scenario, play, show
from engine.ladder.state import Position
from engine.ledger import Entry, Terms, position_at
from engine.workdays import no_calendar
from tests.engine.ladder.world import (
    before,
    calendar,
    changed,
    evening,
    law,
    local,
    played,
    policy,
    texts_of,
    told,
)
from tests.engine.ledger.making import TERMS, ZONE, entry

BILL = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="300.00")


def last(found: Played) -> Look:
    return found.looks[-1]


def said(found: Played, first: str = "2026-01-01") -> list[str]:
    """Return everything asked for from a day on, as `02-14 final_notice notify(...)`."""
    start = date.fromisoformat(first)
    return [
        f"{look.at.astimezone(ZONE):%m-%d} {show(action)}"
        for look in found.looks
        for action in look.step.actions
        if look.at.astimezone(ZONE).date() >= start
    ]


def act(on: str, what: str, step_: str = "", clock: str = "10:00") -> Entry:
    values: dict[str, Any] = {"act": what, "step": step_, "actor": "anna", "reason": "because"}
    found = entry("act", f"2026-{on}", id=f"{what}-{step_}-{on}", **values)
    return found.model_copy(update={"received_at": local(on, clock)})


# rule 2: notices


def test_waits_run_from_the_day_a_notice_was_delivered_not_from_when_it_was_asked_for() -> None:
    replies = (
        Event(local("01-28", "10:00"), "", reply=Reply("reminder notify(sms, reminder)", "done")),
        Event(local("02-20", "10:00"), "", reply=Reply("final_notice notify(letter, final_notice)", "done")),
    )
    scenario = Scenario(TERMS, (*told([BILL]), *replies), evening(date(2026, 2, 28)), receiver="explicit")
    found = play(policy(), law(), calendar(), scenario)
    # 20 February and seven days: Friday the 27th; the Saturday after it is worked, so it is no eve.
    assert said(found, "2026-02-15") == [
        "02-16 final_notice task(missing_receipt, notify.letter.final_notice, do)",
        "02-27 bar service(outgoing_barred)",
    ]


@pytest.mark.parametrize("status", ["failed", "suppressed", "expired"])
def test_a_notice_that_did_not_arrive_does_not_count_and_does_not_advance(status: Any) -> None:
    reply = Event(local("01-28", "10:00"), "", reply=Reply("reminder notify(sms, reminder)", status))
    scenario = Scenario(TERMS, (*told([BILL]), reply), evening(date(2026, 1, 29)), receiver="explicit")
    found = play(policy(), law(), calendar(), scenario)
    assert said(found) == ["01-28 reminder notify(sms, reminder)", "01-29 reminder/2 notify(sms, reminder)"]
    assert last(found).step.trace.reached == ""


def test_a_notice_names_every_debt_past_due_and_only_those() -> None:
    second = entry("bill", "2026-01-10", id="B2", due="2026-02-10", amount="100.00")
    third = entry("bill", "2026-01-10", id="B3", due="2026-02-14", amount="100.00")
    found = played([BILL, second, third], date(2026, 2, 14))
    notice = before(found, "final_notice notify(letter, final_notice)").step.actions[0]
    assert notice.debts == ("B1", "B2")
    assert notice.amount == Decimal("400.00")
    assert (notice.figures["next_due"], notice.figures["next_due_amount"]) == ("2026-02-14", "100.00")


def test_a_late_check_may_jump_over_what_no_later_row_requires() -> None:
    ladder = ("| set_off       | >= 90  |", "| set_off       | >= 45  |")
    jumping = changed(late=("when_late: step_by_step", "when_late: jump"), early=ladder)
    stepping = changed(early=ladder)
    for by, rows in ((stepping, ["set_off", "terminate"]), (jumping, ["terminate"])):
        # The ladder stands at `suspend` when nobody looks for two months; its notices lapse and are repeated.
        scenario = Scenario(
            TERMS,
            told([BILL]),
            evening(date(2026, 6, 18)),
            outages=((local("03-11", "10:00"), local("06-01")),),
        )
        found = play(by, law(), calendar(), scenario)
        taken = [row.step for row in last(found).step.taken.rows]
        assert taken[:4] == ["reminder", "final_notice", "bar", "suspend"]
        assert taken[4 : 4 + len(rows)] == rows


def test_a_jump_never_leaves_out_a_notice_that_a_row_requires() -> None:
    jumping = changed(late=("when_late: step_by_step", "when_late: jump"))
    scenario = Scenario(
        TERMS, told([BILL]), evening(date(2026, 6, 2)), outages=((local("01-10"), local("06-01")),)
    )
    found = play(jumping, law(), calendar(), scenario)
    assert said(found) == ["06-01 reminder notify(sms, reminder)"]


# rule 3 and the shape of the debt


@pytest.mark.parametrize(
    ("anchor", "ages"),
    [
        ("oldest_due_date", 33),
        ("invoice_date", 53),
        ("entry_date", 32),
        ("latest_due_date_at_entry", 33),
    ],
)
def test_the_anchor_is_the_one_that_the_policy_names(anchor: str, ages: int) -> None:
    other = changed(anchor=("anchor: oldest_due_date", f"anchor: {anchor}"))
    found = played([BILL], date(2026, 2, 27), other, probes=(evening(date(2026, 2, 27)),))
    assert found.probed[evening(date(2026, 2, 27))].step.trace.age == ages


@pytest.mark.parametrize(("way", "age"), [("original", 26), ("event_date", 1)])
def test_a_bounced_payment_brings_the_bill_back_at_the_age_that_the_policy_says(way: str, age: int) -> None:
    other = changed(reopened=("chargeback: original", f"chargeback: {way}"))
    paid = entry("payment", "2026-01-20", id="P1", amount="300.00")
    back = entry("payment_returned", "2026-02-19", payment="P1")
    night = evening(date(2026, 2, 20))
    found = played([BILL, paid, back], date(2026, 2, 20), other, probes=(night,))
    assert found.probed[night].step.trace.age == age


def test_credit_notes_without_a_bill_count_or_not_as_the_policy_says() -> None:
    note = entry("credit_note", "2026-01-30", id="C1", amount="280.00")
    strict = changed(credits=("credits: net", "credits: allocated_only"))
    assert last(played([BILL, note], date(2026, 1, 30))).step.trace.overdue == Decimal("20.00")
    assert last(played([BILL, note], date(2026, 1, 30), strict)).step.trace.overdue == Decimal("300.00")


def test_small_rests_that_are_too_much_together_are_seen_to() -> None:
    bills = [
        entry("bill", f"2026-01-{n:02d}", id=f"B{n}", due=f"2026-01-{n + 10:02d}", amount="20.00")
        for n in range(1, 8)
    ]
    payments = [
        entry(
            "payment", "2026-01-20", id=f"P{n}", amount="19.01", pays=[{"bill": f"B{n}", "amount": "19.01"}]
        )
        for n in range(1, 8)
    ]
    found = played([*bills, *payments], date(2026, 7, 31))
    assert last(found).step.trace.overdue == Decimal("6.93")
    assert "small_balance approve(small_write_off)" in said(found, "2026-07-01")[-1]


@pytest.mark.parametrize(
    ("runs", "days"),
    [
        ("month_end", ["01-31 reminder", "02-28 final_notice"]),
        ("[1, 15]", ["02-01 reminder", "02-15 final_notice"]),
        ("[15, month_end]", ["01-31 reminder", "02-15 final_notice"]),
    ],
)
def test_a_ladder_goes_up_on_its_run_days_only(runs: str, days: list[str]) -> None:
    other = changed(runs=("runs: daily", f"runs: {runs}"))
    found = said(played([BILL], date(2026, 2, 28), other))
    assert [" ".join(line.split()[:2]) for line in found] == days


def test_down_waits_for_no_run_day() -> None:
    other = changed(runs=("runs: daily", "runs: month_end"))
    paid = entry("payment", "2026-02-11", id="P1", amount="300.00")
    assert last(played([BILL, paid], date(2026, 2, 12), other)).step.taken.ended == "cured"


# rule 7: entries and approvals


def test_an_approval_that_is_refused_is_not_asked_for_again() -> None:
    key = entry("fact", "2026-01-01", id="F", name="segment", value="key")
    no = Event(local("03-26", "12:00"), "", reply=Reply("bar approve(bar)", "failed"))
    scenario = Scenario(TERMS, (*told([BILL, key]), no), evening(date(2026, 6, 30)))
    found = play(policy(), law(), calendar(), scenario)
    assert said(found, "2026-03-26") == ["03-26 bar approve(bar)"]
    notes = {row.step: row.note for row in last(found).step.trace.rows}
    assert "declined by a person" in notes["bar"]


def test_an_approval_by_receipt_does_what_an_act_does() -> None:
    key = entry("fact", "2026-01-01", id="F", name="segment", value="key")
    yes = Event(local("03-26", "12:00"), "", reply=Reply("bar approve(bar)", "done"))
    scenario = Scenario(TERMS, (*told([BILL, key]), yes), evening(date(2026, 3, 26)))
    found = play(policy(), law(), calendar(), scenario)
    assert said(found, "2026-03-26") == ["03-26 bar approve(bar)", "03-26 bar service(outgoing_barred)"]


def test_each_entry_of_a_step_has_its_own_number_for_ever() -> None:
    paid = entry("payment", "2026-02-26", id="P1", amount="300.00")
    again = entry("bill", "2026-02-27", id="B2", due="2026-02-27", amount="200.00")
    found = played([BILL, paid, again], date(2026, 7, 31))
    keys = [a.key for look in found.looks for a in look.step.actions]
    assert len(keys) == len(set(keys))
    assert {key.split("/")[2] for key in keys} == {"1", "2"}


# rule 13: people


def test_a_notice_on_which_an_interruption_rests_cannot_be_skipped() -> None:
    found = played([BILL, act("02-10", "skip", "final_notice")], date(2026, 2, 14))
    look = next(look for look in found.looks if look.at == local("02-10", "10:00"))
    assert any("may not skip `final_notice`" in note for note in look.step.trace.notes)
    assert said(found, "2026-02-01") == ["02-14 final_notice notify(letter, final_notice)"]


def test_a_forced_interruption_still_needs_its_notice() -> None:
    found = played([BILL, act("02-26", "force", "suspend")], date(2026, 2, 26))
    assert said(found, "2026-02-25") == [
        "02-25 bar service(outgoing_barred)",
        "02-26 suspend service(suspended)",
        "02-26 suspend fee(suspension)",
    ]
    small = entry("bill", "2026-01-05", id="B1", due="2026-01-25", amount="40.00")
    found = played([small, act("02-26", "force", "bar")], date(2026, 2, 27))
    assert said(found, "2026-02-01") == []
    notes = {row.step: row.note for row in last(found).step.trace.rows}
    assert notes["bar"].startswith("waits for the notice")


def test_a_step_that_no_ladder_has_is_noted_and_nothing_else() -> None:
    found = played([BILL, act("02-10", "force", "barr")], date(2026, 2, 14))
    assert any("names" in n or "named `barr`" in n for look in found.looks for n in look.step.trace.notes)
    assert said(found, "2026-02-01") == ["02-14 final_notice notify(letter, final_notice)"]


def test_an_act_is_carried_out_once() -> None:
    found = played([BILL, act("02-10", "force", "final_notice")], date(2026, 3, 31))
    assert [line for line in said(found) if "final_notice" in line] == [
        "02-10 final_notice notify(letter, final_notice)"
    ]
    assert last(found).step.taken.heard == ("force-final_notice-02-10",)


def test_a_case_that_was_stopped_ends_when_it_is_paid() -> None:
    paid = entry("payment", "2026-03-02", id="P1", amount="300.00")
    assert last(played([BILL, act("02-10", "stop"), paid], date(2026, 3, 2))).step.taken.ended == "cured"


# contact, calendar, clock


def test_a_cap_on_contacts_puts_a_notice_off() -> None:
    capped = changed(caps=("message: 1 per P1D", "message: 1 per P30D"))
    found = said(played([BILL], date(2026, 3, 31), capped))
    # 28 January and thirty days.
    assert found[:2] == [
        "01-28 reminder notify(sms, reminder)",
        "02-27 final_notice notify(letter, final_notice)",
    ]


def _looked(at: datetime, by: CollectionsPolicy, **more: Any) -> Look:
    account = position_at(more.get("terms", TERMS), [BILL], at)
    days = more.get("days", calendar())
    position = Position(account.model_copy(update={"feeds": {"payments": at}}), law(), days)
    taken = open_case(by, "case/A1/1", position, at)
    return Look(at, taken, step(by, taken, position, at), account, by)


def test_a_day_that_the_calendar_does_not_know_interrupts_nobody_and_asks_a_person() -> None:
    found = played([BILL], date(2026, 2, 24))
    at = local("02-25")
    account = position_at(TERMS, [BILL, *found.entries], at).model_copy(update={"feeds": {"payments": at}})
    position = Position(account, law(), no_calendar("CN"))
    taken = last(found).step.taken
    first = step(policy(), taken, position, at)
    assert [show(action) for action in first.actions] == ["bar task(calendar)"]
    assert "says nothing about 2026" in {row.step: row.note for row in first.trace.rows}["bar"]
    assert first.taken.level == "open"
    assert step(policy(), first.taken, position, at).actions == ()


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-29T03:30:00+02:00"),  # 02:30 does not exist
        ("Europe/Berlin", "2026-10-25", "2026-10-25T02:30:00+02:00"),  # 02:30 comes twice: the first
        ("Asia/Shanghai", "2026-03-29", "2026-03-29T02:30:00+08:00"),
        ("America/New_York", "2026-03-08", "2026-03-08T03:30:00-04:00"),
        ("Asia/Kathmandu", "2026-03-29", "2026-03-29T02:30:00+05:45"),
    ],
)
def test_a_run_at_an_hour_that_clocks_skip_comes_an_hour_later(zone: str, day: str, expected: str) -> None:
    night = changed(hour=('hour: "09:00"', 'hour: "02:30"'))
    due = date.fromisoformat(day) - timedelta(days=1)
    bill = entry("bill", "2026-01-05", id="B1", due=due.isoformat(), amount="300.00")
    terms = Terms(account="A1", customer="C1", currency="CNY", timezone=zone)
    at = local("01-10")
    from engine.ladder import watch_on

    found = watch_on(night, Position(position_at(terms, [bill], at), law(), calendar()), at)
    assert found is not None
    assert found.isoformat() == expected


def test_no_wake_up_when_only_news_can_change_anything() -> None:
    found = played([BILL, act("02-10", "stop")], date(2026, 2, 10))
    assert last(found).step.wake_at is None
    assert last(found).step.open


def test_an_entry_that_is_known_for_a_later_day_wakes_the_case_then() -> None:
    later = entry("payment", "2026-02-08", received="2026-01-29", id="P1", amount="300.00")
    found = played([BILL, later], date(2026, 2, 9))
    look = next(look for look in found.looks if look.at == local("01-29", "08:00"))
    assert look.step.wake_at == local("02-08")
    assert last(found).step.taken.ended == "cured"


def test_a_look_takes_what_was_received_before_the_hour_first() -> None:
    early = entry("payment", "2026-02-25", id="P1", amount="300.00").model_copy(
        update={"received_at": local("02-25", "08:59")}
    )
    assert not [line for line in said(played([BILL, early], date(2026, 2, 25))) if "bar" in line]
    after = early.model_copy(update={"received_at": local("02-25", "09:01")})
    assert said(played([BILL, after], date(2026, 2, 25)), "2026-02-25")[:2] == [
        "02-25 bar service(outgoing_barred)", "02-25 undo bar service(open)",
    ]  # fmt: skip


def test_a_trace_names_every_row_and_why() -> None:
    rows = {row.step: row.note for row in before(played([BILL], date(2026, 2, 14)),
            "final_notice notify(letter, final_notice)").step.trace.rows}  # fmt: skip
    assert rows["reminder"] == "done 2026-01-28"
    assert rows["final_notice"] == "taken now"
    assert rows["bar"] == "age 20 is not >= 31"
    assert list(rows) == [row.step for row in policy().ladders["standard"].rows]


def test_the_day_of_a_look_is_local() -> None:
    assert _looked(datetime.combine(date(2026, 1, 26), time(9), ZONE), policy()).step.trace.today == date(
        2026, 1, 26
    )


# the trace


def test_the_trace_names_the_fact_that_does_not_hold_as_policies_write_it() -> None:
    text = texts_of("collections")["policy.yaml"].decode()
    table = text[text.index("    | step          | age") : text.index("  managed: |")]
    cells = iter(("segment | value", '"consumer" | "mid"', *["- | -"] * 20))
    wider = "\n".join(row.replace("||", f"| {next(cells)} ||", 1) for row in table.rstrip("\n").split("\n"))
    facts = [
        entry("fact", "2026-01-01", id=name, name=name, value=value)
        for name, value in (("segment", "consumer"), ("value", "low"))
    ]
    day, by = date(2026, 2, 1), changed(standard=(table, wider + "\n"))
    look = played([BILL, *facts], day, by, probes=(evening(day),)).probed[evening(day)]
    (note,) = [row.note for row in look.step.trace.rows if row.step == "reminder"]
    assert note == 'value "low" is not "mid"'
