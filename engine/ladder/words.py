"""What histories and expectations may name: the facts, holds, steps and ladders of the policies they play."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.credit.model import FactDefinition
from engine.ladder.ladders_from_yaml import ARGUMENTS, BEFORE_DUE, INTEREST, LATE_FEE
from engine.ladder.model import CollectionsPolicy
from engine.ledger.account import LEVELS
from engine.source import Span
from engine.text import Period, Reader, did_you_mean

HOLD = "hold."
"""Steps of what holds and disputes ask for: `hold.hardship`."""
BY_ITSELF = (LATE_FEE, INTEREST, "fees")
"""Steps that no ladder has: late fees, interest, and fees that only a person can see to."""
_ACTION = re.compile(
    r"(?P<undo>undo )?(?P<step>[^\s/()]+)(?P<entry>/\d+)?\s+(?P<do>[^\s()]+)(?P<args>\s*\([^()]*\))?"
    r"(?:\s+(?P<amount>\d+(?:\.\d+)?))?"
)


@dataclass(frozen=True, slots=True)
class Words:
    """The names that the policies of a history know."""

    facts: Mapping[str, FactDefinition]
    holds: tuple[str, ...]
    ladders: tuple[str, ...]
    steps: Mapping[str, tuple[str, ...]]
    """Each step with its actions, as written."""
    approved: tuple[str, ...]
    """Steps that wait for the approval of a person."""
    lasts: Mapping[str, Period] = field(default_factory=dict)
    """After how long a hold without an end is over, by its kind."""


def words_of(policies: Iterable[CollectionsPolicy]) -> Words:
    """Return what some policies know, taken together."""
    every = list(policies)
    steps: dict[str, tuple[str, ...]] = {}
    approved: list[str] = []
    for row in (row for policy in every for row in policy.rows()):
        steps[row.step] = (*steps.get(row.step, ()), *(str(item) for item in row.do))
        if any(item.do == "approve" for item in row.do):
            approved.append(row.step)
    for reminder in (row for policy in every for row in policy.before_due):
        steps[BEFORE_DUE] = (*steps.get(BEFORE_DUE, ()), *(str(item) for item in reminder.do))
    return Words(
        {name: fact for policy in every for name, fact in policy.facts.items()},
        tuple(kind for policy in every for kind in policy.holds),
        tuple(name for policy in every for name in policy.ladders),
        steps,
        tuple(approved),
        {kind: rules.lasts for policy in every for kind, rules in policy.holds.items() if rules.lasts},
    )


@dataclass(frozen=True, slots=True)
class NamedAction:
    """An action as timelines name it, with its amount if one is stated: `bar service(suspended) 300.00`."""

    name: str
    amount: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.amount}" if self.amount else self.name


def read_action(reader: Reader, words: Words, text: str, span: Span) -> NamedAction | None:
    """Read `step action`, as `suspend/2 service(suspended) 300.00` or `undo bar service(open)`."""
    found = _ACTION.fullmatch(text)
    step = found["step"] if found else text.removeprefix("undo ").partition(" ")[0].partition("/")[0]
    at = text.find(step)
    place = span.shifted(at, max(1, len(step)))
    if not _known_step(reader, words, step, place):
        return None
    if found is None:
        does = words.steps.get(step, ("task(review)",))[0]
        message, advice = f"`{text}` does not name a step and its action", f"write both: `{step} {does}`"
        if text.count("(") > text.count(")"):
            advice = f'a comma divides the list here, so put the action in quotes: `"{step} {does}"`'
        reader.error("not-an-asked-action", message, span, advice)
        return None
    if not _known_action(reader, found, span):
        return None
    args = ", ".join(part.strip() for part in (found["args"] or "").strip(" ()").split(","))
    entry = "" if found["entry"] in (None, "/1") else found["entry"]
    call = f"{found['do']}({args})" if args else found["do"]
    return NamedAction(f"{found['undo'] or ''}{step}{entry} {call}", found["amount"] or "")


def _known_step(reader: Reader, words: Words, step: str, span: Span) -> bool:
    known = (*words.steps, *BY_ITSELF, *(HOLD + kind for kind in ("dispute", *words.holds)))
    return known_word(reader, step, known, "step", span)


def known_word(
    reader: Reader, word: str, known: Iterable[str], what: str, span: Span, of: str = ""
) -> bool:  # fmt: skip
    """Tell whether a word is one of those known; otherwise note it with the nearest one."""
    options = tuple(known)
    if word in options:
        return True
    advice = did_you_mean(word, options, of=of or f"{what}s of the policy") or f"the policy has no {what}s"
    reader.error(f"unknown-{what.replace(' ', '-')}", f"there is no {what} `{word}`", span, advice)
    return False


def _known_action(reader: Reader, found: re.Match[str], span: Span) -> bool:
    do, at = found["do"], found.start("do")
    if do not in ARGUMENTS:
        advice = did_you_mean(do, ARGUMENTS, of="actions")
        reader.error("unknown-action", f"there is no action `{do}`", span.shifted(at, len(do)), advice)
        return False
    level = (found["args"] or "").strip(" ()")
    if do == "service" and level not in LEVELS:
        advice = did_you_mean(level, LEVELS, of="levels")
        place = span.shifted(at, found.end("args") - at if found["args"] else len(do))
        reader.error("unknown-level", f"there is no level of service `{level}`", place, advice)
        return False
    return True
