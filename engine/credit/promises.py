"""Whether a promise such as `more arrears_count_12m never raises credit_limit` holds for every customer.

Two customers who differ in one fact only are led through all decisions together. The fact is cut at every
bound it is compared with, and one step from a piece to the next is looked at: since the order of numbers is
transitive, a result that no step raises is never raised. Tables are followed exactly, as sets of pairs of
rows (`promise_tables.py`); formulas by the order they keep (`promise_formulas.py`, `two_worlds.py`). What is
called proved is proved; what is not is searched for a customer who breaks it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from engine.credit.axes import Axis, Line, axis_of
from engine.credit.domains import Numbers, domain_of, of_fact
from engine.credit.model import (
    CreditPolicy,
    DecisionTable,
    Expression,
    FactDefinition,
    FactKind,
    HitPolicy,
    Promise,
    Scorecard,
)
from engine.credit.order import reads_of
from engine.credit.promise_formulas import numbers
from engine.credit.promise_state import Known, step_of
from engine.credit.promise_tables import points_of, rows_of
from engine.credit.thresholds import cells
from engine.credit.two_worlds import NotDecided
from engine.feel import kinds
from engine.feel import syntax as s
from engine.feel.values import Value as FeelValue


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of the proof of one promise."""

    proved: bool
    because: str = ""
    """What stands in the way: the expression that is not understood; empty: some step may break it."""
    steps: tuple[tuple[FeelValue, FeelValue], ...] = ()
    """Values of the subject, one after the other, between which the promise may be broken."""


def as_fact(policy: CreditPolicy, name: str) -> CreditPolicy:
    """Return the policy with a decision as if it were told: a fact of the same name."""
    if name in policy.facts:
        return policy
    decision = policy.decisions[name]
    domain = domain_of(policy, Expression(name, decision.span, s.Name(name)), kinds.NUMBER)
    low, high = (domain.low, domain.high) if isinstance(domain, Numbers) else (None, None)
    whole = isinstance(domain, Numbers) and domain.whole
    fact = FactDefinition(
        name, FactKind.INTEGER if whole else FactKind.DECIMAL, decision.span, minimum=low, maximum=high
    )
    return replace(
        policy,
        facts={**policy.facts, name: fact},
        decisions={n: d for n, d in policy.decisions.items() if n != name},
        order=tuple(n for n in policy.order if n != name),
    )


def verdict(policy: CreditPolicy, promise: Promise) -> Verdict:
    """Return whether a promise is proved; its subject is a fact of `policy` (see `as_fact`)."""
    axis = _axis(policy, promise.subject)
    if not isinstance(axis, Line):
        return Verdict(False, promise.subject)
    pieces = [piece for piece in range(axis.null) if axis.full >> piece & 1]
    suspects = []
    try:
        for one, other in [*((p, p) for p in pieces if p % 2 == 0), *pairwise(pieces)]:
            if not _holds(policy, promise, axis, one, other):
                suspects.append((axis.example(1 << one), axis.example(1 << other)))
    except NotDecided as unknown:
        return Verdict(False, _said(policy, unknown.node))
    return Verdict(not suspects, "", tuple(suspects))


def _said(policy: CreditPolicy, node: s.Node) -> str:
    """Return an expression as the author wrote it, as far as it can be found."""
    for decision in policy.decisions.values():
        for expression in decision.expressions():
            if any(part is node for part in s.walk(expression.node)):
                return expression.text[node.offset : node.offset + node.length] or expression.text
    return ""


def _holds(policy: CreditPolicy, promise: Promise, axis: Line, one: int, other: int) -> bool:
    """Tell whether one step of the subject keeps the promise, whatever else is known of the customer."""
    known = Known(policy, promise.subject, step_of(axis, one, other))
    for name in policy.order:
        _take(known, name)
    falls = (promise.change == "more") == (promise.never == "raises")
    return all(
        found.never_rises if falls else found.never_falls for found in numbers(known, s.Name(promise.target))
    )


def _take(known: Known, name: str) -> None:
    """Work out what a decision can be."""
    decision = known.policy.decisions[name]
    if not known.moved.isdisjoint(reads_of(decision)):
        known.moved.add(name)
    if isinstance(decision, DecisionTable):
        known.rows[name] = rows_of(known, decision)
    elif isinstance(decision, Scorecard):
        known.pairs[name] = points_of(known, decision)
    else:
        try:
            known.spans[name] = numbers(known, decision.expression.node)
        except NotDecided as unknown:  # whoever asks for it is told
            known.unknown[name] = unknown.node
    if isinstance(decision, DecisionTable) and decision.hit is HitPolicy.COLLECT_COUNT:
        counts = ((Decimal(a.bit_count()), Decimal(b.bit_count())) for a, b in known.rows[name])
        known.pairs[name] = frozenset(counts)


def _axis(policy: CreditPolicy, name: str) -> Axis | None:
    """Return a fact cut at every bound that a cell or a comparison holds it against."""
    tests = [
        cell.node
        for decision in policy.decisions.values()
        for _, heading, cell in cells(decision)
        if heading.node == s.Name(name)
    ]
    points = [
        part
        for decision in policy.decisions.values()
        for expression in decision.expressions()
        for node in s.walk(expression.node)
        if isinstance(node, s.Comparison | s.Between) and s.Name(name) in s.children(node)
        for part in s.children(node)
        if isinstance(part, s.Number | s.Negation)
    ]
    tests.append(s.UnaryTests(tuple(s.UnaryComparison(">=", point) for point in points)))
    return axis_of(of_fact(policy.facts[name], policy.currency), tests)


def speaks_of(policy: CreditPolicy, target: str) -> list[str]:
    """Return the facts on which a decision rests, in the author's order."""
    found, ahead = set[str](), [target]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += reads_of(policy.decisions[name]) if name in policy.decisions else ()
    return [name for name in policy.facts if name in found]


def examples_of(policy: CreditPolicy, name: str) -> list[FeelValue]:
    """Return values of a fact, one of each piece in which nothing changes."""
    axis = _axis(policy, name)
    if axis is None:
        return []
    return [axis.example(1 << p) for p in range(axis.full.bit_length()) if axis.full >> p & 1]
