"""What alerts ask for reaches its receiver: webhooks with receipts, and assessments by real workflows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient
from sqlmodel import select

from api.relay.alerts import AlertCourier
from api.relay.courier import PAUSES
from api.relay.receiver import Receiver
from api.rest.webhook_events import AlertEvent
from api.serving import serving
from api.settings import Settings
from api.storage import outbox
from api.storage.tables import OutboxRow
from api.storage.watch_tables import WatchActionRow
from api.wiring import Wiring
from tests.api.conftest import START, publish_plain
from tests.api.relay.listening import Listener, confirms, listening
from tests.api.scenes import add_parties
from tests.api.watching.conftest import DAY, WATCH, takeover
from tests.api.watching.test_watcher import put

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@contextmanager
def with_receiver(watched: Wiring) -> Iterator[tuple[AlertCourier, Listener]]:
    with listening(SECRET) as heard:
        receiver = Receiver(heard.url, SECRET, inside=True)
        yield AlertCourier(watched.database, receiver, watched.clock.now, watched.stopped), heard
        receiver.close()


def raise_one(watched: Wiring) -> None:
    add_parties(watched, "A1")
    put(watched, *takeover())
    watched.watcher.look_at_all(datetime.fromisoformat(DAY.format(6)))


def heads(watched: Wiring) -> list[OutboxRow]:
    with watched.database.read() as session:
        return list(outbox.heads(session, "alert"))


def states(watched: Wiring) -> dict[str, str]:
    with watched.database.read() as session:
        return {row.do: row.state for row in session.exec(select(WatchActionRow))}


def test_messages_of_an_alert_go_out_in_order_signed_and_confirmed(watched: Wiring) -> None:
    raise_one(watched)
    with with_receiver(watched) as (courier, heard):
        heard.reply = confirms
        while found := heads(watched):
            assert courier.deliver(found[0])
    assert heard.wrong == []
    assert [event["type"] for event in heard.events] == [
        "forbear.alert.interim_limit", "forbear.alert.hold_orders",
    ]  # fmt: skip
    assert heard.events[0]["data"]["customers"] == ["C1"]
    assert {field for event in heard.events for field in event} <= set(AlertEvent.model_fields) | {"type"}
    assert [AlertEvent.model_validate(event).data.do for event in heard.events] == [
        "interim_limit", "hold_orders",
    ]  # fmt: skip
    assert states(watched) == {
        "interim_limit": "done", "hold_orders": "done", "refer": "requested", "reassess": "requested",
    }  # fmt: skip


def test_a_receiver_that_is_gone_stops_alerts_everywhere_until_somebody_resumes(watched: Wiring) -> None:
    raise_one(watched)
    with with_receiver(watched) as (courier, heard):
        heard.reply = lambda event: (410, None)
        assert not courier.deliver(heads(watched)[0])
        assert not courier.sends
        assert not watched.courier.sends
        assert watched.stopped.resume()
        assert courier.sends


def test_a_receiver_that_fails_is_told_again_and_in_the_end_given_up(watched: Wiring) -> None:
    raise_one(watched)
    with with_receiver(watched) as (courier, heard):
        heard.reply = lambda event: (503, None)
        (head,) = heads(watched)
        assert not courier.deliver(head)
        (again,) = heads(watched)
        assert again.attempts == 1
        assert again.next_at is not None
        assert "503" in again.error
        with watched.database.write() as work:
            work.update(OutboxRow, {"id": head.id}, {"attempts": len(PAUSES), "next_at": None})
        assert not courier.deliver(heads(watched)[0])
    assert states(watched)["interim_limit"] == "failed"
    assert heads(watched)[0].subject.endswith("hold_orders/do")


def test_a_message_that_is_being_sent_is_not_taken_twice(watched: Wiring) -> None:
    raise_one(watched)
    with with_receiver(watched) as (courier, heard):
        (head,) = heads(watched)
        with watched.database.write() as work:
            assert head.id is not None
            assert outbox.lease(work, head.id, watched.clock.now())
        assert not courier.deliver(head)
        assert heard.events == []


@pytest.mark.slow
def test_an_alert_is_raised_and_its_customer_graded_anew_without_anybodys_doing(tmp_path: Path) -> None:
    """Everything in one process, in real time: API, watcher, relay, Temporal, worker."""

    async def whole() -> dict[str, Any]:
        async with serving(Settings(data=tmp_path / "data", port=0, temporal_port=0), ui=False) as served:
            wiring = served.wiring
            await asyncio.to_thread(publish_plain, wiring)
            await asyncio.to_thread(wiring.publisher.publish, {"policy.yaml": WATCH}, START)
            headers = {"Authorization": f"Bearer {wiring.directory.key}"}
            async with AsyncClient(base_url=served.url, headers=headers, trust_env=False) as client:
                customer = {"id": "C1", "segment": "consumer", "facts": {"tenure_months": 30}}
                assert (await client.post("/v1/customers", json=customer)).status_code == 201
                for number, back in enumerate((2, 1)):
                    at = (wiring.clock.now() - timedelta(hours=back)).isoformat()
                    said = {"id": f"r{number}", "type": "payment_returned", "at": at, "customer": "C1"}
                    said |= {"values": {"account": "A1", "amount": "10.00"}}  # type: ignore[dict-item]
                    assert (await client.post("/v1/events", json=said)).status_code == 201
                async with asyncio.timeout(90):
                    return await _graded(client)

    found = asyncio.run(whole())
    assert (found["state"], found["detail"][:17]) == ("done", "assessment/alert-")


async def _graded(client: AsyncClient) -> dict[str, Any]:
    """Return the reassessment once it is done, after its decision could be read."""
    while True:
        for alert in (await client.get("/v1/alerts")).json()["items"]:
            detail = (await client.get(f"/v1/alerts/{alert['id']}")).json()
            (action,) = detail["actions"]
            if action["state"] != "requested":
                decision = await client.get(f"/v1/decisions/{action['detail']}")
                assert decision.json()["outcome"]["grade"] == "A"
                found: dict[str, Any] = action
                return found
        await asyncio.sleep(0.1)
