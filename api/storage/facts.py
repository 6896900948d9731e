"""The facts for grading: what is said about a customer, and what follows from the ledgers of the accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, select

from api.storage.accounts import get_account, terms_of
from api.storage.customers import day_of, fact_rows, latest_facts, require_customer
from api.storage.entries import entries_of
from api.storage.errors import CustomerNotFound
from api.storage.money import exact_sum
from api.storage.tables import AccountRow, CustomerFactRow, CustomerRow
from engine.credit.decision import Fact
from engine.ledger import Entry, facts_at

_TOGETHER: Mapping[str, Callable[[Iterable[Any]], Any]] = {
    "tenure_months": max,
    "max_dpd_12m": max,
    "on_time_rate_12m": min,
}
"""How a fact of several accounts becomes one of their customer; all others are added up."""
_MONEY = frozenset({"avg_monthly_bill", "overdue_now"})


class FactGatherer:
    """Gathers facts; what was said about a customer wins over what the ledger implies."""

    def facts(
        self, session: Session, customer: str, account: str, as_of: date, at: datetime
    ) -> dict[str, Fact]:
        """Return the facts about a customer, or about one account and its customer."""
        if account:
            row = get_account(session, account)
            customer = customer or row.customer
            rows = [row]
        else:
            rows = list(session.exec(select(AccountRow).where(AccountRow.customer == customer)))
        known = require_customer(session, customer)
        entries = entries_of(session, [row.id for row in rows])
        said = fact_rows(session, [customer], at)
        return _facts(known, said, [(row, entries.get(row.id, [])) for row in rows], as_of, at)

    def facts_of(
        self, session: Session, customers: Sequence[str], as_of: date, at: datetime
    ) -> list[dict[str, Fact]]:
        """Return the facts of many customers, in their order; raise CustomerNotFound."""
        wanted = list(customers)
        known = {r.id: r for r in session.exec(select(CustomerRow).where(col(CustomerRow.id).in_(wanted)))}
        said: dict[str, list[CustomerFactRow]] = {}
        for fact in fact_rows(session, wanted, at):
            said.setdefault(fact.customer, []).append(fact)
        accounts: dict[str, list[AccountRow]] = {}
        for row in session.exec(select(AccountRow).where(col(AccountRow.customer).in_(wanted))):
            accounts.setdefault(row.customer, []).append(row)
        entries = entries_of(session, [row.id for rows in accounts.values() for row in rows])
        found = []
        for customer in wanted:
            if customer not in known:
                raise CustomerNotFound(customer)
            ledgers = [(row, entries.get(row.id, [])) for row in accounts.get(customer, [])]
            found.append(_facts(known[customer], said.get(customer, []), ledgers, as_of, at))
        return found


def _facts(
    customer: CustomerRow, said: Iterable[CustomerFactRow], ledgers: Sequence[tuple[AccountRow, list[Entry]]],
    as_of: date, at: datetime,
) -> dict[str, Fact]:  # fmt: skip
    derived = [facts_at(terms_of(row), entries, as_of, at) for row, entries in ledgers if entries]
    currencies = {row.currency for row, entries in ledgers if entries}
    facts = _together(derived, one_currency=len(currencies) < 2)
    if customer.since is not None and customer.since <= as_of:
        months = (as_of.year - customer.since.year) * 12 + as_of.month - customer.since.month
        months -= as_of.day < customer.since.day
        facts["tenure_months"] = Fact(value=months, as_of=as_of, source=f"customer since {customer.since}")
    if customer.segment:
        facts["segment"] = Fact(value=customer.segment, as_of=as_of, source="customer")
    told = latest_facts(row for row in said if day_of(row) <= as_of)
    return dict(sorted((facts | told).items()))


def _together(derived: Sequence[Mapping[str, Fact]], *, one_currency: bool) -> dict[str, Fact]:
    if len(derived) == 1:
        return dict(derived[0])
    found = {}
    for name in sorted({name for facts in derived for name in facts}):
        if name in _MONEY and not one_currency:
            continue  # an amount in two currencies is no amount
        parts = [facts[name] for facts in derived if name in facts]
        value = _TOGETHER.get(name, _sum)(part.value for part in parts)
        source = f"{len(parts)} accounts: " + "; ".join(part.source for part in parts)
        found[name] = Fact(value=value, as_of=parts[0].as_of, source=source)
    return found


def _sum(values: Iterable[Any]) -> Any:
    items = list(values)
    return exact_sum(items) if any(isinstance(item, Decimal) for item in items) else sum(items)
