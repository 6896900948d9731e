"""FEEL has no infinity and no NaN: arithmetic gives a finite number or fails, in both engines."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from engine.feel.operators import ARITHMETIC, arithmetic
from engine.feel.runtime import DECIMAL
from engine.feel.to_python import FAILURES
from engine.feel.values import FeelError

numbers = st.decimals(allow_nan=False, allow_infinity=False, places=3) | st.sampled_from(
    [Decimal(text) for text in ("0", "-0", "1", "-1", "-0.5", "1e6144", "-1e6144", "1e-6143", "1e-6176")]
)


@given(st.sampled_from(sorted(ARITHMETIC)), numbers, numbers)
@example("**", Decimal(0), Decimal(-1))
@example("**", Decimal("-0"), Decimal("-0.5"))
@example("**", Decimal(0), Decimal("-1e6000"))
def test_arithmetic_is_finite_or_fails(operator: str, left: Decimal, right: Decimal) -> None:
    try:
        interpreted = arithmetic(operator, left, right)
    except FeelError:
        interpreted = None
    try:
        compiled = DECIMAL[operator](left, right)
    except FAILURES:
        compiled = None
    assert compiled == interpreted
    assert compiled is None or compiled.is_finite()
