"""Credit policies: facts in, a grade with its reasons out.

loaded = load_credit({"policy.yaml": data})        everything that is wrong, with its place
decision = decide(loaded.policy, facts, as_of)     every row considered, and why
compile_policy(loaded.policy).decide(facts, as_of) the same answer, without the trace, fast
    run_cases(loaded.policy, data, "cases.yaml")       the cases beside the policy
"""

from engine.credit.case_report import CaseReport, CaseResult, Mismatch, render_report
from engine.credit.cases import run_cases
from engine.credit.compile import CompiledPolicy, compile_policy
from engine.credit.decision import Decision, DecisionTrace, Fact, Money, Reason, RowTrace
from engine.credit.errors import (
    CreditError,
    EvaluationFailed,
    FactProblem,
    FactsRefused,
    NoRowMatches,
    RowsCollide,
)
from engine.credit.from_yaml import load_credit
from engine.credit.interpret import decide
from engine.credit.model import CreditPolicy

__all__ = [
    "CaseReport",
    "CaseResult",
    "CompiledPolicy",
    "CreditError",
    "CreditPolicy",
    "Decision",
    "DecisionTrace",
    "EvaluationFailed",
    "Fact",
    "FactProblem",
    "FactsRefused",
    "Mismatch",
    "Money",
    "NoRowMatches",
    "Reason",
    "RowTrace",
    "RowsCollide",
    "compile_policy",
    "decide",
    "load_credit",
    "render_report",
    "run_cases",
]
