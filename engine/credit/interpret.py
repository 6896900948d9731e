"""The readable specification: a policy, facts and a day in; a decision with its whole trace out.

`compile.py` must give the same answers faster; where the two differ, this file is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import reduce

from engine.credit.decision import Decision, DecisionTrace, Fact, RowTrace
from engine.credit.errors import EvaluationFailed, NoRowMatches, RowsCollide
from engine.credit.facts import Admitted, admit
from engine.credit.finish import Results, collected, finish, stopped, unanswered
from engine.credit.model import (
    Bin,
    Characteristic,
    CreditPolicy,
    DecisionTable,
    Expression,
    Formula,
    HitPolicy,
    Rule,
    Scorecard,
    Tests,
)
from engine.credit.values import traced
from engine.credit.words import why_not
from engine.feel.decimals import CONTEXT
from engine.feel.interpreter import Note, evaluate, matches
from engine.feel.values import Value, show, to_feel

_KINDS = {DecisionTable: "table", Scorecard: "scorecard", Formula: "expression"}
SUMMED = (HitPolicy.COLLECT_SUM, HitPolicy.COLLECT_MIN, HitPolicy.COLLECT_MAX)


def decide(policy: CreditPolicy, facts: Mapping[str, Fact], as_of: date, *, trace: bool = True) -> Decision:
    """Take the decision of a policy for one customer as of a day.

    Raises FactsRefused if the facts do not fit the policy, EvaluationFailed (or NoRowMatches,
    RowsCollide) if it has no answer for them and does not say what then.
    """
    if isinstance(as_of, datetime):
        raise TypeError("as_of is a local date, not an instant")
    admitted = admit(policy, facts, as_of)
    if admitted.stopped:
        return stopped(policy, admitted, as_of, fact_traces(admitted) if trace else ())
    run = _Run(policy, admitted, trace)
    try:
        for name in policy.order:
            run.take(name)
        return finish(policy, admitted, run.results(), as_of, tuple(run.traces))
    except RowsCollide:
        raise
    except EvaluationFailed as failure:
        return unanswered(policy, admitted, failure, as_of, tuple(run.traces))


def fact_traces(admitted: Admitted) -> tuple[DecisionTrace, ...]:
    """Return why facts were not read as they were given, in the policy's order of facts."""
    return tuple(
        DecisionTrace(decision=name, kind="fact", value=admitted.values[name], because=why)
        for name, why in admitted.answered
    )


def traced_alone(policy: CreditPolicy, name: str, scope: Mapping[str, Value]) -> DecisionTrace:
    """Return the trace of one decision that can be taken, from the values of the names that it reads."""
    run = _Run(policy, Admitted(), True)
    run.scope.update(scope)
    run.take(name)
    return run.traces[-1]


def decision_trace(
    decision: DecisionTable | Scorecard | Formula,
    value: object,
    rows: Sequence[RowTrace],
    reads: Mapping[str, object],
    points: Sequence[tuple[str, Decimal]],
) -> DecisionTrace:
    """Return the trace of one decision; values are in their plain form."""
    return DecisionTrace.model_validate(
        {
            "decision": decision.name, "kind": _KINDS[type(decision)], "value": value,
            "rows": tuple(rows), "reads": reads, "points": tuple(points),
        }
    )  # fmt: skip


def evaluated(decision: str, expression: Expression, scope: Mapping[str, Value]) -> Value:
    """Return what an expression is worth; whatever FEEL would note is an error here."""
    notes: list[Note] = []
    value = evaluate(expression.node, scope, notes=notes)
    if notes:
        raise _failed(decision, expression, notes[0])
    return value


def passes(decision: str, tests: Tests, value: Value, scope: Mapping[str, Value]) -> bool:
    """Tell whether a value passes a cell; null passes `-` and the tests that name it, never an order."""
    notes: list[Note] = []
    passed = matches(tests.node, value, scope, notes=notes)
    wrong = [note for note in notes if value is not None or note.what != "null-operand"]
    if wrong:
        raise _failed(decision, tests, wrong[0])
    return passed is True


def _failed(decision: str, expression: Expression | Tests, note: Note) -> EvaluationFailed:
    place = expression.span.shifted(note.offset, max(1, note.length))
    return EvaluationFailed(decision, place, note.why)


