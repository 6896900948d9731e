"""The matcher's memory does not grow with the events that went through it."""

from __future__ import annotations

import random

from api.matcher import Limits, Matcher
from benchmarks.watch import policy_of, rules, window


def test_memory_stays_where_it_is_over_many_windows() -> None:
    """A small run of `python -m benchmarks.watch --memory 1000000`; its result is checked in."""
    draw = random.Random(7)
    policy, windows = policy_of(rules(20)), [window(draw, 100) for _ in range(10)]
    with Matcher(Limits(windows=10_000, megabytes=4096), verify=False) as matcher:
        for one in windows * 5:
            assert matcher.match(policy, one).flag is None
        early = matcher.megabytes(policy)
        for one in windows * 30:
            assert matcher.match(policy, one).flag is None
        assert matcher.started == 1
        assert matcher.megabytes(policy) - early <= 4
