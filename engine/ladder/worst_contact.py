"""How many days rules on contact can put a notice off, if nobody else speaks to the customer meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta

from engine.ladder.caps import covered
from engine.ladder.case import minutes
from engine.ladder.channels import PREFERRED_CHANNEL
from engine.ladder.check import chain
from engine.ladder.contact import TIMEZONE, TOGETHER
from engine.ladder.ladders_from_yaml import CHANNELS, PREFERRED
from engine.ladder.law import Clause, LawPack
from engine.ladder.lawful_contact import harms, validates
from engine.ladder.model import CollectionsPolicy, Ladder, LadderRow
from engine.ladder.waits import longest

DAY = 24 * 60


def channels_of(policy: CollectionsPolicy, row: LadderRow) -> frozenset[str]:
    """Return the channels on which the notices of a row go out when none fails."""
    found: set[str] = set()
    for item in row.do:
        if item.do == "notify" and item.args[0] == PREFERRED:
            fact = policy.facts.get(PREFERRED_CHANNEL)
            own = fact.one_of if fact and fact.one_of else CHANNELS
            found |= {word for word in own if word in CHANNELS} | set(policy.contact.fallback[:1])
        elif item.do == "notify":
            found.add(item.args[0])
    return frozenset(found)


def put_off(policy: CollectionsPolicy, law: LawPack, row: LadderRow) -> Iterator[tuple[str, int]]:
    """Yield what of the policy's caps and rests, and of the law's, can put the notices of a row off, in days.

    A cap that is full today and a conversation of today run out side by side.
    """
    by = channels_of(policy, row)
    capped = [longest(period) for kind, _, period in policy.contact.caps if by & set(covered(kind))]
    capped += [
        longest(clause.most[1])
        for clause in law.clauses_on("contact_frequency")
        if clause.most and by & set(clause.channels)
    ]
    rests = [policy.contact.after_conversation] if "call" in by else []
    rests += [c.period for c in law.clauses_on("after_conversation") if by & set(c.channels)]
    spoken = max((longest(rest) for rest in rests if rest), default=0)
    cap = max(capped, default=0)
    if cap or spoken:
        names = [name for name, days in (("a contact cap", cap), ("a conversation", spoken)) if days]
        yield " or ".join(names), max(cap, spoken)


# hours


class Hours:
    """When what is asked for can go out: outside quiet hours and those of the law, wherever people live."""

    def __init__(self, policy: CollectionsPolicy, law: LawPack) -> None:
        self.quiet, self.clauses = policy.contact.quiet, law.clauses_on("contact_hours")
        self.zones = TIMEZONE in policy.facts
        run = minutes(policy.case.hour)
        self.together = run + int(TOGETHER / timedelta(minutes=1)) if policy.contact.consolidate else 0
        self._quiet: dict[frozenset[str], tuple[list[bool], int, bool]] = {}

    def free_from(self, at: int, channels: tuple[str, ...], *, late: bool) -> int:
        """Return the first minute from a minute on at which notices can go out on some channels.

        A customer can live anywhere if the policy or the law looks at where it is: `late` where it is worst.
        """
        if not channels:
            return at
        quiet, most, anywhere = self._of(frozenset(channels))
        at = max(at, at - at % DAY + self.together)
        if most in (0, DAY):
            return at
        if anywhere:
            return at + (most if late else 0)
        return at + _stretch(quiet, at % DAY)

    def _of(self, by: frozenset[str]) -> tuple[list[bool], int, bool]:
        if by not in self._quiet:
            spans = [self.quiet] if self.quiet else []
            clauses = [clause for clause in self.clauses if by & set(clause.channels)]
            spans += [(clause.hours[1], clause.hours[0]) for clause in clauses if clause.hours]
            quiet = [any(_within(minute, span) for span in spans) for minute in range(DAY)]
            self._quiet[by] = quiet, _longest(quiet), bool(clauses) or self.zones
        return self._quiet[by]


def _within(minute: int, span: tuple[time, time]) -> bool:
    first, last = minutes(span[0]), minutes(span[1])
    return first <= minute < last if first < last else minute >= first or minute < last


def _longest(quiet: list[bool]) -> int:
    """Return for how many minutes it is quiet at most."""
    most = run = 0
    for is_quiet in quiet * 2:  # it can run over midnight
        run = run + 1 if is_quiet else 0
        most = max(most, run)
    return min(most, DAY)


def _stretch(quiet: list[bool], start: int) -> int:
    """Return for how many minutes it is quiet from a minute on; a whole day: always."""
    return next((n for n in range(DAY) if not quiet[(start + n) % DAY]), DAY)


# the notice by which a debt can be disputed


def validation(law: LawPack, ladder: Ladder, row: LadderRow) -> Iterator[tuple[Clause, str]]:
    """Yield each clause that lets a row come only when its notice could be answered, and that step."""
    for clause in law.clauses_on("validation"):
        before = next((b.step for b in chain(ladder, row) if validates(b, clause)), "")
        if harms(row) and before:
            yield clause, before
