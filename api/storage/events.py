"""What a receiver is told: CloudEvents 1.0, one for each action."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.storage.tables import AccountRow
from engine.ladder.state import Action

SOURCE = "/forbear"
DATA_TYPE = "application/json"


def action_event(
    row: AccountRow, case: str, policy: str, action: Action, version: int, at: datetime, text: str = ""
) -> dict[str, Any]:
    """Return an action as an event; its id is the action's key, so that a receiver can tell a repeat.

    Amounts are decimal strings in the account's currency. `customer` is who pays: notices are for them;
    `dependant` is there where the account serves somebody else. A notice has its whole `text`, as its
    customer reads it, where the policy holds one.
    """
    data = action.model_dump(mode="json", exclude={"severe"})
    data |= {"account": row.id, "customer": row.customer, "currency": row.currency, "case": case}
    data |= {"dependant": row.dependant} if row.dependant else {}
    data |= {"text": text} if text else {}
    data |= {"policy": policy, "version": version, "severe": action.severe}
    return {
        "specversion": "1.0",
        "id": action.key,
        "source": SOURCE,
        "type": f"forbear.action.{action.do}",
        "subject": row.id,
        "time": at.isoformat(),
        "datacontenttype": DATA_TYPE,
        "data": data,
    }
