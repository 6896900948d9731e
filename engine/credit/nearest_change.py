"""A change of one or two facts that leads to another result, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from engine.credit.decision import Decision, Money
from engine.credit.labels import known_label
from engine.credit.model import CreditPolicy, FactValue
from engine.feel.values import show, to_feel

OWED = frozenset(("overdue_now",))
"""Facts of the ledger that a payment lowers by its amount: they are told as paying."""
_EN: Mapping[str, str] = {
    "with": "with {changes} the {result} would be {value}", "and": " and ",
    "pay": "by paying {amount} ({left}) the {result} would be {value}",
    "pay by": "by paying {amount} by {day} ({left}) the {result} would be {value}",
    "of": "{fact} of {after}", "far": "{told} ({far})",
    "less": "{by} less", "more": "{by} more", "or less": " or less", "or more": " or more",
    "earlier": "{by} days earlier", "later": "{by} days later",
    "earlier one": "{by} day earlier", "later one": "{by} day later",
    "or earlier": " or earlier", "or later": " or later",
}  # fmt: skip
_ZH: Mapping[str, str] = {
    "with": "如果{changes}，{result}将为{value}", "and": "，并且",
    "pay": "如果支付{amount}（{left}），{result}将为{value}",
    "pay by": "如果最迟于{day}支付{amount}（{left}），{result}将为{value}",
    "of": "{fact}为{after}", "far": "{told}（{far}）",
    "less": "减少{by}", "more": "增加{by}", "or less": "或更少", "or more": "或更多",
    "earlier": "提前{by}天", "later": "推后{by}天", "earlier one": "提前{by}天", "later one": "推后{by}天",
    "or earlier": "或更早", "or later": "或更晚",
}  # fmt: skip
_WORDS: Mapping[str, Mapping[str, str]] = {"en": _EN, "zh": _ZH}


@dataclass(frozen=True, slots=True)
class Change:
    """One fact as it would have to be."""

    fact: str
    before: FactValue
    after: FactValue
    beyond: str = ""
    """`or less`, `or later` ...: every value further on that was tried gives the same."""

    def __str__(self) -> str:
        return self.told(_EN)

    def told(self, words: Mapping[str, str], called: Callable[[str], str] = str) -> str:
        """Return the fact and its value in the words of a language, with how far that is."""
        told, far = self.left(words, called), self._far(words)
        return words["far"].format(told=told, far=far) if far else told

    def left(self, words: Mapping[str, str], called: Callable[[str], str] = str) -> str:
        """Return the fact and its value in the words of a language."""
        further = words[self.beyond] if self.beyond else ""
        return words["of"].format(fact=called(self.fact), after=shown(self.after)) + further

    @property
    def payment(self) -> Decimal | None:
        """What has to be paid for it, where the fact is what is owed."""
        now, then = self.before, self.after
        if self.fact not in OWED or not isinstance(now, Decimal) or not isinstance(then, Decimal):
            return None
        return now - then if then < now else None

    @property
    def distance(self) -> str:
        """How far from what it is now: `37.20 less`, `3 days later`; empty where a distance says nothing."""
        return self._far(_EN)

    def _far(self, words: Mapping[str, str]) -> str:
        now, then = self.before, self.after
        if isinstance(now, date) and isinstance(then, date):
            days = (then - now).days
            which = ("later" if days > 0 else "earlier") + (" one" if abs(days) == 1 else "")
            return words[which].format(by=abs(days))
        if isinstance(now, Decimal) and isinstance(then, Decimal):
            return words["more" if then > now else "less"].format(by=f"{abs(then - now):f}")
        return ""


@dataclass(frozen=True, slots=True)
class NearestChange:
    """The nearest change that leads to one other result."""

    result: str
    """The name of the result: the policy's first outcome, or `status`."""
    value: Any
    changes: tuple[Change, ...]
    decision: Decision
    """What the policy says then."""
    by: date | None = None
    """For a payment: the last day on which it leads there, if nothing else happens; None: not known."""

    def __str__(self) -> str:
        return self.told()

    @property
    def payment(self) -> Decimal | None:
        """What has to be paid, where paying alone leads there."""
        return self.changes[0].payment if len(self.changes) == 1 else None

    def told(self, language: str = "en", policy: CreditPolicy | None = None) -> str:
        """Return the change as a sentence in a language; in English where it is not known.

        With the policy facts and results are called by their labels, where they have one.
        """
        words = _WORDS.get(language, _EN)

        def called(name: str) -> str:
            return (known_label(name, language, policy) if policy else "") or name

        last = {"result": called(self.result), "value": shown(self.value)}
        if amount := self.payment:
            left = self.changes[0].left(words, called)
            sentence = words["pay by" if self.by else "pay"]
            return sentence.format(amount=f"{amount:f}", day=self.by, left=left, **last)
        changes = words["and"].join(change.told(words, called) for change in self.changes)
        return words["with"].format(changes=changes, **last)


def shown(value: object) -> str:
    """Return a value as a customer reads it: amounts with their currency, texts without quotes."""
    if isinstance(value, Money):
        return f"{value.value} {value.unit}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, str | date) else show(to_feel(value))
