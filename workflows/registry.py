"""All workflows there are."""

from __future__ import annotations

from workflows.assessment import Assessment
from workflows.case import ArrearsCase
from workflows.review import PortfolioReview
from workflows.sweep import AccountSweep

WORKFLOWS: tuple[type, ...] = (ArrearsCase, Assessment, PortfolioReview, AccountSweep)
