"""How many interruptions a day may have: a multiple of the mean of the days before it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.ladder.brake import BrakeRules
from engine.source import Span
from tests.engine.ladder.test_graph import small

RULES = BrakeRules(Decimal(3), 28, Span("", 1, 1))


@pytest.mark.parametrize(
    ("before", "most"),
    [
        ([], 10),  # no history: the floor
        ([0, 0, 0], 10),
        ([20], 60),  # a young book has the mean of its own days
        ([20, 0, 10], 30),
        ([7, 6], 19),  # 19.5 is not reached by 19
        ([1_000, *[14] * 28], 42),  # the day before the 28 does not count
        ([14] * 28, 42),
    ],
)
def test_the_most_of_a_day(before: list[int], most: int) -> None:
    assert RULES.most(before) == most


def test_a_policy_states_its_brake() -> None:
    text = "currency: CNY\nbrake: {interruptions: 2.5 x mean of 14 days, at_least: 100}"
    found = small(("currency: CNY", text)).brake
    assert found is not None
    assert (found.factor, found.days, found.at_least) == (Decimal("2.5"), 14, 100)
    assert small().brake is None
