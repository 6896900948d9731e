"""The facts for grading: what is said about a customer, and what follows from the ledgers of the accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, select

from api.storage.accounts import get_account, terms_of
from api.storage.customers import SaidFact, day_of, fact_rows, latest_facts, require_customer
from api.storage.entries import entries_of
from api.storage.errors import CustomerNotFound
from api.storage.interim import FACT, interim_limits
from api.storage.money import exact_sum
from api.storage.tables import AccountRow, CustomerRow
from engine.credit.decision import Fact, Money
from engine.ledger import Entry, facts_at
from engine.ledger.entries import Payment

_TOGETHER: Mapping[str, Callable[[Iterable[Any]], Any]] = {
    "tenure_months": max,
    "max_dpd_12m": max,
    "dpd_now": max,
    "on_time_rate_12m": min,
    "promises_kept_rate_12m": min,
}
"""How a fact of several accounts becomes one of their customer; all others are added up."""
_MONEY = frozenset({"avg_monthly_bill", "overdue_now", "contribution_12m", "deposit_held"})


class FactGatherer:
    """Gathers facts; what was said about a customer wins over what the ledger implies."""

    def facts(
        self, session: Session, customer: str, account: str, as_of: date, at: datetime, currency: str
    ) -> dict[str, Fact]:
        """Return the facts about a customer, or about one account and its customer.

        Amounts are those of the accounts in `currency`. Where only other accounts have one, it is told as
        `Money` in their currency, which a policy of this one refuses.
        """
        if account:
            row = get_account(session, account)
            customer = customer or row.customer
            rows = [row]
        else:
            rows = list(session.exec(select(AccountRow).where(AccountRow.customer == customer)))
        known = require_customer(session, customer)
        entries = entries_of(session, [row.id for row in rows])
        said = fact_rows(session, [customer], at)
        ledgers = [(row, entries.get(row.id, [])) for row in rows]
        held = interim_limits(session, [customer], at).get(customer)
        return _facts(known, said, ledgers, as_of, at, currency, held)

    def paid_ahead(
        self, session: Session, customer: str, account: str, at: datetime, currency: str
    ) -> Callable[[Decimal, date], dict[str, Fact]] | None:
        """Return what the facts would be on a day, had an amount been paid on it and nothing else happened.

        None where it is not clear which account would be paid: the customer has several, or none.
        """
        query = select(AccountRow)
        named = col(AccountRow.id) == account if account else col(AccountRow.customer) == customer
        rows = list(session.exec(query.where(named)))
        if len(rows) != 1 or rows[0].currency != currency:
            return None
        (row,) = rows
        known = require_customer(session, customer or row.customer)
        entries = entries_of(session, [row.id]).get(row.id, [])
        said = list(fact_rows(session, [known.id], at))
        held = interim_limits(session, [known.id], at).get(known.id)

        def paid(amount: Decimal, day: date) -> dict[str, Fact]:
            more = list(entries)
            if amount:
                id_ = f"if paid {len(entries)}"
                more.append(Payment(id=id_, value_date=day, received_at=at, amount=amount))
            return _facts(known, said, [(row, more)], day, at, currency, held)

        return paid

    def facts_of(
        self, session: Session, customers: Sequence[tuple[str, str]], as_of: date, at: datetime
    ) -> list[dict[str, Fact]]:
        """Return the facts of many (customer, currency), in their order; raise CustomerNotFound."""
        wanted = [customer for customer, _ in customers]
        known = {r.id: r for r in session.exec(select(CustomerRow).where(col(CustomerRow.id).in_(wanted)))}
        said: dict[str, list[SaidFact]] = {}
        for fact in fact_rows(session, wanted, at):
            said.setdefault(fact.customer, []).append(fact)
        accounts: dict[str, list[AccountRow]] = {}
        for row in session.exec(select(AccountRow).where(col(AccountRow.customer).in_(wanted))):
            accounts.setdefault(row.customer, []).append(row)
        entries = entries_of(session, [row.id for rows in accounts.values() for row in rows])
        held = interim_limits(session, wanted, at)
        found = []
        for customer, currency in customers:
            if customer not in known:
                raise CustomerNotFound(customer)
            ledgers = [(row, entries.get(row.id, [])) for row in accounts.get(customer, [])]
            who, told = known[customer], said.get(customer, [])
            found.append(_facts(who, told, ledgers, as_of, at, currency, held.get(customer)))
        return found


def _facts(
    customer: CustomerRow, said: Iterable[SaidFact], ledgers: Sequence[tuple[AccountRow, list[Entry]]],
    as_of: date, at: datetime, currency: str, held: Fact | None,
) -> dict[str, Fact]:  # fmt: skip
    in_order = sorted(ledgers, key=lambda ledger: ledger[0].id)
    derived = [(row, facts_at(terms_of(row), entries, as_of, at)) for row, entries in in_order if entries]
    facts = _together(derived, currency)
    if held is not None:
        facts[FACT] = held.model_copy(update={"as_of": as_of})
    if customer.since is not None and customer.since <= as_of:
        months = (as_of.year - customer.since.year) * 12 + as_of.month - customer.since.month
        months -= as_of.day < customer.since.day
        facts["tenure_months"] = Fact(value=months, as_of=as_of, source=f"customer since {customer.since}")
    if customer.segment:
        facts["segment"] = Fact(value=customer.segment, as_of=as_of, source="customer")
    told = latest_facts(row for row in said if day_of(row) <= as_of)
    return dict(sorted((facts | told).items()))


def _together(derived: Sequence[tuple[AccountRow, Mapping[str, Fact]]], currency: str) -> dict[str, Fact]:
    found = {}
    for name in sorted({name for _, facts in derived for name in facts}):
        parts = [(row, facts[name]) for row, facts in derived if name in facts]
        if name in _MONEY:
            found[name] = _amount(name, parts, currency)
        else:
            found[name] = _joined(name, [fact for _, fact in parts])
    return found


def _amount(name: str, parts: Sequence[tuple[AccountRow, Fact]], currency: str) -> Fact:
    """Join an amount over the accounts in one currency, and name those that are left out."""
    kept = currency if any(row.currency == currency for row, _ in parts) else parts[0][0].currency
    fact = _joined(name, [fact for row, fact in parts if row.currency == kept])
    others = ", ".join(f"{row.id} ({row.currency})" for row, _ in parts if row.currency != kept)
    source = f"{fact.source}; left out, in another currency: {others}" if others else fact.source
    value = fact.value if kept == currency else Money(unit=kept, value=fact.value)
    return fact.model_copy(update={"value": value, "source": source})


def _joined(name: str, parts: Sequence[Fact]) -> Fact:
    if len(parts) == 1:
        return parts[0]
    value = _TOGETHER.get(name, _sum)(part.value for part in parts)
    source = f"{len(parts)} accounts: " + "; ".join(part.source for part in parts)
    return Fact(value=value, as_of=parts[0].as_of, source=source)


def _sum(values: Iterable[Any]) -> Any:
    items = list(values)
    return exact_sum(items) if any(isinstance(item, Decimal) for item in items) else sum(items)
