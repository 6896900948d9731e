"""What the policies in force make of facts that somebody tells: they are kept, but never without a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session

from api.storage.library import Library
from api.storage.portfolio import Portfolio
from api.storage.shelf import names_of
from engine.credit.decision import Fact
from engine.credit.facts import fact_value
from engine.credit.facts_from_yaml import out_of_range
from engine.credit.model import FactDefinition
from engine.text import did_you_mean
from engine.watch.from_ledger import WHO

EMAIL = "email"
"""The fact that no policy needs to read: notices by e-mail go to that address."""


@dataclass(frozen=True, slots=True)
class _Reads:
    policy: str
    currency: str
    facts: Mapping[str, FactDefinition]


@dataclass
class FactNotes:
    """The policies in force on a day, asked for notes on what is told about customers."""

    portfolio: Portfolio | None = None
    credit: dict[str, _Reads] = field(default_factory=dict)
    collections: dict[str, _Reads] = field(default_factory=dict)
    watched: frozenset[str] = frozenset()
    """Facts that watch policies see: who somebody is when an account is opened."""

    @classmethod
    def of(cls, session: Session, library: Library, on: date) -> FactNotes:
        """Read what is in force on a day."""
        found = cls(library.portfolio(session, on))
        for name in names_of(session, "credit"):
            if chosen := library.in_force(session, "credit", name, on):
                policy, _ = library.credit(session, chosen.digest)
                found.credit[name] = _Reads(name, policy.currency, policy.facts)
        for name in names_of(session, "collections"):
            if chosen := library.in_force(session, "collections", name, on):
                treats = library.collections(session, chosen.digest)
                found.collections[name] = _Reads(name, treats.currency, treats.facts)
        if library.watching(session, on):
            found.watched = frozenset(WHO)
        return found

    def on(self, segment: str, facts: Mapping[str, Fact]) -> list[str]:
        """Return in words what no policy reads, and what one that judges this segment would refuse."""
        return [
            *self._on_segment(segment),
            *(note for name in facts for note in self._on_fact(segment, name, facts)),
        ]

    def _on_segment(self, segment: str) -> Iterator[str]:
        portfolio = self.portfolio
        if segment and portfolio and portfolio.by == "segment" and not portfolio.credit_for(segment):
            advice = did_you_mean(segment, portfolio.credit, of="it knows")
            yield sentence(f"The portfolio names no credit policy for the segment `{segment}`", advice)

    def _on_fact(self, segment: str, name: str, facts: Mapping[str, Fact]) -> Iterator[str]:
        everybody = (*self.credit.values(), *self.collections.values())
        known = {read for reads in everybody for read in reads.facts}
        known |= self.watched | {EMAIL}
        if self.portfolio:
            known.add(self.portfolio.by)
        if everybody and name not in known:
            yield sentence(f"No policy in force reads `{name}`", did_you_mean(name, known, of="they read"))
        for reads in self._judges(segment):
            if (definition := reads.facts.get(name)) and (why := _refused(definition, facts[name], reads)):
                yield f"Policy `{reads.policy}` would refuse `{name}`: it {why}."

    def _judges(self, segment: str) -> list[_Reads]:
        """Return the policies that judge a segment: all of them where the portfolio does not say which."""
        named = (
            self.portfolio.credit_for(segment) if self.portfolio and self.portfolio.by == "segment" else ""
        )
        credit = [self.credit[named]] if named in self.credit else list(self.credit.values())
        return [*credit, *self.collections.values()]


def sentence(text: str, advice: str) -> str:
    """Return what is told and what to do about it as one sentence."""
    if not advice:
        return f"{text}."
    return f"{text}; {advice}" if advice.endswith(("?", "...")) else f"{text}; {advice}."


def _refused(definition: FactDefinition, fact: Fact, reads: _Reads) -> str:
    if fact.value is None:
        return ""
    try:
        return out_of_range(definition, fact_value(definition, fact.value, reads.currency))
    except ValueError as wrong:
        return str(wrong)
