"""Where facts come from: the entries behind each, how old they are, and the table of rules."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ledger import Entry, derived_at, facts_at
from engine.ledger.facts import RULES
from tests.engine.ledger.making import FIRST, LATE, TERMS, entries, entry, noon
from tests.engine.ledger.test_facts import AS_OF, PROMISE, bill, pay

MILESTONES = entry(
    "promise", "02-01", id="PM", amount="50.00", by="2026-03-10",
    milestones=[{"due_date": "2026-02-10", "amount": "20.00"}, {"due_date": "2026-03-10", "amount": "30.00"}],
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "history", "sources"),
    [
        ("tenure_months", [bill(2), bill(1)], "bill B1"),
        ("avg_monthly_bill", [bill(1), bill(2), entry("credit_note", "02-09", amount="1", bill="B2", id="C")],
         "bill B1, bill B2, credit_note C"),
        ("max_dpd_12m", [bill(1), pay("01-29"), bill(2), pay("03-27")], "bill B2, payment P03-27"),
        ("max_dpd_12m", [bill(1), pay("01-20")], ""),
        ("late_count_12m", [bill(1), pay("01-20"), bill(2), pay("03-27")], "bill B2, payment P03-27"),
        ("on_time_rate_12m", [bill(1), pay("01-20"), bill(2)], "bill B1, payment P01-20, bill B2"),
        ("arrears_count_12m", [bill(1), pay("01-20"),
                               entry("payment_returned", "02-01", id="R", payment="P01-20")],
         "bill B1, payment P01-20, payment_returned R"),
        ("overdue_now", [bill(1), pay("01-20"), bill(2), pay("03-01", "40.00")], "bill B2, payment P03-01"),
        ("dpd_now", [bill(1), bill(2)], "bill B1"),
        ("returned_payments_12m", [pay("01-20"),
                                   entry("payment_returned", "02-01", id="R", payment="P01-20")],
         "payment_returned R"),
        ("broken_promises_12m", [PROMISE], "promise promise-02-01"),
        ("kept_promises_12m", [PROMISE, pay("02-09", "50.00")],
         "promise promise-02-01, payment P02-09"),
        ("contribution_12m", [pay("01-20"), entry("refund", "02-01", id="Z", amount="10.00"),
                              entry("recovery", "03-01", id="V", amount="5.00")],
         "payment P01-20, refund Z, recovery V"),
        ("deposit_held", [entry("deposit", "01-05", id="D", amount="100", move="held")], "deposit D"),
    ],
)  # fmt: skip
def test_each_fact_names_its_entries(name: str, history: list[Entry], sources: str) -> None:
    fact = derived_at(history, AS_OF, noon(AS_OF, 20))[name]
    assert ", ".join(f"{s.kind} {s.id}" for s in fact.sources) == sources
    assert fact.rule == RULES[name]
    newest = max((s.value_date for s in fact.sources), default=None)
    assert (fact.newest, fact.age_days) == (newest, (AS_OF - newest).days if newest else None)


@pytest.mark.parametrize(
    ("name", "history", "expected"),
    [
        ("dpd_now", [bill(5), bill(6)], 36),
        ("dpd_now", [bill(5), entry("dispute", "05-10", bill="B5", amount="100.00"), bill(6)], 5),
        ("dpd_now", [bill(5), pay("05-20")], 0),
        ("kept_promises_12m", [PROMISE, pay("02-10", "50.00")], 1),
        ("promises_kept_rate_12m", [PROMISE], Decimal(0)),
        ("broken_promises_12m", [MILESTONES, pay("03-10", "50.00")], 1),
        ("broken_promises_12m", [MILESTONES, pay("02-10", "20.00")], 1),
        ("kept_promises_12m", [MILESTONES, pay("02-10", "20.00"), pay("03-09", "30.00")], 1),
        ("kept_promises_12m", [MILESTONES, pay("02-02", "50.00")], 1),
        ("contribution_12m", [pay("01-20"), pay("02-20"),
                              entry("payment_returned", "03-01", payment="P02-20")], Decimal(100)),
        ("contribution_12m", [pay("02-20"), entry("refund", "03-01", amount="30.00")], Decimal(70)),
        ("deposit_held", [entry("deposit", "01-05", id="1", amount="200", move="requested"),
                          entry("deposit", "01-09", id="2", amount="150", move="held"),
                          entry("deposit", "02-09", id="3", amount="50", move="topped_up"),
                          entry("deposit", "03-09", id="4", amount="2.50", move="interest"),
                          entry("deposit", "04-09", id="5", amount="100", move="applied"),
                          entry("deposit", "05-09", id="6", amount="2.50", move="released")], Decimal(100)),
    ],
)  # fmt: skip
def test_each_fact_follows_its_rule(name: str, history: list[Entry], expected: object) -> None:
    assert facts_at(TERMS, history, AS_OF, noon(AS_OF, 20))[name].value == expected


@pytest.mark.parametrize("name", ["contribution_12m", "deposit_held", "promises_kept_rate_12m", "dpd_now"])
def test_what_nobody_can_know_is_left_out(name: str) -> None:
    assert name not in facts_at(TERMS, [entry("fact", "01-05", name="value", value="low")], AS_OF, LATE)


HISTORIES = st.lists(entries(), max_size=14)


@given(HISTORIES, st.integers(0, 300))
def test_an_explained_fact_is_the_same_fact(history: list[Entry], days: int) -> None:
    day = FIRST + timedelta(days=days)
    facts, explained = facts_at(TERMS, history, day, LATE), derived_at(history, day, LATE)
    assert {name: fact.value for name, fact in facts.items()} == {n: d.value for n, d in explained.items()}
    names = {(one.kind, one.id) for one in history}
    for fact in explained.values():
        assert all((s.kind, s.id) in names and s.value_date <= day for s in fact.sources)


def test_the_rules_are_told_in_one_table() -> None:
    text = (Path(__file__).parents[3] / "engine/ledger/README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|$", text, re.MULTILINE))
    assert told == RULES
