"""durable-rules and the reference matcher say the same, on random rules and windows."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.matcher import Matcher
from engine.watch import Window, match_window
from tests.engine.watch.strategies import load, policies, windows

SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@SETTINGS
@given(policies(), st.lists(windows(), min_size=1, max_size=4))
def test_both_matchers_raise_the_same_alerts(text: str, found: list[Window]) -> None:
    policy = load(text)
    with Matcher() as matcher:
        for window in found:
            matched = matcher.match(policy, window)
            assert (matched.flag, matched.detail) == (None, "")
            assert matched.alerts == match_window(policy, window)
        assert matcher.started == 1
