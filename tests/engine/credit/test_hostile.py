"""Texts that are legal and unkind: long chains, huge numbers, wide and long tables."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.credit import Decision, EvaluationFailed, compile_policy, decide
from tests.engine.credit.samples import DAY, given, policy_of


@pytest.mark.parametrize("backwards", [False, True])
def test_a_chain_of_decisions_may_be_long(backwards: bool) -> None:
    chain = ["  g0: a", *(f"  g{i}: g{i - 1} + a" for i in range(1, 1500))]
    lines = "\n".join(reversed(chain) if backwards else chain)
    policy = policy_of(f"facts: {{a: {{type: integer}}}}\ndecisions:\n{lines}\noutcome: {{x: g1499}}\n")
    assert decide(policy, given(a=1), DAY).outcome == {"x": 1500}
    assert compile_policy(policy).decide(given(a=1), DAY).outcome == {"x": 1500}


@pytest.mark.parametrize("amount", ["10 ** 1000", "10 ** 40", "a * 10 ** 40", "10 ** -100", "-(10 ** 34)"])
def test_an_amount_beyond_all_bounds_is_refused_at_its_place(amount: str) -> None:
    policy = policy_of(
        f"facts: {{a: {{type: integer}}}}\ndecisions: {{}}\noutcome: {{x: {{money: {amount}}}}}\n"
    )
    machines: list[Callable[..., Decision]] = [decide, compile_policy(policy).decide]
    for machine, first in zip(machines, ([policy], []), strict=True):
        with pytest.raises(EvaluationFailed, match="an amount has at most 34 digits") as failed:
            machine(*first, given(a=1), DAY)
        assert failed.value.span.line == 9


def test_a_power_that_overflows_is_refused_at_its_place() -> None:
    policy = policy_of("facts: {}\ndecisions: {b: 10 ** 10 ** 10 ** 10}\noutcome: {x: {money: b}}\n")
    with pytest.raises(EvaluationFailed):
        decide(policy, {}, DAY)
