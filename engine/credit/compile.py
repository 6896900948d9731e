"""A policy as one generated Python function: the fast machine, equal to the interpreter.

    writing.py                 the function as it grows: variables, statements, how it ends
    to_python_tables.py        decision tables: a lookup where all is literal, else a search
    to_python_scorecards.py    scorecards: a lookup a characteristic, whole points
    lookups.py                 columns to slots, slots to rows, as nested tuples
    slots.py                   one look at each variable for all columns that cut it
    generated.py               what the function calls
    explain.py                 the trace: why each row matched or did not, from the values found

The function is built as an `ast` tree from typed FEEL trees; texts become constants, never code. When
it meets anything but a plain answer (an error, no row, two rows) it stops, and the interpreter gives
the answer instead, so that every error is worded in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from engine.credit.decision import Decision, DecisionTrace, Fact
from engine.credit.errors import EvaluationFailed
from engine.credit.explain import Explainer
from engine.credit.facts import Admitted, admit
from engine.credit.finish import Results, collected, finish, stopped
from engine.credit.interpret import decide, fact_traces
from engine.credit.model import CreditPolicy, DecisionTable, FactKind, FactValue, Scorecard
from engine.credit.to_python_scorecards import write_scorecard
from engine.credit.to_python_tables import write_table
from engine.credit.writing import Writing
from engine.feel.to_python import FAILURES
from engine.feel.values import Value, to_feel


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy that is ready to decide fast; made by `compile_policy`."""

    policy: CreditPolicy
    run: Callable[..., tuple[Any, ...]]
    """(fact values in the policy's order, codes of defaults) -> (outcome, status, told, codes by decision).

    The values are those of `inputs`; raises a FeelError, ArithmeticError or LookupError where there is no
    plain answer.
    """
    run_all: Callable[..., tuple[Any, ...]]
    """The same, with the values of all decisions as a fifth result, in the policy's order."""
    giving: tuple[str, ...]
    """The decisions that give reasons, in the order of the last result of `run`."""
    explainer: Explainer

    def inputs(self, values: Mapping[str, FactValue]) -> list[Any]:
        """Return admitted facts as `run` takes them."""
        facts = self.policy.facts.items()
        return [
            values[name] if fact.kind not in (FactKind.DATE, FactKind.STRINGS) else to_feel(values[name])
            for name, fact in facts
        ]

    def decide(self, facts: Mapping[str, Fact], as_of: date, *, trace: bool = False) -> Decision:
        """Take the decision, with the whole trace if it is wanted; raises what the interpreter raises."""
        if isinstance(as_of, datetime):
            raise TypeError("as_of is a local date, not an instant")
        policy = self.policy
        admitted = admit(policy, facts, as_of)
        if admitted.stopped:
            return stopped(policy, admitted, as_of, fact_traces(admitted) if trace else ())
        defaulted = [code for code, _ in admitted.defaulted]
        run = self.run_all if trace else self.run
        try:
            outcome, status, told, codes, *all_values = run(*self.inputs(admitted.values), defaulted)
        except (*FAILURES, LookupError):
            return decide(policy, facts, as_of, trace=trace)
        traces = self._traces(admitted, *all_values)
        found = collected(policy, dict(zip(self.giving, codes, strict=True)), admitted.defaulted)
        try:
            return finish(policy, admitted, Results(found, outcome, status, told), as_of, traces)
        except EvaluationFailed:
            return decide(policy, facts, as_of, trace=trace)

    def _traces(self, admitted: Admitted, values: Sequence[Value] | None = None) -> tuple[DecisionTrace, ...]:
        if values is None:
            return ()
        return fact_traces(admitted) + self.explainer.explain(admitted.values, values)


def compile_policy(policy: CreditPolicy) -> CompiledPolicy:
    """Return the policy as generated Python."""
    writing = Writing(policy)
    for name in policy.order:
        decision = policy.decisions[name]
        if isinstance(decision, DecisionTable):
            write_table(writing, decision)
        elif isinstance(decision, Scorecard):
            write_scorecard(writing, decision)
        else:
            writing.formula(decision)
    run, run_all = writing.functions()
    return CompiledPolicy(policy, run, run_all, tuple(writing.reasons), Explainer(policy, writing.sorted))
