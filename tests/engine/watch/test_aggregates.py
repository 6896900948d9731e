"""What is computed of earlier events is what adding them up one by one gives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.source import Span
from engine.watch.aggregates import Earlier, aggregate
from engine.watch.model import Aggregate, Function, Kind, Property, Value

START = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = Span("policy.yaml", 1, 1)
AMOUNTS = st.none() | st.integers(-(10**17), 10**17).map(lambda cents: Decimal(cents).scaleb(-2))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20), AMOUNTS)),
    st.sampled_from(get_args(Function)),
    st.integers(1, 20),
    st.integers(1, 3),
    st.integers(0, 21),
)
def test_it_is_the_sum_of_what_happened_before(
    told: list[tuple[int, Decimal | None]], function: Function, over: int, at_least: int, day: int
) -> None:
    events: list[tuple[datetime, str, Mapping[str, Value]]] = [
        (START + timedelta(days=on), "usage", {"amount": amount})
        for on, amount in sorted(told, key=lambda pair: pair[0])
    ]
    how = Aggregate(function, "usage", "amount", timedelta(days=over), at_least)
    prop = Property("usual", Kind.DECIMAL, SPAN, 2, derived=how)
    near = [amount for on, amount in told if day - over <= on < day]
    numbers = [amount for amount in near if amount is not None]
    expected: Decimal | None = None
    if function == "count":
        expected = Decimal(len(near)) if len(near) >= at_least else None
    elif len(numbers) >= at_least:
        total = sum(map(Decimal, numbers), Decimal(0))
        expected = {
            "sum": total, "lowest": min(numbers), "highest": max(numbers),
            "average": (total / len(numbers)).quantize(Decimal("0.01")),
        }[function]  # fmt: skip
    assert aggregate(prop, Earlier(events), START + timedelta(days=day)) == expected
