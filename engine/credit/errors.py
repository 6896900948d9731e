"""What a caller of a credit policy can get wrong, and what a policy cannot answer.

CreditError
  FactsRefused        facts are unknown, missing, of the wrong type or out of range: all at once
  EvaluationFailed    an expression has no value for these facts
    NoRowMatches      a table has no row for these facts
    RowsCollide       a UNIQUE table has two rows for these facts, an ANY table two answers
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.source import Span


class CreditError(Exception):
    """A credit policy could not be applied."""


@dataclass(frozen=True, slots=True)
class FactProblem:
    """One thing that is wrong with the facts of a caller."""

    pointer: str
    """Where: a JSON pointer into the facts, `/avg_monthly_bill`."""
    code: str
    message: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.pointer}: {self.message}{f' ({self.advice})' if self.advice else ''}"


class FactsRefused(CreditError):
    """The facts do not fit what the policy reads; every problem is named."""

    def __init__(self, policy: str, problems: Sequence[FactProblem]) -> None:
        told = "; ".join(str(problem) for problem in problems)
        super().__init__(f"The facts do not fit policy `{policy}`: {told}.")
        self.policy, self.problems = policy, tuple(problems)


class EvaluationFailed(CreditError):
    """An expression of the policy has no value for these facts."""

    def __init__(self, decision: str, span: Span, why: str) -> None:
        super().__init__(f"`{decision}` cannot be computed: {why} ({span}).")
        self.decision, self.span, self.why = decision, span, why


class NoRowMatches(EvaluationFailed):
    """A table has no row for these facts, and the policy does not say what then."""

    def __init__(self, decision: str, span: Span, values: str) -> None:
        super().__init__(decision, span, f"no row matches {values}")
        self.values = values


class RowsCollide(EvaluationFailed):
    """Two rows match where only one may."""

    def __init__(self, decision: str, span: Span, first: tuple[int, int], second: tuple[int, int]) -> None:
        (row, line), (other, other_line) = first, second
        why = f"row {row} (line {line}) and row {other} (line {other_line}) both match"
        super().__init__(decision, span, why)
        self.rows, self.lines = (row, other), (line, other_line)
