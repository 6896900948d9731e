"""Whether an expectation speaks of something: a day of its history, a bill or a service that is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from engine.ladder.events_from_yaml import Line
from engine.ladder.expected import ABOUT, ALL, Expectation
from engine.ladder.model import CollectionsPolicy
from engine.ladder.possible import ACTS, names_of
from engine.ladder.timeline_sides import Sides
from engine.ledger.entries import Bill, Entry, FactSet, Payment
from engine.source import Span
from engine.text import Reader, did_you_mean

_SECTIONS = {"reminds": "before_due", "interest": "interest", "late_fee": "late_fee"}
"""What is expected of a section of the policy."""
_OF_NOTICES = frozenset(("do", "figures", "sent", "text"))
"""What can be told of one bill without a case of its own: it is announced before it is due."""


def check_expectations(
    reader: Reader, sides: Sides, lines_in: Mapping[str, Sequence[Line]], expect: Sequence[Expectation]
) -> None:
    """Note every expectation that would hold, or fail, whatever the policy does.

    `lines_in` are the lines of the history by the currency of the account that they are about.
    """
    first = min((_begin(line) for lines in lines_in.values() for line in lines), default=None)
    for one in expect:
        lines = lines_in[one.currency]
        entries = [line.event.entry for line in lines if line.event.entry is not None]
        if len(lines_in) > 1 and all(isinstance(entry, FactSet) for entry in entries):
            message = f"nothing in this history is in {one.currency}"
            advice = f"add `currency: ...` to what is expected, or a line in {one.currency} to the history"
            reader.error("nothing-in-currency", message, one.span, advice)
        if first is not None and one.day < first:
            message = f"this is before anything has happened: the first line is of {first}"
            advice = "expect something of that day or later"
            reader.error("before-the-beginning", message, one.span, advice)
        _check_always(reader, sides.policies(one.currency), one)
        if one.about is not None:
            _check_about(reader, sides.policies(one.currency), entries, one, *one.about)


def _check_always(reader: Reader, policies: Sequence[CollectionsPolicy], one: Expectation) -> None:
    """Note what can only come out in one way, because the policy has no such section."""
    for wanted in one.wanted:
        section = _SECTIONS.get(wanted.name)
        if section and not any(getattr(policy, section) for policy in policies):
            message = f"the policy has no `{section}`, so `{wanted.name}` is never anything else"
            reader.warn("always-so", message, wanted.span, "remove it, or expect something that can fail")


def check_acts(reader: Reader, policies: Sequence[CollectionsPolicy], lines: Sequence[Line]) -> None:
    """Note what a person does in one case only, where the policy has one for the whole account."""
    for line in lines:
        key = next((key for key in ABOUT if line.verb in ACTS and key in line.fields), None)
        if key and not any(_divides(policy, key) for policy in policies):
            message = f"no case is about one {key} alone, so this is done in the case of the whole account"
            reader.warn("not-divided", message, line.place(key), f"remove `{key}`")


def _begin(line: Line) -> date:
    """Return the first day on which a line matters: when it counts, or when it became known."""
    known = line.event.at.date()
    return min(known, line.event.entry.value_date) if line.event.entry else known


def _check_about(
    reader: Reader, policies: Sequence[CollectionsPolicy], entries: Sequence[Entry], one: Expectation,
    key: str, span: Span,
) -> None:  # fmt: skip
    known = sorted(names_of(entries).bill) if key == "bill" else [ALL, *_services(entries)]
    item = one.item or ALL
    if item not in known:
        advice = did_you_mean(item, known, of=f"{key}s here")
        message = f"there is no {key} `{item}` in this history"
        reader.error(f"unknown-{key}", message, span, advice or f"name a {key} of the history")
        return
    if any(_divides(policy, key) for policy in policies):
        return
    beside = [wanted for wanted in one.wanted if key != "bill" or wanted.name not in _OF_NOTICES]
    if beside or not any(policy.before_due for policy in policies):
        about = "`scope: service`" if key == "service" else "`grain: invoice`"
        message = f"no case is about one {key} alone: the policy does not say {about}"
        reader.error("not-divided", message, span, f"remove `{key}`: the case is about the whole account")


def _divides(policy: CollectionsPolicy, key: str) -> bool:
    if key == "bill":
        return policy.case.grain != "account"
    return policy.case.grain == "account" and policy.case.scope == "service"


def _services(entries: Iterable[Entry]) -> list[str]:
    named = (entry.service for entry in entries if isinstance(entry, Bill | Payment))
    return list(dict.fromkeys(name for name in named if name))
