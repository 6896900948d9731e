"""Accounts: their terms, and where their ledger and cases stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam
from sqlmodel import Session, col, select

from api.storage.asking import row_of
from api.storage.customers import lock_customers, require_customer
from api.storage.errors import AlreadyThere, CollectionsPolicyUnknown, StaleVersion
from api.storage.session import Work
from api.storage.shelf import names_of
from api.storage.tables import AccountRow, CustomerFactRow
from engine.ledger.account import Terms
from engine.ledger.allocation import PRINCIPAL_FIRST, AllocationRule
from engine.model import canonical, digest
from workflows.ports import AccountNotFound

_LOCKED = (
    select(AccountRow)
    .where(AccountRow.id == bindparam("account"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_SAID = ("customer", "currency", "timezone", "policy", "dependant", "allocation")


def add_account(work: Work, values: Mapping[str, Any], at: datetime) -> tuple[AccountRow, bool]:
    """Create an account; return it, and False if the very same one was there.

    Raises CustomerNotFound, CollectionsPolicyUnknown, and AlreadyThere if it exists with other terms.
    """
    values = {"dependant": "", "allocation": "", **values}
    customer = lock_customers(work.session, [values["customer"]])[values["customer"]]
    found = work.session.get(AccountRow, values["id"])
    if found is not None:
        differs = [name for name in _SAID if getattr(found, name) != values[name]]
        if differs:
            raise AlreadyThere("account", found.id, differs)
        return found, False
    require_collections(work.session, values["policy"])
    if values["dependant"]:
        require_customer(work.session, values["dependant"])
    facts = select(CustomerFactRow.seq).where(CustomerFactRow.customer == values["customer"])
    row = AccountRow(
        **{name: values[name] for name in ("id", *_SAID)},
        created_at=at,
        version=len(work.session.exec(facts).all()) + bool(customer.segment),
    )
    work.session.add(row)
    work.session.flush()
    work.audit("account", row.id, at, digest({name: values[name] for name in ("id", *_SAID)}))
    return row, True


def require_collections(session: Session, name: str) -> None:
    """Raise CollectionsPolicyUnknown for the name of a policy that was never published; empty names none."""
    if name and name not in (known := names_of(session, "collections")):
        raise CollectionsPolicyUnknown(name, known)


def get_account(session: Session, account: str) -> AccountRow:
    """Return an account; raise AccountNotFound."""
    row = row_of(session, AccountRow, account)
    if row is None:
        raise AccountNotFound(account)
    return row


def lock_account(session: Session, account: str) -> AccountRow:
    """Return an account that nobody else can write to until the transaction ends."""
    row = session.exec(_LOCKED, params={"account": account}).one_or_none()
    if row is None:
        raise AccountNotFound(account)
    return row


def require_version(row: AccountRow, expected: int) -> None:
    """Raise StaleVersion if a locked account is not at the version that was read."""
    if row.version != expected:
        raise StaleVersion(row.id, expected, row.version)


def zones_of(session: Session, customer: str) -> list[str]:
    """Return the zones of a customer's accounts, the first one's first; no customer: of all accounts."""
    query = select(AccountRow.timezone)
    if customer:
        query = query.where(AccountRow.customer == customer).order_by(AccountRow.id)
        return list(dict.fromkeys(session.exec(query)))
    return sorted(session.exec(query.distinct()))


def page_of_accounts(
    session: Session, after: str, limit: int, customer: str = "",
    troubled: ColumnElement[bool] | None = None, currency: str = "", in_arrears: bool | None = None,
    dependant: str = "",
) -> Sequence[AccountRow]:  # fmt: skip
    """Return the accounts after a cursor in order of id, of one customer if one is named.

    `troubled`: only those that fit, as `in_trouble` says it; `in_arrears`: with an open case, or without.
    """
    query = select(AccountRow).where(AccountRow.id > after)
    if troubled is not None:
        query = query.where(troubled)
    if customer:
        query = query.where(AccountRow.customer == customer)
    if dependant:
        query = query.where(AccountRow.dependant == dependant)
    if currency:
        query = query.where(AccountRow.currency == currency)
    if in_arrears is not None:
        case = col(AccountRow.open_case)
        query = query.where(case.is_not(None) if in_arrears else case.is_(None))
    return session.exec(query.order_by(col(AccountRow.id)).limit(limit)).all()


def terms_of(row: AccountRow) -> Terms:
    """Return what stands still about an account, as the engine takes it."""
    return Terms(
        account=row.id, customer=row.customer, currency=row.currency, timezone=row.timezone,
        allocation=allocation_of(row.allocation),
    )  # fmt: skip


@lru_cache(maxsize=256)
def allocation_of(text: str) -> AllocationRule:
    """Return the stored rule of allocation; empty: principal first."""
    return AllocationRule.model_validate_json(text) if text else PRINCIPAL_FIRST


def allocation_text(rule: AllocationRule) -> str:
    """Return a rule of allocation as it is stored."""
    return "" if rule == PRINCIPAL_FIRST else canonical(rule).decode()
