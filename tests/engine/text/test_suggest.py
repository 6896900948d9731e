"""What is proposed for a misspelt word."""

from __future__ import annotations

import pytest

from engine.text import suggest
from engine.text.currency import CODES

NAMES = ["tenure_months", "credit_limit", "deposit", "deposit_months", "max_dpd_12m"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("tenure_month", "tenure_months"),
        ("Tenure-Months", "tenure_months"),
        ("tenure", "tenure_months"),
        ("limit", "credit_limit"),
        ("months", None),  # two have it
        ("dpd_12m", "max_dpd_12m"),
        ("x", None),
        ("colour", None),
    ],
)
def test_a_word_is_near_or_the_part_of_one_name_only(word: str, meant: str | None) -> None:
    assert suggest(word, NAMES) == meant


@pytest.mark.parametrize(("word", "meant"), [("ERU", "EUR"), ("UDS", "USD"), ("eru", "EUR"), ("CYN", "CNY")])
def test_two_letters_turned_round_are_one_slip(word: str, meant: str) -> None:
    assert suggest(word, CODES) == meant
