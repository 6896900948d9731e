"""Interim limits that alerts have set: what credit policies may read as the fact `interim_limit`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session, col, select

from api.storage.tables import AccountRow
from api.storage.watch_tables import WatchActionRow, WatchAlertRow
from engine.credit.decision import Fact

FACT = "interim_limit"
_OVER = frozenset({"withdrawn", "failed", "suppressed"})


def interim_limits(session: Session, customers: Sequence[str], at: datetime) -> Mapping[str, Fact]:
    """Return the lowest limit that an alert has set for each customer and that held at an instant.

    One that was asked for holds until it is taken back, could not be set, or its alert was dismissed.
    """
    row = WatchActionRow
    query = select(row, WatchAlertRow).where(row.alert == WatchAlertRow.id, row.do == FACT)
    found = session.exec(query.where(col(row.requested_at) <= at).order_by(row.key)).all()
    undone = {
        action.key.rpartition("/")[0] for action, _ in found if action.undo and action.state not in _OVER
    }
    owners = _owners(session, [account for action, _ in found for account in json.loads(action.accounts)])
    limits: dict[str, tuple[Decimal, str]] = {}
    for action, alert in found:
        over = action.state in _OVER and action.settled_at is not None and action.settled_at <= at
        if action.undo or over or action.key.rpartition("/")[0] in undone:
            continue
        whose = {
            alert.customer,
            *(owners[account] for account in json.loads(action.accounts) if account in owners),
        }
        for customer in whose & set(customers):
            limit = (Decimal(json.loads(action.args)[0]), alert.id)
            limits[customer] = min(limits.get(customer, limit), limit)
    return {
        customer: Fact(value=value, source=f"alert {alert}") for customer, (value, alert) in limits.items()
    }


def _owners(session: Session, accounts: Sequence[str]) -> dict[str, str]:
    query = select(AccountRow.id, AccountRow.customer).where(col(AccountRow.id).in_(sorted(set(accounts))))
    return dict(session.exec(query).all()) if accounts else {}
