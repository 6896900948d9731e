"""A policy as one generated Python function: the fast machine, equal to the interpreter.

    writing.py                 the function as it grows: variables, statements, how it ends
    to_python_tables.py        decision tables: a lookup where all is literal, else a search
    to_python_scorecards.py    scorecards: a lookup a characteristic, whole points
    lookups.py                 columns to slots, slots to rows, as nested tuples
    slots.py                   one look at each variable for all columns that cut it
    generated.py               what the function calls

The function is built as an `ast` tree from typed FEEL trees; texts become constants, never code. When
it meets anything but a plain answer (an error, no row, two rows) it stops, and the interpreter gives
the answer instead, so that every error is worded in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from engine.credit.decision import Decision, Fact
from engine.credit.errors import EvaluationFailed
from engine.credit.facts import admit
from engine.credit.finish import Results, collected, finish, stopped
from engine.credit.interpret import decide
from engine.credit.model import CreditPolicy, DecisionTable, FactKind, FactValue, Scorecard
from engine.credit.to_python_scorecards import write_scorecard
from engine.credit.to_python_tables import write_table
from engine.credit.writing import Writing
from engine.feel.to_python import FAILURES
from engine.feel.values import to_feel


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy that is ready to decide fast; made by `compile_policy`."""

    policy: CreditPolicy
    run: Callable[..., tuple[Any, ...]]
    """(fact values in the policy's order, codes of defaults) -> (outcome, status, told, codes by decision).

    The values are those of `inputs`; raises a FeelError, ArithmeticError or LookupError where there is no
    plain answer.
    """
    giving: tuple[str, ...]
    """The decisions that give reasons, in the order of the last result of `run`."""

    def inputs(self, values: Mapping[str, FactValue]) -> list[Any]:
        """Return admitted facts as `run` takes them."""
        facts = self.policy.facts.items()
        return [
            values[name] if fact.kind not in (FactKind.DATE, FactKind.STRINGS) else to_feel(values[name])
            for name, fact in facts
        ]

    def decide(self, facts: Mapping[str, Fact], as_of: date) -> Decision:
        """Take the decision without a trace; raises what the interpreter raises."""
        if isinstance(as_of, datetime):
            raise TypeError("as_of is a local date, not an instant")
        policy = self.policy
        admitted = admit(policy, facts, as_of)
        if admitted.stopped:
            return stopped(policy, admitted, as_of)
        defaulted = [code for code, _ in admitted.defaulted]
        try:
            outcome, status, told, codes = self.run(*self.inputs(admitted.values), defaulted)
            found = collected(policy, dict(zip(self.giving, codes, strict=True)), admitted.defaulted)
            return finish(policy, admitted, Results(found, outcome, status, told), as_of)
        except (*FAILURES, LookupError, EvaluationFailed):
            return decide(policy, facts, as_of, trace=False)


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
    return CompiledPolicy(policy, writing.function(), tuple(writing.reasons))
