"""Cases that a policy lacks: found at its bounds, decided by the policy as it stands.

Each starts from a set of facts of the file, or from an example by the types of the facts, and changes as
little as it takes to try a row that no case matches, to notice a threshold change that no case notices, or
to try a bound on both sides. What it expects is what the policy says today; whoever keeps it has read it.
What no facts were found for is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.credit.case_search import Search, Tried
from engine.credit.cases import Case
from engine.credit.cases_to_yaml import Base, Generated, plain
from engine.credit.coverage import (
    Bound,
    bounds_of,
    coverage,
    noticed,
    see,
    tried,
    untried_sides,
)
from engine.credit.decision import Decision
from engine.credit.formula_thresholds import FormulaThreshold
from engine.credit.model import CreditPolicy, FactValue
from engine.credit.thresholds import cells


@dataclass(frozen=True, slots=True)
class Generation:
    """What was found, and what was not."""

    cases: tuple[Generated, ...]
    left: tuple[str, ...]
    """Bounds that stay untried and changes that stay unnoticed, each with why."""


def generate(policy: CreditPolicy, cases: Sequence[Case], bases: Sequence[Base]) -> Generation:
    """Return cases that try what no case tries yet, fewest changes first; deterministic."""
    work = _Work(policy, cases, bases)
    work.notice()
    work.match()
    work.try_bounds()
    if not cases and not work.found and (first := next(work.search.every(), None)) is not None:
        work.take(first, "An example, made from the types of the facts")
    return Generation(tuple(work.found), tuple(work.left()))


class _Work:
    """The cases that are there, and those that are added."""

    def __init__(self, policy: CreditPolicy, cases: Sequence[Case], bases: Sequence[Base]) -> None:
        self.policy, self.search = policy, Search(policy, bases)
        self.found: list[Generated] = []
        self.seen = [one for case in cases if (one := see(policy, case)) is not None]
        self.names = {case.name for case in cases}
        self.unnoticed = coverage(policy, cases).unnoticed
        self.matched = {key for one in self.seen for key in _matched(one.decision)}

    def take(self, tried: Tried, name: str) -> None:
        """Add a case."""
        unique = name if name not in self.names else f"{name} ({len(self.found) + 1})"
        self.names.add(unique)
        decision, facts = tried.seen.decision, tried.seen.case.facts
        self.found.append(
            Generated(unique, tried.base, tried.changes, decision, facts, self.policy.status is not None)
        )
        self.seen.append(tried.seen)
        self.search.made.append(tried)
        self.matched.update(_matched(decision))

    def notice(self) -> None:
        """Add what notices changes of thresholds."""
        for mutant in self.unnoticed:
            if not noticed(self.policy, mutant, self.seen):
                tried = self.search.noticing(mutant)
                if tried is not None:
                    self.take(tried, _sentence(mutant.threshold, tried))

    def match(self) -> None:
        """Add what rows match."""
        for decision in self.policy.decisions:
            for row in _row_numbers(self.policy, decision):
                if (decision, row) in self.matched:
                    continue
                tried = self.search.matching(decision, row)
                if tried is not None:
                    name = _changes(tried.changes) or tried.base.name or "what is given"
                    self.take(tried, f"Row {row} of {decision} matches {name}")

    def try_bounds(self) -> None:
        """Add what tries bounds on both sides."""
        for bound in bounds_of(self.policy):
            for steps in untried_sides(self.policy, bound, self.seen):
                if steps in untried_sides(self.policy, bound, self.seen):
                    tried = self.search.at(bound, steps)
                    if tried is not None:
                        self.take(tried, _sentence(bound, tried))

    def left(self) -> Iterator[str]:
        """Yield what is still not tried, and why."""
        if not self.search.tried and not self.seen:
            yield "no facts were found for which the policy decides: write a first case by hand"
            return
        for name, decision in self.policy.decisions.items():
            for row in dict.fromkeys(number for number, _, _ in cells(decision)):
                if (name, row) not in self.matched:
                    yield f"no case matches {name} row {row}: no facts were found that it takes"
        for bound in bounds_of(self.policy):
            sides = untried_sides(self.policy, bound, self.seen)
            if not tried(self.policy, bound, self.seen) and sides:
                shown = " or ".join(_side(bound, steps) for steps in sides)
                yield f"not tried on both sides: {bound.place}: no facts were found that make {shown}"
        for mutant in self.unnoticed:
            if not noticed(self.policy, mutant, self.seen):
                yield f"unnoticed: {mutant}: no facts were found with which it would say anything else"


def _matched(decision: Decision) -> Iterator[tuple[str, int]]:
    return ((t.decision, row.row) for t in decision.trace for row in t.rows if row.matched)


def _side(bound: Bound, steps: int) -> str:
    """Return the sides of a bound in words: `score 520`."""
    if isinstance(bound, FormulaThreshold):
        return bound.side(steps)
    return f"{bound.heading.text} {plain(bound.moved(steps))}"


def _row_numbers(policy: CreditPolicy, decision: str) -> list[int]:
    return list(dict.fromkeys(row for row, _, _ in cells(policy.decisions[decision])))


def _sentence(bound: Bound, tried: Tried) -> str:
    if isinstance(bound, FormulaThreshold):
        apart = bound.apart(tried.seen.scope)
        near = apart is not None and apart in (-1, 0, 1)
        side = bound.side(int(apart or 0)) if near else _changes(tried.changes) or tried.base.name
        return f"At the bound `{bound.text}` of {bound.name}: {side}"
    cell = " ".join(bound.cell.text.split())
    there, value = tried.seen.value(bound.decision, bound.heading)
    shown = f"{bound.heading.text} {plain(value)}" if there else bound.heading.text
    return f"At the bound `{cell}` of {bound.decision} row {bound.row}: {shown}"


def _changes(changes: Mapping[str, FactValue]) -> str:
    return ", ".join(f"{name} {plain(value)}" for name, value in changes.items())
