import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from api.demo.draws import Draws
from api.demo.network import DESK_TAKES, FEE_DUE, Network
from api.demo.receiver import Receiver

SECRET = "whsec_" + base64.b64encode(b"x" * 32).decode()
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def event(key: str, do: str = "notify", **changes: Any) -> dict[str, Any]:
    data = {
        "key": key, "account": "A1", "do": do, "args": [], "step": "reminder", "undo": False, "level": None,
        "amount": "0", "not_after": None,
    }  # fmt: skip
    return {"time": AT.isoformat(), "data": data | changes}


def network(seed: int = 1) -> Network:
    return Network(Draws(seed), {"A1": "Asia/Shanghai"})


async def post(url: str, body: dict[str, Any], secret: str = SECRET, **headers: str) -> httpx.Response:
    text = json.dumps(body)
    now = datetime.now(UTC)
    signed = {
        "webhook-id": "m1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("m1", now, text),
    }
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(url, content=text, headers=signed | headers)


def test_a_signed_event_is_carried_out_and_confirmed_in_the_answer() -> None:
    async def talk() -> None:
        async with Receiver(network()) as receiver:
            assert (
                await post(receiver.url, event("case/A1/1/account/reminder/1/notify.sms/do"))
            ).status_code == 401  # nobody is trusted yet
            receiver.trust(SECRET)
            answer = await post(receiver.url, event("case/A1/1/account/reminder/1/notify.sms/do"))
            assert (answer.status_code, answer.json()["receipt"]["status"]) == (200, "done")
            assert (
                await post(
                    receiver.url,
                    event("case/A1/1/account/reminder/1/notify.sms/do"),
                    secret="whsec_" + "eA==",
                )
            ).status_code == 401
            old = str(int((datetime.now(UTC) - timedelta(hours=1)).timestamp()))
            assert (
                await post(
                    receiver.url,
                    event("case/A1/1/account/reminder/1/notify.sms/do"),
                    **{"webhook-timestamp": old},
                )
            ).status_code == 401
            assert (
                await post(receiver.url + "/x", event("case/A1/1/account/reminder/1/notify.sms/do"))
            ).status_code == 404
            assert receiver.taken == 1
            assert len(receiver.refused) == 3

    asyncio.run(talk())


def test_the_same_event_twice_is_done_once() -> None:
    net = network()
    first = net.carry_out(event("case/A1/1/account/reminder/1/notify.sms/do", "service", level="suspended"))
    assert (
        net.carry_out(event("case/A1/1/account/reminder/1/notify.sms/do", "service", level="suspended"))
        == first
    )
    assert len(net.orders) == 1
    assert net.levels == {"A1": "suspended"}


def test_some_notices_fail_come_late_or_are_never_confirmed() -> None:
    net = network()
    answers = [net.carry_out(event(f"case/A1/1/account/reminder/{n}/notify/do")) for n in range(2_000)]
    assert set(net.moods) == {"done", "failed", "later", "never"}
    assert net.moods["done"] > 1_850
    assert answers.count(None) == net.moods["later"] + net.moods["never"]
    late = net.reactions["A1"]
    assert len(late) == net.moods["later"]
    assert all(timedelta(hours=2) <= r.at - AT <= timedelta(hours=30) for r in late)


@pytest.mark.parametrize("undo", [False, True])
def test_a_fee_is_booked_as_a_bill_unless_it_is_taken_back(undo: bool) -> None:
    net = network()
    net.carry_out(
        event("case/A1/1/account/suspend/1/fee/do", "fee", args=["suspension"], amount="5.00", undo=undo)
    )
    booked = [e for r in net.reactions["A1"] for e in net.entries_of(r, "A1")]
    if undo:
        assert booked == []
        return
    (bill,) = booked
    assert (bill["category"], str(bill["amount"])) == ("fee", "5.00")
    assert bill["due_date"] - bill["value_date"] == FEE_DUE


def test_who_pays_the_debt_pays_the_fees_a_day_later() -> None:
    net = network()
    net.paid("A1", AT)
    assert net.reactions["A1"] == []  # nothing is booked
    net.carry_out(event("case/A1/1/B1/late_fee/1/fee.late_fee/do", "fee", args=["late_fee"], amount="7.40"))
    first, then = net.reactions.pop("A1")
    (bill,) = net.entries_of(first, "A1")
    net.paid("A1", AT)
    assert net.reactions["A1"][0].pays_fees
    (paid,) = net.entries_of(then, "A1")
    assert (bill["category"], paid["pays"]) == ("late_fee", [{"bill": bill["id"], "amount": bill["amount"]}])
    assert net.entries_of(then, "A1") == []


def test_a_task_is_done_by_a_person_the_day_after() -> None:
    net = network()
    assert net.carry_out(event("case/A1/1/account/manager/1/task.call/do", "task", args=["call"])) is None
    (done,) = net.reactions["A1"]
    assert (done.receipt, done.at - AT) == ("case/A1/1/account/manager/1/task.call/do", DESK_TAKES)


def test_an_applied_deposit_is_booked() -> None:
    net = network()
    net.carry_out(event("case/A1/1/account/set_off/1/apply/do", "apply", amount="200.00"))
    (booked,) = net.reactions["A1"]
    assert (booked.entry["kind"], booked.entry["move"]) == ("deposit", "applied")


def test_a_restoration_that_comes_late_changes_the_level_when_it_is_confirmed() -> None:
    net = network()
    keys = [f"case/A1/1/account/suspend/{n}/service.suspended/undo" for n in range(60)]
    for key in keys:
        net.carry_out(event(key, "service", level="open", undo=True))
    late = [r.receipt for r in net.reactions["A1"]]
    assert late
    net.levels.clear()
    net.confirmed(late[0])
    assert net.levels == {"A1": "open"}