@dataclass(slots=True)
class _Run:
    """One taking of all decisions, in order."""

    policy: CreditPolicy
    admitted: Admitted
    tracing: bool
    scope: dict[str, Value] = field(init=False)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    """By decision: the reason codes its rows gave, the most important first."""
    traces: list[DecisionTrace] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.tracing:
            self.traces += fact_traces(self.admitted)
        self.scope = {name: to_feel(value) for name, value in self.admitted.values.items()}

    def results(self) -> Results:
        """Return what the outcome, the status and the choice of reasons are worth."""
        policy, scope = self.policy, self.scope
        found = collected(policy, self.reasons, self.admitted.defaulted)
        outcome = [evaluated(item.name, item.expression, scope) for item in policy.outcome]
        status = evaluated("status", policy.status, scope) if policy.status else "decided"
        more: dict[str, Value] = {**scope, "reasons": list(found)}
        told = evaluated("reasons", policy.told, more) if policy.told else None
        return Results(found, outcome, status, told)

    def take(self, name: str) -> None:
        """Take one decision; everything that it reads is already in the scope."""
        decision = self.policy.decisions[name]
        rows: list[RowTrace] = []
        points: list[tuple[str, Decimal]] = []
        value: Value = None
        try:
            if isinstance(decision, DecisionTable):
                value = self._table(decision, rows)
            elif isinstance(decision, Scorecard):
                value = self._scorecard(decision, rows, points)
            else:
                value = evaluated(name, decision.expression, self.scope)
            self.scope[name] = value
        finally:
            if self.tracing:
                self.traces.append(self._trace(decision, value, rows, points))

    def _trace(
        self,
        decision: DecisionTable | Scorecard | Formula,
        value: Value,
        rows: list[RowTrace],
        points: list[tuple[str, Decimal]],
    ) -> DecisionTrace:
        reads = {
            name: traced(self.scope[name]) for name in self.policy.reads[decision.name] if name in self.scope
        }
        return decision_trace(decision, traced(value), rows, reads, points)

    # tables

    def _table(self, table: DecisionTable, rows: list[RowTrace]) -> Value:
        inputs = [evaluated(table.name, expression, self.scope) for expression in table.inputs]
        hits = list(self._hits(table, inputs, rows))
        if table.hit is HitPolicy.UNIQUE and len(hits) > 1:
            _collide(table, hits[0], hits[1])
        values = [self._outputs(table, rule.results) for rule in hits]
        if table.hit is HitPolicy.ANY:
            for rule, value in zip(hits[1:], values[1:], strict=True):
                if value != values[0]:
                    _collide(table, hits[0], rule)
        if not hits and not table.hit.lists and table.hit is not HitPolicy.COLLECT_COUNT:
            if table.otherwise is None:
                raise NoRowMatches(table.name, table.span, shown_inputs(table, inputs))
            values = [self._outputs(table, table.otherwise)]
        self._note_reasons(table, values)
        if table.hit in SUMMED and not all(isinstance(value[0], Decimal) for value in values):
            raise EvaluationFailed(table.name, table.span, f"{table.hit} has a row without a number")
        if len(table.outputs) == 1:
            return aggregated(table.hit, [value[0] for value in values])
        names = [output.name for output in table.outputs]
        return aggregated(table.hit, [dict(zip(names, value, strict=True)) for value in values])

    def _hits(self, table: DecisionTable, inputs: list[Value], rows: list[RowTrace]) -> Iterator[Rule]:
        for rule in table.rules:
            because = self._first_miss(table, rule, inputs)
            if self.tracing:
                rows.append(RowTrace(row=rule.number, line=rule.line, matched=because == "", because=because))
            if because == "":
                yield rule
                if table.hit is HitPolicy.FIRST:
                    return

    def _first_miss(self, table: DecisionTable, rule: Rule, inputs: list[Value]) -> str:
        for heading, value, tests in zip(table.inputs, inputs, rule.tests, strict=True):
            if not passes(table.name, tests, value, self.scope):
                return why_not(heading.text, value, tests) if self.tracing else "no"
        return ""

    def _outputs(self, table: DecisionTable, results: tuple[Expression, ...]) -> list[Value]:
        return [evaluated(table.name, result, self.scope) for result in results]

    def _note_reasons(self, table: DecisionTable, values: list[list[Value]]) -> None:
        column = table.reason_column
        if column is not None:
            codes = [value[column] for value in values]
            self.reasons[table.name] = [code for code in codes if isinstance(code, str)]

    # scorecards

    def _scorecard(self, card: Scorecard, rows: list[RowTrace], points: list[tuple[str, Decimal]]) -> Value:
        total = card.base
        lost: list[tuple[Decimal, str]] = []
        for characteristic in card.characteristics:
            bin_ = self._bin(card, characteristic, rows)
            total = CONTEXT.add(total, bin_.points)
            points.append((characteristic.expression.text, bin_.points))
            if bin_.reason and bin_.points < characteristic.best:
                lost.append((bin_.points - characteristic.best, bin_.reason))
        self.reasons[card.name] = [code for _, code in sorted(lost, key=lambda pair: pair[0])]
        return total

    def _bin(self, card: Scorecard, characteristic: Characteristic, rows: list[RowTrace]) -> Bin:
        heading = characteristic.expression
        value = evaluated(card.name, heading, self.scope)
        hits: list[Bin] = []
        for bin_ in characteristic.bins:
            passed = passes(card.name, bin_.tests, value, self.scope)
            if passed:
                hits.append(bin_)
            if self.tracing:
                because = "" if passed else why_not(heading.text, value, bin_.tests)
                rows.append(RowTrace(row=bin_.number, line=bin_.line, matched=passed, because=because))
        if len(hits) > 1:
            first, second = hits[:2]
            raise RowsCollide(
                card.name, heading.span, (first.number, first.line), (second.number, second.line)
            )
        if not hits:
            raise NoRowMatches(card.name, heading.span, f"{heading.text} {show(value)}")
        return hits[0]


def _collide(table: DecisionTable, first: Rule, second: Rule) -> None:
    raise RowsCollide(table.name, table.span, (first.number, first.line), (second.number, second.line))


def shown_inputs(table: DecisionTable, inputs: list[Value]) -> str:
    """Return what a table looked at, in words: `score 431, segment "sme"`."""
    pairs = zip(table.inputs, inputs, strict=True)
    return ", ".join(f"{heading.text} {show(value):.80}" for heading, value in pairs)


def aggregated(hit: HitPolicy, values: list[Value]) -> Value:
    """Return a table's value from those of its matching rows (DMN 1.5, 8.2.8)."""
    match hit:
        case HitPolicy.RULE_ORDER | HitPolicy.COLLECT:
            return values
        case HitPolicy.COLLECT_COUNT:
            return Decimal(len(values))
        case HitPolicy.COLLECT_SUM:
            return _fold(values, CONTEXT.add)
        case HitPolicy.COLLECT_MIN:
            return _fold(values, min)
        case HitPolicy.COLLECT_MAX:
            return _fold(values, max)
    return values[0]


def _fold(values: list[Value], join: Callable[[Decimal, Decimal], Decimal]) -> Value:
    numbers = [value for value in values if isinstance(value, Decimal)]
    return reduce(join, numbers)
