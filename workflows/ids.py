"""Identities are functions: who is called what in Temporal."""

from __future__ import annotations

TASK_QUEUE = "forbear"
REVIEW_QUEUE = "forbear-review"
NAMESPACE = "default"

CASE = "ArrearsCase"
ASSESSMENT = "Assessment"
REVIEW = "PortfolioReview"
SWEEP = "AccountSweep"
POKE = "poke"
VIEW = "view"
SWEEP_SCHEDULE = "account-sweep"


def case_id(account: str, number: int) -> str:
    """Return the workflow id of an account's n-th arrears case."""
    return f"case/{account}/{number}"


def assessment_id(request: str) -> str:
    """Return the workflow id of the assessment that answers a request."""
    return f"assessment/{request}"


def review_id(run: str) -> str:
    """Return the workflow id of a portfolio review."""
    return f"review/{run}"


def sweep_id(account: str = "") -> str:
    """Return the workflow id of the sweep that opens and pokes cases that are due."""
    return f"sweep/{account or 'all'}"
