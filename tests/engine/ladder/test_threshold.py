"""Conditions as bounds: what more of a quantity can still change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ladder.case import Case
from engine.ladder.from_feel import read_condition
from engine.ladder.late_fee import counted_fees
from engine.ladder.moves import closes
from engine.ladder.state import Taken
from engine.ladder.threshold import Condition
from engine.ledger import Entry
from engine.source import Span
from engine.text import Reader
from tests.engine.ladder.test_properties import FIRST, SLOW, histories
from tests.engine.ladder.world import evening, policy, position_of


def condition(text: str) -> Condition:
    found = read_condition(Reader(), text, Span("policy.yaml", 1, 1, len(text)))
    assert found is not None
    return found


CONDITIONS = {
    "overdue < 5.00": True,
    "overdue <= 5.00": True,
    "overdue < 5.00 and age >= 3": True,
    "overdue < 5.00 or age >= 3": True,
    "age < 3": True,
    "overdue >= 5.00": False,
    "overdue = 5.00": False,
    "overdue < 5.00 or overdue > 100.00": False,
    "overdue > 1.00 and overdue < 5.00": False,
}
CLOSING = [text for text in CONDITIONS if "age" not in text]


@pytest.mark.parametrize(("text", "lost"), CONDITIONS.items())
def test_a_condition_is_lost_above_where_the_quantity_has_no_lower_bound(text: str, lost: bool) -> None:
    assert condition(text).is_lost_above("overdue") is lost


@given(st.sampled_from(sorted(CONDITIONS)), st.integers(0, 12_000), st.integers(0, 12_000), st.integers(0, 5))
def test_what_is_lost_does_not_come_back_with_more(text: str, cents: int, more: int, age: int) -> None:
    one = condition(text)
    less = one.holds({"overdue": Decimal(cents) / 100, "age": age})
    with_more = one.holds({"overdue": Decimal(cents + more) / 100, "age": age})
    assert not with_more or less or not one.is_lost_above("overdue")


@given(histories(), st.integers(0, 330), st.sampled_from(CLOSING))
@SLOW
def test_a_case_closes_by_what_is_owed_with_all_fees_that_count(
    history: list[Entry], days: int, closing: str
) -> None:
    at = evening(FIRST + timedelta(days=days))
    told = position_of([entry for entry in history if entry.received_at <= at], at)
    rules = replace(policy(), case=replace(policy().case, closes=condition(closing)))
    assert "closes" in rules.charges[0].counts_for
    case = Case(rules, Taken(case="c", opened_at=evening(FIRST), opened_on=FIRST), told, at)
    for day in (case.today, case.today + 40):
        owed = sum((part.amount for part in case.view.slices if part.due < day), Decimal(0))
        values = case.view.kept(day).values(owed + counted_fees(case, day, "closes"))
        assert closes(case, day) == rules.case.closes.holds(values)


def test_the_shipped_policy_closes_below_an_amount() -> None:
    assert policy().case.closes.is_lost_above("overdue")
