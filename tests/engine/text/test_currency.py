"""Currencies: the codes of ISO 4217, their decimals, and what was meant by another word."""

from __future__ import annotations

import pytest

from engine.text.currency import CODES, currency_advice, decimals


@pytest.mark.parametrize(("code", "places"), [("CNY", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3)])
def test_a_currency_has_its_decimals(code: str, places: int) -> None:
    assert code in CODES
    assert decimals(code) == places


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("cny", "CNY"),
        ("RMB", "CNY"),
        ("元", "CNY"),
        ("￥", "CNY"),
        ("euro", "EUR"),
        ("US$", "USD"),
        ("CNYY", "CNY"),
    ],
)
def test_what_was_meant_is_proposed(word: str, meant: str) -> None:
    assert word not in CODES
    assert currency_advice(word) == f"write `{meant}`, as in ISO 4217"


def test_a_word_that_is_like_nothing_gets_the_form() -> None:
    assert currency_advice("12345") == "write the three letters of ISO 4217: `CNY`"


@pytest.mark.parametrize(
    ("code", "stands_for"), [("XAU", "gold"), ("xts", "kept for tests"), ("CLF", "funds")]
)
def test_a_code_in_which_nobody_is_billed_is_told_as_one(code: str, stands_for: str) -> None:
    assert code.upper() not in CODES
    assert stands_for in currency_advice(code)
    assert "write the currency of the bills" in currency_advice(code)
