"""Cases and sets of facts as YAML, in the manner of those that people write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from engine.credit.decision import Decision, Fact, Money
from engine.credit.model import FactValue


@dataclass(frozen=True, slots=True)
class Base:
    """A set of facts to start from, under the name that the file gives it; without a name, a case's own."""

    name: str
    as_of: date
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Generated:
    """One case that was found."""

    name: str
    base: Base
    changes: Mapping[str, FactValue]
    decision: Decision
    facts: Mapping[str, Fact]
    """All facts of the case."""
    status: bool = False
    """Whether the policy has a status of its own, which the case then tells always."""


def as_yaml(cases: Iterable[Generated], indent: str) -> str:
    """Return cases as items of the `cases:` of a file, in the manner of those written by hand."""
    return "".join(f"\n{indent}{line}" if line else "\n" for case in cases for line in _lines(case))


def _lines(case: Generated) -> Iterator[str]:
    yield ""
    yield f"- case: {in_yaml(case.name)}"
    if case.base.name:
        yield f"  facts_base: {case.base.name}"
        facts: dict[str, str] = {}
        for name, value in case.changes.items():
            facts[name] = "null" if value is None else fact_text(case.facts[name], case.base.as_of)
    else:
        yield f"  as_of: {case.base.as_of}"
        facts = {name: fact_text(fact, case.base.as_of) for name, fact in case.facts.items()}
    if facts:
        yield f"  facts: {{{', '.join(f'{name}: {text}' for name, text in facts.items())}}}"
    told = expected(case.decision, always=case.status)
    yield f"  expect: {{{', '.join(f'{name}: {value}' for name, value in told.items())}}}"


def fact_text(fact: Fact, as_of: date) -> str:
    """Return a fact as a case writes it: its value, and more of it only where there is more to say."""
    more = {"as_of": fact.as_of if fact.as_of != as_of else None, "verified_by": fact.verified_by or None}
    told = [f"{key}: {plain(value)}" for key, value in more.items() if value is not None]
    return f"{{value: {plain(fact.value)}, {', '.join(told)}}}" if told else plain(fact.value)


def expected(decision: Decision, *, always: bool = False) -> dict[str, str]:
    """Return what a decision says as a case would expect it; `always` with its status, also if it decided."""
    found = {name: plain(value) for name, value in decision.outcome.items()}
    if always or decision.status != "decided":
        found["status"] = decision.status
    return found | {"reasons": f"[{', '.join(reason.code for reason in decision.reasons)}]"}


def plain(value: object) -> str:
    """Return a value as YAML writes it on one line."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case Money():
            return str(value.value)
        case Decimal():
            return f"{value:f}"
        case list() | tuple():
            return f"[{', '.join(map(plain, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {plain(item)}' for key, item in value.items())}}}"
        case str():
            return in_yaml(value)
    return str(value)


def in_yaml(text: str) -> str:
    """Return a text as YAML may hold it in a list or map on one line."""
    plain = re.fullmatch(r"[A-Za-z_][\w .()>=<-]*", text) and not re.search(r": |\s#|\s$", text)
    words = ("true", "false", "null", "yes", "no", "on", "off")
    return text if plain and text.lower() not in words else "'" + text.replace("'", "''") + "'"
