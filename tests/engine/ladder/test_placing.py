"""What is handed over to an agency: only what the law and the notices let be handed over, each debt once."""

from __future__ import annotations

from engine.ladder import CollectionsPolicy, render_report, run_timelines
from tests.engine.ladder.world import calendar, changed, law, policy

US = "us-collections"
FIRST = "      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-26}\n"
SECOND = "      - {on: 2026-03-25, bill: B2, amount: 80.00, due: 2026-04-15}\n"
"""Validated on 20 April, received on 27 April, to be answered through 27 May; B1 is placed on 6 May."""
SALE = ("place(agency)                     | recall ", "sell                              | final  ")
NO_COURT = ("approve(court), place(court)", "approve(court), task(court)")


def holds(by: CollectionsPolicy, history: str, expect: str, region: str = "US") -> None:
    text = f"policy: {by.name}\ncases:\n  - case: x\n    history:\n{FIRST}{history}    expect:\n{expect}"
    report = run_timelines(by, law(by.regulation), calendar(region), text.encode(), "cases.yaml")
    assert report.ok, render_report(report, {"cases.yaml": text})
    assert len(report.results) == 1


def test_a_bill_in_its_time_to_dispute_is_not_placed_and_follows_when_its_notices_are_over() -> None:
    holds(
        policy(US), SECOND,
        "      - {on: 2026-04-20, do: ['validation/2 notify(letter, validation_notice)']}\n"
        "      - {on: 2026-05-06, since: 2026-04-21, do: [agency place(agency) 300.00]}\n"
        "      - {on: 2026-05-15, since: 2026-05-07, do: ['final/2 notify(email, final_notice)']}\n"
        "      - {on: 2026-06-24, since: 2026-05-16, do: [agency/2 place(agency) 80.00]}\n"
        "      - {on: 2026-12-31, since: 2026-06-25, do: nothing}\n",
    )  # fmt: skip


def test_what_followed_is_recalled_by_itself() -> None:
    holds(
        policy(US), SECOND + "      - {on: 2026-06-26, payment: 380.00}\n",
        "      - {on: 2026-06-24, do: [agency/2 place(agency) 80.00]}\n"
        "      - {on: 2026-06-26, do: [undo restrict service(open), undo agency recall(agency), "
        "undo agency/2 recall(agency)], ended: cured}\n",
    )  # fmt: skip


def test_what_is_paid_before_it_may_be_placed_never_is() -> None:
    holds(
        policy(US), SECOND + "      - {on: 2026-06-20, payment: 80.00, pays: {B2: 80.00}}\n",
        "      - {on: 2026-12-31, since: 2026-05-16, do: nothing}\n",
    )  # fmt: skip


def test_what_followed_and_was_paid_before_is_recalled_by_itself_when_that_is_known() -> None:
    paid = "      - {on: 2026-06-23, received: 2026-06-26, payment: 80.00, pays: {B2: 80.00}}\n"
    holds(
        policy(US), SECOND + paid,
        "      - {on: 2026-06-24, do: [agency/2 place(agency) 80.00]}\n"
        "      - {on: 2026-06-26, do: [undo agency/2 recall(agency)]}\n"
        "      - {on: 2026-12-31, since: 2026-06-27, do: nothing}\n",
    )  # fmt: skip


def test_a_placement_that_follows_and_fails_is_asked_for_again() -> None:
    holds(
        policy(US), SECOND + "      - {on: 2026-06-25, receipt: agency/2 place(agency), status: failed}\n",
        "      - {on: 2026-06-26, since: 2026-06-25, do: [agency/3 place(agency) 80.00]}\n",
    )  # fmt: skip


def test_a_bill_that_fell_due_after_the_placement_follows_at_its_own_age() -> None:
    # Validation 29 May, final notice 23 June, its time through 1 August; age 90 on 22 August.
    holds(
        policy(US), "      - {on: 2026-05-10, bill: B2, amount: 80.00, due: 2026-05-24}\n",
        "      - {on: 2026-05-06, do: [agency place(agency) 300.00]}\n"
        "      - {on: 2026-06-23, do: ['final/2 notify(email, final_notice)']}\n"
        "      - {on: 2026-08-22, since: 2026-06-24, do: [agency/2 place(agency) 80.00]}\n",
    )  # fmt: skip


def test_a_bill_that_takes_the_place_of_one_that_was_placed_is_placed_as_well() -> None:
    second = "      - {on: 2026-01-20, bill: B2, amount: 200.00, due: 2026-05-07}\n"
    holds(
        changed(US, age=("| >= 90  | -             | >= 100.00 |", "| >= 90  | -             | -         |")),
        second + "      - {on: 2026-08-10, payment: 300.00, pays: {B1: 300.00}}\n",
        "      - {on: 2026-05-06, do: [agency place(agency) 300.00]}\n"
        "      - {on: 2026-08-05, since: 2026-07-20, do: [agency/2 place(agency) 200.00]}\n"
        "      - {on: 2026-08-12, since: 2026-08-06, do: nothing}\n",
    )  # fmt: skip


def test_a_court_gets_only_what_the_agency_had_for_its_time() -> None:
    both = changed(US, court=("| >= 500.00 | agency     | P60D |", "| >= 200.00 | agency     | P60D |"))
    holds(
        both, SECOND + "      - {on: 2026-07-26, confirm: court, by: anna, reason: seen}\n",
        "      - {on: 2026-07-25, do: [court approve(court) 300.00]}\n"
        "      - {on: 2026-07-27, since: 2026-07-26, do: [court place(court) 300.00]}\n"
        "      - {on: 2026-08-23, since: 2026-07-28, do: [court/2 approve(court) 80.00]}\n",
    )  # fmt: skip


def test_a_sale_is_of_all_and_waits_for_the_last_bill_in_its_time_to_dispute() -> None:
    sold = changed(US, court=NO_COURT, sell=SALE)
    holds(
        sold, SECOND,
        '      - {on: 2026-05-06, do: nothing, says: "can be answered through 2026-05-27"}\n'
        "      - {on: 2026-05-28, ended: sold, "
        "do: [agency sell 380.00, 'agency task(service_stands, outgoing_barred)']}\n",
    )  # fmt: skip


def test_a_cut_comes_to_stand_for_no_bill_in_its_time_to_dispute() -> None:
    """The law has become stricter than this policy: B2 was named, and had its time by the notice alone."""
    hasty = changed(
        US,
        wait=("| final      | P40D |", "| final      | P5D  |"),
        age=("| restrict   | >= 50  |", "| restrict   | >= 20  |"),
    )
    paid = "      - {on: 2026-05-22, payment: 300.00, pays: {B1: 300.00}}\n"
    holds(
        hasty, SECOND + paid,
        "      - {on: 2026-05-15, do: ['final/2 notify(email, final_notice)']}\n"
        "      - {on: 2026-05-22, do: [undo restrict service(open), undo agency recall(agency)]}\n",
    )  # fmt: skip
