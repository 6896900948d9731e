"""The days from the due date to each step, with rules on contact: what is played lies between them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ladder import CollectionsPolicy, StepDays, days_table, worst_days
from engine.ladder.simulate import Scenario, play
from engine.ledger import Entry, EntryAdapter, Terms
from tests.engine.ladder.world import calendar, changed, law, policy, told

NEW_YORK = ZoneInfo("America/New_York")
TERMS = Terms(account="A1", customer="C1", currency="USD", timezone="America/New_York")
FIRST = date(2025, 3, 3)
QUIET = "quiet_hours: 21:00-08:00"


def days_of(by: CollectionsPolicy, pack: str = "us-reg-f") -> dict[str, StepDays]:
    """Return the days of a policy's first ladder by step."""
    ladder = next(iter(by.ladders.values()))
    region = calendar("US" if pack == "us-reg-f" else "CN")
    return {one.step: one for one in worst_days(by, ladder, law(pack), region)}


def entry(kind: str, day: int, hour: int, name: str, /, **values: object) -> Entry:
    on = FIRST + timedelta(days=day)
    at = datetime.combine(on, time(hour), NEW_YORK)
    given_ = {"kind": kind, "id": name, "value_date": on, "received_at": at, **values}
    return EntryAdapter.validate_python(given_)


ZONES = st.sampled_from(["", "America/Los_Angeles", "Pacific/Honolulu", "America/Puerto_Rico", "Asia/Manila"])
OURS = changed("us-collections")
AFTERNOON = changed("us-collections", hour=('hour: "09:00"', 'hour: "15:30"'))


TABLES = {id(by): days_of(by) for by in (OURS, AFTERNOON)}


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from([OURS, AFTERNOON]), st.integers(0, 364), ZONES, st.integers(6, 60), st.integers(6, 60),
    st.sampled_from(["email", "sms", "call"]),
)  # fmt: skip
def test_each_step_lies_between_the_days_of_the_table(
    by: CollectionsPolicy, day: int, zone: str, spoke: int, called: int, own: str
) -> None:
    due = FIRST + timedelta(days=day)
    history = [
        entry("bill", max(day - 20, 0), 8, "B", amount="900.00", due_date=due),
        entry("fact", 0, 7, "channel", name="preferred_channel", value=own),
        *([entry("fact", 0, 7, "zone", name="timezone", value=zone)] if zone else []),
    ]
    for name, past, outcome in (("spoke", spoke, "conversation"), ("called", called, "attempted")):
        at = datetime.combine(due + timedelta(days=past), time(9, 0), NEW_YORK)
        for n in range(7 if name == "called" else 1):
            history.append(
                entry("contact", day + past, 9, f"{name}{n}", channel="call", outcome=outcome, at=at)
            )
    days = TABLES[id(by)]
    end = datetime.combine(due + timedelta(days=200), time(12), NEW_YORK)
    found = play(by, law("us-reg-f"), calendar("US"), Scenario(TERMS, told(history), end))
    for look in found.looks:
        for row in look.step.taken.rows:
            if row.entry == 1 and row.requested_on == look.at.astimezone(NEW_YORK).date():
                past = (row.requested_on - due).days
                assert (days[row.step].earliest or 0) <= past <= (days[row.step].latest or 0), (
                    row.step,
                    past,
                )
            if row.entry == 1 and row.done_on:
                assert (row.done_on - due).days <= (days[row.step].done or 0), row.step


@pytest.mark.parametrize(
    ("by", "pack", "step", "waits"),
    [
        (OURS, "us-reg-f", "validation", ("a contact cap 1", "a receipt 3")),  # a letter is a message
        (OURS, "us-reg-f", "call", ("a contact cap or a conversation 7", "a receipt 3")),
        (OURS, "us-reg-f", "reminder", ("a contact cap or a conversation 7", "a receipt 3")),  # or a call
        (changed("us-collections", one=("sms, email, letter, call]", "sms, email]")), "us-reg-f", "reminder",
         ("a contact cap 1", "a receipt 3")),
        (changed("us-collections", caps=("  caps: {call: 7 per P7D, message: 1 per P1D}\n", "")), "us-reg-f",
         "call", ("a contact cap or a conversation 7", "a receipt 3")),  # the law's
        (changed("us-collections", rest=("after_conversation: P7D", "after_conversation: P20D")), "us-reg-f",
         "call", ("a contact cap or a conversation 20", "a receipt 3")),
        (AFTERNOON, "us-reg-f", "final", ("a contact cap 1", "quiet hours 1", "a receipt 3")),
        (changed(hour=('hour: "09:00"', 'hour: "15:30"')), "cn-telecom", "reminder",
         ("a contact cap 1", "a receipt 2")),  # all live in one zone
        (changed(hour=('hour: "09:00"', 'hour: "20:45"'), window=("09:00-16:00", "09:00-21:30"),
                 one=("attempts: 3\n", "attempts: 3\n  consolidate: true\n")), "cn-telecom", "reminder",
         ("a contact cap 1", "quiet hours 1", "a receipt 2")),  # joined half an hour later
    ],
)  # fmt: skip
def test_what_can_put_a_notice_off_is_named(
    by: CollectionsPolicy, pack: str, step: str, waits: tuple[str, ...]
) -> None:
    assert days_of(by, pack)[step].waits == waits


def test_quiet_hours_do_not_move_the_last_permitted_moment_of_a_receipt() -> None:
    late, early = days_of(AFTERNOON)["validation"], days_of(OURS)["validation"]
    assert (late.latest, late.done) == (early.latest, early.done)


def test_the_time_to_answer_a_validation_notice_counts_and_is_named() -> None:
    soon = changed("us-collections", wait=("| final      | P40D |", "| final      | P3D  |"))
    days = days_of(soon)
    restrict = days["restrict"]
    # five working days and thirty: 36 days from a Sunday, more around holidays
    assert restrict.legal == (days["validation"].earliest or 0) + 36
    assert restrict.law == "P30D to answer `validation` (validation-notice)"
    assert (restrict.latest or 0) >= (days["validation"].done or 0) + 39
    assert "<= 1095 days past due (no-court-for-time-barred-debt)" in days["court"].law


def test_the_table_says_what_it_does_not_count() -> None:
    ladder = policy().ladders["standard"]
    told_ = days_table(policy(), ladder, worst_days(policy(), ladder, law(), calendar()))
    assert told_.endswith("clocks that stand still, contacts that others make meanwhile")


def test_a_row_without_a_receipt_lets_the_next_one_come_a_day_later() -> None:
    tasks = changed(
        one=("| manager      | P7D  || notify(letter, final_notice)", "| manager      | -    || task(look)"),
        two=("| final_notice | P7D  || task(decide) ", "| manager      | -    || task(decide) "),
        age=("| final_notice | >= 30  |", "| final_notice | >= 15  |"),
        bar=("| final_notice | P14D || approve(bar)", "| reminder     | P14D || approve(bar)"),
    )
    managed = tasks.ladders["managed"]
    found = {one.step: one for one in worst_days(tasks, managed, law(), calendar())}
    assert (found["manager"].latest, found["final_notice"].latest) == (15, 16)
