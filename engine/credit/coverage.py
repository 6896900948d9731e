"""How much of a policy its cases try: rows that some case matches, bounds tried on both sides, and mutations.

A mutation moves one threshold to its nearest neighbour (one cent, one day, one unit) or, where numbers lie
close, puts the bound itself on the other side. It is noticed when a case that holds no longer does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from engine.credit.axes import axis_of
from engine.credit.cases import Case, mismatches
from engine.credit.decision import Decision
from engine.credit.domains import Numbers, domain_of
from engine.credit.errors import CreditError
from engine.credit.facts import admit
from engine.credit.formula_thresholds import (
    FormulaMutant,
    FormulaThreshold,
    formula_mutants,
    formula_thresholds,
)
from engine.credit.interpret import decide, evaluated, passes
from engine.credit.model import CreditPolicy, Expression, Tests
from engine.credit.thresholds import (
    Threshold,
    cells,
    literal,
    possible,
    stepped,
    thresholds,
    with_cell,
    with_other_end,
    with_point,
)
from engine.feel import kinds
from engine.feel.values import Value, to_feel
from engine.source import Span

Bound = Threshold | FormulaThreshold


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small change of one threshold."""

    threshold: Threshold
    cell: Tests

    def __str__(self) -> str:
        return f"{self.threshold.place}: as `{self.cell.text}`"


