"""The answer of a preview as bytes, written beside the response model: the same text for the same decision.

What does not depend on the facts (the policy, the day, fields that are null) is taken from the model itself,
once for each policy and day, so a field that the model gains stands in both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from api.rest.bodies import FIRST_YEAR, LAST_YEAR
from api.rest.customers import GivenFact, facts_of
from api.rest.decisions import DecisionOut, ReasonOut, decision_fields
from api.rest.strict_json import loads
from engine.credit import CompiledPolicy, Fact
from engine.credit.finish import blank
from engine.credit.quick import NotPlain, QuickPolicy

DAYS_KEPT = 40
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIELDS = frozenset(("policy", "as_of", "facts"))
_HOLE = '"status":"decided","outcome":{},"reasons":[],"facts":{}'
_PLAIN = frozenset((bool, int, str, type(None)))


class Asked(NamedTuple):
    """A plain body of a preview."""

    policy: str
    as_of: date | None
    facts: Mapping[str, Any]
    """Plain JSON values; a mapping is a fact with its quality."""


def asked_in(body: bytes) -> Asked:
    """Read a body that is plain, in the limits of `PreviewBody`; raise NotPlain or ValueError for another."""
    said = _strict(body)
    if type(said) is not dict or not said.keys() <= _FIELDS:
        raise NotPlain
    policy, day, facts = said.get("policy"), said.get("as_of"), said.get("facts")
    if type(policy) is not str or not 1 <= len(policy) <= 80 or type(facts) is not dict:
        raise NotPlain
    if day is None:
        return Asked(policy, None, facts)
    if type(day) is not str or not _DAY.fullmatch(day):
        raise NotPlain
    as_of = date.fromisoformat(day)
    if not FIRST_YEAR <= as_of.year <= LAST_YEAR:
        raise NotPlain
    return Asked(policy, as_of, facts)


def _strict(body: bytes) -> Any:
    """Read JSON as `strict_json` does, or raise ValueError.

    A fast reader keeps the last of two equal keys. Each key has its colon: where there are as many colons as
    keys were found, none came twice. Without a backslash there is no NUL and no half surrogate.
    """
    if b"\\" in body:
        return loads(body)
    said = from_json(body, allow_inf_nan=False)
    return said if body.count(b":") == _keys(said) else loads(body)


def _keys(said: Any) -> int:
    """Count the keys of a body and of its facts; what lies deeper is not plain, and is not counted."""
    if type(said) is not dict:
        return -1
    facts = said.get("facts")
    if type(facts) is not dict:
        return -1
    return len(said) + len(facts) + sum(len(one) for one in facts.values() if type(one) is dict)


def _is_plain(said: Any) -> bool:
    return type(said) in _PLAIN or (type(said) is list and all(type(item) is str for item in said))


class Answers:
    """The answers of one policy."""

    def __init__(self, compiled: CompiledPolicy) -> None:
        self._quick = QuickPolicy(compiled)
        self._policy = policy = compiled.policy
        self._names = [encode_basestring(item.name) + ":" for item in policy.outcome]
        self._money = [
            (f'{{"unit":{encode_basestring(policy.currency)},"value":"', '"}') if item.money else None
            for item in policy.outcome
        ]
        self._facts = {name: f'{encode_basestring(name)}:{{"value":' for name in policy.facts}
        self._reasons: dict[tuple[str, str], str] = {}
        self._days: dict[date, tuple[str, str, str]] = {}

    def answer(self, facts: Mapping[str, Any], as_of: date) -> bytes:
        """Return the whole answer; raise NotPlain, or ValueError, where the path itself has to be asked."""
        given = {name: self._given(said, as_of) for name, said in facts.items()}
        found = self._quick.decide(given, as_of)
        before, after, quality = self._days.get(as_of) or self._day(as_of)
        outcome = ",".join(
            name + (f"{money[0]}{value}{money[1]}" if money else json_text(value))
            for name, money, value in zip(self._names, self._money, found.outcome, strict=True)
        )
        reasons = ",".join(
            self._reasons.get(pair) or self._reason(pair) for pair in found.reasons.items()
        )  # fmt: skip
        told = ",".join(
            f"{self._facts[name]}{json_text(value)}{quality}" if type(value) is not Fact
            else f"{encode_basestring(name)}:{value.model_dump_json()}"
            for name, value in found.facts.items()
        )  # fmt: skip
        return (
            f'{before}"status":"{found.status}","outcome":{{{outcome}}},"reasons":[{reasons}],"facts":{{{told}}}'
            f"{after}"
        ).encode()

    @staticmethod
    def _given(said: Any, as_of: date) -> Any:
        if _is_plain(said):
            return said
        if type(said) is not dict or not all(map(_is_plain, said.values())):
            raise NotPlain
        try:
            fact = facts_of({"": GivenFact.model_validate(said)}, as_of)[""]
        except ValidationError as error:
            raise NotPlain from error
        if fact.verified_at is not None and fact.verified_at.astimezone(UTC).date() > as_of:
            raise NotPlain  # whether that has come, the path knows
        return fact

    def _day(self, as_of: date) -> tuple[str, str, str]:
        """Return what stands before and after the parts that vary, and what follows the value of a fact."""
        whole = DecisionOut(**decision_fields(blank(self._policy, as_of), trace=False)).model_dump_json()
        before, _, after = whole.partition(_HOLE)
        _, _, quality = Fact(value=None, as_of=as_of).model_dump_json().partition('"value":null')
        if len(self._days) >= DAYS_KEPT:
            self._days.clear()
        self._days[as_of] = (before, after, quality)
        return before, after, quality

    def _reason(self, pair: tuple[str, str]) -> str:
        code, source = pair
        text = dict(self._policy.reasons[code].text)
        self._reasons[pair] = made = ReasonOut(code=code, decision=source, text=text).model_dump_json()
        return made


def json_text(value: Any) -> str:
    """Return a value as the response model writes it."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is Decimal:
        return f'"{value}"'
    return to_json(value).decode()
