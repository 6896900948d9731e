"""What happened to an account, and where it stands as known at an instant."""

from engine.ledger.account import AccountPosition, Debt, Terms
from engine.ledger.deposit import Deposit, deposit_at, deposit_interest
from engine.ledger.entries import Entry, EntryAdapter
from engine.ledger.facts import derived_at, facts_at
from engine.ledger.facts_model import Derived
from engine.ledger.position import position_at
from engine.ledger.refusals import EntryProblem, entry_problems
from engine.ledger.report import Allocated, Allocation, allocation_report
from engine.ledger.unmatched import Unmatched, unmatched

__all__ = [
    "AccountPosition",
    "Allocated",
    "Allocation",
    "Debt",
    "Deposit",
    "Derived",
    "Entry",
    "EntryAdapter",
    "EntryProblem",
    "Terms",
    "Unmatched",
    "allocation_report",
    "deposit_at",
    "deposit_interest",
    "derived_at",
    "entry_problems",
    "facts_at",
    "position_at",
    "unmatched",
]