@dataclass(frozen=True, slots=True)
class Place:
    """A row, or a bound of a cell, in words."""

    text: str
    span: Span

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the cases of a policy try."""

    rows: int
    unmatched: tuple[Place, ...]
    """Rows that no case matches."""
    bounds: int
    untried: tuple[Place, ...]
    """Bounds that are not tried on both sides, one step apart."""
    mutants: int
    unnoticed: tuple[Mutant | FormulaMutant, ...]
    """Changes of thresholds with which every case still holds."""

    def __str__(self) -> str:
        return (
            f"{self.rows - len(self.unmatched)} of {self.rows} rows matched, "
            f"{self.bounds - len(self.untried)} of {self.bounds} bounds tried on both sides, "
            f"{len(self.unnoticed)} of {self.mutants} threshold changes unnoticed"
        )


@dataclass(slots=True)
class Seen:
    """One case that holds, with what every heading was worth in it."""

    case: Case
    decision: Decision
    scope: dict[str, Value]
    values: dict[str, Value] = field(default_factory=dict)

    def value(self, decision: str, heading: Expression) -> tuple[bool, Value]:
        """Return whether a heading has a value in this case, and which."""
        if heading.text not in self.values:
            try:
                self.values[heading.text] = evaluated(decision, heading, self.scope)
            except CreditError:
                return False, None
        return True, self.values[heading.text]


def coverage(policy: CreditPolicy, cases: Sequence[Case]) -> Coverage:
    """Return what cases try of a policy; those that do not hold count for nothing."""
    seen = [found for case in cases if (found := see(policy, case)) is not None]
    rows = list(_rows(policy))
    matched = {
        (t.decision, row.row) for one in seen for t in one.decision.trace for row in t.rows if row.matched
    }
    bounds = bounds_of(policy)
    changed: list[Mutant | FormulaMutant] = [*mutants(policy), *formula_mutants(policy)]
    return Coverage(
        len(rows),
        tuple(place for key, place in rows if key not in matched),
        len(bounds),
        tuple(place_of(bound) for bound in bounds if not tried(policy, bound, seen)),
        len(changed),
        tuple(mutant for mutant in changed if not noticed(policy, mutant, seen)),
    )


def bounds_of(policy: CreditPolicy) -> list[Bound]:
    """Return the bounds that cases can try on both sides: those of cells, then those of formulas."""
    formulas = (threshold for threshold in formula_thresholds(policy) if threshold.known(policy))
    return [*thresholds(policy), *formulas]


def place_of(bound: Bound) -> Place:
    """Return where a bound stands."""
    return Place(bound.place, bound.cell.span if isinstance(bound, Threshold) else bound.holder.span)


def noticed(policy: CreditPolicy, mutant: Mutant | FormulaMutant, seen: Sequence[Seen]) -> bool:
    """Tell whether a case that holds no longer does with a change."""
    if isinstance(mutant, Mutant):
        return _cell_noticed(policy, mutant, seen)
    changed = mutant.policy(policy)
    near = (one for one in seen if (apart := mutant.threshold.apart(one.scope)) is None or abs(apart) <= 1)
    return any(_fails(changed, one.case) for one in near)


def _fails(policy: CreditPolicy, case: Case) -> bool:
    try:
        decision = decide(policy, case.facts, case.as_of, trace=False)
    except CreditError:
        return True
    return next(mismatches(case, decision), None) is not None


def see(policy: CreditPolicy, case: Case) -> Seen | None:
    """Take the decision of a case; None when it does not hold."""
    try:
        decision = decide(policy, case.facts, case.as_of)
        admitted = admit(policy, case.facts, case.as_of)
    except CreditError:
        return None
    if next(mismatches(case, decision), None) is not None:
        return None
    scope: dict[str, Value] = {name: to_feel(value) for name, value in admitted.values.items()}
    scope |= {t.decision: to_feel(t.value) for t in decision.trace if t.kind != "fact"}
    return Seen(case, decision, scope if any(t.kind != "fact" for t in decision.trace) else {})


def _rows(policy: CreditPolicy) -> Iterator[tuple[tuple[str, int], Place]]:
    for name, decision in policy.decisions.items():
        spans: dict[int, Span] = {}
        for row, _, cell in cells(decision):
            spans.setdefault(row, cell.span)
        for row, span in spans.items():
            yield (name, row), Place(f"{name} row {row} (line {span.line})", span)


def tried(policy: CreditPolicy, bound: Bound, seen: Sequence[Seen]) -> bool:
    """Tell whether two cases have values one step apart of which the bound takes one and not the other."""
    sides = sides_of(policy, bound)
    taken = {takes for steps, takes in sides if _has(bound, steps, seen)}
    return bool(sides) and taken == {takes for _, takes in sides}


def untried_sides(policy: CreditPolicy, bound: Bound, seen: Sequence[Seen]) -> list[int]:
    """Return steps from a bound (0, -1, 1) that no case has, on a side that no case tries."""
    sides = sides_of(policy, bound)
    taken = {takes for steps, takes in sides if _has(bound, steps, seen)}
    return [steps for steps, takes in sides if takes not in taken]


def sides_of(policy: CreditPolicy, bound: Bound) -> list[tuple[int, bool]]:
    """Return the bound and one step beside it, as far as that can be, each with whether it is taken."""
    if isinstance(bound, FormulaThreshold):
        domain, point = domain_of(policy, bound.alone, kinds.ANY), literal(bound.right)
        near = [n for n in (0, -1, 1) if point is None or possible(domain, stepped(point, n, bound.step))]
        return [(steps, bound.holds(Decimal(steps))) for steps in near]
    domain = domain_of(policy, bound.heading, kinds.ANY)
    near = [steps for steps in (0, -1, 1) if possible(domain, bound.moved(steps))]
    return [(n, passes(bound.decision, bound.cell, to_feel(bound.moved(n)), {})) for n in near]


def _has(bound: Bound, steps: int, seen: Sequence[Seen]) -> bool:
    """Tell whether a case is so many steps from a bound."""
    if isinstance(bound, FormulaThreshold):
        return any(bound.near(one.scope, steps) for one in seen)
    return to_feel(bound.moved(steps)) in _known(bound, seen)


def _known(bound: Threshold, seen: Sequence[Seen]) -> list[Value]:
    """Return what the cases have for the heading of a bound."""
    return [value for one in seen for there, value in [one.value(bound.decision, bound.heading)] if there]


def mutants(policy: CreditPolicy) -> Iterator[Mutant]:
    """Yield every change of one threshold that some value of its heading can tell from the policy."""
    for threshold in thresholds(policy):
        changes = [with_point(threshold, threshold.moved(steps)) for steps in (-1, 1)]
        changes.append(with_other_end(threshold) if _dense(policy, threshold) else None)
        for cell in changes:
            if cell is not None and _differs(policy, threshold, cell):
                yield Mutant(threshold, cell)


def _dense(policy: CreditPolicy, threshold: Threshold) -> bool:
    """Tell whether values lie between the threshold and its neighbours, so that `>` is not `>=`."""
    domain = domain_of(policy, threshold.heading, kinds.NUMBER)
    return isinstance(domain, Numbers) and not (domain.whole or domain.cents)


def _differs(policy: CreditPolicy, threshold: Threshold, cell: Tests) -> bool:
    nodes = [threshold.cell.node, cell.node]
    axis = axis_of(domain_of(policy, threshold.heading, kinds.NUMBER), nodes)
    if axis is None:
        return True
    before, after = (axis.covered(node) for node in nodes)
    return before is None or before != after


def _cell_noticed(policy: CreditPolicy, mutant: Mutant, seen: Sequence[Seen]) -> bool:
    threshold, changed = mutant.threshold, None
    for one in seen:
        there, value = one.value(threshold.decision, threshold.heading)
        if not there or not turns(mutant, value):
            continue
        changed = changed or with_cell(policy, threshold, mutant.cell)
        if _fails(changed, one.case):
            return True
    return False


def turns(mutant: Mutant, value: Value, scope: Mapping[str, Value] | None = None) -> bool:
    """Tell whether a value passes the cell of the policy or that of the mutant, but not both."""
    threshold = mutant.threshold
    try:
        before, after = (
            passes(threshold.decision, cell, value, scope or {}) for cell in (threshold.cell, mutant.cell)
        )
    except CreditError:
        return True
    return before is not after
