"""What customers read: labels, amounts, shares and days; no names of facts and no values of a program."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from engine.credit import decide
from engine.credit.decision import Money
from engine.credit.model import FactValue
from engine.credit.nearest import nearest_changes
from engine.credit.nearest_change import Change, NearestChange
from engine.credit.wording import (
    LANGUAGES,
    amount_in_words,
    change_in_words,
    day_in_words,
    reason_in_words,
    result_in_words,
)
from tests.engine.credit.samples import given, policy_of
from tests.engine.credit.test_shipped_policies import NAMES, shipped

DAY = date(2026, 11, 20)
WAVERING = given(
    value="mid", id_verified=False, prior_write_off=False, direct_debit=False, tenure_months=5,
    avg_monthly_bill=Decimal("88.40"), max_dpd_12m=42, arrears_count_12m=2, late_count_12m=5,
    returned_payments_12m=0, on_time_rate_12m=Decimal("0.5"), suspensions_12m=0, broken_promises_12m=0,
    overdue_now=Decimal("300.00"),
)  # fmt: skip
ODD = """facts:
  signal_level: {type: integer}
  paperless: {type: boolean}
  joined: {type: date}
  rate: {type: decimal, min: 0, max: 1}
decisions:
  grade:
    hit: FIRST
    table: |
      | signal_level || grade |
      | > 3          || A     |
      | -            || B     |
outcome: {grade: grade, limit_left: {money: signal_level}}
"""


Given = int | str | bool


def _exact(value: Given) -> FactValue:
    return Decimal(value) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("amount", "currency", "language", "told"),
    [
        ("1240", "CNY", "en", "1,240.00 CNY"),
        ("1240.5", "CNY", "zh", "1,240.50元"),
        ("0.125", "CNY", "en", "0.125 CNY"),
        ("1240", "JPY", "zh", "1,240 JPY"),
        ("-3.1", "BHD", "en", "-3.100 BHD"),
    ],
)
def test_amounts(amount: str, currency: str, language: str, told: str) -> None:
    assert amount_in_words(Decimal(amount), currency, language) == told


def test_days_reasons_and_results() -> None:
    assert day_in_words(DAY, "en") == "20 November 2026"
    assert day_in_words(DAY, "zh") == "2026年11月20日"
    assert reason_in_words("bills were paid late", "en") == "Bills were paid late."
    assert reason_in_words("按时付款的比例偏低", "zh") == "按时付款的比例偏低。"
    policy = shipped("consumer-credit")
    stored = {"unit": "CNY", "value": "120.00"}
    assert result_in_words("credit_limit", stored, policy, "en") == "Your credit limit: 120.00 CNY."
    assert result_in_words("grade", "D", policy, "zh") == "您的信用等级：D。"


@pytest.mark.parametrize(
    ("changes", "by", "en", "zh"),
    [
        (
            [("on_time_rate_12m", "0.5", "0.9", "or more")], None,
            "If your share of bills paid on time in the last year were 90% or more, your grade would be B.",
            "如果您的近一年按时付款比例为90%或更多，您的信用等级将为B。",
        ),
        (
            [("max_dpd_12m", 42, 1, "or less"), ("id_verified", False, True, "")], None,
            "If your longest delay of a bill in the last year were 1 day or less and your identity were "
            "verified, your grade would be B.",
            "如果您的近一年账单最长逾期为1天或更少，并且您的身份已核验，您的信用等级将为B。",
        ),
        (
            [("overdue_now", "300.00", "0.00", "")], date(2026, 12, 1),
            "If you pay 300.00 CNY by 1 December 2026, so that your overdue amount is 0.00 CNY, "
            "your grade would be B.",
            "如果您最迟于2026年12月1日支付300.00元，使逾期金额为0.00元，您的信用等级将为B。",
        ),
        (
            [("tenure_months", 5, 12, "or more")], None,
            "If your time with us were 12 months or more, your grade would be B.",
            "如果您的在网时间为12个月或更多，您的信用等级将为B。",
        ),
    ],
)  # fmt: skip
def test_changes(changes: list[tuple[str, Given, Given, str]], by: date | None, en: str, zh: str) -> None:
    policy = shipped("consumer-credit")
    exact = tuple(Change(name, _exact(old), _exact(new), beyond) for name, old, new, beyond in changes)
    one = NearestChange("grade", "B", exact, decide(policy, WAVERING, DAY), by)
    assert change_in_words(one, policy, "en") == en
    assert change_in_words(one, policy, "zh") == zh


def test_a_policys_own_names_are_told_by_their_words() -> None:
    policy = policy_of(ODD)
    decided = decide(policy, given(signal_level=2, paperless=False, joined=DAY, rate=Decimal("0.125")), DAY)
    found = (
        Change("signal_level", 2, 4, "or more"), Change("paperless", False, True),
        Change("joined", DAY, date(2026, 1, 1), "or earlier"), Change("rate", Decimal(0), Decimal("0.125")),
    )  # fmt: skip
    one = NearestChange("limit_left", Money(unit="CNY", value=Decimal(1000)), found, decided)
    assert change_in_words(one, policy, "en") == (
        "If your signal level were 4 or more and “paperless” applied and your joined were 1 January 2026 or "
        "earlier and your rate were 12.5%, your limit left would be 1,000.00 CNY."
    )


def test_a_policys_own_label_goes_before_ours() -> None:
    labels = "label: {en: signal at home, zh: 家中信号}"
    policy = policy_of(ODD.replace("signal_level: {", f"signal_level: {{{labels}, ", 1))
    assert policy.facts["signal_level"].label == {"en": "signal at home", "zh": "家中信号"}
    decided = decide(policy, given(signal_level=2, paperless=False, joined=DAY, rate=Decimal("0.125")), DAY)
    one = NearestChange("grade", "A", (Change("signal_level", 2, 4, "or more"),), decided)
    assert (
        change_in_words(one, policy, "en") == "If your signal at home were 4 or more, your grade would be A."
    )
    assert change_in_words(one, policy, "zh") == "如果您的家中信号为4或更多，您的信用等级将为A。"
    assert one.told("en", policy) == "with signal at home of 4 or more the grade would be A"
    assert one.told("zh", policy) == "如果家中信号为4或更多，信用等级将为A"
    assert str(one) == "with signal_level of 4 or more the grade would be A"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_has_a_name_or_a_value_of_a_program(name: str, language: str) -> None:
    policy = shipped(name)
    facts = {key: fact for key, fact in WAVERING.items() if key in policy.facts}
    if set(policy.facts) - set(facts):
        return  # its facts are of another kind of credit
    for one in nearest_changes(policy, facts, DAY):
        told = change_in_words(one, policy, language)
        assert not re.search(r"[a-z]_|Decimal|True|False|None|true|false|null", told), told
        assert told.endswith("." if language == "en" else "。")
