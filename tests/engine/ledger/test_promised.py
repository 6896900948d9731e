"""One payment keeps one promise: money counts for the one that is due first."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ladder import load_collections
from engine.ladder.clock import promise_states
from engine.ledger import Entry, facts_at
from engine.ledger.promised import Asked, shared
from tests.engine.ledger.making import FIRST, LATE, TERMS, day, entry, position

FILE = Path(__file__).parents[3] / "fixtures" / "ledgers" / "timelines" / "policy.yaml"
RULES = "promise_to_pay: {max_days: 60}"
POLICY = re.sub(r"(?m)^promise_to_pay: .*$", RULES, FILE.read_text()).encode()
B1 = entry("bill", "01-05", id="B1", due="01-25", amount="300.00")


def pay(on: str, amount: str, name: str = "P1") -> Entry:
    return entry("payment", on, id=name, amount=amount)


def promise(name: str, on: str, amount: str, by: str, **more: Any) -> Entry:
    return entry("promise", on, id=name, amount=amount, by=day(by), **more)


A = promise("A", "02-01", "100.00", "02-10")
B = promise("B", "02-02", "100.00", "02-20")


@pytest.mark.parametrize(
    ("history", "kept", "broken", "paid"),
    [
        ([A, B, pay("02-09", "100.00")], 1, 1, {"A": "100.00", "B": "0"}),
        ([A, B, pay("02-09", "200.00")], 2, 0, {"A": "100.00", "B": "100.00"}),
        ([A, B, pay("02-09", "100.00"), pay("02-20", "100.00", "P2")], 2, 0, {"A": "100.00", "B": "100.00"}),
        # a promise that is broken takes nothing of what comes later
        ([A, B, pay("02-15", "100.00")], 1, 1, {"A": "0", "B": "100.00"}),
        # nor does one that is taken back
        ([A, B, entry("promise_withdrawn", "02-05", promise="A"), pay("02-09", "100.00")], 1, 0,
         {"A": "0", "B": "100.00"}),
        # the one that was made later may be due first
        ([promise("A", "02-01", "100.00", "02-25"), B, pay("02-09", "100.00")], 1, 1,
         {"A": "0", "B": "100.00"}),
        # milestone by milestone
        ([promise("A", "02-01", "100.00", "02-25", milestones=[
            {"due_date": day("02-10"), "amount": "40.00"}, {"due_date": day("02-25"), "amount": "60.00"}]),
          B, pay("02-09", "140.00")], 1, 1, {"A": "40.00", "B": "100.00"}),
        # money that came back keeps nothing
        ([A, B, pay("02-09", "100.00"), pay("02-10", "100.00", "P2"),
          entry("payment_returned", "02-12", payment="P1")], 1, 1, {"A": "100.00", "B": "0"}),
    ],
)  # fmt: skip
def test_money_counts_for_one_promise(
    history: list[Entry], kept: int, broken: int, paid: dict[str, str]
) -> None:
    facts = facts_at(TERMS, [B1, *history], day("03-15"), LATE)
    assert (facts["kept_promises_12m"].value, facts["broken_promises_12m"].value) == (kept, broken)
    policy = load_collections({"policy.yaml": POLICY}, "policy.yaml").policy
    assert policy is not None
    states = promise_states(policy, position(B1, *history, on="03-15"), day("03-15"))
    assert [s.state for s in states].count("kept") == kept
    assert [s.state for s in states].count("broken") == broken
    assert {s.promise.id: s.paid for s in states} == {name: Decimal(amount) for name, amount in paid.items()}


DAYS = st.integers(0, 40).map(lambda n: FIRST + timedelta(days=n))
WHOLE = st.integers(1, 50).map(Decimal)
ASKED = st.lists(
    st.tuples(DAYS, st.lists(st.tuples(DAYS, WHOLE), min_size=1, max_size=2), st.none() | DAYS), max_size=4
).map(
    lambda found: [
        Asked(str(n), made, tuple(sorted(parts)), out) for n, (made, parts, out) in enumerate(found)
    ]
)


@given(ASKED, st.lists(st.tuples(DAYS, WHOLE), max_size=5), st.integers(0, 3))
def test_no_money_counts_twice(asked: list[Asked], money: list[tuple[date, Decimal]], grace: int) -> None:
    found = shared(asked, money, lambda on: on + timedelta(days=grace), Decimal(0))
    counted = [one for mine in found.values() for one in mine]
    for place, (on, amount) in enumerate(money):
        assert sum((one.amount for one in counted if one.place == place), Decimal(0)) <= amount
        assert all(one.day == on for one in counted if one.place == place)
    for one in asked:
        assert sum((c.amount for c in found[one.id]), Decimal(0)) <= sum(amount for _, amount in one.parts)
        assert all(c.day >= one.made_on for c in found[one.id])
