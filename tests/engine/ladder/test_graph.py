"""The model check: what it finds is there, what it does not find is not, what it cannot decide it names."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine.ladder.simulate as simulate_module
from engine.ladder import CollectionsPolicy, StepDays, check_days, check_graph, load_collections, worst_days
from engine.ladder.graph import Piece, pieces, together, whole_days
from engine.ladder.threshold import Bounds, NumberTest
from engine.ladder.worst import longest_without_cut
from engine.ledger import Entry
from engine.source import Severity, Span
from engine.workdays import Calendar
from tests.engine.ladder.test_policies_bad import FIXTURES
from tests.engine.ladder.test_properties import entry_on
from tests.engine.ladder.world import calendar, changed, law, played, policy
from tests.engine.ledger.making import ZONE

SMALL = FIXTURES / "policies_good" / "collections-small"
NOWHERE = Span("", 1, 1)


def small(*replaced: tuple[str, str]) -> CollectionsPolicy:
    """Return the small policy with some words of its text replaced."""
    files = [path for path in sorted(SMALL.rglob("*")) if path.is_file()]
    texts = {path.relative_to(SMALL).as_posix(): path.read_bytes() for path in files}
    text = texts["policy.yaml"].decode()
    for old, new in replaced:
        assert old in text, old
        text = text.replace(old, new)
    loaded = load_collections(texts | {"policy.yaml": text.encode()})
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


@pytest.mark.parametrize(
    ("folder", "pack", "days"), [("collections", "cn-telecom", "CN"), ("uci-card-collections", "none", "TW")]
)
def test_the_shipped_policies_pass(folder: str, pack: str, days: str) -> None:
    assert check_graph(policy(folder)) == ()
    assert check_days(policy(folder), law(pack), calendar(days)) == ()


MONTHLY = changed(runs=("runs: daily", "runs: month_end"))


@cache
def table(monthly: bool) -> dict[str, StepDays]:
    """Return the days of the standard ladder, walked once."""
    by = MONTHLY if monthly else policy()
    return {one.step: one for one in worst_days(by, by.ladders["standard"], law(), calendar())}


def codes(changed_policy: CollectionsPolicy) -> list[str]:
    return [problem.code for problem in check_graph(changed_policy)]


def test_a_step_for_more_money_is_in_reach_where_a_new_bill_counts_at_once() -> None:
    ask = "    | small_balance"
    row = "    | big | - | >= 500.00 | {after} | - | task(call) | - |\n" + ask
    assert codes(small((ask, row.format(after="reminder")))) == []


def test_a_step_for_less_money_is_in_reach_by_a_part_payment() -> None:
    ask = "    | small_balance"
    row = "    | partly | >= 22 | [30.00..50.00) | final_notice | - | task(call) | - |\n" + ask
    assert codes(small((ask, row))) == []


def test_what_depends_on_a_step_out_of_reach_is_not_said_again() -> None:
    found = check_graph(small(("| final_notice | >= 20  | >= 50.00 |", "| final_notice | >= 20  | < 5.00 |")))
    assert [p.code for p in found if p.code != "dead-end"] == ["step-never-reached"]


def test_cells_that_call_functions_are_named_as_not_decided() -> None:
    found = check_graph(small(('| "key"   ||', "| string length(?) > 2 ||")))
    assert [(p.code, p.severity.value) for p in found] == [("not-decided", "info")]
    assert "cells on `segment` are more than comparisons" in found[0].message


def test_customers_of_numbers_and_unknown_facts_are_told_apart() -> None:
    facts = (
        "{type: string, one_of: [consumer, key]}",
        "{type: string, one_of: [consumer, key]}\n  score: {type: integer, min: 0}",
    )
    table = '    | segment || ladder   |\n    | "key"   || none     |\n    | -       || standard |'
    full = (
        "    | score  || ladder   |\n    | < 10   || none     |\n    | >= 10  || standard |\n"
        "    | null   || standard |\n    | -      || standard |"
    )
    assert codes(small(facts, (table, full))) == ["treatment-shadowed"]


def test_a_calendar_without_a_day_to_interrupt_is_an_error() -> None:
    year = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    idle = Calendar("CN", "", frozenset(year), frozenset(), (2026,))
    assert [p.code for p in check_days(small(), law(), idle)] == ["never-a-day"]


DELAYS = st.tuples(st.integers(0, 364), st.sampled_from([60, 300]))


@settings(max_examples=12, deadline=None)
@given(DELAYS)
def test_each_step_lies_between_the_days_of_the_table(drawn: tuple[int, int]) -> None:
    day, amount = drawn
    due = date(2025, 3, 1) + timedelta(days=day)
    history: list[Entry] = [entry_on("bill", day - 20, 8, "B0", amount=f"{amount}.00", due_date=due)]
    days = table(monthly=False)
    for look in played(history, due + timedelta(days=400)).looks:
        for row in look.step.taken.rows:
            past = (row.requested_at.astimezone(ZONE).date() - due).days
            assert (days[row.step].earliest or 0) <= past
            if row.entry == 1:
                assert past <= (days[row.step].latest or 0), (row.step, past)


@pytest.mark.parametrize("month", range(1, 13))
def test_a_cut_after_a_monthly_run_lies_between_the_days_of_the_table(month: int) -> None:
    monthly = MONTHLY
    due = date(2025, month, 2)
    history: list[Entry] = [
        entry_on("bill", (due - date(2025, 3, 1)).days - 1, 8, "B0", amount="300.00", due_date=due)
    ]
    days = table(monthly=True)
    cuts: dict[str, int] = {}
    for look in played(history, due + timedelta(days=400), by=monthly).looks:
        for row in look.step.taken.rows:
            cuts.setdefault(row.step, (row.requested_at.astimezone(ZONE).date() - due).days)
    assert {"bar", "suspend"} <= set(cuts)
    for step, past in cuts.items():
        assert (days[step].earliest or 0) <= past <= (days[step].latest or 0), step


def test_a_cut_that_misses_its_monthly_run_waits_for_days_and_not_for_another_run() -> None:
    days = table(monthly=True)
    # The eight days of the Spring Festival, its eve and the weekend beside it are the longest stretch.
    gap = longest_without_cut(MONTHLY, calendar())
    assert gap == longest_without_cut(policy(), calendar())
    assert days["suspend"].waits[-3:-1] == ("the next run 30", f"days without interruptions {gap}")


def test_a_ladder_that_the_machine_cannot_bring_to_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate_module, "MOST_STEPS", 1)  # no text is known that asks for fifty at once
    (found,) = check_graph(small())
    assert (found.code, found.severity) == ("goes-in-circles", Severity.ERROR)
    assert found.message.startswith("ladder `standard` asks for more and more for a debt `")
    assert found.span.line == 14


def test_runs_at_month_end_put_every_step_off() -> None:
    first = table(monthly=True)["reminder"]
    assert (first.earliest, first.latest, first.waits[0]) == (
        3,
        64,
        "the next run 30",
    )  # a full cap costs a whole run


def test_the_first_legal_day_is_stated_with_its_clause() -> None:
    days = table(monthly=False)
    assert (days["bar"].legal, days["bar"].law) == (31, "> 30 days past due (interruption-after-30-days)")
    assert days["terminate"].legal == (days["suspend"].earliest or 0) + 61


def test_money_is_cut_where_cells_can_tell_it_apart() -> None:
    cut = [str(piece) for piece in pieces(policy(), policy().ladders["standard"])]
    assert cut == ["(0..5.00)", "[5.00..50.00)", "[50.00..200.00)", ">= 200.00"]


def test_pieces_that_touch_are_one() -> None:
    found = pieces(policy(), policy().ladders["standard"])
    assert [str(piece) for piece in together([found[1], found[2]])] == ["[5.00..200.00)"]
    apart: list[Piece] = [found[0], found[2]]
    assert together(apart) == apart


@pytest.mark.parametrize(
    ("bounds", "days"),
    [
        ((), [(1, None)]),
        ((Bounds(high=Decimal(1), high_closed=False),), []),
        ((Bounds(low=Decimal(3)),), [(3, None)]),
    ],
)
def test_whole_days_of_a_cell(bounds: tuple[Bounds, ...], days: list[tuple[int, int | None]]) -> None:
    assert whole_days(NumberTest("", NOWHERE, bounds)) == days


def test_more_kinds_of_debts_than_can_be_played_are_named() -> None:
    wide = policy().ladders["standard"]
    rows = tuple(
        replace(
            wide.rows[0],
            step=f"s{n}",
            index=n,
            overdue=NumberTest("", NOWHERE, (Bounds(low=Decimal(50 + n)),)),
        )
        for n in range(160)
    )
    ladder = replace(wide, rows=rows, by_step={row.step: row for row in rows})
    found = check_graph(replace(policy(), ladders={"standard": ladder}))
    (said,) = (p.message for p in found if p.code == "not-decided")
    assert said.endswith("161 kinds of debts can be told apart, more than 150")
