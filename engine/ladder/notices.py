"""What a customer reads: the text of a notice with its figures, as the customer's language writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from engine.ladder.model import CollectionsPolicy
from engine.ladder.state import Action
from engine.text.currency import decimals

AMOUNTS = ("overdue", "disputed", "late_fee", "interest", "fees", "next_due_amount")
DAYS = ("next_due", "next_date", "last_day")
STEPS = ("next_step",)
FOLLOWING = ("next_step", "next_date", "last_day")
"""Figures of what happens next: a notice after which nothing follows has none of them."""
FIGURES = (
    "currency", "overdue", "disputed", "late_fee", "interest", "fees", "days_past_due", "debts",
    "next_due", "next_due_amount", "next_step", "next_date", "last_day", "opt_out",
)  # fmt: skip
"""The figures that the text of a notice may state."""
FIGURE = re.compile(r"\{([^{}]*)\}")
NOT_THERE = "-"
"""In place of a figure that there is none of: nothing falls due next, nothing follows."""
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_SEPARATORS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("de", "es", "it", "pt", "nl", "id", "tr", "da", "el"), (".", ",")),
    **dict.fromkeys(("fr", "ru", "pl", "cs", "sk", "uk", "sv", "nb", "fi", "bg"), ("\u00a0", ",")),
}
"""What divides thousands and what divides cents; in all other languages a comma and a point."""
_DATES: Mapping[str, Callable[[date], str]] = {
    "en": lambda day: f"{day.day} {_MONTHS[day.month - 1]} {day.year}",
    "zh": lambda day: f"{day.year}年{day.month}月{day.day}日",
    "ja": lambda day: f"{day.year}年{day.month}月{day.day}日",
}
"""How a day is written; in all other languages as ISO 8601 has it."""


def notice_text(policy: CollectionsPolicy, action: Action) -> str:
    """Return the whole text of a notice as its customer reads it; empty: the receiver holds the text.

    An amount has the decimals of its currency and the separators of the language, a day its words; figures
    in `Action.figures` stay as plain as they are. A figure that there is none of is a dash.
    """
    texts = policy.templates.get(action.args[1], {}) if action.do == "notify" else {}
    language = action.language or next((word for word in ("en", *sorted(texts)) if word in texts), "")
    text = texts.get(language, "")
    return FIGURE.sub(lambda found: _figure(policy, action, language, found[1]), text)


def _figure(policy: CollectionsPolicy, action: Action, language: str, name: str) -> str:
    if name == "opt_out":
        words = policy.contact.opt_out
        return words.get(language) or next(iter(words.values()), NOT_THERE)
    value = action.figures.get(name, "")
    if not value:
        return NOT_THERE
    if name in AMOUNTS:
        return amount_in(language, Decimal(value), policy.currency)
    if name in DAYS:
        return day_in(language, date.fromisoformat(value))
    if name in STEPS:
        titles = policy.steps.get(value, {})
        return titles.get(language) or titles.get("en") or value
    return value


def amount_in(language: str, value: Decimal, currency: str) -> str:
    """Return an amount as a language writes it, with the decimals of its currency; never rounded."""
    places = max(decimals(currency), -_exponent(value.normalize()))
    thousands, point = _SEPARATORS.get(language, (",", "."))
    text = f"{value:,.{places}f}"
    return text.translate({ord(","): thousands, ord("."): point})


def _exponent(value: Decimal) -> int:
    found = value.as_tuple().exponent
    return found if isinstance(found, int) and found < 0 else 0


def day_in(language: str, day: date) -> str:
    """Return a day as a language writes it."""
    return _DATES.get(language, date.isoformat)(day)
