"""A policy as one generated Python function: the fast machine, equal to the interpreter.

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
from engine.credit.finish import Results, finish, stopped
from engine.credit.interpret import decide
from engine.credit.lowering import Lowering
from engine.credit.model import CreditPolicy
from engine.feel.to_python import FAILURES
from engine.feel.values import to_feel


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy that is ready to decide fast; made by `compile_policy`."""

    policy: CreditPolicy
    run: Callable[..., tuple[Any, ...]]
    """(fact values in the policy's order, defaults that were used) -> (reasons, told, status, *outcome)."""

    def decide(self, facts: Mapping[str, Fact], as_of: date) -> Decision:
        """Take the decision without a trace; raises what the interpreter raises."""
        if isinstance(as_of, datetime):
            raise TypeError("as_of is a local date, not an instant")
        policy = self.policy
        admitted = admit(policy, facts, as_of)
        if admitted.stopped:
            return stopped(policy, admitted, as_of)
        values = [to_feel(admitted.values[name]) for name in policy.facts]
        try:
            reasons, told, status, *outcome = self.run(*values, admitted.defaulted)
            return finish(policy, admitted, Results(reasons, outcome, status, told), as_of)
        except (*FAILURES, EvaluationFailed):
            return decide(policy, facts, as_of, trace=False)


def compile_policy(policy: CreditPolicy) -> CompiledPolicy:
    """Return the policy as generated Python."""
    return CompiledPolicy(policy, Lowering(policy).function())
