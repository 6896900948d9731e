"""Facts, results and values as customers read them: labels for names, amounts, shares and days written out.

A policy's own names are told by their `label`; without one by their words (`signal_level`: signal level).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from engine.credit.decision import Money
from engine.credit.labels import LANGUAGES, label
from engine.credit.model import CreditPolicy, FactDefinition, FactKind
from engine.credit.nearest_change import Change, NearestChange
from engine.text.currency import decimals

_TRUTHS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "en": {
        "id_verified": ("your identity were verified", "your identity were not verified"),
        "direct_debit": ("you paid by direct debit", "you did not pay by direct debit"),
        "prior_write_off": ("a debt of yours had been written off", "no debt of yours had been written off"),
    },
    "zh": {
        "id_verified": ("您的身份已核验", "您的身份未核验"),
        "direct_debit": ("您使用自动扣款", "您不使用自动扣款"),
        "prior_write_off": ("您曾有欠费被核销", "您没有欠费被核销"),
    },
}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "with": "If {changes}, {then}.", "and": " and ", "of": "your {fact} were {value}",
        "applied": "“{fact}” applied", "not applied": "“{fact}” did not apply",
        "pay": "If you pay {amount}, so that your overdue amount is {left}, {then}.",
        "pay by": "If you pay {amount} by {day}, so that your overdue amount is {left}, {then}.",
        "then": "your {fact} would be {value}", "decided": "we could decide at once",
        "refused": "we could not decide", "referred": "a person would look at it",
        "or less": " or less", "or more": " or more", "or earlier": " or earlier", "or later": " or later",
        "month": "{n} month", "months": "{n} months", "day": "{n} day", "days": "{n} days",
        "null": "not known", "result": "Your {fact}: {value}.", "end": ".",
    },
    "zh": {
        "with": "如果{changes}，{then}。", "and": "，并且", "of": "您的{fact}为{value}",
        "applied": "“{fact}”属实", "not applied": "“{fact}”不属实",
        "pay": "如果您支付{amount}，使逾期金额为{left}，{then}。",
        "pay by": "如果您最迟于{day}支付{amount}，使逾期金额为{left}，{then}。",
        "then": "您的{fact}将为{value}", "decided": "我们即可作出决定", "refused": "我们将无法作出决定",
        "referred": "将由工作人员审核",
        "or less": "或更少", "or more": "或更多", "or earlier": "或更早", "or later": "或更晚",
        "month": "{n}个月", "months": "{n}个月", "day": "{n}天", "days": "{n}天",
        "null": "未知", "result": "您的{fact}：{value}。", "end": "。",
    },
}  # fmt: skip
_UNITS = {"tenure_months": "month", "max_dpd_12m": "day", "dpd_now": "day"}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


def day_in_words(day: date, language: str) -> str:
    """Return a day as it is written: `1 June 2026`, `2026年6月1日`."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def amount_in_words(amount: Decimal, currency: str, language: str) -> str:
    """Return an amount with its currency: `1,240.00 CNY`, `1,240.00元`."""
    text = (
        f"{amount:,.{decimals(currency)}f}" if amount == round(amount, decimals(currency)) else f"{amount:,f}"
    )
    return f"{text}元" if (language, currency) == ("zh", "CNY") else f"{text} {currency}"


def result_in_words(name: str, value: Any, policy: CreditPolicy, language: str) -> str:
    """Return a result as a sentence: `Your credit limit: 120.00 CNY.`"""
    told = _result(value, policy, language)
    return _WORDS[language]["result"].format(fact=label(name, language, policy), value=told)


def reason_in_words(text: str, language: str) -> str:
    """Return a reason's text as a sentence."""
    end = _WORDS[language]["end"]
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "。", "!", "?", "！", "？")) else end)


def change_in_words(change: NearestChange, policy: CreditPolicy, language: str) -> str:
    """Return what would lead to another result as a sentence in one of `LANGUAGES`."""
    words = _WORDS[language]
    if change.result == "status":
        then = words.get(str(change.value), words["decided"])
    else:
        value = _result(change.value, policy, language)
        then = words["then"].format(fact=label(change.result, language, policy), value=value)
    if (amount := change.payment) is not None:
        left = _value(change.changes[0], policy, language)
        day = day_in_words(change.by, language) if change.by else ""
        paid = amount_in_words(amount, policy.currency, language)
        return words["pay by" if change.by else "pay"].format(amount=paid, day=day, left=left, then=then)
    told = words["and"].join(_condition(one, policy, language) for one in change.changes)
    return words["with"].format(changes=told, then=then)


def _condition(change: Change, policy: CreditPolicy, language: str) -> str:
    words, name = _WORDS[language], label(change.fact, language, policy)
    if isinstance(change.after, bool):
        known = None if policy.facts[change.fact].label.get(language) else _TRUTHS[language].get(change.fact)
        other = (words["applied"].format(fact=name), words["not applied"].format(fact=name))
        return (known or other)[0 if change.after else 1]
    return words["of"].format(fact=name, value=_value(change, policy, language))


def _value(change: Change, policy: CreditPolicy, language: str) -> str:
    """Return the value that a fact would have to have, by the kind of the fact."""
    told = _fact(policy.facts[change.fact], change.after, policy.currency, language)
    return told + (_WORDS[language][change.beyond] if change.beyond else "")


def _fact(fact: FactDefinition, value: object, currency: str, language: str) -> str:
    words = _WORDS[language]
    if value is None:
        return words["null"]
    if isinstance(value, date):
        return day_in_words(value, language)
    if isinstance(value, Decimal) and fact.kind is FactKind.MONEY:
        return amount_in_words(value, currency, language)
    if isinstance(value, Decimal) and fact.kind is FactKind.DECIMAL and fact.maximum == 1:
        return f"{(value * 100).normalize():f}%"
    if unit := _UNITS.get(fact.name):
        return words[unit if value == 1 else f"{unit}s"].format(n=value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _result(value: Any, policy: CreditPolicy, language: str) -> str:
    if isinstance(value, Mapping) and set(value) == {"unit", "value"}:
        value = Money(unit=value["unit"], value=Decimal(str(value["value"])))
    if isinstance(value, Money):
        return amount_in_words(value.value, value.unit, language)
    return _WORDS[language]["null"] if value is None else str(value)


__all__ = [
    "LANGUAGES", "amount_in_words", "change_in_words", "day_in_words", "label", "reason_in_words",
    "result_in_words",
]  # fmt: skip
