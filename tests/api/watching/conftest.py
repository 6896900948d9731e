"""A wired product in simulated time with a watch policy of the tests' own, and a client of its API."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Client

from api.wiring import Wiring
from tests.api.conftest import START
from tests.api.rest.conftest import Serve, parties, real, serve  # fixtures

__all__ = ["parties", "real", "serve"]
WATCH = b"""policy: plain-watch
kind: watch
version: "1"
effective: {from: 2026-01-01}
window: P90D
events:
  account_opened:
    account: string
    document: {type: string, optional: true}
  usage:
    account: string
    amount: {type: decimal(2), min: 0}
    usual: {average: amount, over: P30D, at_least: 2}
  identity_changed: {}
  identity_confirmed: {}
  moved_out: {account: string}
  payment_returned: {account: string, amount: {type: decimal(2)}}
  bill_due: {account: string, bill: string, amount: {type: decimal(2)}}
  bill_settled: {account: string, bill: string}
  promise_broken: {account: string, promise: string}
  limit_crossed: {account: string, amount: {type: decimal(2)}, limit: {type: decimal(2)}}
rules:
  - rule: changed-then-spike
    all:
      change: type = "identity_changed"
      spike: type = "usage" and spike.at > change.at and spike.amount > 3 * spike.usual
    none:
      confirmed: type = "identity_confirmed" and confirmed.at >= change.at
    then:
      alert: takeover
      severity: high
      do: [reassess, refer(fraud_desk), interim_limit(100.00), hold_orders]
    reason: {en: Usage rose after an identity change., zh: x}
  - rule: document-again
    per: document
    all: {opened: type = "account_opened"}
    count: 2
    distinct: opened.account
    within: P30D
    then: {alert: identity_reuse, severity: high, do: [hold_orders, refer(fraud_desk)]}
    reason: {en: Two accounts on one document.}
  - rule: returned-twice
    all: {returned: type = "payment_returned"}
    count: 2
    within: P30D
    then: {alert: returned, do: [reassess]}
    reason: {en: Two payments came back.}
  - rule: moved
    all:
      moved: type = "moved_out" and now >= moved.at + duration("P14D")
      due: type = "bill_due" and due.account = moved.account and now >= due.at + duration("P7D")
    none: {settled: type = "bill_settled" and settled.bill = due.bill}
    then: {alert: moved, do: [refer(tracing_desk)]}
    reason: {en: Moved and owes.}
  - rule: broken
    all: {b: type = "promise_broken"}
    then: {alert: broken}
    reason: {en: A promise was broken.}
  - rule: crossed
    all: {c: type = "limit_crossed"}
    then: {alert: crossed, do: ["notify(sms, limit)"]}
    reason: {en: The limit was crossed.}
"""
DAY = "2026-03-{:02}T10:00:00+08:00"


@pytest.fixture
def watched(wiring: Wiring) -> Wiring:
    """A wired product whose shelf has the watch policy of the tests."""
    wiring.publisher.publish({"policy.yaml": WATCH}, START)
    return wiring


@pytest.fixture
def api(watched: Wiring, serve: Serve) -> Client:  # pytest finds it by its name
    """The API over it, with a customer and an account."""
    client = serve(watched)
    parties(client)
    return client


def event(name: str, kind: str, day: int, **fields: Any) -> dict[str, Any]:
    """Return the body of an event that became known when it happened, unless said otherwise."""
    customer, received = fields.pop("customer", "C1"), fields.pop("received_at", DAY.format(day))
    said = {"id": name, "type": kind, "at": DAY.format(day), "customer": customer, "received_at": received}
    return said | {"values": fields}


def takeover(prefix: str = "e", customer: str = "C1") -> list[dict[str, Any]]:
    """Return events that raise one alert of `changed-then-spike` on day 6."""
    return [
        event(f"{prefix}1", "usage", 2, account="A1", amount="10.00", customer=customer),
        event(f"{prefix}2", "usage", 3, account="A1", amount="10.00", customer=customer),
        event(f"{prefix}3", "identity_changed", 5, customer=customer),
        event(f"{prefix}4", "usage", 6, account="A1", amount="50.00", customer=customer),
    ]


def tell(api: Client, *events: dict[str, Any]) -> None:
    """Post events one by one."""
    for one in events:
        answer = api.post("/v1/events", json=one)
        assert answer.status_code in (200, 201), answer.text


def look(api: Client, day: int) -> int:
    """Look at all windows due by a day of March."""
    answer = api.post("/v1/simulation/watch", json={"until": DAY.format(day)})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["looks"])


def alerts(api: Client, **asked: Any) -> list[dict[str, Any]]:
    """Return all alerts."""
    answer = api.get("/v1/alerts", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found
