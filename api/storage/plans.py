"""Which accounts have payment plans."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from api.storage.tables import AccountRow, EntryRow

_A_PLAN = '"category":"plan"'
"""How the canonical body of a bill says that it is a plan."""


def accounts_with_plans(
    session: Session, first: str, limit: int, customer: str = "", account: str = ""
) -> Sequence[AccountRow]:
    """Return accounts that have plans, from one on, in order of id; `customer`, `account`: among those."""
    plans = select(EntryRow.account).where(
        EntryRow.kind == "bill", col(EntryRow.account) >= first, col(EntryRow.body).contains(_A_PLAN)
    )
    if account:
        plans = plans.where(EntryRow.account == account)
    if customer:
        mine = select(AccountRow.id).where(AccountRow.customer == customer)
        plans = plans.where(col(EntryRow.account).in_(mine))
    # By the index of kind and account it stops at the limit, and reads no bill behind it.
    ids = session.exec(plans.distinct().order_by(EntryRow.account).limit(limit)).all()
    query = select(AccountRow).where(col(AccountRow.id).in_(ids))
    return session.exec(query.order_by(AccountRow.id)).all()
