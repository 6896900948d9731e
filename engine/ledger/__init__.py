"""What happened to an account, and where it stands as known at an instant."""

from engine.ledger.account import AccountPosition, Debt, Terms
from engine.ledger.entries import Entry, EntryAdapter
from engine.ledger.facts import facts_at
from engine.ledger.position import position_at
from engine.ledger.refusals import EntryProblem, entry_problems
from engine.ledger.report import Allocated, Allocation, allocation_report

__all__ = [
    "AccountPosition",
    "Allocated",
    "Allocation",
    "Debt",
    "Entry",
    "EntryAdapter",
    "EntryProblem",
    "Terms",
    "allocation_report",
    "entry_problems",
    "facts_at",
    "position_at",
]
