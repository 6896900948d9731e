"""Which small changes of a ladder no dated timeline notices: each threshold a cent or a day on, each wait.

A change of a row can show only where the row, or the one that it comes after, was taken: other timelines
are not played again. `Trial.notices` tries one change, so that whoever calls can share them out and say how
far he is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

from engine.ladder.check import check
from engine.ladder.law import LawPack
from engine.ladder.model import NO_TIME, CollectionsPolicy, Ladder, LadderRow
from engine.ladder.threshold import Bounds, Condition, NumberTest
from engine.ladder.timeline import Timeline, run_timeline
from engine.source import Span, has_errors
from engine.text import Period, Reader
from engine.workdays import Calendar

T = TypeVar("T")
QUANTITIES = {
    "age": Decimal(1), "days_past_due": Decimal(1), "unpaid_bills": Decimal(1), "overdue": Decimal("0.01"),
}  # fmt: skip
"""What cells compare, and how far the nearest value is."""


@dataclass(frozen=True, slots=True)
class LadderMutant:
    """One small change of a collections policy."""

    text: str
    span: Span
    policy: CollectionsPolicy
    place: str = ""
    """The row or condition that is changed."""
    ladder: str = ""
    steps: tuple[str, ...] = ()
    """The steps of which one must have been taken for the change to show; none: any timeline may show it."""

    def __str__(self) -> str:
        return self.text


def ladder_mutants(policy: CollectionsPolicy) -> Iterator[LadderMutant]:
    """Yield every change of one threshold or wait, in the author's order."""
    for name in ("opens", "closes"):
        condition: Condition = getattr(policy.case, name)
        for text, changed in _conditions(condition):
            case = _with(policy.case, name, changed)
            changed_policy = replace(policy, case=case)
            yield LadderMutant(f"{name} `{condition.text}`: {text}", condition.span, changed_policy, name)
    for ladder in policy.ladders.values():
        for row in ladder.rows:
            for text, new in _rows(row):
                place = f"{ladder.name} step {row.step} (line {row.span.line})"
                steps = (row.step, row.after) if row.after else (row.step,)
                changed_policy = _with_row(policy, ladder, new)
                yield LadderMutant(f"{place}, {text}", row.span, changed_policy, place, ladder.name, steps)


def _with(value: T, name: str, part: object) -> T:
    """Return a frozen value with one field changed."""
    changed: dict[str, Any] = {name: part}
    return replace(value, **changed)  # type: ignore[type-var]  # the callers give frozen records only


def _with_row(policy: CollectionsPolicy, ladder: Ladder, new: LadderRow) -> CollectionsPolicy:
    rows = tuple(new if row.step == new.step else row for row in ladder.rows)
    changed = replace(ladder, rows=rows, by_step={row.step: row for row in rows})
    return replace(policy, ladders={**policy.ladders, ladder.name: changed})


def _rows(row: LadderRow) -> Iterator[tuple[str, LadderRow]]:
    for name, step in QUANTITIES.items():
        test: NumberTest = getattr(row, name)
        for index, bounds in enumerate(test.any_of):
            for text, moved in _moved(bounds, step):
                tests = replace(test, any_of=(*test.any_of[:index], moved, *test.any_of[index + 1 :]))
                yield f"{name} `{test.text}`: {text}", _with(row, name, tests)
    if row.wait != NO_TIME:
        for days in (-1, 1):
            if row.wait.days + days >= 0:
                wait = Period(row.wait.months, row.wait.days + days)
                yield f"wait `{row.wait}`: as `{wait}`", replace(row, wait=wait)
    if row.release.condition:
        for text, changed in _conditions(row.release.condition):
            release = replace(row.release, condition=changed)
            yield f"release when `{row.release.condition.text}`: {text}", replace(row, release=release)


def _conditions(condition: Condition) -> Iterator[tuple[str, Condition]]:
    for number, clause in enumerate(condition.any_of):
        for index, term in enumerate(clause):
            for text, moved in _moved(term.bounds, QUANTITIES[term.name]):
                terms = (*clause[:index], replace(term, bounds=moved), *clause[index + 1 :])
                clauses = (*condition.any_of[:number], terms, *condition.any_of[number + 1 :])
                yield f"{term.name} {text}", replace(condition, any_of=clauses)


def _moved(bounds: Bounds, step: Decimal) -> Iterator[tuple[str, Bounds]]:
    for end in ("low", "high"):
        point: Decimal | None = getattr(bounds, end)
        for by in (-step, step):
            if point is not None and point + by >= 0:
                moved = _with(bounds, end, point + by)
                if moved.low is None or moved.high is None or moved.low <= moved.high:
                    yield f"{point} as {point + by}", moved


class Trial:
    """Timelines that hold, and what a change of their policy is held against.

    A change of a row is tried on the timelines that walk its ladder and take the row or the one before it;
    first on those that noticed a change of the same row, because most are noticed by the same few.
    """

    def __init__(
        self, policy: CollectionsPolicy, law: LawPack, calendar: Calendar, timelines: Sequence[Timeline]
    ) -> None:
        self.policy, self.law, self.calendar = policy, law, calendar
        self.mutants = list(ladder_mutants(policy))
        self.held: list[tuple[Timeline, frozenset[tuple[str, str]]]] = []
        """The timelines that hold, each with the rows that it takes."""
        self.told: dict[str, dict[int, int]] = {}
        """By row or condition: how often each timeline noticed a change of it."""
        for one in timelines:
            result = run_timeline(policy, law, calendar, one)
            if result.ok:
                self.held.append((one, result.walked))

    def notices(self, mutant: LadderMutant) -> str:
        """Return what notices a change: the check, or the name of a timeline; empty: nothing does.

        What the check refuses is not played: a case that opens where it closes would never come to an end.
        """
        reader = Reader()
        check(reader, mutant.policy)
        if has_errors(reader.problems):
            return "the check"
        known = self.told.setdefault(mutant.place, {})
        telling = [
            number
            for number, (_, walked) in enumerate(self.held)
            if not mutant.steps or any((mutant.ladder, step) in walked for step in mutant.steps)
        ]
        telling.sort(key=lambda number: -known.get(number, 0))
        for number in telling:
            timeline = self.held[number][0]
            if run_timeline(mutant.policy, self.law, self.calendar, timeline).mismatches:
                known[number] = known.get(number, 0) + 1
                return timeline.name
        return ""


def untaken(policy: CollectionsPolicy, walks: Iterable[frozenset[tuple[str, str]]]) -> list[LadderRow]:
    """Return the rows of a policy that are in none of the walks of its timelines."""
    taken = frozenset[tuple[str, str]]().union(*walks)
    return [
        row
        for ladder in policy.ladders.values()
        for row in ladder.rows
        if (ladder.name, row.step) not in taken
    ]
