"""What is proposed for numbers, days and conditions as people write them elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.feel.parser import parse_unary_tests
from engine.source import Span
from engine.text.meant import advice_on, meant, meant_condition, meant_test, narrow


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("300,00", "a number", "300.00"), ("1,250.00", "a number", "1250.00"),
        ("1,250", "a number", "1250"),
        ("1.250,00", "a number", "1250.00"), ("1 250", "a number", "1250"),
        ("1'250.50", "a number", "1250.50"),
        ("CNY 300.00", "a number", "300.00"), ("300 CNY", "a number", "300"), ("¥300", "a number", "300"),
        ("300元", "a number", "300"), ("３００．５０", "a number", "300.50"), (".5", "a number", "0.5"),
        ("5.", "a number", "5"), ("5%", "a number", "0.05"), ("−3", "a number", "-3"),
        ("+3", "a number", "3"),
        ("3e2", "a number", ""), ("three", "a number", ""), ("1.2.3", "a number", ""), ("", "a number", ""),
        ("90.0", "a whole number", "90"), ("90.5", "a whole number", ""), ("９０", "a whole number", "90"),
        ("2026/02/10", "a date", "2026-02-10"), ("2026.2.1", "a date", "2026-02-01"),
        ("2026年2月10日", "a date", "2026-02-10"), ("20260210", "a date", "2026-02-10"),
        ("01.02.2026", "a date", "2026-02-01"), ("13/02/2026", "a date", "2026-02-13"),
        ("10/02/2026", "a date", ""), ("2026/02/30", "a date", ""), ("soon", "a date", ""),
        ("7 days", "a span", "P7D"), ("p7d", "a span", "P7D"), ("3个月", "a span", "P3M"),
        ("1年", "a span", "P1Y"),
        ("30天", "a span", "P30D"), ("a week", "a span", ""),
        ("9:30", "a time", "09:30"), ("0930", "a time", "09:30"), ("24:00", "a time", ""),
        ("yes", "a truth value", "true"), ("False", "a truth value", "false"),
        ("perhaps", "a truth value", ""),
        ("a b", "a name", ""),
    ],
)  # fmt: skip
def test_what_was_meant(text: str, kind: str, found: str) -> None:
    assert meant(text, kind) == found


def test_the_advice_says_when_only_the_signs_are_wrong() -> None:
    assert advice_on("３００", "a number", "digits") == "write `300`, in plain characters"
    assert advice_on("300,00", "a number", "digits") == "write `300.00`"
    assert advice_on("many", "a number", "digits") == "digits"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (">= 50,00", ">= 50.00"), (">= 1,200.00", ">= 1200.00"), ("[50,00..60,00)", "[50.00..60.00)"),
        ("(0..1,000]", "(0..1000]"), ("> 1,000,000.50", "> 1000000.50"), ("> 30 or >= 5", "> 30, >= 5"),
        (">= 30 and < 60", "[30..60)"), ("< 60 and >= 30", "[30..60)"), ("30 < age <= 60", "(30..60]"),
        ("at least 120", ">= 120"), ("over 90 days", "> 90"), ("between 30 and 60", "[30..60]"),
        ("30 to 60", "[30..60]"), ("30 - 60", "[30..60]"), ("30..60", "[30..60]"), ("90+", ">= 90"),
        ("=> 120", ">= 120"), ("≥ 120", ">= 120"), ("＞＝ 120", ">= 120"), (">= １２０", ">= 120"),
        (">= 120 days", ">= 120"), (">= CNY 200.00", ">= 200.00"),
        (">= ¥200", ">= 200"), ('">= 30"', ">= 30"),
        ("30天以上", ">= 30"), ("大于30", "> 30"), ("不超过30", "<= 30"),
        # nothing to be done
        ("soon", "soon"), ("30,60,90", "30,60,90"), (">= 30", ">= 30"), ("[30..60)", "[30..60)"),
    ],
)  # fmt: skip
def test_what_a_threshold_meant(text: str, found: str) -> None:
    assert meant_test(text) == found


def test_what_a_condition_meant() -> None:
    assert meant_condition("overdue ≥ 20,00 && age >= 1 days") == "overdue >= 20.00 and age >= 1"
    assert meant_condition("overdue ＞＝ 20 且 age > 1") == "overdue >= 20 and age > 1"


@given(st.text(alphabet="0123456789.,<>=[]()- andorto≥％％，。＞２元", max_size=24))
def test_no_text_is_too_odd(text: str) -> None:
    assert narrow(meant_test(text)) == meant_test(text) or "。" in text
    for kind in ("a number", "a whole number", "a date", "a span", "a time", "a truth value"):
        assert isinstance(meant(text, kind), str)


@given(st.integers(0, 10**6), st.integers(0, 99))
def test_a_comma_becomes_the_point_and_the_number_stays(whole: int, cents: int) -> None:
    found = parse_unary_tests(meant_test(f">= {whole},{cents:02}"), Span("p", 1, 1))
    assert found.policy is not None
    assert meant_test(f">= {whole:,}.{cents:02}") == f">= {whole}.{cents:02}"
