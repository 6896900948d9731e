"""On which channel and in which language a customer is told something, and what follows one that fails."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from engine.ladder.case import Case
from engine.ladder.ladders_from_yaml import CHANNELS, PREFERRED
from engine.ladder.memory import Row, token_of
from engine.ladder.model import DoItem, LadderRow

PREFERRED_CHANNEL = "preferred_channel"
LANGUAGE = "language"
OPTED_OUT = "opted_out"
"""Facts about the customer that decide how a notice goes out; a policy that declares them is heard."""


def known_fact(case: Case, name: str) -> object:
    """Return a fact of the customer that the policy declares; None otherwise."""
    return case.account.facts.get(name) if name in case.policy.facts else None


def opted_out(facts: Mapping[str, object]) -> frozenset[str]:
    """Return the channels on which the customer wants nothing any more."""
    refused = facts.get(OPTED_OUT)
    return frozenset(
        (refused,) if isinstance(refused, str) else refused if isinstance(refused, tuple) else ()
    )


def chain(case: Case, item: DoItem) -> tuple[str, ...]:
    """Return the channels on which a notice is tried, in order: none that the customer has opted out of."""
    first = known_fact(case, PREFERRED_CHANNEL) if item.args[0] == PREFERRED else item.args[0]
    channels = [first, *case.policy.contact.fallback]
    closed = opted_out({OPTED_OUT: known_fact(case, OPTED_OUT)})
    found = (c for c in channels if isinstance(c, str) and c in CHANNELS and c not in closed)
    return tuple(dict.fromkeys(found))


def channel(case: Case, item: DoItem, tries: int) -> str:
    """Return the channel of the n-th time that a notice is asked for in a row; empty: none is left."""
    channels = chain(case, item)
    if not channels:
        return ""
    return channels[min((tries - 1) // case.policy.contact.attempts, len(channels) - 1)]


def resolved(case: Case, item: DoItem, tries: int) -> DoItem:
    """Return an action as it is asked for: a notice with the channel on which it goes out."""
    if item.do != "notify":
        return item
    by = channel(case, item, tries)
    return replace(item, args=(by, *item.args[1:])) if by else item


def attempts(case: Case, row: LadderRow) -> int:
    """Return how often in a row it is asked for before a person has to see to it: each channel so often."""
    channels = max((len(chain(case, item)) for item in row.do if item.do == "notify"), default=1)
    return case.policy.contact.attempts * max(1, channels)


def next_tries(case: Case, row: LadderRow) -> int:
    """Return the how many-th time in a row it would be if a row were taken now."""
    taken = failed_announcement(case, row) or case.taken_row(row.step)
    return taken.tries + 1 if taken and taken.state != "done" else 1


def failed_announcement(case: Case, row: LadderRow) -> Row | None:
    """Return what was sent, or placed, again for more debts, and had no effect."""
    again = (one for one in case.rows if one.step == row.step and one.announces and not one.skipped)
    return next((one for one in again if one.state not in ("requested", "done") and not one.declined), None)


def asks_for(key: str, item: DoItem) -> bool:
    """Tell whether a key is of an action of a row, on whatever channel it went out."""
    token = token_of(key)
    if item.do != "notify":
        return token == item.token
    parts = token.split(".")
    return parts[0] == "notify" and parts[2:] == list(item.args[1:])


def same_channel(row: LadderRow) -> bool:
    """Tell whether the row sends one text on several channels by itself, so that a key's channel counts."""
    texts = [item.args[1] for item in row.do if item.do == "notify"]
    return len(set(texts)) == len(texts)


def language(case: Case, template: str) -> str:
    """Return the language of a text: the customer's own, then as `languages` has them; empty: no choice.

    A region or script of the customer's is left out (`en-US` is `en`): texts are written by language.
    """
    rules = case.policy.contact
    if not rules.languages:
        return ""
    own = known_fact(case, LANGUAGE)
    spoken = re.split(r"[-_]", own)[0].lower() if isinstance(own, str) else ""
    wanted = [spoken, *rules.languages] if spoken else list(rules.languages)
    texts = case.policy.templates.get(template, {})
    return next((word for word in wanted if word in texts), wanted[0] if not texts else "")
